#include "engine/operation.h"

#include <unistd.h>

#include <algorithm>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "engine/needed.h"
#include "engine/owner.h"
#include "engine/record.h"
#include "engine/shelf.h"
#include "mongo/catalog.h"

namespace reprise {
namespace {

constexpr std::int64_t kLockSliceMs = 100;
constexpr std::size_t kOpBytes = 4;
constexpr std::size_t kDeploymentBytes = 16;

std::string holder_text(const Place& place) { return "job " + place.job + " of process " + std::to_string(::getpid()); }

Failure folder_locked(const Place& place) {
    const std::string holder = printable(FolderLock::holder_of(place.folder));
    return Failure(Code::busy, "folder_locked",
                   "the backup folder is in use by " + (holder.empty() ? std::string("another operation") : holder) +
                       "; wait for its end, or give wait_ms")
        .may_retry();
}

}  // namespace

std::unique_ptr<FolderLock> hold_folder(const Place& place, const Context& context) {
    const std::int64_t until = context.clock->boot_ms() + place.wait_ms;
    for (;;) {
        context.cancel->check();
        if (auto lock = FolderLock::try_acquire(place.folder, holder_text(place))) return lock;
        const std::int64_t left = until - context.clock->boot_ms();
        if (left <= 0) throw folder_locked(place);
        context.phase("waiting");
        context.cancel->wait_ms(std::min(left, kLockSliceMs));
    }
}

// The order of members is the order of taking; they are given back in the opposite one.
struct Operation::State {
    Place place;
    Context context;
    std::int64_t wait_until = 0;
    std::unique_ptr<FolderLock> folder;
    std::unique_ptr<Client> client;
    std::unique_ptr<Lease> lease;
    std::string op;
    std::optional<Owner> owner;
    DeploymentDocument known;  // what the database says
    std::vector<std::string> notes;

