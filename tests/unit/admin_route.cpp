// The routes over a folder without a server: who may, what is refused, ranges, the page's policy.
#include <cstdlib>
#include <fstream>

#include "admin/route.h"
#include "admin_support.h"
#include "base/clock.h"
#include "base/failure.h"
#include "doctest/doctest.h"
#include "store_support.h"

using namespace reprise;
using namespace reprise::test;

namespace {

std::string token(const std::string& role, std::int64_t lives_s = 600) {
    const std::int64_t now_s = system_clock().unix_us() / 1000000;
    return signed_token(kHeader, R"({"sub":"sophie","role":")" + role + R"(","exp":)" + std::to_string(now_s + lives_s) + "}");
}

struct Seen {
    int status = 0;
    Headers headers;
    std::string body;
    Json json() const { return parse_json(body); }
    std::string header(const std::string& name) const {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return "";
    }
};

struct Host {
    store_test::TempFolder folder;
    Service service;
    Handler handler;

    explicit Host(const std::string& admin = "", const std::string& keys = std::string(R"("secret":")") + kSecret + "\"")
        : service(R"({"mongo_url":"mongodb://127.0.0.1:1","database":"hr","connect_timeout_ms":200,"directory":")" +
                  folder.path + R"(","admin":{"jwt":{"algorithm":"HS256",)" + keys + "}" + admin + "}}"),
          handler(service) {}
    void push(const std::string& name, const std::string& bytes) { service.set_secret(name, bytes); }

    Seen ask(const Request& request) const {
        const auto response = handler.handle(request);
        Seen seen;
        const Answer* answer = response->wait(20000);
        REQUIRE(answer != nullptr);
        seen.status = answer->status;
        seen.headers = answer->headers;
        char buffer[100];
        while (const std::size_t got = response->read(buffer, sizeof buffer)) seen.body.append(buffer, got);
        return seen;
    }
    Seen ask(const std::string& method, const std::string& path, Headers headers = {}, const std::string& body = "") const {
        Request request;
        request.method = method;
        request.path = path;
        request.base_path = "/api/backup";
        request.headers = std::move(headers);
        request.body = body;
        request.remote_address = "192.0.2.7";
        return ask(request);
    }
    Seen as_admin(const std::string& method, const std::string& path, const std::string& body = "",
                  Headers headers = {}) const {
        headers.emplace_back("Authorization", "Bearer " + token("admin"));
        return ask(method, path, std::move(headers), body);
    }
    void plant(const std::string& name, const std::string& text) const {
        std::ofstream(folder.of(name), std::ios::binary) << text;
    }
};

const char* const kProtected[][2] = {
    {"POST", "/create"}, {"GET", "/list"},       {"POST", "/restore"},       {"GET", "/status"},
    {"GET", "/jobs"},    {"GET", "/jobs/5"},     {"POST", "/jobs/5/cancel"}, {"POST", "/verify"},
    {"POST", "/pin"},    {"POST", "/accept"},    {"GET", "/download/x"},     {"POST", "/download/x"},
    {"GET", "/files/x"}, {"DELETE", "/files/x"}, {"GET", "/health"},         {"GET", "/metrics"}};

}  // namespace

TEST_CASE("every route but the page and its description asks who it is, and tells 401 from 403") {
    for (const auto& [method, path] : kProtected) {
        CAPTURE(path);
        const Host host;  // each with a count of failures of its own
        const auto nobody = host.ask(method, path);
        CHECK(nobody.status == 401);
        CHECK(nobody.header("www-authenticate") == "Bearer realm=\"reprise\"");
        CHECK(nobody.json().find("detail") == nullptr);
        if (std::string(method) == "POST" && std::string(path) == "/download/x") continue;
        CHECK(host.ask(method, path, {{"Authorization", "Bearer " + token("user")}}).status == 403);
        CHECK(host.ask(method, path, {{"Authorization", "Bearer " + token("admin", -600)}}).status == 401);
        CHECK(host.ask(method, path, {{"Authorization", "Basic YWRtaW46YWRtaW4="}}).status == 401);
        CHECK(host.as_admin(method, path).status != 401);
    }
    const Host host;
    CHECK(host.ask("GET", "/").status == 200);
    CHECK(host.ask("GET", "/openapi.json").json().find("paths") != nullptr);
}

