// Reads one backup file as a stream and checks everything that the file says of itself; memory does not grow.
// Reads format 1 and, told by what is in them, files of the replaced system, under whatever layers (stream/layers.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/model.h"
#include "stream/layers.h"
#include "stream/sink.h"

namespace reprise {

struct ReadOptions {
    // rehash and show: a wrong sha256, count or digest in the trailer is kept in mismatch() instead of thrown.
    bool tolerate_edits = false;
    LayerOptions layers = {};
};

class BackupReader {
public:
    // Reads up to the catalog's end. `source`, the stored bytes, outlives it; its name is for messages only.
    // Failure{unsupported, "format_unknown" | "kind_unknown" | "requirement_unknown" | "layer_unsupported"} before anything
    // else is looked at; {corrupt, …} with the reasons that capi/ABI.md lists, here and in the calls below.
    BackupReader(Source& source, std::string name, ReadOptions options = {});
    ~BackupReader();

    bool legacy() const;  // a file of the replaced system: no catalog, nothing proven
    const Header& header() const;
    const std::vector<CatalogEntry>& catalog() const;  // empty when legacy

    bool next_collection(std::string& name);     // false after the last: everything is then checked
    bool next_document(std::string_view& bson);  // of the running collection; valid until the next call
    std::uint64_t line() const;                  // of the document that was read last

    // After next_collection() returned false: what the file says of itself, which was found to be true (with
    // tolerate_edits: also when it was not, see mismatch()). For a legacy file it is counted by us, with our digests.
    const Summary& summary() const;
    const std::string& sha256() const;                      // of the content, as computed; for a legacy file of all its bytes
    const std::optional<FileSignature>& signature() const;  // as it stands there: whose it is was not asked
    const std::vector<std::string>& warnings() const;       // legacy: what could not be proven, replaced surrogates
    const std::optional<std::string>& mismatch() const;     // with tolerate_edits

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
