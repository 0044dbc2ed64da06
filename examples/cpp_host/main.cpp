// A small C++ server that keeps its database alive with reprise: the data come back before it listens, administrators have the
// REST interface and the page under /api/backup, and an import backs up first.
// Environment: MONGO_URL, DB_NAME, BACKUP_DIR, JWT_SECRET, ADMIN_PASSWORD, PORT, WORKERS.
#include <httplib.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <reprise/reprise.hpp>
#include <string>

#include "backup_routes.h"
#include "people.h"
#include "session.h"

namespace {

constexpr const char* kPrefix = "/api/backup";
constexpr std::int64_t kStopMs = 5000;
httplib::Server* g_server = nullptr;

std::string setting(const char* name, const std::string& fallback) {
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

struct Settings {
    std::string mongo_url = setting("MONGO_URL", "mongodb://127.0.0.1:27017");
    std::string database = setting("DB_NAME", "test_database");
    std::string directory = setting("BACKUP_DIR", "/app/data/backups");
    std::string secret = setting("JWT_SECRET", session::random_secret());
    std::string password = setting("ADMIN_PASSWORD", "");
    int port = std::atoi(setting("PORT", "8001").c_str());
    int threads = std::max(4, std::atoi(setting("WORKERS", "4").c_str()));

    std::string config() const {
        return "{\"mongo_url\":" + quoted(mongo_url) + ",\"database\":" + quoted(database) +
               ",\"directory\":" + quoted(directory) +
               ",\"admin\":{\"jwt\":{\"algorithm\":\"HS256\",\"secret\":" + quoted(secret) + "},\"cookie\":\"session\"}}";
    }
};

// False: the data are missing or doubtful, and this server must not start.
bool bring_data_back(const reprise::engine& engine) {
    auto started = engine.run("startup");
    std::cout << "startup: " << (started ? started->view() : started.error().message()) << std::endl;
    return started && std::string(started->view()).find("\"may_go_on\":true") != std::string::npos;
}

void answer(httplib::Response& out, int status, const std::string& key, const std::string& value) {
    out.status = status;
    out.set_content("{" + quoted(key) + ":" + quoted(value) + "}", "application/json");
}

void log_in(const Settings& settings, const httplib::Request& in, httplib::Response& out) {
    const std::string password = in.get_param_value("password");
    if (settings.password.empty()) return answer(out, 503, "error", "set ADMIN_PASSWORD to log in");
    if (!session::same_password(password, settings.password)) return answer(out, 401, "error", "wrong name or password");
    const std::string token = session::token_for("admin", settings.secret);
    out.set_header("set-cookie", "session=" + token + "; Path=/; HttpOnly; SameSite=Strict");
    if (in.get_header_value("accept").find("text/html") == std::string::npos) return answer(out, 200, "token", token);
    out.set_redirect(std::string(kPrefix) + "/", 303);
}

constexpr const char* kLogin = R"(<!doctype html><html lang="en"><meta charset="utf-8"><title>HR</title><h1>HR</h1>
<form method="post" action="api/login"><label>Password <input name="password" type="password"></label>
<button>Log in</button></form>)";

// What reprise answers about the token in the header: an administrator may import, too. A cookie is not enough, because any
// page can make a browser send that.
bool is_admin(const reprise::engine& engine, const httplib::Request& in) {
    httplib::Request look = in;
    look.method = "GET";
    look.path = std::string(kPrefix) + "/jobs";
    look.headers.erase("Cookie");
    reprise_error error{};
    const auto response = backup_routes::made_by(engine.get(), look, "", kPrefix, false, error);
    std::int32_t status = 0;
    return response && reprise_response_wait(response.get(), 0, &status, nullptr, nullptr, nullptr) == REPRISE_OK &&
           status == 200;
}

void import_people(const reprise::engine& engine, const Settings& settings, const httplib::Request& in,
                   httplib::Response& out) {
    if (!is_admin(engine, in)) return answer(out, 401, "error", "this needs the token of an administrator");
    auto saved = engine.run("before", R"({"reason":"csv import","actor":{"via":"rest"}})");
    if (!saved) return answer(out, 503, "error", "nothing was imported: " + std::string(saved.error().message()));
    try {
        answer(out, 200, "imported", std::to_string(people::import_csv(settings.mongo_url, settings.database, in.body)));
    } catch (const std::exception& problem) {
        answer(out, 422, "error",
               std::string(problem.what()) + "; restore the backup \"csv import\" to undo what came before it");
    }
}

}  // namespace

int main() {
    const Settings settings;
    auto engine = reprise::engine::open(settings.config());
    if (!engine) {
        std::cerr << "reprise: " << engine.error().message() << std::endl;
        return 1;
    }
    if (!bring_data_back(*engine)) return 1;
    httplib::Server server;
    g_server = &server;
    server.new_task_queue = [&] { return new httplib::ThreadPool(static_cast<std::size_t>(settings.threads)); };
    server.set_payload_max_length(1 << 20);
    server.Get("/healthz",
               [](const httplib::Request&, httplib::Response& out) { out.set_content("{\"ok\":true}", "application/json"); });
    server.Get("/", [](const auto&, auto& out) { out.set_content(kLogin, "text/html; charset=utf-8"); });
    server.Post("/api/login", [&](const auto& in, auto& out) { log_in(settings, in, out); });
    server.Post("/api/import", [&](const auto& in, auto& out) { import_people(*engine, settings, in, out); });
    backup_routes::mount(server, engine->get(), kPrefix, settings.threads);
    for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { g_server->stop(); });
    std::cout << "http://127.0.0.1:" << settings.port << kPrefix << "/" << std::endl;
    const bool listened = server.listen("127.0.0.1", settings.port);
    if (!listened) std::cerr << "port " << settings.port << " cannot be used" << std::endl;
    return listened ? 0 : 1;
}