TEST_CASE("what is not a route is 404, another method 405, an empty path goes to the page") {
    const Host host;
    CHECK(host.as_admin("GET", "/nothing").status == 404);
    const auto get = host.as_admin("GET", "/create");
    CHECK(get.status == 405);
    CHECK(get.header("allow") == "POST");
    CHECK(get.json().at("type").as_string() == "method_not_allowed");
    CHECK(host.ask("GET", "/create").status == 405);  // nothing secret in that, and the guide's own snippet asks like this
    const auto empty = host.ask("GET", "");
    CHECK(empty.status == 308);
    CHECK(empty.header("location") == "backup/");
    CHECK(host.as_admin("POST", "/create", std::string(kMaxBodyBytes + 1, ' ')).status == 413);
}

TEST_CASE("s11: a name from a request stays inside the folder") {
    const Host host;
    std::ofstream(host.folder.path + "/../reprise_secret_beside") << "secret";
    for (const char* name : {"..", ".", "../x", "..%2fx", "%2e%2e", "....//x", "/etc/passwd", "a\\b", ".reprise",
                             ".reprise/owner", "x\0y", "\xFF\xFE", "%00", "..;/x"}) {
        CAPTURE(name);
        for (const char* route : {"/download/", "/files/"})
            CHECK(host.as_admin("GET", std::string(route) + name).status >= 400);
        CHECK(host.as_admin("DELETE", std::string("/files/") + name).status >= 400);
        const Json body = Json::object({{"filename", std::string(is_utf8(name) ? name : "..")}});
        for (const char* route : {"/verify", "/pin", "/accept", "/restore"})
            CHECK(host.as_admin("POST", route, body.text()).status >= 400);
    }
    CHECK(std::filesystem::exists(host.folder.path + "/../reprise_secret_beside"));
    std::filesystem::remove(host.folder.path + "/../reprise_secret_beside");
}

TEST_CASE("bodies that are no JSON object of known keys are 400 with the way out") {
    const Host host;
    CHECK(host.as_admin("POST", "/verify", "{").json().at("type").as_string() == "body_invalid");
    CHECK(host.as_admin("POST", "/verify", "[]").status == 400);
    CHECK(host.as_admin("POST", "/verify", R"({"file":"x"})").json().at("type").as_string() == "key_unknown");
    CHECK(host.as_admin("POST", "/verify", R"({"filename":5})").status == 400);
    CHECK(host.as_admin("POST", "/pin", "{}").json().at("type").as_string() == "key_missing");
    CHECK(host.as_admin("POST", "/restore", R"({"mode":"overwrite"})").status == 400);
    CHECK(host.as_admin("POST", "/restore", R"({"dry_run":"yes"})").status == 400);
}

TEST_CASE("errors speak French, or English when asked") {
    const Host host;
    const std::string path = "/files/backup_20250101_000000.json";
    CHECK(host.as_admin("GET", path).json().at("title").as_string() == "Cette sauvegarde n'existe pas.");
    CHECK(host.as_admin("GET", path, "", {{"Accept-Language", "en-GB,fr;q=0.5"}}).json().at("title").as_string() ==
          "There is no such backup.");
    CHECK(host.as_admin("GET", path, "", {{"Accept-Language", "de, fr;q=0.9, en;q=0.1"}}).header("content-language") == "fr");
    const auto problem = host.as_admin("GET", path);
    CHECK(problem.header("content-type") == "application/problem+json");
    CHECK(problem.json().at("type").as_string() == "file_missing");
    CHECK(problem.json().at("status").as_int() == 404);
    CHECK_FALSE(problem.json().at("success").as_bool());
}

