#include "engine/describe.h"

namespace reprise {

Manifest describe(const Header& header, const Summary& summary, const std::string& sha256) {
    Manifest manifest;
    manifest.sha256 = sha256;
    manifest.legacy = header.format == 0;
    manifest.backup_date_us = header.backup_date_us;
    manifest.database = header.database;
    manifest.id = header.id;
    manifest.label = header.label;
    manifest.server = header.server;
    manifest.version = header.version;
    manifest.edited_from = header.edited_from.value_or(std::string());
    manifest.keep_until_us = header.keep_until_us;
    if (header.keep_until_us) manifest.kind = "before";
    manifest.deployment = header.deployment;
    manifest.sequence = header.sequence;
    manifest.scope = header.scope.is;
    manifest.consistency = summary.consistency;
    manifest.summary = summary;
    return manifest;
}

void describe_blob(Manifest& manifest, const std::string& name, std::int64_t size_bytes, std::int64_t modified_us) {
    manifest.name = name;
    manifest.size_bytes = size_bytes;
    manifest.modified_us = modified_us;
    const auto parsed = parse_file_name(name);
    if (!parsed) return;
    if (parsed->kind == FileKind::before_restore) manifest.kind = "before_restore";
    if (parsed->kind != FileKind::suspect) return;
    manifest.state = "suspect";
    if (manifest.suspect_reason.empty()) manifest.suspect_reason = "named_suspect";
}

}  // namespace reprise
