// The lease document: {_id: "lease", holder, term, op, beat, ttl_ms, nonce}.
//
// Decided here, beside design/restore.md:
// - Taking over is conditional on the `beat` that was seen, renewing on the `term`: a term belongs to one acquisition, so a
//   renewal whose answer was lost needs no memory of which beat arrived.
// - An acquisition writes a fresh `nonce`; when its answer is lost the document is read back, and our nonce in it means that
//   it is ours, counted from before the command was sent.
// - Renewal has a Cancel of its own: a cancelled job still cleans up under its lease.
// - In a child after fork everything here is left alone and check() refuses.
#include "mongo/lease.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "base/text.h"
#include "base/thread.h"
#include "crypto/random.h"
#include "mongo/holder_posix.h"
#include "mongo/state.h"

namespace reprise {
namespace {

constexpr std::int32_t kDuplicateKey = 11000;
constexpr std::int64_t kReleaseBoundMs = 2000;
constexpr std::int64_t kMaxPollMs = 500;

struct Seen {
    HolderIdentity holder;
    bool held = false;  // holder and beat are set
    std::string beat, op, nonce;
    std::int64_t term = 0, ttl_ms = 0;
};

std::string text_of(const BsonView& view, std::string_view key) {
    const auto field = view.find(key);
    return field && field->type == BsonType::string ? std::string(field->text()) : std::string();
}

std::int64_t number_of(const BsonView& view, std::string_view key) {
    const auto field = view.find(key);
    return field && field->is_number() ? field->integer() : 0;
}

Seen seen_in(std::string_view document) {
    const BsonView view(document);
    Seen seen;
    seen.beat = text_of(view, "beat");
    seen.op = text_of(view, "op");
    seen.nonce = text_of(view, "nonce");
    seen.term = number_of(view, "term");
    seen.ttl_ms = number_of(view, "ttl_ms");
    const auto holder = view.find("holder");
    if (holder && holder->type == BsonType::document) seen.holder = identity_from(holder->document());
    seen.held = holder.has_value() || view.find("beat").has_value();
    return seen;
}

std::string own_id() { return BsonBuilder().add("_id", "lease").str(); }

CommandOptions durable() {
    CommandOptions options;
    options.concern = Concern::majority;
    options.retryable_write = true;
    return options;
}

std::optional<Seen> read_lease(Client& client, const std::string& database) {
    std::optional<Seen> seen;
    CommandOptions options;
    options.concern = Concern::read;
    const std::string find =
        BsonBuilder().add("find", kOwnCollection).doc("filter", own_id()).add("limit", std::int64_t{1}).str();
    const std::string reply = client.command(database, find, options);
    const auto batch = BsonView(reply).at_path("cursor.firstBatch");
    if (!batch) throw Failure(Code::server, "server_error", "the server's answer about the lease holds no cursor");
    for (const BsonField& document : BsonView(batch->document())) seen = seen_in(document.document());
    return seen;
}

// findAndModify; true when a document matched.
bool change_lease(Client& client, const std::string& database, const std::string& query, const std::string& update) {
    const std::string command =
        BsonBuilder().add("findAndModify", kOwnCollection).doc("query", query).doc("update", update).add("new", true).str();
    const std::string reply = client.command(database, command, durable());
    const auto value = BsonView(reply).find("value");
    return value && value->type == BsonType::document;
}

std::string holder_text(const HolderIdentity& holder, const HolderIdentity& us) {
    const bool here = !us.boot.empty() && holder.boot == us.boot;
    return "job " + (holder.job.empty() ? std::string("of an unknown name") : printable(holder.job)) + " (process " +
           std::to_string(holder.pid) + (here ? " on this machine)" : " on another machine)");
}

// What one acquisition writes.
struct Claim {
    std::string op, beat, nonce;
    std::int64_t term = 0, sent_ms = 0;
    std::string previous_op;
};

class HeldLease final : public Lease {
public:
    struct Shared;
    HeldLease(std::unique_ptr<Shared> shared, Claim claim);
    ~HeldLease() override;
    const std::string& op() const override { return claim_.op; }
    std::int64_t term() const override { return claim_.term; }
    const std::string& previous_op() const override { return claim_.previous_op; }
    void check() const override;
    void check_held() const override { need(0); }

private:
    void need(std::int64_t least_ms) const;
    std::int64_t left_ms() const;
    void renew_until_stopped();
    bool renew(Client& client);
    void release();