TEST_CASE("a cookie is enough to look, and needs a mark and the same origin to change something") {
    const Host host(R"(,"cookie":"session")");
    const std::string cookie = "a=b; session=" + token("admin");
    CHECK(host.ask("GET", "/list", {{"Cookie", cookie}}).status == 200);
    const auto post = [&](Headers more) {
        more.emplace_back("Cookie", cookie);
        more.emplace_back("Host", "hr.example");
        return host.ask("POST", "/jobs/5/cancel", std::move(more)).status;
    };
    CHECK(post({}) == 403);
    CHECK(post({{"X-Reprise", "1"}}) == 403);
    CHECK(post({{"X-Reprise", "1"}, {"Sec-Fetch-Site", "cross-site"}}) == 403);
    CHECK(post({{"X-Reprise", "1"}, {"Sec-Fetch-Site", "same-site"}}) == 403);
    CHECK(post({{"X-Reprise", "1"}, {"Origin", "https://evil.example"}}) == 403);
    CHECK(post({{"Sec-Fetch-Site", "same-origin"}}) == 403);
    CHECK(post({{"X-Reprise", "1"}, {"Sec-Fetch-Site", "same-origin"}}) == 404);
    CHECK(post({{"X-Reprise", "1"}, {"Origin", "https://hr.example"}}) == 404);
    CHECK(host.ask("GET", "/list", {{"Cookie", cookie + "; session=other"}}).status == 401);
    CHECK(host.ask("GET", "/list", {{"Cookie", cookie}, {"Cookie", "session=other"}}).status == 401);
    CHECK(host.ask("GET", "/list", {{"Cookie", "a=b"}, {"cookie", "session=" + token("admin")}}).status == 200);
    // A proxy's own login says nothing of the cookie.
    CHECK(host.ask("GET", "/list", {{"Cookie", cookie}, {"Authorization", "Basic YWRtaW46YWRtaW4="}}).status == 200);
    CHECK(host.ask("GET", "/list", {{"Cookie", "xsession=" + token("admin")}}).status == 401);
    // A bearer is exempt: no page can make a browser send it.
    CHECK(host.as_admin("POST", "/jobs/5/cancel").status == 404);
    // The form of a download ignores cookies.
    CHECK(host.ask("POST", "/download/x.json", {{"Cookie", cookie}, {"X-Reprise", "1"}, {"Sec-Fetch-Site", "same-origin"}})
              .status == 401);
}

TEST_CASE("a principal that the host has verified needs no token, and a monitor's token opens health and metrics alone") {
    const Host host(R"(,"monitor_token":"0123456789abcdef")");
    Request request;
    request.method = "GET";
    request.path = "/list";
    request.principal = "boss";
    CHECK(host.ask(request).status == 200);
    request.principal = "";  // a host that verified somebody knows a name
    CHECK(host.ask(request).status == 401);
    // What a browser says to come from elsewhere is refused, however the host knows who it is.
    request.principal = "boss";
    request.method = "POST";
    request.path = "/jobs/5/cancel";
    CHECK(host.ask(request).status == 404);
    request.headers = {{"Sec-Fetch-Site", "cross-site"}};
    CHECK(host.ask(request).status == 403);
    request.headers = {{"Origin", "https://evil.example"}, {"Host", "hr.example"}};
    CHECK(host.ask(request).status == 403);
    request.headers = {{"Origin", "https://hr.example"}, {"Host", "hr.example"}};
    CHECK(host.ask(request).status == 404);
    const Headers monitor = {{"Authorization", "Bearer 0123456789abcdef"}};
    CHECK(host.ask("GET", "/metrics", monitor).status == 200);
    const auto health = host.ask("GET", "/health", monitor);
    CHECK(health.status == 503);
    CHECK(health.json().at("problems").as_array().at(0).at("reason").as_string() == "no_backup");
    CHECK(host.ask("GET", "/list", monitor).status == 401);
}

