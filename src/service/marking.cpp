#include "service/marking.h"

#include "base/leaving.h"
#include "engine/mark.h"
#include "engine/shelf.h"
#include "service/actor.h"
#include "service/catalogue.h"
#include "service/options.h"
#include "store/local.h"

namespace reprise {
namespace {

MarkWish wish_of(const Json& options) {
    MarkWish wish;
    if (options.find("pin") != nullptr) wish.pin = yes_or(options, "pin", false);
    if (options.find("label") != nullptr) wish.label = text_or(options, "label", "");
    wish.accept = yes_or(options, "accept", false);
    if (options.find("accept") != nullptr && !wish.accept)
        throw Failure(Code::invalid_argument, "key_value_wrong",
                      "key accept of the options of mark is false: an acceptance cannot be taken back");
    if (!wish.pin && !wish.label && !wish.accept)
        throw Failure(Code::invalid_argument, "key_missing", "the options of mark name none of pin, label and accept");
    if (wish.label && wish.label->size() > kMaxLabelBytes)
        throw Failure(Code::invalid_argument, "key_value_wrong",
                      "key label of the options of mark is longer than " + std::to_string(kMaxLabelBytes) + " bytes");
    return wish;
}

}  // namespace

const Schema& mark_schema() {
    static const Schema& schema = lasting(Schema{Code::invalid_argument,
                                                 "options of mark",
                                                 {{"pin", KeyType::yes_no, false, {}, 0, 0},
                                                  {"label", KeyType::text, false, {}, 0, 0},
                                                  {"accept", KeyType::yes_no, false, {}, 0, 0},
                                                  {"wait_ms", KeyType::number, false, {}, 0, kLongestWaitMs},
                                                  actor_rule()}});
    return schema;
}

Json mark_file(const Setup& setup, const std::string& file, const Json& asked) {
    const Config& config = *setup.config;
    const MarkWish wish = wish_of(asked);
    if (file.empty()) throw Failure(Code::invalid_argument, "argument_null", "mark needs the name of a file, or \"latest\"");
    // A missing folder is not made: nothing in it can be marked.
    const auto reader = open_local_store(config.directory, true);
    const std::string name = resolve_name(*reader, config.directory, file);
    const auto store = open_local_store(config.directory);
    Cancel cancel;
    Context context;
    context.cancel = &cancel;
    const auto vault = setup.vault();
    context.vault = vault.get();
    Place place;
    place.database = config.database;
    place.store = store.get();
    place.folder = config.directory;
    place.job = "0 (a mark)";
    place.wait_ms = number_or(asked, "wait_ms", 0);
    return list_entry(config, mark(place, name, wish, context).name);
}

}  // namespace reprise
