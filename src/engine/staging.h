// Fills the staging collections from the file, builds their indexes, tries the views, and reads everything back (S9).
#pragma once

#include <string>
#include <vector>

#include "engine/operation.h"
#include "engine/plan.h"
#include "format/reader.h"

namespace reprise {

class Staging {
public:
    // All outlive it. Names are taken from the operation's op.
    Staging(Operation& operation, const Place& place, const RestoreOptions& options, const Context& context);

    // The whole of it. Failure names the collection and the document, index or view. Returns warnings.
    std::vector<std::string> fill(Plan& plan, BackupReader& reader, const Summary& expected);

private:
    void create(Plan& plan);
    void create_one(Target& target);
    void pour(Plan& plan, BackupReader& reader, const Summary& expected);
    void build_indexes(Target& target);
    void try_view(Target& target);
    void read_back(const Target& target);
    Client& client();
    void say(const char* phase, const std::string& collection);

    Operation& operation_;
    const Place& place_;
    const RestoreOptions& options_;
    const Context& context_;
    std::vector<std::string> warnings_;
    Progress now_;
};

}  // namespace reprise