TEST_CASE("who guesses tokens is told to wait, whichever worker he asks") {
    const Host host;
    Service other(R"({"mongo_url":"mongodb://127.0.0.1:1","database":"hr","directory":")" + host.folder.path + "\"}");
    // At a minute's end the count begins anew: then the second round meets the limit.
    bool limited = false;
    for (int i = 0; i < 40 && !limited; ++i) limited = host.ask("GET", "/list", {{"Authorization", "Bearer x"}}).status == 429;
    CHECK(limited);
    Request request;
    request.method = "GET";
    request.path = "/list";
    request.remote_address = "192.0.2.7";
    const Handler second(other);
    CHECK(second.handle(request)->wait(0)->status == 401);  // no token is no guess
    request.headers = {{"Authorization", "Bearer y"}};
    CHECK(second.handle(request)->wait(0)->status == 429);
    request.remote_address = "192.0.2.8";
    CHECK(second.handle(request)->wait(0)->status == 401);
    // Whoever guesses from behind the same proxy locks nobody out.
    CHECK(host.as_admin("GET", "/list").status == 200);
}

TEST_CASE("a download is the stored bytes, whole or a range of them") {
    const Host host;
    const std::string name = "backup_20250101_000000.json", text = "0123456789";
    host.plant(name, text);
    const auto get = [&](const std::string& range) {
        return host.as_admin("GET", "/download/" + name, "", {{"Range", range}});
    };
    const auto whole = host.as_admin("GET", "/download/" + name);
    CHECK(whole.status == 200);
    CHECK(whole.body == text);
    CHECK(whole.header("content-length") == "10");
    CHECK(whole.header("content-disposition").find(name) != std::string::npos);
    CHECK(get("bytes=2-4").body == "234");
    CHECK(get("bytes=2-4").status == 206);
    CHECK(get("bytes=2-4").header("content-range") == "bytes 2-4/10");
    CHECK(get("bytes=7-").body == "789");
    CHECK(get("bytes=-3").body == "789");
    CHECK(get("bytes=-30").body == text);
    CHECK(get("bytes=5-100").body == "56789");
    CHECK(get("bytes=10-").status == 416);
    CHECK(get("bytes=10-").header("content-range") == "bytes */10");
    for (const char* ignored :
         {"bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=", "bytes=99999999999999999999-"})
        CHECK(get(ignored).status == 200);
    // A file that nobody verified yet is not read to its end by a request.
    CHECK(host.as_admin("GET", "/files/" + name).json().at("state").as_string() == "unknown");
    host.plant("server.key", "secret");
    CHECK(host.as_admin("GET", "/download/server.key").status == 404);
    CHECK(host.as_admin("HEAD", "/download/" + name, "", {{"Range", "bytes=2-4"}}).status == 200);
    const std::string form = "token=" + token("admin");
    CHECK(host.ask("POST", "/download/" + name, {}, form).body == text);
    CHECK(host.ask("POST", "/download/" + name, {}, "token=" + token("user")).status == 403);
    CHECK(host.as_admin("GET", "/download/" + name, "", {{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}).status == 200);
}

TEST_CASE("the page is one file with a policy of hashes") {
    const Host host(R"(,"frame_ancestors":["https://intranet.example"])");
    const auto page = host.ask("GET", "/");
    const std::string policy = page.header("content-security-policy");
    CHECK(policy.find("default-src 'none'") == 0);
    CHECK(policy.find("script-src 'sha256-") != std::string::npos);
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(policy.find("frame-ancestors https://intranet.example") != std::string::npos);
    CHECK(page.body.find("<script>") != std::string::npos);
    for (const char* foreign : {"http://", "https://", " onclick=", " style=", "/*app.js*/"})
        CHECK(page.body.find(foreign) == std::string::npos);
    CHECK(Host().ask("GET", "/").header("content-security-policy").find("frame-ancestors 'none'") != std::string::npos);
    for (const char* bad : {"https://a.example; script-src *", "'unsafe-inline'", "*", "javascript:", ""})
        CHECK_THROWS_AS(Host(R"(,"frame_ancestors":[")" + std::string(bad) + "\"]"), Failure);
}

TEST_CASE("keys are rotated without a restart, and a bad file leaves the good ones in force") {
    const store_test::TempFolder keys;
    const std::string path = keys.of("jwt");
    const auto write = [&](const std::string& secret) {
        std::ofstream(path) << secret << "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    };
    write(std::string(40, 'x'));
    Host host("", R"("secret_file":")" + path + "\"");
    CHECK(host.as_admin("GET", "/list").status == 401);
    write(kSecret);
    CHECK(host.as_admin("GET", "/list").status == 200);
    write("short");
    CHECK(host.as_admin("GET", "/list").status == 200);
    host.push("jwt_secret", std::string(50, 'y'));
    CHECK(host.as_admin("GET", "/list").status == 401);
    host.push("jwt_secret", "");
    write(std::string(kSecret) + "\n");
    CHECK(host.as_admin("GET", "/list").status == 200);
    CHECK_THROWS_AS(Host("", R"("secret_file":")" + keys.of("missing") + "\""), Failure);
    std::filesystem::permissions(path, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    CHECK_THROWS_AS(Host("", R"("secret_file":")" + path + "\""), Failure);
}

TEST_CASE("keys of a set that are for something else are passed over, and a set without any of use is refused") {
    Host host("", R"("secret":"another entirely random secret of the configuration, unused here")");
    const std::string ours = R"({"kty":"oct","k":")" + base64url(kSecret) + R"("})";
    const std::string others = R"({"kty":"OKP","crv":"X25519","x":"AAAA"},{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"},)"
                               R"({"kty":"new"},{"kty":"oct","use":"enc","k":"AAAA"},{"kty":"oct","k":"c2hvcnQ"})";
    CHECK(host.as_admin("GET", "/list").status == 401);
    host.service.set_secret("jwt_keys", R"({"keys":[)" + others + "," + ours + "]}");
    CHECK(host.as_admin("GET", "/list").status == 200);
    host.service.set_secret("jwt_keys", R"({"keys":[)" + others + "]}");
    CHECK(host.as_admin("GET", "/list").status == 200);  // the good ones stay in force
}

