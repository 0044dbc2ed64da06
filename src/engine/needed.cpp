#include "engine/needed.h"

#include <functional>

#include "base/failure.h"
#include "codec/json.h"

namespace reprise {
namespace {

constexpr const char *kOwn = "needed", *kOther = "needed_elsewhere";
constexpr std::int64_t kOtherUs = std::int64_t{30} * 86400 * 1000000;

void where_possible(const Context& context, const std::function<void()>& change) {
    try {
        change();
    } catch (const Failure& failure) {
        if (failure.code == Code::cancelled) throw;
        context.log(Level::warning, "which files a restore needs could not be noted in the folder: " + failure.message);
    }
}

const char* key_of(const Place& place) { return place.foreign_folder ? kOther : kOwn; }

}  // namespace

void need_files(const Place& place, const std::vector<std::string>& names, const Context& context) {
    Json files = Json::array();
    for (const auto& name : names)
        if (!name.empty()) files.push(name);
    const Json json = Json::object({{"files", std::move(files)}, {"since_us", context.clock->unix_us()}});
    where_possible(context, [&] { place.store->write_state(key_of(place), json.text() + "\n"); });
}

void release_files(const Place& place, const Context& context) {
    where_possible(context, [&] {
        if (place.store->read_state(key_of(place))) place.store->remove_state(key_of(place));
    });
}

std::vector<std::string> needed_files(Store& store, std::int64_t now_us) {
    std::vector<std::string> names;
    for (const char* key : {kOwn, kOther}) {
        const auto text = store.read_state(key);
        if (!text) continue;
        try {
            const Json json = parse_json(*text);
            if (key == kOther && now_us - json.at("since_us").as_int() > kOtherUs) continue;
            for (const Json& name : json.at("files").as_array()) names.push_back(name.as_string());
        } catch (const Failure&) {  // not ours: we replace it whole or not at all
        }
    }
    return names;
}

}  // namespace reprise
