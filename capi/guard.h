// What every function of the C interface is made of: checks of its arguments, one call into the core, and a guard that lets
// no exception pass. Nothing else happens here.
#pragma once

#include <cxxabi.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "admin/route.h"
#include "base/failure.h"
#include "base/text.h"
#include "reprise/reprise.h"
#include "service/fork.h"
#include "service/service.h"

struct reprise_engine {
    reprise::Service service;
    reprise::Handler admin;
    explicit reprise_engine(std::string_view config) : service(config), admin(service) {}
};

struct reprise_response {
    std::unique_ptr<reprise::Response> made;
    std::string headers;  // as JSON, once the head is known
};

struct reprise_stream {
    std::unique_ptr<reprise::Source> source;
};

namespace reprise_capi {

constexpr std::size_t kMaxTextBytes = 16 * 1024 * 1024;

static_assert(sizeof(reprise_error) == 512, "reprise_error is fixed for ever");

inline void put_text(char* into, std::size_t room, std::string_view text) {
    const std::string_view cut = reprise::cut_at_character(text, room - 1);
    std::memcpy(into, cut.data(), cut.size());
    std::memset(into + cut.size(), 0, room - cut.size());
}

inline std::int32_t report(reprise_error* error, const reprise::Failure& failure) {
    const auto code = static_cast<std::int32_t>(failure.code);
    if (error == nullptr) return code;
    error->code = code;
    error->origin = static_cast<std::int32_t>(failure.origin);
    error->origin_code = failure.origin_code;
    error->flags = failure.retryable ? REPRISE_FLAG_RETRYABLE : 0;
    put_text(error->reason, sizeof error->reason, failure.reason);
    if (reprise::is_utf8(failure.message))
        put_text(error->message, sizeof error->message, failure.message);
    else
        put_text(error->message, sizeof error->message, reprise::printable(failure.message));
    return code;
}

// Without a Failure, which would allocate.
inline std::int32_t report_plain(reprise_error* error, std::int32_t code, const char* reason, const char* message) {
    if (error == nullptr) return code;
    std::memset(error, 0, sizeof *error);
    error->code = code;
    put_text(error->reason, sizeof error->reason, reason);
    put_text(error->message, sizeof error->message, message);
    return code;
}

// Runs `call` and turns what it throws into code and error. A thread that the host cancels (pthread_cancel) goes on dying.
template <typename Call>
std::int32_t guarded(reprise_error* error, Call&& call) {
    try {
        reprise::check_not_forked_while_busy();
        call();
        if (error != nullptr) std::memset(error, 0, sizeof *error);
        return REPRISE_OK;
    } catch (const reprise::Failure& failure) {
        return report(error, failure);
    } catch (const std::bad_alloc&) {
        return report_plain(error, REPRISE_E_OUT_OF_MEMORY, "out_of_memory", "out of memory");
    } catch (abi::__forced_unwind&) {
        throw;
    } catch (const std::exception&) {
        return report_plain(error, REPRISE_E_INTERNAL, "unexpected", "unexpected failure inside reprise");
    } catch (...) {
        return report_plain(error, REPRISE_E_INTERNAL, "unexpected", "unexpected failure inside reprise");
    }
}

inline void need(const void* pointer, const char* name) {
    if (pointer == nullptr)
        throw reprise::Failure(reprise::Code::invalid_argument, "argument_null", std::string("argument ") + name + " is NULL");
}

// A string in: copied, checked to be UTF-8 without NUL. NULL with length 0 is "not given", and so is an empty text.
inline std::string text_in(const char* text, std::size_t size, const char* name) {
    using reprise::Code;
    using reprise::Failure;
    if (text == nullptr && size == 0) return {};
    need(text, name);
    const std::size_t length = size == REPRISE_NUL ? ::strnlen(text, kMaxTextBytes + 1) : size;
    if (length > kMaxTextBytes)
        throw Failure(Code::invalid_argument, "argument_too_long", std::string("argument ") + name + " is longer than 16 MiB");
    std::string copy(text, length);
    if (copy.find('\0') != std::string::npos || !reprise::is_utf8(copy))
        throw Failure(Code::invalid_argument, "argument_not_utf8",
                      std::string("argument ") + name + " is not UTF-8 without NUL");
    return copy;
}

inline void text_out(std::string_view text, char** out, std::size_t* size) {
    auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    *out = copy;
    if (size != nullptr) *size = text.size();
}

inline void clear_out(char** out, std::size_t* size) {
    if (out != nullptr) *out = nullptr;
    if (size != nullptr) *size = 0;
}

// The common shape: an engine in, JSON out.
template <typename Call>
std::int32_t json_out(reprise_engine* engine, char** json, std::size_t* size, reprise_error* error, Call&& call) {
    clear_out(json, size);
    return guarded(error, [&] {
        need(engine, "engine");
        need(json, "json");
        text_out(call(engine->service).text(), json, size);
    });
}

}  // namespace reprise_capi
