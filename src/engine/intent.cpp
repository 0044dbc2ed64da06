#include "engine/intent.h"

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "engine/checks.h"
#include "engine/merge.h"
#include "engine/read_whole.h"
#include "engine/verify.h"

namespace reprise {
namespace {

VerifyResult verified(const IntentQuestion& question, OpenBlob& blob, const Context& context) {
    try {
        return verify_open(blob, context, question.options.accept_unsigned ? Trust::waive : Trust::ask);
    } catch (const Failure& failure) {
        throw explain_damage(*question.place.store, blob, failure, context);
    }
}

std::vector<CatalogEntry> entries_of(const BackupReader& reader, const Manifest& file) {
    if (!reader.legacy()) return reader.catalog();
    std::vector<CatalogEntry> out;
    for (const auto& [name, summary] : file.summary.collections) out.push_back({name, "collection", BsonBuilder().str(), {}});
    return out;
}

void add(std::vector<std::string>& warnings, const std::vector<std::string>& more) {
    warnings.insert(warnings.end(), more.begin(), more.end());
}

void warn_of_suspect(const Manifest& file, std::vector<std::string>& warnings, const Context& context) {
    if (file.state == "good") return;
    const std::string name = printable(file.name);
    warnings.push_back(name + " is a suspect backup (" + file.suspect_reason +
                       "): the guard did not believe it, and later backups are still judged by those before it; if it is "
                       "right: accept " +
                       name);
    context.log(Level::warning, warnings.back());
}

std::int64_t bson_bytes(const Manifest& file, const RestoreOptions& options) {
    std::int64_t sum = 0;
    for (const auto& [name, summary] : file.summary.collections)
        if (selected(options, name)) sum += summary.bson_bytes;
    return sum;
}

}  // namespace

Intent read_intent(Client& client, const IntentQuestion& question, const Context& context) {
    const RestoreOptions& options = question.options;
    Intent out;
    out.blob = question.place.store->open(options.file);
    context.phase("verifying");
    const VerifyResult read = verified(question, *out.blob, context);
    out.file = read.manifest;
    keep_decisions(*question.place.store, out.file);
    add(out.warnings, read.warnings);
    check_file_fits(out.file, options, question.place, question.deployment);
    warn_of_suspect(out.file, out.warnings, context);
    // The same open file from its first byte: what is staged is proven to be what was verified.
    out.blob->rewind();
    out.reader = std::make_unique<BackupReader>(*out.blob, options.file, read_options(context));
    out.entries = entries_of(*out.reader, out.file);
    std::vector<std::string> names;
    for (const auto& entry : out.entries) names.push_back(entry.name);
    check_lists(options, names);
    out.live = user_collections(client, question.place.database);
    out.plan = make_plan(out.entries, out.live, options, out.reader->legacy());
    add(out.warnings, out.plan.warnings);
    return out;
}

void check_intent(Client& client, const IntentQuestion& question, const Intent& intent) {
    const std::string& database = question.place.database;
    if (question.options.mode == RestoreMode::merge) check_merge(intent.plan, intent.live);
    check_sharding(client, database, intent.plan, question.options);
    check_space(client, database, bson_bytes(intent.file, question.options));
}

}  // namespace reprise
