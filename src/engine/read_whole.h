// Reads a backup from first to last byte with progress and cancel; every check is BackupReader's.
#pragma once

#include <functional>
#include <string_view>

#include "base/context.h"
#include "crypto/digest.h"
#include "format/reader.h"
#include "store/store.h"

namespace reprise {

// How a job reads a file: with what it has to open the file's layers.
ReadOptions read_options(const Context& context);

// A blob that counts what was read of it, for the progress, and hashes it when it has layers: its own last line hashes the
// content alone.
class CountingSource : public Source {
public:
    explicit CountingSource(OpenBlob& blob) : blob_(blob) {}
    std::size_t read(char* buffer, std::size_t capacity) override;
    std::int64_t bytes() const { return bytes_; }
    std::int64_t total() const { return blob_.size_bytes(); }
    // Of the stored bytes that were read, 64 hex digits; empty for a plain file.
    std::string stored_sha256() const { return layered_ ? hash_.peek_hex() : std::string(); }

private:
    OpenBlob& blob_;
    std::int64_t bytes_ = 0;
    bool layered_ = false;
    Sha256 hash_;
};

struct WholeReadHooks {
    std::function<void(const std::string& collection)> collection;  // at its begin; empty: not asked for
    std::function<void(std::string_view bson)> document;
    std::function<void()> collection_end;
};

// phase: for the progress ("verifying"). Returns when the file is proven whole; Failure{cancelled} when asked to stop.
void read_whole(BackupReader& reader, const CountingSource& source, const char* phase, const Context& context,
                const WholeReadHooks& hooks = {});

}  // namespace reprise
