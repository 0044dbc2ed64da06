#include "engine/rekey.h"

#include "base/step.h"
#include "base/text.h"
#include "engine/operation.h"
#include "engine/owner.h"
#include "engine/read_whole.h"
#include "engine/shelf.h"
#include "stream/layers.h"
#include "stream/pipe.h"
#include "stream/vault.h"

namespace reprise {
namespace {

constexpr std::size_t kCopyBytes = 256 * 1024;
constexpr std::string_view kAgeSuffix = ".age";

bool ends_with_age(const std::string& suffix) {
    return suffix.size() >= kAgeSuffix.size() && suffix.substr(suffix.size() - kAgeSuffix.size()) == kAgeSuffix;
}

class Rekey {
public:
    Rekey(const Place& place, const std::string& name, const Context& context)
        : place_(place), name_(name), context_(context), store_(*place.store) {}

    RekeyResult run() {
        if (!place_.packing.seal_age)
            throw Failure(Code::refused, "encryption_not_configured",
                          "there is nobody to encrypt for: configure encryption.recipients or a passphrase");
        const auto lock = hold_folder(place_, context_);
        owner_for(store_, place_.database);
        store_.sweep();
        was_latest_ = latest_name(store_) == name_;
        const auto blob = store_.open(name_);
        const Manifest old = verify_file(store_, name_, true, context_).manifest;
        rewrite(*blob);
        read_back(old);
        publish();
        retire();
        return std::move(result_);
    }

private:
    // The bytes inside the age layer, or all of them where there is none.
    void rewrite(OpenBlob& blob) {
        std::string head(kLayerHeadBytes, '\0');
        head.resize(blob.read(head.data(), head.size()));
        blob.rewind();
        const auto opened = layer_of(head) == Layer::age ? context_.vault->opened(blob) : nullptr;
        Source& clear = opened ? *opened : static_cast<Source&>(blob);
        staged_ = store_.create();
        const auto sealed = place_.packing.seal_age(*staged_);
        std::string buffer(kCopyBytes, '\0');
        while (const std::size_t count = clear.read(buffer.data(), buffer.size())) {
            context_.cancel->check();
            sealed->write(std::string_view(buffer).substr(0, count));
        }
        sealed->finish();
    }

    void read_back(const Manifest& old) {
        const auto stored = staged_->reopen();
        result_.manifest = verify_open(*stored, context_).manifest;
        context_.vault->forget_written();
        if (result_.manifest.sha256 != old.sha256 || result_.manifest.id != old.id)
            throw Failure(Code::internal, "readback_mismatch",
                          "the new file does not read back as the old one; please report this");
        result_.manifest.state = old.state;
        result_.manifest.suspect_reason = old.suspect_reason;
        result_.manifest.pinned = old.pinned;
        result_.manifest.keep_until_us = old.keep_until_us;
        result_.manifest.label = old.label;
        result_.manifest.kind = old.kind;
    }

    void publish() {
        const auto parsed = parse_file_name(name_);
        if (!parsed)
            throw Failure(Code::invalid_argument, "name_invalid",
                          "\"" + printable(name_) + "\" has no name of a backup; rename it to backup_….json first");
        const std::string suffix = ends_with_age(parsed->suffix) ? parsed->suffix : parsed->suffix + std::string(kAgeSuffix);
        const std::string name = free_name(store_, parsed->kind, result_.manifest.backup_date_us, suffix);
        REPRISE_STEP("engine.rekey.publish.before");
        staged_->publish(name);
        REPRISE_STEP("engine.rekey.publish.after");
        const auto stored = store_.open(name);
        result_.manifest.name = name;
        result_.manifest.size_bytes = stored->size_bytes();
        result_.manifest.modified_us = stored->modified_us();
        write_manifest(store_, result_.manifest);
        result_.path = store_.path_of(name);
    }

    // Nothing is removed before the new file is whole, visible and known.
    void retire() {
        if (was_latest_) set_latest(store_, result_.manifest.name);
        REPRISE_STEP("engine.rekey.remove.before");
        store_.remove(name_);
        REPRISE_STEP("engine.rekey.remove.after");
        store_.remove_state(manifest_key(name_));
        result_.replaced = name_;
    }

    const Place& place_;
    const std::string& name_;
    const Context& context_;
    Store& store_;
    bool was_latest_ = false;
    std::unique_ptr<StagedBlob> staged_;
    RekeyResult result_;
};

}  // namespace

RekeyResult rekey(const Place& place, const std::string& name, const Context& context) {
    return Rekey(place, name, context).run();
}

}  // namespace reprise