    const Claim claim_;
    Shared* shared_;  // left behind in a child after fork: its thread exists in the parent only
};

struct HeldLease::Shared {
    Secret url;
    std::string database;
    std::int64_t ttl_ms = 0, bound_ms = 0;
    const Clock* clock = nullptr;
    pid_t owner = 0;
    bool alone = false;  // without a majority
    Cancel stop;         // of the renewal, not of the job
    const Cancel* job = nullptr;
    std::atomic<bool> lost{false};
    std::atomic<std::int64_t> acknowledged_ms{0};  // when the last acknowledged renewal was sent
    std::unique_ptr<Thread> thread;
};

HeldLease::HeldLease(std::unique_ptr<Shared> shared, Claim claim) : claim_(std::move(claim)), shared_(shared.get()) {
    shared_->acknowledged_ms = claim_.sent_ms;
    try {
        shared_->thread = std::make_unique<Thread>("reprise-lease", [this] { renew_until_stopped(); });
    } catch (const Failure&) {
        release();
        throw;
    }
    static_cast<void>(shared.release());
}

HeldLease::~HeldLease() {
    if (::getpid() != shared_->owner) return;
    shared_->stop.request();
    shared_->thread.reset();
    release();
    delete shared_;
}

std::int64_t HeldLease::left_ms() const { return shared_->acknowledged_ms + shared_->ttl_ms - shared_->clock->boot_ms(); }

void HeldLease::check() const { need(shared_->bound_ms); }

void HeldLease::need(std::int64_t least_ms) const {
    const bool ours = ::getpid() == shared_->owner;
    if (ours && !shared_->lost && left_ms() > least_ms) return;
    throw Failure(Code::busy, "lease_lost",
                  ours ? "the lease of this operation was lost or could not be renewed in time; nothing more is written, run "
                         "the operation again"
                       : "the lease belongs to the parent process");
}

bool HeldLease::renew(Client& client) {
    const std::int64_t sent = shared_->clock->boot_ms();
    const std::string query = BsonBuilder().add("_id", "lease").add("term", claim_.term).add("op", claim_.op).str();
    const std::string update = BsonBuilder().doc("$set", BsonBuilder().add("beat", random_hex(16)).str()).str();
    const BoundedIo bound(client.state(), std::max<std::int64_t>(left_ms(), 1));
    if (!change_lease(client, shared_->database, query, update)) return false;
    shared_->acknowledged_ms = sent;
    return true;
}

void HeldLease::renew_until_stopped() {
    std::optional<Client> client;
    const std::int64_t rhythm_ms = std::max<std::int64_t>(shared_->ttl_ms / 3, 1);
    std::int64_t wait_ms = rhythm_ms;
    while (!shared_->stop.wait_ms(wait_ms)) {
        if (left_ms() <= 0) shared_->lost = true;  // for good: somebody else may hold it by now
        if (shared_->lost) return;
        try {
            if (!client) {
                client.emplace(shared_->url, shared_->stop, rhythm_ms);
                if (shared_->alone) client->without_majority();
            }
            if (!renew(*client)) shared_->lost = true;
            wait_ms = rhythm_ms;
        } catch (const Failure&) {
            client.reset();
            wait_ms = std::max<std::int64_t>(rhythm_ms / 10, 1);  // until there is nothing left to save
        }
    }
}

void HeldLease::release() {
    if (shared_->lost) return;
    try {
        Cancel own;
        const std::int64_t bound_ms = shared_->job->tidy_ms(kReleaseBoundMs);
        Client client(shared_->url, own, bound_ms);
        if (shared_->alone) client.without_majority();
        const BoundedIo bound(client.state(), bound_ms);
        const std::string query = BsonBuilder().add("_id", "lease").add("term", claim_.term).add("op", claim_.op).str();
        const std::string gone = BsonBuilder().add("holder", "").add("beat", "").str();
        try {
            change_lease(client, shared_->database, query, BsonBuilder().doc("$unset", gone).str());
        } catch (const Failure&) {
            own.request();  // no farewell to a server that does not answer
        }
    } catch (const Failure&) {
        // The lease runs out by itself, or is replaced at once when this process ends.
    }
}

// One process's attempts to get the lease.
class Contender {
public:
    Contender(const Secret& url, const std::string& database, const std::string& job, const Context& context,
              std::int64_t ttl_ms)
        : client_(url, *context.cancel), database_(database), us_(own_identity(job)), context_(context), ttl_ms_(ttl_ms) {}

    // One attempt; nullopt when somebody else holds it, who then is in holder().
    std::optional<Claim> attempt();
    void be_alone() { client_.without_majority(); }
    LeaseHolder holder() const { return {last_.holder.job, holder_text(last_.holder, us_)}; }

private:
    bool may_take(const Seen& seen);
    bool create(const Claim& claim);
    bool take(const Seen& seen, Claim& claim);
    std::string fields(const Claim& claim) const;