TEST_CASE("a preference is a word of a list, in whichever header and case") {
    const Host host;
    const auto status = [&](Headers prefer) { return host.as_admin("POST", "/create", "", std::move(prefer)).status; };
    CHECK(status({{"Prefer", "handling=lenient"}, {"Prefer", "wait=5, Respond-Async"}}) == 202);
    CHECK(status({{"Prefer", "x-norespond-async"}}) != 202);
}

TEST_CASE("a download that is refused is told, and one that only asks for the head is not") {
    Host host;
    host.plant("backup_20250101_000000.json", "{}");
    const auto told = [&] { return parse_json(host.service.read_audit("{}").text()).at("lines").as_array().size(); };
    CHECK(host.as_admin("GET", "/download/backup_20240101_000000.json").status == 404);
    CHECK(told() == 1);
    CHECK(host.as_admin("HEAD", "/download/backup_20250101_000000.json").status == 200);
    CHECK(told() == 1);
    CHECK(host.as_admin("GET", "/download/backup_20250101_000000.json").status == 200);
    CHECK(told() == 2);
}

TEST_CASE("more requests than jobs are remembered: each hears how its own ended") {
    const Host host;
    std::vector<std::unique_ptr<Response>> waiting;
    Request request;
    request.method = "POST";
    request.path = "/verify";
    request.principal = "boss";
    for (int i = 0; i < 100; ++i) waiting.push_back(host.handler.handle(request));
    for (const auto& response : waiting) {
        const Answer* answer = response->wait(20000);
        REQUIRE(answer != nullptr);
        CHECK(answer->text.find("job_unknown") == std::string::npos);
        CHECK(parse_json(answer->text).at("type").as_string() == "no_backup");
    }
}

TEST_CASE("an unreachable server is a 503 that names no secret, and the job is on the audit log") {
    Host host;
    const auto made = host.as_admin("POST", "/create");
    CHECK(made.status == 503);
    CHECK(made.body.find(kSecret) == std::string::npos);
    const Json audit = host.service.read_audit(R"({"limit":5})");
    const Json& line = audit.at("lines").as_array().at(0);
    CHECK(line.at("what").as_string() == "backup");
    CHECK(line.at("who").as_string() == "sophie");
    CHECK(line.at("via").as_string() == "rest");
    CHECK(line.at("from").as_string() == "192.0.2.7");
    CHECK(audit.at("check").at("whole").as_bool());
}
