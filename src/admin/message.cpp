#include "admin/message.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/failure.h"

namespace reprise {

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
               return std::tolower(x) == std::tolower(y);
           });
}

const std::string* Request::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (same_word(key, name)) return &value;
    return nullptr;
}

std::vector<std::string_view> Request::elements(std::string_view name, char separator) const {
    std::vector<std::string_view> out;
    for (const auto& [key, value] : headers) {
        if (!same_word(key, name)) continue;
        for (std::size_t at = 0; at <= value.size();) {
            const std::size_t end = std::min(value.find(separator, at), value.size());
            std::string_view one = std::string_view(value).substr(at, end - at);
            while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
            while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
            if (!one.empty()) out.push_back(one);
            at = end + 1;
        }
    }
    return out;
}

const Answer* Response::wait(std::int64_t wait_ms) {
    if (!answer_) answer_ = poll_(wait_ms);
    return answer_ ? &*answer_ : nullptr;
}

std::size_t Response::read(char* buffer, std::size_t capacity) {
    if (!answer_)
        throw Failure(Code::busy, "response_not_ready", "the response is not ready; wait for its head first").may_retry();
    if (answer_->stream) return answer_->stream->read(buffer, capacity);
    const std::size_t size = std::min(capacity, answer_->text.size() - at_);
    std::memcpy(buffer, answer_->text.data() + at_, size);
    at_ += size;
    return size;
}

Answer json_answer(int status, const Json& json) {
    Answer out;
    out.status = status;
    out.headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}};
    out.text = json.text();
    return out;
}

}  // namespace reprise
