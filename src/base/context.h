// What every long operation is given: how to stop, what time it is, where to say what it does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"

namespace reprise {

class Vault;  // stream/vault.h: only its name is known here

enum class Level { debug = 0, info = 1, warning = 2, error = 3 };

// Where a job stands. Totals are 0 while they are not known.
struct Progress {
    std::string phase;       // "waiting", "reading", "verifying", "safety", "staging", "indexes", "swapping", …
    std::string collection;  // empty between collections
    std::int64_t documents = 0, documents_total = 0;
    std::int64_t bytes = 0, bytes_total = 0;
};

// The functions may be called from any thread of the job and must not block; empty ones are skipped.
struct Context {
    Cancel* cancel = nullptr;  // never null in an engine
    const Clock* clock = &system_clock();
    Vault* vault = nullptr;  // the job's keys; null: encrypted files are not opened and no signature is asked for
    std::function<void(Level, std::string_view)> log_hook;
    std::function<void(const Progress&)> progress_hook;

    void log(Level level, std::string_view message) const {
        if (log_hook) log_hook(level, message);
    }
    void progress(const Progress& now) const {
        if (progress_hook) progress_hook(now);
    }
    void phase(const char* name, const std::string& collection = {}) const {
        Progress now;
        now.phase = name;
        now.collection = collection;
        progress(now);
    }
};

}  // namespace reprise
