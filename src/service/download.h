// The stored bytes of a backup file, or a part of them, as a stream: what a browser downloads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "service/config.h"
#include "stream/sink.h"

namespace reprise {

// One thread at a time; works on the caller's thread, one chunk per read.
class Download final : public Source {
public:
    // `file` as in restore. Failure{not_found, "file_missing"}, {invalid_argument, "name_invalid"}.
    Download(const Config& config, const std::string& file);
    ~Download() override;
    Download(Download&&) noexcept;

    const std::string& name() const;
    std::int64_t size_bytes() const;
    std::int64_t modified_us() const;
    // Only these bytes from now on; `first` + `count` <= size_bytes().
    void limit(std::int64_t first, std::int64_t count);
    // Failure{corrupt, "file_truncated"} when the file became shorter meanwhile.
    std::size_t read(char* buffer, std::size_t capacity) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
