#include "engine/verify.h"

#include "engine/describe.h"
#include "engine/read_whole.h"
#include "engine/shelf.h"
#include "format/reader.h"

namespace reprise {
namespace {

// What people decided about a file outlives a new check of it.
void keep_decisions(Store& store, Manifest& manifest) {
    const auto text = store.read_state(manifest_key(manifest.name));
    if (!text) return;
    try {
        const Manifest known = manifest_from_json(parse_json(*text));
        if (known.id != manifest.id || known.sha256 != manifest.sha256) return;
        manifest.state = known.state;
        manifest.suspect_reason = known.suspect_reason;
        manifest.pinned = known.pinned;
        manifest.keep_until_us = known.keep_until_us;
        manifest.label = known.label;
        if (manifest.kind == "backup") manifest.kind = known.kind;
    } catch (const Failure&) {
    }
}

}  // namespace

VerifyResult verify_open(OpenBlob& blob, const Context& context) {
    CountingSource source(blob);
    BackupReader reader(source, blob.name(), read_options(context));
    read_whole(reader, source, "verifying", context);
    VerifyResult result;
    result.manifest = describe(reader.header(), reader.summary(), reader.sha256());
    result.manifest.stored_sha256 = source.stored_sha256();
    result.manifest.verified = true;
    result.manifest.verified_us = context.clock->unix_us();
    result.warnings = reader.warnings();
    describe_blob(result.manifest, blob.name(), blob.size_bytes(), blob.modified_us());
    return result;
}

VerifyResult verify_file(Store& store, const std::string& name, bool remember, const Context& context) {
    const auto blob = store.open(name);
    try {
        VerifyResult result = verify_open(*blob, context);
        if (!remember) return result;
        keep_decisions(store, result.manifest);
        store.write_state(manifest_key(blob->name()), manifest_to_json(result.manifest).text(2) + "\n");
        forget_problem(store, blob->name());
        return result;
    } catch (const Failure& failure) {
        // A file that no longer is what its manifest says must not be believed because of it.
        if (remember && failure.code == Code::corrupt)
            remember_problem(store, {blob->name(), blob->size_bytes(), blob->modified_us()}, failure);
        throw;
    }
}

}  // namespace reprise
