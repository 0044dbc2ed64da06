#include "codec/bson_check.h"

#include <cstring>

#include "base/bson.h"
#include "base/bytes.h"
#include "codec/bson_to_json.h"

namespace reprise {
namespace {

constexpr std::size_t kSmallestDocument = 5;

bool is_framed_document(std::string_view bytes) {
    return bytes.size() >= kSmallestDocument && load_le<std::uint32_t>(bytes.data()) == bytes.size() && bytes.back() == '\0';
}

class Checker {
public:
    explicit Checker(int levels) : levels_(levels) {}

    BsonProblem check(unsigned char type, std::string_view value) {
        BsonProblem problem = enter(static_cast<BsonType>(type), value);
        while (problem == BsonProblem::none && depth_ > 0) problem = step();
        return problem;
    }

private:
    // A value whose outer length is right: a document in it is pushed, to be walked by step().
    BsonProblem enter(BsonType type, std::string_view value) {
        std::string_view document = value;
        if (type == BsonType::code_w_scope) {
            std::string_view code;
            if (!split_code_w_scope(value, code, document)) return BsonProblem::invalid;
        } else if (type != BsonType::document && type != BsonType::array) {
            const auto size = bson_value_size(type, value);
            return size && *size == value.size() ? BsonProblem::none : BsonProblem::invalid;
        }
        if (!is_framed_document(document)) return BsonProblem::invalid;
        if (depth_ == levels_) return BsonProblem::too_deep;
        rest_[depth_++] = document.substr(4, document.size() - kSmallestDocument);
        return BsonProblem::none;
    }

    // One field of the innermost document.
    BsonProblem step() {
        std::string_view& rest = rest_[depth_ - 1];
        if (rest.empty()) {
            --depth_;
            return BsonProblem::none;
        }
        const auto type = static_cast<BsonType>(rest[0]);
        const std::size_t key_end = rest.find('\0', 1);
        if (key_end == std::string_view::npos) return BsonProblem::invalid;
        rest.remove_prefix(key_end + 1);
        const auto size = bson_value_size(type, rest);
        if (!size) return BsonProblem::invalid;
        const std::string_view value = rest.substr(0, *size);
        rest.remove_prefix(*size);
        return enter(type, value);
    }

    std::string_view rest_[kMaxBsonDepth];
    int depth_ = 0;
    int levels_;
};

}  // namespace

bool split_code_w_scope(std::string_view value, std::string_view& code, std::string_view& scope) {
    constexpr std::size_t kSmallest = 4 + 4 + 1 + kSmallestDocument;
    if (value.size() < kSmallest || load_le<std::uint32_t>(value.data()) != value.size()) return false;
    const std::size_t code_size = load_le<std::uint32_t>(value.data() + 4);
    if (code_size == 0 || code_size > value.size() - 8 - kSmallestDocument || value[8 + code_size - 1] != '\0') return false;
    code = value.substr(8, code_size - 1);
    scope = value.substr(8 + code_size);
    return is_framed_document(scope);
}

BsonProblem check_bson_value(unsigned char type, std::string_view value, int levels) {
    return Checker(levels < kMaxBsonDepth ? levels : kMaxBsonDepth).check(type, value);
}

}  // namespace reprise
