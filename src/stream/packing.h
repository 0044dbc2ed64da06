// How the bytes of a backup are stored: compressed, then encrypted, or neither. The other direction is layers.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "crypto/signature.h"
#include "stream/compression.h"
#include "stream/sink.h"

namespace reprise {

struct Packing {
    Compression compression;
    // Puts an age layer over what it is given, which outlives what it returns. Empty: files are not encrypted.
    std::function<std::unique_ptr<Sink>(Sink& below)> seal_age;

    // Signs the hash (64 hex digits) of the content. Empty: files are not signed.
    std::function<FileSignature(const std::string& sha256)> sign;

    std::string suffix() const;  // ".json", ".json.zst", ".json.zst.age", …
};

// A Sink for the content of a backup that packs it into `stored`, which outlives it; the work is done on threads of its own
// (compression.h). Only finish() finishes `stored`.
std::unique_ptr<Sink> make_packer(Sink& stored, const Packing& packing);

}  // namespace reprise
