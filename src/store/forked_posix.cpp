#include "store/forked_posix.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace reprise {
namespace {

struct Table {
    std::mutex mutex;
    std::vector<int> descriptors;
};

// Never destroyed: a child or a thread of the host may still be here when the process's statics go.
Table& table() {
    static Table* const one = new Table;
    return *one;
}

// Around a fork the table is held, so that the child finds it whole.
void handle_forks() {
    static std::once_flag once;
    std::call_once(once, [] {
        ::pthread_atfork([] { table().mutex.lock(); }, [] { table().mutex.unlock(); },
                         [] {
                             for (const int fd : table().descriptors) ::close(fd);
                             table().descriptors.clear();
                             table().mutex.unlock();
                         });
    });
}

}  // namespace

OwnDescriptor::OwnDescriptor(int fd) : fd_(fd) {
    handle_forks();
    Table& all = table();
    const std::lock_guard<std::mutex> hold(all.mutex);
    all.descriptors.push_back(fd);
}

OwnDescriptor::OwnDescriptor(OwnDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

OwnDescriptor& OwnDescriptor::operator=(OwnDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

OwnDescriptor::~OwnDescriptor() {
    if (fd_ < 0) return;
    Table& all = table();
    const std::lock_guard<std::mutex> hold(all.mutex);
    const auto found = std::find(all.descriptors.begin(), all.descriptors.end(), fd_);
    if (found != all.descriptors.end()) all.descriptors.erase(found);
}

}  // namespace reprise
