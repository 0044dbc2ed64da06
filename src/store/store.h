// A store keeps named blobs: it moves named bytes and knows nothing of what they mean. Names are single path components;
// a name that is not (a slash, "..", NUL, a leading dot, over 255 bytes, not UTF-8) is refused with "name_invalid" (S11).
// Thread-safe. Every failure names the blob and says what to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/sink.h"

namespace reprise {

struct Blob {
    std::string name;
    std::int64_t size_bytes = 0;
    std::int64_t modified_us = 0;  // microseconds since 1970, UTC
};

// One opened blob: what is read twice is the same bytes' owner (one descriptor), whatever happens to the name.
class OpenBlob : public Source {
public:
    virtual std::int64_t size_bytes() const = 0;
    virtual std::int64_t modified_us() const = 0;
    virtual const std::string& name() const = 0;  // after links were resolved
    virtual void rewind() = 0;                    // the next read() starts at the first byte again
    virtual void seek(std::int64_t offset) = 0;   // the next read() starts at this byte
};

// A blob being written: invisible until publish(), gone when destroyed before it.
class StagedBlob : public Sink {
public:
    // write() as in Sink; finish(): flushed and fsync'ed under its temporary name.
    virtual std::unique_ptr<OpenBlob> reopen() = 0;  // after finish(): reads back what was stored
    // Renames it to `name` (never over an existing one: Failure{busy, "name_taken"}) and fsyncs the folder.
    virtual void publish(const std::string& name) = 0;
    virtual std::int64_t written_bytes() const = 0;
};

class Store {
public:
    virtual ~Store() = default;

    virtual std::vector<Blob> list() = 0;  // visible regular files, sorted by name; links and hidden files left out
    // Failure{not_found, "file_missing"}, {denied, …}, {corrupt, "not_a_file"} for a folder, device or socket.
    virtual std::unique_ptr<OpenBlob> open(const std::string& name) = 0;
    virtual std::unique_ptr<StagedBlob> create() = 0;
    virtual void rename(const std::string& from, const std::string& to) = 0;  // never over an existing one
    virtual void remove(const std::string& name) = 0;

    // A pointer is a relative symbolic link (elsewhere: hard link or copy) replaced atomically. One of `replaces`
    // (pointers with other suffixes) is unlinked afterwards. A regular file that stands under `name` fails: "name_taken".
    virtual void set_pointer(const std::string& name, const std::string& target, const std::vector<std::string>& replaces) = 0;
    virtual std::optional<std::string> pointer(const std::string& name) = 0;  // target's name, when it resolves inside
    virtual bool is_regular(const std::string& name) = 0;                     // not a link, a plain file

    // Small state in the hidden folder `.reprise/`: keys are "owner", "startup", "manifests/NAME.json", "jobs/ID.json", …
    // write_state is atomic and durable (temporary name, fsync, rename, fsync of the folder).
    virtual std::optional<std::string> read_state(const std::string& key) = 0;
    virtual void write_state(const std::string& key, std::string_view bytes) = 0;
    // Appends to it (made when it is not there), durable; a crash may leave a part of `bytes` at its end.
    virtual void append_state(const std::string& key, std::string_view bytes) = 0;
    virtual void remove_state(const std::string& key) = 0;
    virtual std::vector<std::string> list_state(const std::string& folder) = 0;  // names in ".reprise/<folder>/", sorted

    // Removes temporary files that earlier, dead writers left. Only under the operation lock.
    virtual std::vector<std::string> sweep() = 0;
    virtual std::string path_of(const std::string& name) const = 0;  // for people: the absolute path of a local file
};

}  // namespace reprise
