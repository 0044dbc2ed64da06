#include "engine/checks.h"

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/record.h"
#include "engine/rename.h"
#include "mongo/cursor.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr double kSpaceFactor = 1.2;

[[noreturn]] void needs_role(const Failure& cause) {
    throw Failure(Code::denied, "not_authorized",
                  "this user may not restore: it needs the role readWrite on the database (" + cause.message + ")")
        .from(cause.origin, cause.origin_code);
}

// One write that must reach a majority, before anything depends on it.
void probe_insert(Operation& operation, const std::string& database, const std::string& name, bool without_majority) {
    BsonBuilder command;
    command.add("insert", std::string_view(name))
        .array("documents", BsonArray().doc(BsonBuilder().add("_id", std::int32_t{1}).str()).str());
    CommandOptions options;
    options.concern = without_majority ? Concern::none : Concern::majority;
    try {
        operation.client().command(database, command.str(), options);
    } catch (const Failure& failure) {
        if (failure.reason != "majority_unreachable") throw;
        throw Failure(Code::unavailable, "majority_unreachable",
                      "a majority of the replica set cannot be reached, so a restore could be undone by an election; bring "
                      "members back, or ask for without_majority")
            .from(failure.origin, failure.origin_code);
    }
}

bool may_coll_mod(Client& client, const std::string& database, const std::string& name) {
    try {
        client.command(database, BsonBuilder().add("collMod", std::string_view(name)).str(), {Concern::none});
        return true;
    } catch (const Failure& failure) {
        if (failure.origin != Origin::server) throw;
        return false;
    }
}

bool is_sharded(Client& client, const std::string& name_space) {
    FindOptions find;
    find.filter = BsonBuilder().add("_id", std::string_view(name_space)).str();
    find.limit = 1;
    Cursor cursor(client, "config", "collections", find);
    std::string_view document;
    if (!cursor.next(document)) return false;
    const BsonView found(document);
    const auto dropped = found.find("dropped"), unsplittable = found.find("unsplittable");
    return found.find("key") && !(dropped && dropped->truthy()) && !(unsplittable && unsplittable->truthy());
}

}  // namespace

void check_file_fits(const Manifest& file, const RestoreOptions& options, const Place& place,
                     const std::optional<std::string>& deployment) {
    if (options.exact && file.scope == "partial")
        throw Failure(Code::refused, "scope_partial",
                      "the file holds a part of the database; exact would take the rest away: restore it without exact");
    if (options.exact && (!options.include.empty() || !options.exclude.empty()))
        throw Failure(Code::invalid_argument, "exact_with_lists", "exact is for the whole file: leave include and exclude out");
    if (options.startup && file.legacy && !options.accept_unproven)
        throw Failure(Code::refused, "file_unproven", "nothing proves that this file is whole; restore it by hand");
    if (options.other_database) return;
    if (!file.database.empty() && file.database != place.database)
        throw Failure(Code::refused, "other_database",
                      "the file is of database " + printable(file.database) + ", not of " + printable(place.database) +
                          "; to restore it all the same ask for other_database");
    if (file.deployment && deployment && *file.deployment != *deployment && !options.adopt)
        throw Failure(Code::refused, "other_deployment",
                      "the file is of another deployment of this database; to restore it all the same ask for other_database, "
                      "or adopt to take over its id");
}

void check_space(Client& client, const std::string& database, std::int64_t bson_bytes) {
    const DatabaseSize size = database_size(client, database);
    if (size.free_bytes < 0) return;
    const double needed = kSpaceFactor * static_cast<double>(bson_bytes + size.index_bytes);
    if (needed <= static_cast<double>(size.free_bytes)) return;
    throw Failure(Code::refused, "no_space_on_server",
                  "the server has " + std::to_string(size.free_bytes) + " bytes free, the restore needs " +
                      std::to_string(static_cast<std::int64_t>(needed)) + " while old and new data are both there");
}

Rights probe_rights(Operation& operation, const std::string& database, bool without_majority, const Context& context) {
    Client& client = operation.client();
    const std::string name = staging_name(operation.op(), 0), other = "reprise_" + operation.op() + "_probe";
    Rights rights;
    operation.check();
    REPRISE_STEP("restore.probe.before");
    try {
        create_collection(client, database, name, BsonBuilder().str());
        probe_insert(operation, database, name, without_majority);
        create_indexes(client, database, name,
                       {BsonBuilder().doc("key", BsonBuilder().add("a", std::int32_t{1}).str()).add("name", "a_1").str()});
        rights.coll_mod = may_coll_mod(client, database, name);
        const auto before = find_collection(client, database, name, false);
        if (before) rename_surely({client, database, context, [&operation] { operation.check(); }}, *before, other);
        const auto after = find_collection(client, database, other, false);
        rights.keeps_uuid = before && after && before->uuid == after->uuid;
        drop_collection(client, database, other);
    } catch (const Failure& failure) {
        if (failure.code == Code::denied && failure.reason == "not_authorized") needs_role(failure);
        throw;
    }
    REPRISE_STEP("restore.probe.after");
    return rights;
}

void check_sharding(Client& client, const std::string& database, const Plan& plan, const RestoreOptions& options) {
    for (const auto& target : plan.targets) {
        if (target.entry.shard_key.empty() || options.allow_unsharded) continue;
        if (find_collection(client, database, target.entry.name, false)) continue;
        throw Failure(Code::unsupported, "collection_sharded",
                      "collection " + printable(target.entry.name) +
                          " was sharded and would come back unsharded; shard it first and restore with mode merge, or ask for "
                          "allow_unsharded");
    }
    if (!client.server().mongos || options.mode == RestoreMode::merge) return;
    for (const auto& target : plan.targets) {
        bool sharded = false;
        try {
            sharded = is_sharded(client, database + "." + target.entry.name);
        } catch (const Failure& failure) {
            if (failure.origin != Origin::server && failure.code != Code::denied) throw;
            if (options.allow_unsharded) continue;
            throw Failure(Code::unsupported, "collection_sharded",
                          "this user may not read config.collections, so nobody can tell whether collection " +
                              printable(target.entry.name) + " is sharded; give it that right, or ask for allow_unsharded");
        }
        if (sharded)
            throw Failure(Code::unsupported, "collection_sharded",
                          "collection " + printable(target.entry.name) +
                              " is sharded; restore into it with mode merge, or into another database");
    }
}

}  // namespace reprise
