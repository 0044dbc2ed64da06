#include "engine/copy.h"

#include <algorithm>

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "engine/owner.h"
#include "engine/selection.h"
#include "engine/shelf.h"
#include "engine/verify.h"
#include "format/writer.h"
#include "mongo/catalog.h"
#include "mongo/cursor.h"

namespace reprise {
namespace {

constexpr std::size_t kIdBytes = 16;

Header copy_header(Client& client, const std::string& database, const std::string& name, const Context& context) {
    Header header;
    header.backup_date_us = context.clock->unix_us();
    header.database = database;
    header.id = random_hex(kIdBytes);
    header.deployment = read_deployment(client, database).value;
    header.scope.is = "partial";
    header.scope.include = {name};
    header.label = "writes that arrived during a restore";
    header.version = kVersion;
    header.server = client.server().version;
    return header;
}

void write_copy(Client& client, const std::string& database, const CopySource& source, BackupWriter& writer,
                const Context& context, const CollectionInfo& info) {
    FindOptions find;
    find.order = read_order(info);
    Cursor cursor(client, database, source.collection, find);
    writer.begin_collection(source.name);
    std::string_view document;
    while (cursor.next(document)) {
        context.cancel->check();
        writer.document(document);
    }
    writer.end_collection();
}

std::int64_t take_sequence(Store& store, Client& client, const std::string& database, const std::string& deployment) {
    const std::int64_t next = std::max(highest_sequence(store, deployment), read_deployment(client, database).sequence) + 1;
    remember_sequence(store, deployment, next);
    return next;
}

}  // namespace

Manifest save_copy(Client& client, const std::string& database, const CopySource& source, Store& store,
                   const Context& context) {
    const auto info = find_collection(client, database, source.collection, true);
    if (!info)
        throw Failure(Code::not_found, "collection_missing",
                      "collection " + printable(source.collection) + " is gone and cannot be saved as a copy");
    Header header = copy_header(client, database, source.name, context);
    header.sequence = take_sequence(store, client, database, header.deployment.value_or(std::string()));
    Summary summary;
    summary.read_from_us = header.backup_date_us;

    const auto staged = store.create();
    const auto packer = make_packer(*staged, source.packing);
    BackupWriter writer(*packer, header, {CatalogEntry{source.name, info->type, info->options, info->indexes, info->shard_key}},
                        source.packing.sign);
    write_copy(client, database, source, writer, context, *info);
    summary.read_to_us = context.clock->unix_us();
    writer.finish(summary);
    const auto stored = staged->reopen();
    verify_open(*stored, context, Trust::waive);  // what was stored is read back before anything is dropped
    const std::string name = free_name(store, FileKind::before_restore, header.backup_date_us, source.packing.suffix());
    REPRISE_STEP("restore.publish_copy.before");
    staged->publish(name);
    REPRISE_STEP("restore.publish_copy.after");
    remember_published(store, header.deployment.value_or(std::string()), header.sequence);
    return verify_file(store, name, true, context, Trust::waive).manifest;
}

}  // namespace reprise
