#include "engine/filler.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "base/thread.h"
#include "mongo/client.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;
constexpr std::size_t kBatchDocuments = 20000;
// The writer keeps the errors of 100 documents: a batch that may meet a validator is never larger.
constexpr std::size_t kValidatedDocuments = 100;
constexpr std::size_t kMaxQueued = 2;
constexpr std::int32_t kValidationFailed = 121;

struct Batch {
    FillTarget target;
    std::int64_t first = 0;  // position of its first document in the collection
    std::string bytes;
    std::vector<std::size_t> ends;

    std::string_view document(std::size_t i) const {
        const std::size_t begin = i == 0 ? 0 : ends[i - 1];
        return std::string_view(bytes).substr(begin, ends[i] - begin);
    }
    bool full() const {
        return bytes.size() >= kBatchBytes || ends.size() >= (target.validator ? kValidatedDocuments : kBatchDocuments);
    }
};

Failure refused(const Batch& batch, const InsertError& error) {
    Failure failure(Code::server, "document_refused",
                    "the server refused document " + std::to_string(batch.first + error.position + 1) + " of collection " +
                        printable(batch.target.name) + " (" + error.id +
                        "): " + (error.code_name.empty() ? "code " + std::to_string(error.code) : error.code_name));
    return failure.from(Origin::server, error.code);
}

Failure bypass_denied(const Batch& batch, const InsertError& error) {
    return Failure(Code::denied, "bypass_denied",
                   "document " + std::to_string(batch.first + error.position + 1) + " of collection " +
                       printable(batch.target.name) + " (" + error.id +
                       ") does not pass the collection's validator, and this user may not bypass it; give it the role dbAdmin "
                       "on the database")
        .from(Origin::server, kValidationFailed);
}

}  // namespace

struct Filler::State {
    const Place& place;
    const Context& context;
    std::function<void()> check;

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Batch> queue;
    bool ended = false, failed = false;
    std::int64_t bypassed = 0;

    FillTarget current;
    Batch filling;
    std::int64_t position = 0;  // documents of `current` so far
    std::unique_ptr<Thread> thread;

    State(const Place& place_, const Context& context_, std::function<void()> check_)
        : place(place_), context(context_), check(std::move(check_)) {}

    void run() {
        try {
            Client client(place.url, *context.cancel, place.connect_ms);
            Batch batch;
            while (take(batch)) insert(client, batch);
        } catch (...) {
            const std::lock_guard<std::mutex> hold(mutex);
            failed = true;
            queue.clear();
            changed.notify_all();
            throw;
        }
    }

    bool take(Batch& batch) {
        std::unique_lock<std::mutex> hold(mutex);
        changed.wait(hold, [this] { return ended || !queue.empty(); });
        if (queue.empty()) return false;
        batch = std::move(queue.front());
        queue.pop_front();
        changed.notify_all();
        return true;
    }

    void insert(Client& client, const Batch& batch) {
        check();
        REPRISE_STEP("restore.fill.before");
        BatchWriter writer(client, place.database, batch.target.staging);
        for (std::size_t i = 0; i < batch.ends.size(); ++i) writer.add(batch.document(i));
        writer.flush();
        REPRISE_STEP("restore.fill.after");
        if (writer.error_count() == 0) return;
        for (const InsertError& error : writer.errors())
            if (error.code != kValidationFailed || !batch.target.validator) throw refused(batch, error);
        for (const InsertError& error : writer.errors()) insert_unvalidated(client, batch, error);
    }

    void insert_unvalidated(Client& client, const Batch& batch, const InsertError& error) {
        check();
        InsertOptions options;
        options.bypass_validation = true;
        BatchWriter writer(client, place.database, batch.target.staging, options);
        try {
            writer.add(batch.document(static_cast<std::size_t>(error.position)));
            writer.flush();
        } catch (const Failure& failure) {
            if (failure.code == Code::denied) throw bypass_denied(batch, error);
            throw;
        }
        if (writer.error_count() > 0) {
            if (writer.errors().front().code == 13) throw bypass_denied(batch, error);
            throw refused(batch, error);
        }
        const std::lock_guard<std::mutex> hold(mutex);
        ++bypassed;
    }

    bool queued() {
        std::unique_lock<std::mutex> hold(mutex);
        changed.wait(hold, [this] { return failed || queue.size() < kMaxQueued; });
        if (failed) return false;
        queue.push_back(std::move(filling));
        changed.notify_all();
        return true;
    }

    void push() {
        if (filling.ends.empty()) return;
        if (!queued()) {
            thread->join();  // throws what it threw
            throw Failure(Code::internal, "filler_ended", "the inserting thread ended early");
        }
        filling = Batch();
        filling.target = current;
        filling.first = position;
    }
};

Filler::Filler(const Place& place, const Context& context, std::function<void()> check)
    : state_(std::make_unique<State>(place, context, std::move(check))) {
    State* state = state_.get();
    state->thread = std::make_unique<Thread>("reprise-fill", [state] { state->run(); });
}

Filler::~Filler() {
    {
        const std::lock_guard<std::mutex> hold(state_->mutex);
        state_->queue.clear();
        state_->ended = true;
        state_->changed.notify_all();
    }
    state_->thread.reset();
}

void Filler::begin(const FillTarget& target) {
    state_->push();
    state_->current = target;
    state_->position = 0;
    state_->filling = Batch();
    state_->filling.target = target;
}

void Filler::add(std::string_view document) {
    Batch& batch = state_->filling;
    if (batch.bytes.capacity() == 0) batch.bytes.reserve(kBatchBytes + kBatchBytes / 4);
    batch.bytes += document;
    batch.ends.push_back(batch.bytes.size());
    ++state_->position;
    if (batch.full()) state_->push();
}

void Filler::finish() {
    state_->push();
    {
        const std::lock_guard<std::mutex> hold(state_->mutex);
        state_->ended = true;
        state_->changed.notify_all();
    }
    state_->thread->join();
}

std::int64_t Filler::bypassed() const {
    const std::lock_guard<std::mutex> hold(state_->mutex);
    return state_->bypassed;
}

}  // namespace reprise
