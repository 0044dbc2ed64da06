#include "engine/feed.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/failure.h"
#include "base/text.h"
#include "base/thread.h"
#include "engine/selection.h"

namespace reprise {
namespace {

constexpr int kWaitSliceMs = 100;

constexpr std::size_t kLargestKept = 2 * kFeedBlockBytes;  // a buffer that a large document made bigger is let go

// A bounded queue of blocks whose buffers go round.
class Queue {
public:
    // false: nobody takes any more.
    bool put(FeedBlock&& block) {
        std::unique_lock<std::mutex> hold(mutex_);
        const std::size_t size = block.documents.size();
        changed_.wait(hold, [&] { return closed_ || blocks_.empty() || bytes_ + size <= kFeedBytes; });
        if (closed_) return false;
        bytes_ += size;
        blocks_.push_back(std::move(block));
        changed_.notify_all();
        return true;
    }

    // false: nothing came within a slice, or it is at its end.
    bool take(FeedBlock& block) {
        std::unique_lock<std::mutex> hold(mutex_);
        const auto ready = [&] { return ended_ || !blocks_.empty(); };
        if (!changed_.wait_for(hold, std::chrono::milliseconds(kWaitSliceMs), ready) || blocks_.empty()) return false;
        keep(std::move(block.documents));
        block = std::move(blocks_.front());
        blocks_.pop_front();
        bytes_ -= block.documents.size();
        changed_.notify_all();
        return true;
    }

    std::string spare() {
        const std::lock_guard<std::mutex> hold(mutex_);
        if (spare_.empty()) return {};
        std::string buffer = std::move(spare_.back());
        spare_.pop_back();
        buffer.clear();
        return buffer;
    }

    bool at_end() {
        const std::lock_guard<std::mutex> hold(mutex_);
        return ended_ && blocks_.empty();
    }

    void end() {
        const std::lock_guard<std::mutex> hold(mutex_);
        ended_ = true;
        changed_.notify_all();
    }

    void close() {
        const std::lock_guard<std::mutex> hold(mutex_);
        closed_ = true;
        changed_.notify_all();
    }

private:
    void keep(std::string&& buffer) {
        const bool worth = buffer.capacity() >= kFeedBlockBytes / 2 && buffer.capacity() <= kLargestKept;
        if (worth && spare_.size() < kFeedBytes / kFeedBlockBytes) spare_.push_back(std::move(buffer));
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<FeedBlock> blocks_;
    std::vector<std::string> spare_;
    std::size_t bytes_ = 0;
    bool closed_ = false, ended_ = false;
};

// A standalone server never does, nor one before 5.0 outside a transaction: that is no surprise and needs no request.
bool offers_snapshots(const ServerInfo& server) { return (server.replica_set || server.mongos) && server.at_least(5); }

struct Abandoned {};  // the taker is gone: the reading thread ends quietly

bool refuses_snapshot(const Failure& failure) {
    return failure.origin == Origin::server && is_snapshot_refusal(failure.origin_code);
}

}  // namespace

struct Feed::State {
    const Place place;
    const std::vector<CollectionInfo>& collections;
    const FeedOptions options;
    const Context& context;
    Queue queue;
    Cancel stop;  // of the reading client: the job's cancel and our own end both reach it
    Cut cut;
    bool ask = false;
    std::unique_ptr<Thread> thread;

    State(const Place& place_, const std::vector<CollectionInfo>& collections_, FeedOptions options_, const Context& context_)
        : place(place_), collections(collections_), options(options_), context(context_), ask(options_.snapshot) {}

