#include "engine/snapshot.h"

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "engine/measure.h"
#include "engine/shelf.h"
#include "engine/snapshot_write.h"
#include "engine/verify.h"

namespace reprise {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr int kMaxNameTries = 100;

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
    void publish(WrittenBackup& written);
    void point_latest();
    bool counts() const { return options_.kind == FileKind::backup && options_.scope.is != "partial"; }

    Operation& operation_;
    const Place& place_;
    const BackupOptions& options_;
    const Context& context_;
    Store& store_;
    std::vector<ShelfItem> shelf_;
    BackupResult result_;
    bool new_measure_ = false;
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
        manifest = verify_open(*blob, context_).manifest;
    } catch (const Failure& failure) {
        if (failure.code != Code::corrupt) throw;
        throw mismatch(failure.message);
    }
    compare_collections(written.summary, manifest.summary);
    if (manifest.sha256 != written.sha256) throw mismatch("its hash");
    REPRISE_STEP("engine.backup.read_back.after");
}

void Backup::judge_it(const WrittenBackup& written) {
    Manifest& manifest = result_.manifest;
    manifest.kind = options_.kind == FileKind::before_restore ? "before_restore" : "backup";
    if (!counts()) return;
    const auto measure = find_measure(store_, shelf_, manifest);
    GuardFacts facts;
    facts.scope = &written.header.scope;
    facts.now = &written.summary;
    facts.measure = measure ? &measure->summary : nullptr;
    GuardRules rules;
    rules.sentinel = options_.sentinel;
    rules.accept_smaller = options_.accept_smaller;
    const Verdict verdict = judge(facts, rules);
    new_measure_ = verdict.overridden;
    result_.warnings.insert(result_.warnings.end(), verdict.warnings.begin(), verdict.warnings.end());
    if (!verdict.suspect) return;
    manifest.state = "suspect";
    manifest.suspect_reason = verdict.reason;
    result_.warnings.push_back("this backup is not believed and kept aside as suspect: " + verdict.message);
    context_.log(Level::warning, result_.warnings.back());
}

// The name is taken by a rename that never replaces: somebody else's file of the same second moves us to the next number.
void Backup::publish(WrittenBackup& written) {
    Manifest& manifest = result_.manifest;
    const FileKind kind = manifest.state == "suspect" ? FileKind::suspect : options_.kind;
    operation_.check();
    REPRISE_STEP("engine.backup.publish.before");
    for (int attempt = 1;; ++attempt) {
        manifest.name = free_name(store_, kind, written.header.backup_date_us, ".json");
        try {
            written.staged->publish(manifest.name);
            break;
        } catch (const Failure& failure) {
            if (failure.reason != "name_taken" || attempt == kMaxNameTries) throw;
        }
    }
    REPRISE_STEP("engine.backup.publish.after");
    if (new_measure_) reset_measure(store_, manifest, manifest.sequence);
    store_.write_state(manifest_key(manifest.name), manifest_to_json(manifest).text(2) + "\n");
    REPRISE_STEP("engine.backup.manifest.after");
}

void Backup::point_latest() {
    if (!counts() || !is_good(result_.manifest) || place_.foreign_folder) return;
    set_latest(store_, result_.manifest.name);
    result_.became_latest = true;
}

BackupResult Backup::run() {
    const std::int64_t began_ms = context_.clock->boot_ms();
    result_.warnings = operation_.notes();
    result_.without_lease = operation_.lease() == nullptr;
    (void)select_collections(list_collections(operation_.client(), place_.database, false, options_.system_js), place_.database,
                             options_.scope);  // refuses what cannot be saved before anything is written anywhere
    shelf_ = read_shelf(store_, true, context_);
    WrittenBackup written = write_snapshot(operation_, place_, {options_, begin_header(), bytes_expected()}, context_);
    result_.warnings.insert(result_.warnings.end(), written.warnings.begin(), written.warnings.end());
    read_back(written);
    judge_it(written);
    publish(written);
    point_latest();
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
