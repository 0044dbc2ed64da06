#include "engine/forget.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/measure.h"
#include "engine/needed.h"
#include "engine/operation.h"
#include "engine/owner.h"
#include "engine/shelf.h"
#include "engine/verify.h"

namespace reprise {
namespace {

class Forgetting {
public:
    Forgetting(const Place& place, const ForgetRules& rules, const Context& context)
        : place_(place), rules_(rules), context_(context), store_(*place.store) {}

    void look(bool examine, const std::optional<std::string>& deployment) {
        shelf_ = read_shelf(store_, examine, context_, rules_.guard);
        deployment_ = deployment;
        RetentionFacts facts;
        for (const ShelfItem& item : shelf_) {
            blobs_[item.blob.name] = item.blob;
            facts.files.push_back({item.blob.name, item.name.kind, item.blob.size_bytes, item.manifest});
        }
        facts.database = place_.database;
        facts.deployment = deployment;
        facts.pointed = pointed_names(store_);
        facts.needed = needed_files(store_, context_.clock->unix_us());
        facts.lost = lost_on_shelf(store_, shelf_, {rules_.scope, rules_.guard.may_empty, place_.database, deployment});
        facts.now_us = context_.clock->unix_us();
        facts.offset_s = rules_.offset_s;
        out_.decisions = decide_retention(facts, rules_.keep);
        out_.warnings = out_.decisions.warnings;
    }

    bool would_remove() const {
        const auto& all = out_.decisions.all;
        return std::any_of(all.begin(), all.end(), [](const Decision& one) { return !one.keep; });
    }

    // S3: nothing goes unless what everything is older than is whole at this moment: the newest good backup, or, where none
    // is good and only suspect ones can go, the newest of these.
    void verify_newest(const std::string& just_verified = {}) {
        const ShelfItem* newest = nullptr;
        for (const ShelfItem& item : shelf_) {
            if (!item.manifest || item.name.kind == FileKind::before_restore) continue;
            if (!is_own(*item.manifest, place_.database, deployment_)) continue;
            if (newest == nullptr || (is_good(*item.manifest) && !is_good(*newest->manifest))) newest = &item;
        }
        if (newest == nullptr || newest->blob.name == just_verified) return;
        verify_file(store_, newest->blob.name, true, context_, Trust::waive);
    }

    void pretend() {
        for (auto one = out_.decisions.all.rbegin(); one != out_.decisions.all.rend(); ++one)
            if (!one->keep) count(*one);
    }

    void remove_all() {
        for (auto one = out_.decisions.all.rbegin(); one != out_.decisions.all.rend(); ++one) {
            if (one->keep) continue;
            context_.cancel->check();
            if (still_the_same(one->file)) remove(*one);
        }
        sweep_orphans();
    }

    Forgotten take() { return std::move(out_); }

private:
    void count(const Decision& one) {
        out_.removed.push_back(one.file);
        out_.freed_bytes += one.size_bytes;
    }

    // Nobody who keeps to the lock changes a file meanwhile; somebody who does not is not run over.
    bool still_the_same(const std::string& name) {
        const Blob& known = blobs_.at(name);
        try {
            const auto blob = store_.open(name);
            const auto pointed = pointed_names(store_);
            if (blob->name() == name && blob->size_bytes() == known.size_bytes && blob->modified_us() == known.modified_us &&
                std::count(pointed.begin(), pointed.end(), name) == 0)
                return true;
            out_.warnings.push_back(name + " was changed meanwhile and stays");
        } catch (const Failure& failure) {
            out_.warnings.push_back(name + " was not removed: " + failure.message);
        }
        return false;
    }

    void remove(const Decision& one) {
        REPRISE_STEP("engine.forget.file.before");
        store_.remove(one.file);
        REPRISE_STEP("engine.forget.file.after");
        count(one);
        context_.log(Level::info, "removed " + one.file + ": " + one.reasons.front().second);
        store_.remove_state(manifest_key(one.file));
        REPRISE_STEP("engine.forget.manifest.after");
    }

    // What earlier runs, or people, left without its file. Their sequences are not given out again.
    void sweep_orphans() {
        std::set<std::string> there;
        for (const Blob& blob : store_.list()) there.insert(blob.name + ".json");
        bool remembered = false;
        for (const std::string folder : {"manifests", "problems"})
            for (const std::string& name : store_.list_state(folder)) {
                if (there.count(name) > 0) continue;
                const std::string id = deployment_.value_or(std::string());
                if (!remembered) remember_sequence(store_, id, highest_sequence(store_, id));
                remembered = true;
                store_.remove_state(folder + "/" + name);
                REPRISE_STEP("engine.forget.orphan.after");
            }
    }

    const Place& place_;
    const ForgetRules& rules_;
    const Context& context_;
    Store& store_;
    std::vector<ShelfItem> shelf_;
    std::map<std::string, Blob> blobs_;
    std::optional<std::string> deployment_;
    Forgotten out_;
};

}  // namespace

Forgotten forget(const Place& place, const ForgetRules& rules, bool dry_run, const Context& context) {
    const auto lock = dry_run ? nullptr : hold_folder(place, context);
    const auto owner = owner_for(*place.store, place.database);
    Forgetting forgetting(place, rules, context);
    forgetting.look(!dry_run, owner ? owner->deployment : std::nullopt);
    if (dry_run) {
        forgetting.pretend();
        return forgetting.take();
    }
    if (forgetting.would_remove()) forgetting.verify_newest();
    forgetting.remove_all();
    return forgetting.take();
}

Forgotten forget_within(const Place& place, const Manifest& made, const ForgetRules& rules, const Context& context) {
    Forgetting forgetting(place, rules, context);
    forgetting.look(false, made.deployment);
    if (forgetting.would_remove()) forgetting.verify_newest(made.name);
    forgetting.remove_all();
    return forgetting.take();
}

}  // namespace reprise
