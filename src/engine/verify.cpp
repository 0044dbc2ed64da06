#include "engine/verify.h"

#include "base/failure.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "engine/describe.h"
#include "engine/read_whole.h"
#include "engine/shelf.h"
#include "format/reader.h"
#include "stream/vault.h"

namespace reprise {
namespace {

constexpr std::size_t kHashBlockBytes = 256 * 1024;

std::string check_signature(const BackupReader& reader, const std::string& name, const Context& context, Trust trust) {
    if (context.vault == nullptr) return {};
    try {
        return context.vault->check(reader.signature(), reader.sha256());
    } catch (Failure& failure) {
        if (failure.code != Code::refused) throw;
        if (trust == Trust::waive) return {};
        failure.message = printable(name) + ": " + failure.message;
        throw;
    }
}

std::string stored_hash(OpenBlob& blob, const Context& context) {
    blob.rewind();
    Sha256 hash;
    std::string buffer(kHashBlockBytes, '\0');
    while (const std::size_t count = blob.read(buffer.data(), buffer.size())) {
        context.cancel->check();
        hash.update(std::string_view(buffer).substr(0, count));
    }
    return to_hex(hash.finish());
}

// Without the key: the job that wrote the file read it back, and these are the same bytes.
std::optional<VerifyResult> intact_at_least(Store& store, OpenBlob& blob, const Context& context) {
    auto known = manifest_of(store, blob.name());
    if (!known || !known->verified || known->stored_sha256.empty()) return std::nullopt;
    if (stored_hash(blob, context) != known->stored_sha256) return std::nullopt;
    VerifyResult result;
    result.manifest = std::move(*known);
    result.manifest.size_bytes = blob.size_bytes();
    result.manifest.modified_us = blob.modified_us();
    result.intact_only = true;
    result.warnings.push_back(
        "no identity is here to open the file with: its stored bytes are those that were verified when it was written, and "
        "more was not checked");
    return result;
}

}  // namespace

bool keep_decisions(Store& store, Manifest& manifest) {
    const auto known = manifest_of(store, manifest.name);
    if (!known || known->id != manifest.id || known->sha256 != manifest.sha256) return false;
    manifest.state = known->state;
    manifest.suspect_reason = known->suspect_reason;
    manifest.pinned = known->pinned;
    if (known->keep_until_us) manifest.keep_until_us = known->keep_until_us;
    manifest.label = known->label;
    if (manifest.kind == "backup") manifest.kind = known->kind;
    return true;
}

VerifyResult verify_open(OpenBlob& blob, const Context& context, Trust trust) {
    CountingSource source(blob);
    BackupReader reader(source, blob.name(), read_options(context));
    read_whole(reader, source, "verifying", context);
    VerifyResult result;
    result.manifest = describe(reader.header(), reader.summary(), reader.sha256());
    result.manifest.stored_sha256 = source.stored_sha256();
    result.manifest.signed_by = check_signature(reader, blob.name(), context, trust);
    result.manifest.verified = true;
    result.manifest.verified_us = context.clock->unix_us();
    result.warnings = reader.warnings();
    describe_blob(result.manifest, blob.name(), blob.size_bytes(), blob.modified_us());
    return result;
}

Failure explain_damage(Store& store, OpenBlob& blob, const Failure& failure, const Context& context) {
    const bool may_be_damage =
        failure.code == Code::corrupt || failure.reason == "key_wrong" || failure.reason == "key_missing";
    const auto known = may_be_damage ? manifest_of(store, blob.name()) : std::nullopt;
    if (!known || known->stored_sha256.empty()) return failure;
    if (blob.size_bytes() < known->size_bytes)
        return Failure(Code::corrupt, "file_truncated",
                       printable(blob.name()) + " was cut off: it holds " + std::to_string(blob.size_bytes()) + " of the " +
                           std::to_string(known->size_bytes) + " bytes that were stored; use another backup");
    const bool said_cut = failure.reason == "file_truncated";  // of a file that has its size
    if (failure.code == Code::corrupt && !said_cut) return failure;
    if (stored_hash(blob, context) == known->stored_sha256) return failure;
    return Failure(Code::corrupt, "file_damaged",
                   printable(blob.name()) + " was changed since it was written: its bytes are others; use another backup");
}

VerifyResult verify_file(Store& store, const std::string& name, bool remember, const Context& context, Trust trust) {
    const auto blob = store.open(name);
    try {
        VerifyResult result = verify_open(*blob, context, trust);
        if (!remember) return result;
        keep_decisions(store, result.manifest);
        write_manifest(store, result.manifest);
        forget_problem(store, blob->name());
        return result;
    } catch (const Failure& failure) {
        const Failure exact = explain_damage(store, *blob, failure, context);
        if (exact.reason == "key_missing")
            if (auto intact = intact_at_least(store, *blob, context)) return std::move(*intact);
        // A file that no longer is what its manifest says must not be believed because of it.
        if (remember && exact.code == Code::corrupt)
            remember_problem(store, {blob->name(), blob->size_bytes(), blob->modified_us()}, exact);
        throw exact;
    }
}

}  // namespace reprise
