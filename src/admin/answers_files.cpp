// Answers about the files in the folder: what is there, and what a person does with one.
#include <algorithm>

#include "admin/answers.h"
#include "admin/body.h"
#include "admin/problem.h"
#include "base/failure.h"
#include "base/text.h"
#include "service/download.h"

namespace reprise {
namespace {

struct Range {
    std::int64_t first = 0, count = 0;
};

std::optional<std::int64_t> number_in(std::string_view text) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    std::int64_t out = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        out = out * 10 + (c - '0');
    }
    return out;
}

// One range of bytes (RFC 9110 §14); nullopt for a header that is to be ignored (another unit, several ranges, nonsense).
std::optional<Range> range_of(const std::string& header, std::int64_t size) {
    if (header.rfind("bytes=", 0) != 0) return std::nullopt;
    const std::string_view spec = std::string_view(header).substr(6);
    const std::size_t dash = spec.find('-');
    if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return std::nullopt;
    const auto first = number_in(spec.substr(0, dash)), last = number_in(spec.substr(dash + 1));
    if (dash == 0 && last) return Range{size - std::min(*last, size), std::min(*last, size)};
    if (!first || (!last && dash + 1 != spec.size()) || (last && *last < *first)) return std::nullopt;
    if (*first >= size) return Range{size, 0};
    return Range{*first, std::min(last.value_or(size - 1), size - 1) - *first + 1};
}

std::string etag_of(const Download& file) {
    return "\"" + std::to_string(file.size_bytes()) + "-" + std::to_string(file.modified_us()) + "\"";
}

// If-Range with another file's tag: the whole file is sent.
const std::string* range_header(const Request& request, const std::string& etag) {
    if (request.method != "GET") return nullptr;  // RFC 9110 §14.2
    const std::string* condition = request.header("if-range");
    return condition != nullptr && *condition != etag ? nullptr : request.header("range");
}

Made unsatisfiable(const Asked& asked, std::int64_t size) {
    Answer out =
        problem_answer(Failure(Code::invalid_argument, "range_invalid", "the file has only " + std::to_string(size) + " bytes"),
                       asked.language);
    out.headers.emplace_back("content-range", "bytes */" + std::to_string(size));
    return made(std::move(out));
}

// Names of ours are plain ASCII; what a person put into the folder may be anything (RFC 6266).
std::string disposition(const std::string& name) {
    std::string plain, coded;
    for (const char c : name) {
        const bool safe = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
        plain += safe ? c : '_';
        coded += safe ? std::string(1, c) : "%" + to_hex(std::string(1, c));
    }
    return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + coded;
}

std::string needed_file(const Json& body) {
    const Json* name = body.find("filename");
    if (name == nullptr) throw Failure(Code::invalid_argument, "key_missing", "the body needs the key filename");
    return file_name_in(*name);
}

Made marked(const Asked& asked, const std::string& file, const Json& marks) {
    Json options = marks;
    Json result = asked.service.mark(file, options.set("actor", actor_to_json(actor_of(asked))).text());
    return made(json_answer(200, result.set("success", true).set("message", phrase(Phrase::marked, asked.language))));
}

}  // namespace

Made answer_list(const Asked& asked) {
    const Json list = asked.service.list();
    Json out = Json::object({{"success", true}});
    for (const auto& [key, value] : list.as_object()) out.set(key, value);
    return made(json_answer(200, out));
}

Made answer_status(const Asked& asked) { return made(json_answer(200, asked.service.status())); }

Made answer_show(const Asked& asked) { return made(json_answer(200, asked.service.describe(checked_name(asked.rest)))); }

Made answer_pin(const Asked& asked) {
    const Json body = read_body(asked.request, {"filename", "value"});
    const Json* value = body.find("value");
    if (value != nullptr && !value->is_bool())
        throw Failure(Code::invalid_argument, "key_type_wrong", "key value of the body must be true or false");
    return marked(asked, needed_file(body), Json::object({{"pin", value == nullptr || value->as_bool()}}));
}

Made answer_accept(const Asked& asked) {
    const Json body = read_body(asked.request, {"filename"});
    return marked(asked, needed_file(body), Json::object({{"accept", true}}));
}

Made answer_delete(const Asked& asked) {
    Json result =
        asked.service.remove(checked_name(asked.rest), Json::object({{"actor", actor_to_json(actor_of(asked))}}).text());
    return made(json_answer(200, result.set("success", true).set("message", phrase(Phrase::deleted, asked.language))));
}

Made answer_download(const Asked& asked) {
    auto file = std::make_shared<Download>(asked.service.open_download(checked_name(asked.rest), actor_of(asked)));
    const std::int64_t size = file->size_bytes();
    const std::string etag = etag_of(*file);
    Answer out;
    out.headers = {{"content-type", "application/octet-stream"},
                   {"content-disposition", disposition(file->name())},
                   {"accept-ranges", "bytes"},
                   {"etag", etag},
                   {"cache-control", "no-store"},
                   {"x-content-type-options", "nosniff"}};
    std::int64_t length = size;
    const std::string* header = range_header(asked.request, etag);
    if (const auto range = header != nullptr ? range_of(*header, size) : std::nullopt) {
        if (range->count == 0) return unsatisfiable(asked, size);
        file->limit(range->first, range->count);
        length = range->count;
        out.status = 206;
        out.headers.emplace_back("content-range", "bytes " + std::to_string(range->first) + "-" +
                                                      std::to_string(range->first + range->count - 1) + "/" +
                                                      std::to_string(size));
    }
    out.headers.emplace_back("content-length", std::to_string(length));
    if (asked.request.method != "HEAD") asked.service.tell_download(*file, actor_of(asked));
    out.stream = std::move(file);
    return made(std::move(out));
}

}  // namespace reprise