    Client client_;
    const std::string database_;
    const HolderIdentity us_;
    const Context& context_;
    const std::int64_t ttl_ms_;
    Seen last_;
    std::int64_t watched_since_ms_ = -1;  // how long last_.beat has been the same, by our own clock
};

std::string Contender::fields(const Claim& claim) const {
    return BsonBuilder()
        .doc("holder", to_bson(us_))
        .add("op", claim.op)
        .add("beat", claim.beat)
        .add("ttl_ms", ttl_ms_)
        .add("nonce", claim.nonce)
        .str();
}

bool Contender::create(const Claim& claim) {
    BsonBuilder document;
    document.add("_id", "lease").add("term", claim.term);
    const std::string claimed = fields(claim);
    for (const BsonField& field : BsonView(claimed)) document.field(field);
    const std::string command =
        BsonBuilder().add("insert", kOwnCollection).array("documents", BsonArray().doc(document.str()).str()).str();
    try {
        client_.command(database_, command, durable());
        return true;
    } catch (const Failure& failure) {
        if (failure.origin == Origin::server && failure.origin_code == kDuplicateKey) return false;
        throw;
    }
}

bool Contender::take(const Seen& seen, Claim& claim) {
    claim.term = seen.term + 1;
    if (seen.held) claim.previous_op = seen.op;
    BsonBuilder query;
    query.add("_id", "lease").add("term", seen.term);
    if (seen.beat.empty())
        query.doc("beat", BsonBuilder().add("$exists", false).str());
    else
        query.add("beat", seen.beat);
    const std::string update =
        BsonBuilder().doc("$set", fields(claim)).doc("$inc", BsonBuilder().add("term", std::int64_t{1}).str()).str();
    return change_lease(client_, database_, query.str(), update);
}

bool Contender::may_take(const Seen& seen) {
    const std::int64_t now = context_.clock->boot_ms();
    if (watched_since_ms_ < 0 || seen.beat != last_.beat || seen.term != last_.term) watched_since_ms_ = now;
    last_ = seen;
    if (!seen.held || proven_dead(seen.holder, us_)) return true;
    return now - watched_since_ms_ >= std::max(seen.ttl_ms, ttl_ms_);
}

std::optional<Claim> Contender::attempt() {
    std::optional<Seen> seen = read_lease(client_, database_);
    if (seen && !may_take(*seen)) return std::nullopt;
    Claim claim;
    claim.op = random_hex(4);
    claim.beat = random_hex(16);
    claim.nonce = random_hex(16);
    claim.term = 1;
    claim.sent_ms = context_.clock->boot_ms();
    try {
        if (seen ? take(*seen, claim) : create(claim)) return claim;
    } catch (const Failure& failure) {
        const bool unsettled = failure.code == Code::unavailable || failure.code == Code::timed_out;
        if (!unsettled) throw;
    }
    // Refused, or the answer was lost: what stands there decides.
    seen = read_lease(client_, database_);
    if (seen && seen->nonce == claim.nonce && seen->held) return claim;
    if (seen) last_ = *seen;
    watched_since_ms_ = -1;
    return std::nullopt;
}

Failure held_by(const LeaseHolder& holder) {
    return Failure(Code::busy, "lease_held",
                   "another operation on this database is running: " + holder.text + "; wait for it or try again later")
        .may_retry();
}

}  // namespace

std::unique_ptr<Lease> Lease::acquire(const Secret& url, const std::string& database, const std::string& job,
                                      std::int64_t wait_ms, const Context& context,
                                      const std::function<void(const LeaseHolder&)>& on_wait, std::int64_t ttl_ms,
                                      bool without_majority) {
    Contender contender(url, database, job, context, ttl_ms);
    if (without_majority) contender.be_alone();
    const std::int64_t start = context.clock->boot_ms();
    const std::int64_t poll_ms = std::clamp<std::int64_t>(ttl_ms / 30, 10, kMaxPollMs);
    std::int64_t told_ms = -1;
    std::optional<Claim> claim;
    while (!(claim = contender.attempt())) {  // ends at wait_ms
        const std::int64_t now = context.clock->boot_ms();
        if (now - start >= wait_ms) throw held_by(contender.holder());
        if (on_wait && (told_ms < 0 || now - told_ms >= ttl_ms / 3)) {
            on_wait(contender.holder());
            told_ms = now;
        }
        if (context.cancel->wait_ms(std::min(poll_ms, std::max<std::int64_t>(start + wait_ms - now, 1))))
            context.cancel->check();
    }
    auto shared = std::make_unique<HeldLease::Shared>();
    shared->url = url;
    shared->database = database;
    shared->ttl_ms = ttl_ms;
    shared->alone = without_majority;
    shared->bound_ms = std::min(kLeaseCommandBoundMs, ttl_ms / 6);
    shared->clock = context.clock;
    shared->owner = ::getpid();
    shared->job = context.cancel;
    return std::make_unique<HeldLease>(std::move(shared), std::move(*claim));
}

}  // namespace reprise
