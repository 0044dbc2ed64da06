// Any request: the handler answers it, with a status of HTTP and a body that is what its type says; nothing leaves the folder.
// The first byte says whether the host vouches for who asks; then method, path, query, headers and body, a line each.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "admin/route.h"
#include "base/failure.h"

namespace {

using namespace reprise;

constexpr std::int64_t kWaitMs = 60000;
constexpr std::size_t kMaxHeaders = 8;

struct Host {
    std::string folder = (std::filesystem::temp_directory_path() / "reprise_fuzz_XXXXXX").string();
    std::unique_ptr<Service> service;
    std::unique_ptr<Handler> handler;

    Host() {
        if (::mkdtemp(folder.data()) == nullptr) std::abort();
        std::ofstream(folder + "/backup_20250101_000000.json") << "0123456789";
        service = std::make_unique<Service>(
            R"({"mongo_url":"mongodb://127.0.0.1:1","database":"hr","connect_timeout_ms":1,"directory":")" + folder +
            R"(","admin":{"cookie":"session","monitor_token":"0123456789abcdef","jwt":{"algorithm":"HS256",)"
            R"("secret":"0123456789abcdef0123456789abcdef"}}})");
        handler = std::make_unique<Handler>(*service);
    }
    ~Host() {
        service->shutdown(2000);
        std::filesystem::remove_all(folder);
    }
};

std::string next_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    return line;
}

Request request_of(std::string_view bytes) {
    Request request;
    if (!bytes.empty() && bytes[0] % 2 == 1) request.principal = "fuzz";
    if (!bytes.empty()) bytes.remove_prefix(1);
    request.method = next_line(bytes);
    request.path = next_line(bytes);
    request.query = next_line(bytes);
    request.base_path = "/api/backup";
    request.remote_address = "192.0.2.1";
    for (std::size_t i = 0; i < kMaxHeaders; ++i) {
        const std::string line = next_line(bytes);
        if (line.empty()) break;
        const std::size_t colon = std::min(line.find(": "), line.size());
        request.headers.emplace_back(line.substr(0, colon), colon < line.size() ? line.substr(colon + 2) : "");
    }
    request.body = std::string(bytes);
    return request;
}

[[noreturn]] void give_up(const Request& request, const char* what) {
    std::fprintf(stderr, "%s: %s %s\n", what, request.method.c_str(), request.path.c_str());
    std::abort();
}

void check(const Request& request, const Handler& handler) {
    const auto response = handler.handle(request);
    const Answer* answer = response->wait(kWaitMs);
    if (answer == nullptr || answer->status < 200 || answer->status > 599) give_up(request, "no answer");
    std::string body, type;
    char buffer[4096];
    while (const std::size_t got = response->read(buffer, sizeof buffer)) body.append(buffer, got);
    for (const auto& [name, value] : answer->headers) {
        if (name.find_first_of("\r\n") != std::string::npos || value.find_first_of("\r\n") != std::string::npos)
            give_up(request, "a header of two lines");
        if (name == "content-type") type = value;
    }
    if (type.find("json") != std::string::npos) parse_json(body);
    // Without a voucher nothing of the folder is told.
    if (!request.principal && answer->status == 200 && request.path != "/" && request.path != "/openapi.json") {
        const std::string* bearer = request.header("authorization");
        if (bearer == nullptr || bearer->find("0123456789abcdef") == std::string::npos)
            give_up(request, "told without a token");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Host host;
    check(request_of({reinterpret_cast<const char*>(data), size}), *host.handler);
    return 0;
}