    void read_all();
    void read_one(Client& client, std::size_t index);
    std::optional<Cursor> open_in_cut(Client& client, const CollectionInfo& info);
    Cursor open(Client& client, const CollectionInfo& info, bool& in_cut);
    bool believe(const Cursor& cursor, const CollectionInfo& info);
    void copy(Cursor& cursor, std::size_t index, bool& handed_over);
    void not_one_cut(const std::string& why);
    void put(FeedBlock::What what, std::size_t index, std::string documents = {});
};

void Feed::State::put(FeedBlock::What what, std::size_t index, std::string documents) {
    FeedBlock block;
    block.what = what;
    block.index = index;
    block.documents = std::move(documents);
    if (!queue.put(std::move(block))) throw Abandoned();
}

void Feed::State::not_one_cut(const std::string& why) {
    if (options.require_snapshot)
        throw Failure(Code::unavailable, "snapshot_unavailable",
                      "the server gives no single point in time for all collections" + (why.empty() ? "" : ": " + why) +
                          "; use a replica set of 5.0 or newer, or consistency prefer_snapshot");
    cut.one = false;
    if (cut.why_not.empty()) cut.why_not = why;
}

// The request is no proof: only the replies are. One time for all: the first one's.
bool Feed::State::believe(const Cursor& cursor, const CollectionInfo& info) {
    const auto time = cursor.at_cluster_time();
    if (time && !cut.time) {
        cut.time = time;
        cut.one = cut.why_not.empty();  // unless a collection before it could not be read at any time
    }
    if (time && time == cut.time) return true;
    not_one_cut("collection " + printable(info.name) + " was answered from another time than was asked for");
    return false;
}

// Natural order, which is faster, only inside a cut that the reply confirms: elsewhere a document that is deleted and
// inserted again while we read could come twice.
std::optional<Cursor> Feed::State::open_in_cut(Client& client, const CollectionInfo& info) {
    FindOptions find;
    find.order = Order::natural;
    find.use_read_preference = true;
    find.snapshot = true;
    find.at = cut.time;
    try {
        Cursor cursor(client, place.database, info.name, find);
        if (believe(cursor, info)) return cursor;
        ask = false;
    } catch (const Failure& failure) {
        if (!refuses_snapshot(failure)) throw;
        not_one_cut("collection " + printable(info.name) + " cannot be read at a point in time (server error " +
                    std::to_string(failure.origin_code) + ")");
    }
    return std::nullopt;
}

Cursor Feed::State::open(Client& client, const CollectionInfo& info, bool& in_cut) {
    in_cut = false;
    if (ask) {
        auto cursor = open_in_cut(client, info);
        in_cut = cursor.has_value();
        if (cursor) return std::move(*cursor);
    }
    FindOptions find;
    find.order = read_order(info);
    find.use_read_preference = true;
    return Cursor(client, place.database, info.name, find);
}

void Feed::State::copy(Cursor& cursor, std::size_t index, bool& handed_over) {
    std::string block = queue.spare();
    std::string_view document;
    while (cursor.next(document)) {
        if (!block.empty() && block.size() + document.size() > kFeedBlockBytes) {
            handed_over = true;
            put(FeedBlock::What::documents, index, std::move(block));
            block = queue.spare();
        }
        block.append(document);
    }
    if (!block.empty()) put(FeedBlock::What::documents, index, std::move(block));
}

void Feed::State::read_one(Client& client, std::size_t index) {
    const CollectionInfo& info = collections[index];
    put(FeedBlock::What::begin, index);
    bool in_cut = false, handed_over = false;
    try {
        Cursor cursor = open(client, info, in_cut);
        copy(cursor, index, handed_over);
        if (in_cut && !believe(cursor, info)) throw Failure(Code::unavailable, "snapshot_lost", cut.why_not).may_retry();
    } catch (const Failure& failure) {
        if (!in_cut || !refuses_snapshot(failure)) throw;
        not_one_cut("the history at that time was gone while collection " + printable(info.name) + " was read");
        if (handed_over) throw Failure(Code::unavailable, "snapshot_lost", cut.why_not).may_retry();
        ask = false;
        Cursor cursor = open(client, info, in_cut);
        copy(cursor, index, handed_over);
    }
    put(FeedBlock::What::end, index);
}

void Feed::State::read_all() {
    Client client(place.url, stop, place.connect_ms);
    if (ask && !offers_snapshots(client.server())) {
        ask = false;
        not_one_cut({});
    }
    for (std::size_t index = 0; index < collections.size(); ++index)
        if (collections[index].type != "view") read_one(client, index);
    if (!cut.one) cut.time.reset();
}

Feed::Feed(const Place& place, const std::vector<CollectionInfo>& collections, FeedOptions options, const Context& context)
    : state_(std::make_unique<State>(place, collections, options, context)) {
    State* state = state_.get();
    state->thread = std::make_unique<Thread>("reprise-read", [state] {
        // The end is said also when it is a failure: the taker then finds it by joining.
        struct SayEnd {
            Queue& queue;
            ~SayEnd() { queue.end(); }
        } say_end{state->queue};
        try {
            state->read_all();
        } catch (const Abandoned&) {
        }
    });
}

Feed::~Feed() {
    state_->queue.close();
    state_->stop.request();
}

bool Feed::next(FeedBlock& block) {
    for (;;) {
        state_->context.cancel->check();
        if (state_->queue.take(block)) return true;
        if (!state_->queue.at_end()) continue;
        state_->thread->join();
        return false;
    }
}

const Cut& Feed::cut() const { return state_->cut; }

}  // namespace reprise
