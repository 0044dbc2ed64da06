// reprise's REST interface and page on a cpp-httplib server: mount(server, engine, "/api/backup").
#pragma once

#include <httplib.h>
#include <reprise/reprise.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace backup_routes {

constexpr std::int64_t kSliceMs = 200;
constexpr std::size_t kChunkBytes = 1 << 18;

using Response = std::shared_ptr<reprise_response>;

inline Response made_by(reprise_engine* engine, const httplib::Request& in, const std::string& body, const std::string& prefix,
                        bool at_once, reprise_error& error) {
    std::vector<reprise_header> headers;
    for (const auto& [name, value] : in.headers) headers.push_back({name.data(), name.size(), value.data(), value.size()});
    if (at_once) headers.push_back({"prefer", REPRISE_NUL, "respond-async", REPRISE_NUL});
    const std::string path = in.path.substr(prefix.size());  // decoded once, by httplib
    reprise_request request{};
    request.struct_size = sizeof request;
    request.method = in.method.data();
    request.method_size = in.method.size();
    request.path = path.data();
    request.path_size = path.size();
    request.base_path = prefix.data();
    request.base_path_size = prefix.size();
    request.headers = headers.data();
    request.header_count = headers.size();
    request.body = body.data();
    request.body_size = body.size();
    request.remote_address = in.remote_addr.data();
    request.remote_address_size = in.remote_addr.size();
    const std::string id = in.get_header_value("X-Request-ID");
    request.request_id = id.data();
    request.request_id_size = id.size();
    reprise_response* response = nullptr;
    reprise_admin_handle(engine, &request, &response, &error);
    return Response(response, reprise_response_free);
}

// As much as the library takes, and one byte more when there is more. A POST that names no length has no body: httplib would
// wait for one until the connection ends.
inline std::string body_of(const httplib::Request& in, const httplib::ContentReader& read) {
    std::string body;
    if (!in.has_header("content-length") && !in.has_header("transfer-encoding")) return body;
    read([&](const char* bytes, std::size_t size) {
        body.append(bytes, std::min<std::size_t>(size, REPRISE_BODY_MAX + 1 - body.size()));
        return body.size() <= REPRISE_BODY_MAX;  // the rest is not waited for
    });
    return body;
}

// [["name","value"],…], made by the library: the only escapes are \" and \\.
inline std::vector<std::string> texts_of(const std::string& json) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (json[i] != '"') continue;
        std::string text;
        for (++i; i < json.size() && json[i] != '"'; ++i) {
            if (json[i] == '\\') ++i;
            text += json[i];
        }
        texts.push_back(text);
    }
    return texts;
}

inline bool send_chunk(reprise_response* response, httplib::DataSink& sink, bool length_known) {
    std::vector<char> buffer(kChunkBytes);
    std::size_t got = 0;
    if (reprise_response_read(response, buffer.data(), buffer.size(), &got, nullptr) != REPRISE_OK) return false;
    if (got > 0) return sink.write(buffer.data(), got);
    if (!length_known) sink.done();
    return true;
}

// A thread that waits is counted in `waiting` meanwhile.
inline void send(const Response& response, httplib::Response& out, std::atomic<int>& waiting) {
    const char* head = nullptr;
    std::size_t size = 0;
    std::int32_t status = 0;
    const auto look = [&](std::int64_t wait_ms) {
        if (reprise_response_wait(response.get(), wait_ms, &status, &head, &size, nullptr) != REPRISE_OK) status = 500;
        return status != 0;
    };
    if (!look(0)) {
        ++waiting;
        while (!look(kSliceMs)) {
        }
        --waiting;
    }
    out.status = status;
    std::string type = "application/octet-stream";
    std::size_t length = 0;
    const auto headers = texts_of(std::string(head == nullptr ? "" : head, size));
    for (std::size_t i = 0; i + 1 < headers.size(); i += 2) {
        if (headers[i] == "content-type")
            type = headers[i + 1];
        else if (headers[i] == "content-length")
            length = std::stoull(headers[i + 1]);
        else
            out.set_header(headers[i].c_str(), headers[i + 1]);
    }
    const bool known = length > 0;
    const auto more = [response, known](httplib::DataSink& sink) { return send_chunk(response.get(), sink, known); };
    if (length > 0)
        out.set_content_provider(length, type,
                                 [more](std::size_t, std::size_t, httplib::DataSink& sink) { return more(sink); });
    else
        out.set_chunked_content_provider(type, [more](std::size_t, httplib::DataSink& sink) { return more(sink); });
}

// This server has a thread for each request. When all but two of `threads` wait for a backup or a restore, further requests are
// answered with 202 and the job's address, as if they had asked for that: the rest of the application goes on being served.
// The engine outlives the server.
inline void mount(httplib::Server& server, reprise_engine* engine, const std::string& prefix, int threads) {
    const auto waiting = std::make_shared<std::atomic<int>>(0);
    const auto answer = [=](const httplib::Request& in, const std::string& body, httplib::Response& out) {
        // httplib would cut ranges out of what we have cut already.
        const_cast<httplib::Request&>(in).ranges.clear();
        reprise_error error{};
        const Response response = made_by(engine, in, body, prefix, *waiting >= threads - 2, error);
        if (response) return send(response, out, *waiting);
        out.status = 500;
        out.set_content(error.message, "text/plain");
    };
    const auto bare = [=](const httplib::Request& in, httplib::Response& out) { answer(in, "", out); };
    const auto with_body = [=](const httplib::Request& in, httplib::Response& out, const httplib::ContentReader& read) {
        answer(in, body_of(in, read), out);
    };
    const std::string all = prefix + "(?:/[\\s\\S]*)?";
    server.Get(all, bare);
    server.Post(all, with_body);
    server.Put(all, with_body);
    server.Patch(all, with_body);
    server.Delete(all, with_body);
}

}  // namespace backup_routes
