#include "service/download.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "engine/shelf.h"
#include "service/catalogue.h"
#include "store/local.h"

namespace reprise {

struct Download::State {
    std::unique_ptr<Store> store;
    std::unique_ptr<OpenBlob> blob;
    std::int64_t left = 0;
};

Download::Download(const Config& config, const std::string& file) : state_(std::make_unique<State>()) {
    state_->store = open_local_store(config.directory, true);
    const std::string name = resolve_name(*state_->store, config.directory, file);
    list_entry(config, name);  // a backup, and nothing else that lies there
    state_->blob = state_->store->open(name);
    state_->left = state_->blob->size_bytes();
}

Download::~Download() = default;
Download::Download(Download&&) noexcept = default;

const std::string& Download::name() const { return state_->blob->name(); }
std::int64_t Download::size_bytes() const { return state_->blob->size_bytes(); }
std::int64_t Download::modified_us() const { return state_->blob->modified_us(); }

void Download::limit(std::int64_t first, std::int64_t count) {
    state_->blob->seek(first);
    state_->left = count;
}

std::size_t Download::read(char* buffer, std::size_t capacity) {
    const auto wanted = std::min<std::uint64_t>(capacity, static_cast<std::uint64_t>(state_->left));
    if (wanted == 0) return 0;
    const std::size_t got = state_->blob->read(buffer, static_cast<std::size_t>(wanted));
    if (got == 0)
        throw Failure(Code::corrupt, "file_truncated", "file " + printable(name()) + " became shorter while it was read");
    state_->left -= static_cast<std::int64_t>(got);
    return got;
}

}  // namespace reprise
