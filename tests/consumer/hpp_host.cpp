// A C++ host without exceptions and without type information, over reprise.hpp.
#include "reprise/reprise.hpp"

#include <cstdio>

#include "check.h"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compile this with -fno-exceptions -fno-rtti"
#endif

namespace {

int check_wrapper() {
    const auto refused = reprise::engine::open(R"({"databse": "hr"})");
    CONSUMER_NEED(!refused && refused.error().code() == REPRISE_E_INVALID_CONFIG);
    CONSUMER_NEED(refused.error().message().find("databse") != std::string_view::npos);
    auto opened = reprise::engine::open(
        R"({"mongo_url": "mongodb://127.0.0.1:1/", "database": "hr", "directory": "hpp_backups", "connect_timeout_ms": 500})");
    CONSUMER_NEED(opened.ok());
    CONSUMER_NEED(opened->config()->view().find("\"hr\"") != std::string_view::npos);
    const auto done = opened->run("verify", R"({"file": "latest"})");
    CONSUMER_NEED(!done && done.error().code() == REPRISE_E_NOT_FOUND);
    return 0;
}

}  // namespace

int main() {
    if (check_reprise() != 0 || check_wrapper() != 0) return 1;
    std::printf("hpp host: reprise %s without exceptions\n", reprise_version());
    return 0;
}
