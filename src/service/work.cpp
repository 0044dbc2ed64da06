#include "service/work.h"

#include <filesystem>

#include "base/failure.h"
#include "engine/forget.h"
#include "engine/operation.h"
#include "engine/preview.h"
#include "engine/rekey.h"
#include "engine/restore.h"
#include "engine/shelf.h"
#include "engine/snapshot.h"
#include "engine/verify.h"
#include "service/attempts.h"
#include "service/folder_policy.h"
#include "service/keeping.h"
#include "service/results.h"
#include "service/startup.h"
#include "store/local.h"
#include "stream/vault.h"

namespace reprise {
namespace {

// What one job works with; the store lives as long as the job's work does.
struct Bench {
    std::shared_ptr<const Config> config;
    Json options;
    const Workbench& given;
    std::unique_ptr<Store> store;
    Vault& vault;  // outlives what place() gives

    // Work that waits for its backup would rather wait a little than not be done at all.
    std::int64_t default_wait_ms(Kind kind) const {
        if (kind == Kind::startup) return config->startup.wait_ms;
        return kind == Kind::before ? kBeforeWaitMs : 0;
    }

    Place place(Kind kind) const {
        Place out;
        out.url = config->mongo_url;
        out.database = config->database;
        out.store = store.get();
        out.folder = config->directory;
        out.job = given.job;
        out.wait_ms = wait_ms_of(options, default_wait_ms(kind));
        out.connect_ms = config->connect_timeout_ms;
        out.packing.compression = config->compression;
        Vault* const keys = &vault;
        if (keys->encrypts()) out.packing.seal_age = [keys](Sink& below) { return keys->encrypted(below); };
        if (keys->signs()) out.packing.sign = [keys](const std::string& sha256) { return keys->sign(sha256); };
        return out;
    }
};

bool same_lists(const Json& options) { return options.find("include") == nullptr && options.find("exclude") == nullptr; }

Scope scope_of(const Config& config, const Json& options) {
    if (same_lists(options)) return configured_scope(config);
    Scope scope;
    scope.include = texts_of(options, "include");
    scope.exclude = texts_of(options, "exclude");
    if (!scope.include.empty() || !scope.exclude.empty()) scope.is = "partial";
    return scope;
}

ForgetRules forget_rules(const std::shared_ptr<const Config>& config, const RetentionRules& keep) {
    ForgetRules rules;
    rules.keep = keep;
    rules.scope = configured_scope(*config);
    rules.guard = config->guard;
    rules.offset_s = [config](std::int64_t unix_us) { return config->keep_zone.zone.at(unix_us / 1000000).offset_s; };
    return rules;
}

Json run_forget(Bench& bench) {
    bench.config = with_folder_policy(bench.config, *open_local_store(bench.config->directory, true), bench.given.context);
    const RetentionRules keep = overridden(bench.config->retention, bench.options);
    const bool dry_run = yes_or(bench.options, "dry_run", false);
    // A missing folder is not made: nothing in it can go.
    bench.store = open_local_store(bench.config->directory, true);
    std::error_code error;  // a folder that cannot be looked at is opened, which says why
    const bool missing = !std::filesystem::exists(bench.config->directory, error) && !error;
    if (!dry_run && !missing) bench.store = open_local_store(bench.config->directory);
    const Context& context = bench.given.context;
    const std::int64_t began_ms = context.clock->boot_ms();
    const Forgotten gone = forget(bench.place(Kind::forget), forget_rules(bench.config, keep), dry_run, context);
    Json out = forgotten_to_json(gone, dry_run);
    return out.set("duration_ms", context.clock->boot_ms() - began_ms);
}

Json run_backup(Kind kind, Bench& bench) {
    bench.store = open_local_store(bench.config->directory);
    bench.config = with_folder_policy(bench.config, *bench.store, bench.given.context);
    const Config& config = *bench.config;
    BackupOptions options;
    options.scope = scope_of(config, bench.options);
    options.label = text_or(bench.options, kind == Kind::before ? "reason" : "label", "");
    if (kind == Kind::before) options.before_keep_days = number_or(bench.options, "keep_days", config.before_keep_days);
    options.profile = config.profile;
    if (bench.options.find("profile") != nullptr)
        options.profile = bench.options.at("profile").as_string() == "portable" ? Profile::portable : Profile::readable;
    options.require_snapshot = config.require_snapshot;
    if (bench.options.find("consistency") != nullptr)
        options.require_snapshot = bench.options.at("consistency").as_string() == "require_snapshot";
    options.guard = config.guard;
    options.guard.accept_smaller = yes_or(bench.options, "accept_smaller", false);
    if (config.retention) options.retention = forget_rules(bench.config, *config.retention);
    const Place place = bench.place(kind);
    Operation operation(place, Access::write_if_able, bench.given.context);
    BackupResult result = backup_within(operation, place, options, bench.given.context);
    remember_policy(config, actor_in(bench.options), *bench.store, bench.given.context);
    if (result.became_latest && bench.vault.asks_for_signature())
        raise_highest(operation.lease() != nullptr ? &operation.client() : nullptr, place.database, *place.store,
                      result.manifest.sequence);
    if (!config.keys.identity_file.empty() && !bench.vault.encrypts())
        result.warnings.push_back("an identity is configured and no recipient: this backup is not encrypted");
    return backup_to_json(result);
}

Json run_startup(Bench& bench) {
    StartupOptions options;
    options.empty = bench.config->startup.empty;
    options.retry = yes_or(bench.options, "retry", false);
    options.start_anyway = bench.config->startup.start_anyway;
    if (bench.options.find("on_failure") != nullptr)
        options.start_anyway = starts_anyway(bench.options.at("on_failure").as_string());
    const auto reader = open_local_store(bench.config->directory, true);
    Place quick = bench.place(Kind::startup);
    quick.store = reader.get();
    const auto open_place = [&] {
        bench.store = open_local_store(bench.config->directory);
        options.guard = with_folder_policy(bench.config, *bench.store, bench.given.context)->guard;
        bench.given.record();
        return bench.place(Kind::startup);
    };
    return startup_to_json(start_up(quick, open_place, options, bench.given.context), bench.config->database);
}

RestoreOptions restore_options(const Bench& bench, Place& place) {
    const Json& asked = bench.options;
    RestoreOptions out;
    out.mode = text_or(asked, "mode", "replace") == "merge" ? RestoreMode::merge : RestoreMode::replace;
    out.exact = yes_or(asked, "exact", false);
    out.include = texts_of(asked, "include");
    out.exclude = texts_of(asked, "exclude");
    out.other_database = yes_or(asked, "other_database", false);
    out.adopt = yes_or(asked, "adopt", false);
    out.no_safety_backup = yes_or(asked, "no_safety_backup", false);
    out.allow_unsharded = yes_or(asked, "allow_unsharded", false);
    out.non_unique = yes_or(asked, "non_unique", false);
    out.accept_unsigned = yes_or(asked, "accept_unsigned", false);
    out.without_majority = yes_or(asked, "without_majority", false);
    place.abandon_unfinished = yes_or(asked, "abandon_unfinished", false);
    if (const Json* url = asked.find("to_mongo_url")) place.url = Secret(url->as_string());
    if (const Json* name = asked.find("to_database")) place.database = name->as_string();
    // Naming the target is the explicit word that another name or server is meant.
    if (asked.find("to_mongo_url") != nullptr || place.database != bench.config->database) {
        place.foreign_folder = true;
        out.other_database = true;
    }
    return out;
}

Json run_restore(Bench& bench) {
    // A missing folder is not made: there is nothing in it to restore.
    const auto reader = open_local_store(bench.config->directory, true);
    const std::string name = resolve_name(*reader, bench.config->directory, text_or(bench.options, "file", "latest"));
    bench.store = open_local_store(bench.config->directory);
    Place place = bench.place(Kind::restore);
    RestoreOptions options = restore_options(bench, place);
    options.file = name;
    const Context& context = bench.given.context;
    Operation operation(place, Access::write, context);
    RestoreResult result = restore_within(operation, place, options, context);
    if (!place.foreign_folder && options.mode == RestoreMode::replace)
        clear_attempts(operation.client(), place.database, *place.store);
    result.warnings.insert(result.warnings.begin(), operation.notes().begin(), operation.notes().end());
    return restore_to_json(result, text_or(bench.options, "mode", "replace"), place.database);
}

// Remembers what it found where it may: the folder can be written and nobody else works in it.
Json run_verify(Bench& bench) {
    bench.store = open_local_store(bench.config->directory, true);
    const std::string name = resolve_name(*bench.store, bench.config->directory, text_or(bench.options, "file", "latest"));
    const Context& context = bench.given.context;
    std::unique_ptr<FolderLock> lock;
    try {
        auto writable = open_local_store(bench.config->directory);
        lock = FolderLock::try_acquire(bench.config->directory, "job " + bench.given.job);
        if (lock) bench.store = std::move(writable);
    } catch (const Failure& failure) {
        context.log(Level::debug, "what is found is not remembered: " + failure.message);
    }
    return verify_to_json(verify_file(*bench.store, name, lock != nullptr, context), bench.store->path_of(name));
}

Json run_rehash(Bench& bench) {
    const auto reader = open_local_store(bench.config->directory, true);
    const std::string name = resolve_name(*reader, bench.config->directory, bench.options.at("file").as_string());
    bench.store = open_local_store(bench.config->directory);
    return rehash_to_json(rehash(bench.place(Kind::rehash), name, bench.given.context));
}

Json run_rekey(Bench& bench) {
    const auto reader = open_local_store(bench.config->directory, true);
    const std::string name = resolve_name(*reader, bench.config->directory, bench.options.at("file").as_string());
    bench.store = open_local_store(bench.config->directory);
    return rekey_to_json(rekey(bench.place(Kind::rekey), name, bench.given.context));
}

Json run_preview(Bench& bench) {
    bench.store = open_local_store(bench.config->directory, true);
    Place place = bench.place(Kind::preview);
    RestoreOptions options = restore_options(bench, place);
    options.file = resolve_name(*bench.store, bench.config->directory, text_or(bench.options, "file", "latest"));
    return preview_to_json(preview(place, options, bench.given.context), text_or(bench.options, "mode", "replace"));
}

Json run_kind(Kind kind, Bench& bench) {
    switch (kind) {
        case Kind::backup:
        case Kind::before: return run_backup(kind, bench);
        case Kind::startup: return run_startup(bench);
        case Kind::restore: return run_restore(bench);
        case Kind::verify: return run_verify(bench);
        case Kind::rehash: return run_rehash(bench);
        case Kind::rekey: return run_rekey(bench);
        case Kind::forget: return run_forget(bench);
        case Kind::preview: return run_preview(bench);
    }
    return Json();
}

}  // namespace

JobPlan plan_job(Setup setup, Kind kind, Json options) {
    JobPlan plan;
    plan.kind = kind_name(kind);
    plan.record_at_once = kind != Kind::startup;  // a start that needs nothing writes nothing
    plan.make_folder = kind == Kind::backup || kind == Kind::before;
    plan.actor = actor_in(options);
    if (kind == Kind::startup && options.find("actor") == nullptr) plan.actor.via = "startup";
    plan.file = text_or(options, "file", "");
    plan.work = [setup = std::move(setup), kind, options = std::move(options)](const Workbench& given) {
        const auto vault = setup.vault();
        Workbench mine = given;
        mine.context.vault = vault.get();
        Bench bench{setup.config, options, mine, nullptr, *vault};
        return run_kind(kind, bench);
    };
    return plan;
}

}  // namespace reprise
