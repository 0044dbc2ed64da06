// A small C++ server that keeps its database alive with reprise: the data come back before it listens, and administrators have
// the REST interface and the page under /api/backup. Environment: MONGO_URL, DB_NAME, BACKUP_DIR, JWT_SECRET, PORT, WORKERS.
#include <httplib.h>
#include <reprise/reprise.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr const char* kPrefix = "/api/backup";
constexpr std::int64_t kSliceMs = 200;
httplib::Server* g_server = nullptr;

std::string setting(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : fallback;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string config() {
    std::string out = "{\"mongo_url\":" + quoted(setting("MONGO_URL", "mongodb://localhost:27017")) +
                      ",\"database\":" + quoted(setting("DB_NAME", "test_database")) +
                      ",\"directory\":" + quoted(setting("BACKUP_DIR", "/app/data/backups"));
    const std::string secret = setting("JWT_SECRET", "");
    if (!secret.empty()) out += ",\"admin\":{\"jwt\":{\"algorithm\":\"HS256\",\"secret\":" + quoted(secret) + "}}";
    return out + "}";
}

struct Closer {
    void operator()(reprise_engine* engine) const { reprise_close(engine); }
    void operator()(reprise_response* response) const { reprise_response_free(response); }
    void operator()(char* text) const { reprise_free(text); }
};
using Engine = std::unique_ptr<reprise_engine, Closer>;
using Answer = std::shared_ptr<reprise_response>;
using Text = std::unique_ptr<char, Closer>;

Engine open() {
    const std::string text = config();
    reprise_engine* engine = nullptr;
    reprise_error error{};
    if (reprise_open(text.data(), text.size(), &engine, &error) != REPRISE_OK)
        std::cerr << "reprise: " << error.message << "\n";
    return Engine(engine);
}

// False: the data are missing or doubtful, and this server must not start.
bool bring_data_back(reprise_engine* engine) {
    char* json = nullptr;
    reprise_error error{};
    if (reprise_run(engine, "startup", REPRISE_NUL, nullptr, 0, &json, nullptr, &error) != REPRISE_OK) {
        std::cerr << "reprise: " << error.message << "\n";
        return false;
    }
    const Text held(json);
    const std::string result = json;
    std::cout << "startup: " << result << "\n";
    return result.find("\"result\":\"refused\"") == std::string::npos &&
           result.find("\"result\":\"in_progress\"") == std::string::npos;
}

// [["name","value"],…], made by the library: the only escapes are \" and \\.
void set_headers(httplib::Response& out, const std::string& json, std::string& type) {
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
    for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
        if (texts[i] == "content-type")
            type = texts[i + 1];
        else if (texts[i] != "content-length")
            out.set_header(texts[i].c_str(), texts[i + 1]);
    }
}

void answer(reprise_engine* engine, const httplib::Request& in, httplib::Response& out) {
    std::vector<reprise_header> headers;
    for (const auto& [name, value] : in.headers) headers.push_back({name.data(), name.size(), value.data(), value.size()});
    const std::string path = in.path.substr(std::string(kPrefix).size());
    reprise_request request{};
    request.struct_size = sizeof request;
    request.method = in.method.data();
    request.method_size = in.method.size();
    request.path = path.data();
    request.path_size = path.size();
    request.base_path = kPrefix;
    request.base_path_size = REPRISE_NUL;
    request.headers = headers.data();
    request.header_count = headers.size();
    request.body = in.body.data();
    request.body_size = in.body.size();
    request.remote_address = in.remote_addr.data();
    request.remote_address_size = in.remote_addr.size();
    reprise_response* made = nullptr;
    reprise_error error{};
    if (reprise_admin_handle(engine, &request, &made, &error) != REPRISE_OK) {
        out.status = 500;
        out.set_content(error.message, "text/plain");
        return;
    }
    const Answer response(made, Closer());
    const char* head = nullptr;
    std::size_t size = 0;
    while (out.status <= 0) {
        std::int32_t status = 0;
        if (reprise_response_wait(response.get(), kSliceMs, &status, &head, &size, &error) != REPRISE_OK) status = 500;
        out.status = status == 0 ? -1 : status;
    }
    std::string type = "application/octet-stream";
    set_headers(out, std::string(head == nullptr ? "" : head, size), type);
    out.set_chunked_content_provider(type, [response](std::size_t, httplib::DataSink& sink) {
        std::vector<char> buffer(1 << 18);
        std::size_t got = 0;
        reprise_error failure{};
        if (reprise_response_read(response.get(), buffer.data(), buffer.size(), &got, &failure) != REPRISE_OK) return false;
        if (got == 0) {
            sink.done();
            return true;
        }
        return sink.write(buffer.data(), got);
    });
}

}  // namespace

int main() {
    const Engine engine = open();
    if (!engine || !bring_data_back(engine.get())) return 1;
    httplib::Server server;
    g_server = &server;
    const int threads = std::max(2, std::atoi(setting("WORKERS", "4").c_str()));
    server.new_task_queue = [threads] { return new httplib::ThreadPool(static_cast<std::size_t>(threads)); };
    server.set_payload_max_length(REPRISE_BODY_MAX + 1);
    server.Get("/healthz",
               [](const httplib::Request&, httplib::Response& out) { out.set_content("{\"ok\":true}", "application/json"); });
    const auto handle = [&engine](const httplib::Request& in, httplib::Response& out) { answer(engine.get(), in, out); };
    const std::string all = std::string(kPrefix) + "(?:/.*)?";
    server.Get(all, handle);
    server.Post(all, handle);
    server.Put(all, handle);
    server.Patch(all, handle);
    server.Delete(all, handle);
    for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { g_server->stop(); });
    const int port = std::atoi(setting("PORT", "8001").c_str());
    std::cout << "http://127.0.0.1:" << port << kPrefix << "/" << std::endl;
    return server.listen("127.0.0.1", port) ? 0 : 1;
}
