// What goes in and what comes out: a request as the host's web framework has it, a response whose head may not be known yet.
// Nothing in here knows a socket, a thread or a framework.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "service/download.h"

namespace reprise {

bool same_word(std::string_view a, std::string_view b);  // whatever the case of their ASCII letters

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;     // "GET", as it came
    std::string path;       // below the prefix, decoded exactly once by the host; "" or begins with "/"
    std::string base_path;  // the prefix as the browser sees it, e.g. "/api/backup"; for the redirect of an empty path
    std::string query;      // raw, without "?"
    Headers headers;
    std::string body;            // at most kMaxBodyBytes
    std::string remote_address;  // empty: not known
    std::string request_id;      // the host's; stands in the audit log
    std::optional<std::string> principal;  // a subject that the host has verified to be an administrator

    // The first header of that name, whatever its case; nullptr when there is none.
    const std::string* header(std::string_view name) const;
    // What all headers of that name list, without the spaces around each.
    std::vector<std::string_view> elements(std::string_view name, char separator) const;
};

constexpr std::size_t kMaxBodyBytes = 64 * 1024;

// A head and a body. The body is text, or a stream that is pulled.
struct Answer {
    int status = 200;
    Headers headers;
    std::string text;
    std::shared_ptr<Download> stream;  // instead of text
};

// The response's one owner pulls it, one thread at a time; nothing but its destruction may cross a thread.
class Response {
public:
    explicit Response(Answer answer) : answer_(std::move(answer)) {}
    // `poll(wait_ms)` gives the answer once it is known, and waits at most that long for it.
    using Poll = std::function<std::optional<Answer>(std::int64_t wait_ms)>;
    explicit Response(Poll poll) : poll_(std::move(poll)) {}

    // nullptr: not known yet after wait_ms. The pointer is good until the response goes.
    const Answer* wait(std::int64_t wait_ms);
    // Up to `capacity` bytes of the body; 0 at its end. Failure{busy, "response_not_ready"} before wait() gave the head.
    std::size_t read(char* buffer, std::size_t capacity);

private:
    std::optional<Answer> answer_;
    Poll poll_;
    std::size_t at_ = 0;
};

Answer json_answer(int status, const Json& json);

}  // namespace reprise
