// RAII over the C interface, for the command: failures become Problem, strings std::string.
#pragma once

#include <reprise/reprise.h>

#include <functional>
#include <string>

#include "arguments.h"

namespace cli {

class Engine {
public:
    explicit Engine(const std::string& config);
    ~Engine() { reprise_close(handle_); }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    std::string list();
    std::string show(const std::string& file);
    std::string status();
    std::string mark(const std::string& file, const std::string& options);
    std::string remove(const std::string& file, const std::string& options);
    std::string audit(const std::string& options);

    // Starts a job, waits for its end and gives its result; `tick` sees it five times a second. Once interrupted() says
    // true the job is asked to stop, and waited for; at the second time we leave it. Log lines go to `say`, where set.
    using Tick = std::function<void(const reprise_job_status&)>;
    using Say = std::function<void(const std::string& event)>;
    std::string run(const std::string& kind, const std::string& options, const Tick& tick, const Say& say);

    // Writes the plain JSON of a file to stdout.
    void cat(const std::string& file);

private:
    void wait(std::uint64_t job, const Tick& tick, const Say& say);
    void drain(const Say& say);

    reprise_engine* handle_ = nullptr;
};

// From the first SIGINT or SIGTERM on, how many there were.
int interrupts();
void catch_interrupts();

}  // namespace cli
