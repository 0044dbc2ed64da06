// Reads a backup from first to last byte with progress and cancel; every check is BackupReader's.
#pragma once

#include <functional>
#include <string_view>

#include "base/context.h"
#include "format/reader.h"
#include "store/store.h"

namespace reprise {

// A blob that counts what was read of it, for the progress.
class CountingSource : public Source {
public:
    explicit CountingSource(OpenBlob& blob) : blob_(blob) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = blob_.read(buffer, capacity);
        bytes_ += static_cast<std::int64_t>(count);
        return count;
    }
    std::int64_t bytes() const { return bytes_; }
    std::int64_t total() const { return blob_.size_bytes(); }

private:
    OpenBlob& blob_;
    std::int64_t bytes_ = 0;
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