    State(const Place& place_, const Context& context_) : place(place_), context(context_) {}
    ~State() {
        if (client) client->fence_with(nullptr);  // the lease goes first
    }
    void take_folder();
    void take_lease(Access access);
    void settle();
    void read_known();
    std::optional<std::string> deployment() const;
    void claim(const Owner& wanted);
};

void Operation::State::take_folder() {
    wait_until = context.clock->boot_ms() + place.wait_ms;
    folder = hold_folder(place, context);
    REPRISE_STEP("engine.operation.folder_locked");
    for (const std::string& name : place.store->sweep())
        notes.push_back("removed " + printable(name) + ", left by an earlier run");
    if (!place.foreign_folder) owner = owner_for(*place.store, place.database);
}

void Operation::State::take_lease(Access access) {
    client = std::make_unique<Client>(place.url, *context.cancel, place.connect_ms);
    if (place.without_majority) client->without_majority();
    client->server();  // one that cannot be reached is known within connect_ms; the lease's own client takes its usual time
    // A backup never creates a database: without collections there is nothing to protect, and nothing is written.
    if (access == Access::write_if_able && !database_exists(*client, place.database)) return;
    const std::int64_t left = std::max<std::int64_t>(0, wait_until - context.clock->boot_ms());
    const auto on_wait = [this](const LeaseHolder& holder) {
        context.phase("waiting");
        context.log(Level::info, "waiting for the lease, held by " + printable(holder.text));
    };
    try {
        lease = Lease::acquire(place.url, place.database, place.job, left, context, on_wait, place.lease_ttl_ms,
                               place.without_majority);
        client->fence_with([held = lease.get()] { held->check_held(); });
    } catch (const Failure& failure) {
        if (access == Access::write || failure.code != Code::denied || failure.reason != "not_authorized") throw;
        context.log(Level::info, "this user may not write to the database: going on with the folder's lock alone");
    }
    REPRISE_STEP("engine.operation.leased");
}

void Operation::State::settle() {
    op = lease ? lease->op() : random_hex(kOpBytes);
    if (lease) {
        const Settled settled = settle_record(place, *client, *lease, context);
        notes.insert(notes.end(), settled.notes.begin(), settled.notes.end());
        release_files(place, context);
        REPRISE_STEP("engine.operation.settled");
    } else if (swap_unfinished(*client, place.database)) {
        throw Failure(Code::refused, "restore_unfinished",
                      "a restore into " + printable(place.database) +
                          " was cut off while it swapped; run any operation once as a user that may write, to finish it");
    }
}

void Operation::State::read_known() {
    known = read_deployment(*client, place.database);
    if (!owner) return;
    check_owner(*owner, place.database, known.value);
    if (!owner->adopting || !lease) return;
    // An adoption was cut off. The database decides which of the two ids it was.
    if (known.value == owner->adopting) owner->deployment = owner->adopting;
    owner->adopting.reset();
    write_owner(*place.store, *owner);
}

std::optional<std::string> Operation::State::deployment() const {
    if (known.value) return known.value;
    return owner ? owner->deployment : std::nullopt;
}

void Operation::State::claim(const Owner& wanted) {
    if (place.foreign_folder) return;
    if (owner && owner->database == wanted.database && owner->deployment == wanted.deployment &&
        owner->adopting == wanted.adopting)
        return;
    write_owner(*place.store, wanted);
    owner = wanted;
}

Operation::Operation(const Place& place, Access access, const Context& context)
    : state_(std::make_unique<State>(place, context)) {
    state_->take_folder();
    state_->take_lease(access);
    state_->settle();
    state_->read_known();
}

Operation::~Operation() = default;

Client& Operation::client() { return *state_->client; }

const Lease* Operation::lease() const { return state_->lease.get(); }

void Operation::check() const {
    state_->context.cancel->check();
    if (state_->lease) state_->lease->check();
}

const std::string& Operation::op() const { return state_->op; }

std::optional<std::string> Operation::deployment() const { return state_->deployment(); }

std::string Operation::ensure_deployment() {
    State& state = *state_;
    if (!state.known.value && state.lease) {
        const auto inherited = state.owner ? state.owner->deployment : std::nullopt;
        check();
        state.known.value =
            make_deployment(*state.client, state.place.database, inherited ? *inherited : random_hex(kDeploymentBytes));
        if (state.owner) check_owner(*state.owner, state.place.database, state.known.value);
        REPRISE_STEP("engine.operation.deployment_written");
    }
    const auto fallback = state.owner ? state.owner->deployment : std::nullopt;
    state.claim(Owner{state.place.database, state.known.value ? state.known.value : fallback, std::nullopt});
    return state.deployment().value_or(std::string());
}

std::int64_t Operation::next_sequence() {
    State& state = *state_;
    const std::string id = state.deployment().value_or(std::string());
    const std::int64_t next = std::max(highest_sequence(*state.place.store, id), state.known.sequence) + 1;
    remember_sequence(*state.place.store, id, next);
    return next;
}

void Operation::published(std::int64_t sequence, const std::optional<std::int64_t>& users) {
    State& state = *state_;
    remember_published(*state.place.store, state.deployment().value_or(std::string()), sequence);
    if (!state.lease || !state.known.value) return;
    check();
    raise_sequence(*state.client, state.place.database, sequence, users);
    state.known.sequence = std::max(state.known.sequence, sequence);
}

std::int64_t Operation::remembered_sequence() const { return state_->known.sequence; }

void Operation::adopt_deployment(const std::string& id) {
    State& state = *state_;
    if (!state.lease) throw Failure(Code::internal, "adopt_without_lease", "a deployment id is adopted only under the lease");
    if (state.known.value == id) return;
    check();
    // Both ids are valid in the folder until the database has the new one: a crash in between locks nobody out.
    if (!state.place.foreign_folder) state.claim(Owner{state.place.database, state.deployment(), id});
    REPRISE_STEP("engine.operation.adopt.before");
    replace_deployment(*state.client, state.place.database, id);
    state.known.value = id;
    REPRISE_STEP("engine.operation.adopt.after");
    state.claim(Owner{state.place.database, id, std::nullopt});
}

const std::vector<std::string>& Operation::notes() const { return state_->notes; }

}  // namespace reprise
