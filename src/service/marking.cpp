#include "service/marking.h"

#include "base/leaving.h"
#include "engine/mark.h"
#include "service/actor.h"
#include "service/catalogue.h"
#include "service/file_work.h"
#include "service/options.h"

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
    const MarkWish wish = wish_of(asked);
    if (file.empty()) throw Failure(Code::invalid_argument, "argument_null", "mark needs the name of a file, or \"latest\"");
    FileWork work(*setup.config, file, "0 (a mark)", asked);
    const auto vault = setup.vault();
    work.context.vault = vault.get();
    return list_entry(*setup.config, mark(work.place, work.name, wish, work.context).name);
}

}  // namespace reprise
