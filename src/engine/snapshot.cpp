#include "engine/snapshot.h"

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "engine/measure.h"
#include "engine/shelf.h"
#include "engine/snapshot_write.h"
#include "engine/verify.h"
#include "stream/vault.h"

namespace reprise {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr int kMaxNameTries = 100;
constexpr std::int64_t kDayUs = std::int64_t{86400} * 1000000;

// One backup from its first question to `latest`.
class Backup {
public:
    Backup(Operation& operation, const Place& place, const BackupOptions& options, const Context& context)
        : operation_(operation), place_(place), options_(options), context_(context), store_(*place.store) {}
    BackupResult run();

private:
    Header begin_header();
    std::int64_t bytes_expected() const;
    void read_back(WrittenBackup& written);
    void judge_it(const WrittenBackup& written);
    void warn_of_losses();
    void publish(WrittenBackup& written);
    void warn_of_missing();
    void remember_it();
    void point_latest();
    void rotate();
    bool counts() const { return options_.kind == FileKind::backup && options_.scope.is != "partial"; }

    Operation& operation_;
    const Place& place_;
    const BackupOptions& options_;
    const Context& context_;
    Store& store_;
    std::vector<ShelfItem> shelf_;
    BackupResult result_;
    Verdict verdict_;
    bool missing_ = false;  // the folder lacks what the database remembers
};

Header Backup::begin_header() {
    Header header;
    header.database = place_.database;
    header.id = random_hex(kIdBytes);
    header.scope = options_.scope;
    header.label = options_.label;
    header.version = kVersion;
    header.server = operation_.client().server().version;
    header.profile = options_.profile == Profile::portable ? "portable" : "readable";
    header.wanted = options_.require_snapshot ? "require_snapshot" : "prefer_snapshot";
    // In the file itself, so that it holds from the first moment at which the file is seen, and without its manifest.
    if (options_.before_keep_days >= 0) header.keep_until_us = context_.clock->unix_us() + options_.before_keep_days * kDayUs;
    const std::string deployment = operation_.ensure_deployment();
    if (!deployment.empty()) header.deployment = deployment;
    header.sequence = operation_.next_sequence();
    return header;
}

// What the newest good backup held, for the progress: asking the server would cost more than it tells.
std::int64_t Backup::bytes_expected() const {
    for (const ShelfItem& item : shelf_) {
        if (!counts() || !item.manifest || !is_good(*item.manifest) || item.manifest->database != place_.database) continue;
        std::int64_t bytes = 0;
        for (const auto& [name, collection] : item.manifest->summary.collections)
            if (options_.scope.selects(name)) bytes += collection.bson_bytes;
        return bytes;
    }
    return 0;
}

Failure mismatch(const std::string& what) {
    return Failure(Code::internal, "readback_mismatch",
                   "what was written does not read back as it was: " + what + "; the backup was not kept, please report this");
}

void compare_collections(const Summary& sent, const Summary& stored) {
    if (sent.collections.size() != stored.collections.size()) throw mismatch("another number of collections");
    for (std::size_t i = 0; i < sent.collections.size(); ++i)
        if (!(sent.collections[i] == stored.collections[i]))
            throw mismatch("collection " + printable(sent.collections[i].first));
}

// S2: what counts is what the store gives back, compared with what was measured on the bytes that the server sent.
void Backup::read_back(WrittenBackup& written) {
    REPRISE_STEP("engine.backup.read_back.before");
    const auto blob = written.staged->reopen();
    Manifest& manifest = result_.manifest;
    try {
        // A host that trusts keys and has none of its own still writes safety backups; unsigned, they count for nothing else.
        manifest = verify_open(*blob, context_, place_.packing.sign ? Trust::ask : Trust::waive).manifest;
    } catch (const Failure& failure) {
        if (failure.code != Code::corrupt) throw;
        throw mismatch(failure.message);
    }
    compare_collections(written.summary, manifest.summary);
    if (manifest.sha256 != written.sha256) throw mismatch("its hash");
    REPRISE_STEP("engine.backup.read_back.after");
    if (context_.vault == nullptr) return;
    context_.vault->forget_written();
    manifest.untrusted = !context_.vault->trusts(manifest.signed_by);
    if (manifest.untrusted)
        result_.warnings.push_back("this backup is not signed, since no signing key is configured here: it does not count");
}

void Backup::judge_it(const WrittenBackup& written) {
    Manifest& manifest = result_.manifest;
    if (options_.kind == FileKind::before_restore) manifest.kind = "before_restore";
    if (!counts()) return;
    GuardFacts facts;
    facts.scope = &written.header.scope;
    facts.now = &written.summary;
    facts.counted = counted_backups(store_, shelf_, manifest);
    facts.before = missed_backups(store_, shelf_, manifest);
    verdict_ = judge(facts, options_.guard);
    if (!verdict_.suspect) return;
    manifest.state = "suspect";
    manifest.suspect_reason = verdict_.reason;
}

void Backup::warn_of_losses() {
    const auto warn = [&](const std::string& sentence) {
        result_.warnings.push_back(sentence);
        context_.log(Level::warning, sentence);
    };
    for (const Lost& lost : verdict_.lost) warn(lost_sentence(lost, verdict_.overridden));
    if (verdict_.suspect)
        warn("this backup is not believed and kept aside as suspect: " + verdict_.message + "; if that is right: accept " +
             result_.manifest.name + ", or back up with accept_smaller");
}

// The name is taken by a rename that never replaces: somebody else's file of the same second moves us to the next number.
void Backup::publish(WrittenBackup& written) {
    Manifest& manifest = result_.manifest;
    const FileKind kind = manifest.state == "suspect" ? FileKind::suspect : options_.kind;
    operation_.check();
    REPRISE_STEP("engine.backup.publish.before");
    for (int attempt = 1;; ++attempt) {
        manifest.name = free_name(store_, kind, written.header.backup_date_us, place_.packing.suffix());
        try {
            written.staged->publish(manifest.name);
            break;
        } catch (const Failure& failure) {
            if (failure.reason != "name_taken" || attempt == kMaxNameTries) throw;
        }
    }
    REPRISE_STEP("engine.backup.publish.after");
    if (verdict_.overridden) accept_measure(store_, manifest);
    write_manifest(store_, manifest);
    REPRISE_STEP("engine.backup.manifest.after");
}

// A folder that is not mounted looks like this one: empty, while the database has had backups.
void Backup::warn_of_missing() {
    missing_ = counts() && !place_.foreign_folder && shelf_.empty() && operation_.remembered_sequence() > 0;
    if (!missing_) return;
    result_.warnings.push_back("the folder holds no backup, while the database has had some (the newest is number " +
                               std::to_string(operation_.remembered_sequence()) +
                               "): is it the right folder, and is it mounted? this backup is the first one in it");
    context_.log(Level::warning, result_.warnings.back());
}

// From here on a folder without this backup is known as another one. What cannot be written down changes nothing in that the
// backup is made.
void Backup::remember_it() {
    const Manifest& manifest = result_.manifest;
    std::optional<std::int64_t> users;
    if (counts() && is_good(manifest) && !missing_) {
        const CollectionSummary* found = manifest.summary.find(kUsualSentinel);
        users = found != nullptr ? found->documents : 0;
    }
    try {
        operation_.published(manifest.sequence, users);
    } catch (const Failure& failure) {
        result_.warnings.push_back("the backup is made, but that it was could not be remembered: " + failure.message);
        context_.log(Level::warning, result_.warnings.back());
    }
}

void Backup::point_latest() {
    if (!counts() || !is_good(result_.manifest) || place_.foreign_folder) return;
    set_latest(store_, result_.manifest.name);
    result_.became_latest = true;
}

// The backup is made, whatever becomes of the old ones.
void Backup::rotate() {
    if (options_.kind != FileKind::backup || place_.foreign_folder || !options_.retention) return;
    try {
        Forgotten gone = forget_within(place_, result_.manifest, *options_.retention, context_);
        result_.removed = std::move(gone.removed);
        result_.warnings.insert(result_.warnings.end(), gone.warnings.begin(), gone.warnings.end());
    } catch (const Failure& failure) {
        result_.warnings.push_back("the backup is made, but old ones were not all removed: " + failure.message);
        context_.log(Level::warning, result_.warnings.back());
    }
}

BackupResult Backup::run() {
    const std::int64_t began_ms = context_.clock->boot_ms();
    result_.warnings = operation_.notes();
    result_.without_lease = operation_.lease() == nullptr;
    (void)select_collections(list_collections(operation_.client(), place_.database, false, options_.system_js), place_.database,
                             options_.scope);  // refuses what cannot be saved before anything is written anywhere
    shelf_ = read_shelf(store_, true, context_, options_.guard);
    warn_of_missing();
    WrittenBackup written = write_snapshot(operation_, place_, {options_, begin_header(), bytes_expected()}, context_);
    result_.warnings.insert(result_.warnings.end(), written.warnings.begin(), written.warnings.end());
    read_back(written);
    judge_it(written);
    publish(written);
    warn_of_losses();
    remember_it();
    point_latest();
    rotate();
    result_.path = store_.path_of(result_.manifest.name);
    result_.duration_ms = context_.clock->boot_ms() - began_ms;
    return std::move(result_);
}

}  // namespace

BackupResult backup(const Place& place, const BackupOptions& options, const Context& context) {
    Operation operation(place, Access::write_if_able, context);
    return backup_within(operation, place, options, context);
}

BackupResult backup_within(Operation& operation, const Place& place, const BackupOptions& options, const Context& context) {
    return Backup(operation, place, options, context).run();
}

}  // namespace reprise
