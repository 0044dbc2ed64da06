// What an engine needs to work on one file of the folder without the server: for marks and deletions.
#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "engine/place.h"
#include "service/config.h"

namespace reprise {

// Stays where it was made: context and place point into it.
struct FileWork {
    // A missing folder is not made. job: for the folder's lock; options: "wait_ms". Failures of resolve_name.
    FileWork(const Config& config, const std::string& file, const char* job, const Json& options);
    FileWork(const FileWork&) = delete;
    FileWork& operator=(const FileWork&) = delete;

    std::string name;  // in the store
    std::unique_ptr<Store> store;
    Cancel cancel;
    Context context;
    Place place;
};

}  // namespace reprise
