#include "stream/pipe.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include "base/failure.h"
#include "base/thread.h"

namespace reprise {
namespace {

// Full blocks wait in `full_`, used ones come back through `free_`: after the start nothing is allocated.
class PipeSink : public Sink {
public:
    explicit PipeSink(Sink& inner) : inner_(inner), thread_("reprise-pipe", [this] { run(); }) {}

    ~PipeSink() override {
        {
            const std::lock_guard<std::mutex> hold(mutex_);
            abandoned_ = true;
        }
        wake_.notify_all();
    }

    void write(std::string_view bytes) override {
        while (!bytes.empty()) {
            if (block_.capacity() < kPipeBlockBytes) block_.reserve(kPipeBlockBytes);
            const std::string_view part = bytes.substr(0, kPipeBlockBytes - block_.size());
            block_ += part;
            bytes.remove_prefix(part.size());
            if (block_.size() == kPipeBlockBytes) hand_over();
        }
    }

    void finish() override {
        if (!block_.empty()) hand_over();
        {
            const std::lock_guard<std::mutex> hold(mutex_);
            ended_ = true;
        }
        wake_.notify_all();
        thread_.join();
        rethrow();
    }

private:
    void hand_over() {
        std::unique_lock<std::mutex> hold(mutex_);
        wake_.wait(hold, [this] { return full_.size() < kPipeBlocks || failure_; });
        if (failure_) std::rethrow_exception(failure_);
        full_.push_back(std::move(block_));
        block_ = std::string();
        if (!free_.empty()) {
            block_ = std::move(free_.front());
            free_.pop_front();
        }
        hold.unlock();
        wake_.notify_all();
    }

    void rethrow() {
        const std::lock_guard<std::mutex> hold(mutex_);
        if (failure_) std::rethrow_exception(failure_);
    }

    void run() {
        try {
            std::string block;
            while (take(block)) {
                inner_.write(block);
                block.clear();
            }
        } catch (...) {
            const std::lock_guard<std::mutex> hold(mutex_);
            failure_ = std::current_exception();
        }
        wake_.notify_all();
    }

    // Gives the used block back and waits for the next; false at the end, which only finish() makes a committed one.
    bool take(std::string& block) {
        std::unique_lock<std::mutex> hold(mutex_);
        if (block.capacity() >= kPipeBlockBytes) free_.push_back(std::move(block));
        wake_.wait(hold, [this] { return !full_.empty() || ended_ || abandoned_; });
        if (abandoned_) return false;
        if (full_.empty()) {
            hold.unlock();
            inner_.finish();
            return false;
        }
        block = std::move(full_.front());
        full_.pop_front();
        hold.unlock();
        wake_.notify_all();
        return true;
    }

    Sink& inner_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::string> full_, free_;
    std::string block_;
    bool ended_ = false, abandoned_ = false;
    std::exception_ptr failure_;
    Thread thread_;  // last: joined before the rest goes
};

}  // namespace

std::unique_ptr<Sink> make_pipe_sink(Sink& inner) { return std::make_unique<PipeSink>(inner); }

}  // namespace reprise
