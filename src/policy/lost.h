// lost: collections that earlier good backups hold documents in and the present one does not. Each warns, and the newest
// backup that still holds it is pinned until a person accepts the loss. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/manifest.h"

namespace reprise {

struct Lost {
    std::string collection;
    bool missing = false;  // else it is there, and empty
    std::string holder;    // the newest file that holds documents in it
    std::int64_t documents = 0;
};

struct LostFacts {
    const Scope* scope = nullptr;         // what is backed up now: a changed configuration is no loss; never null
    const Summary* now = nullptr;         // never null
    std::vector<const Manifest*> before;  // good backups that count, newest first
    std::vector<std::string> may_empty;   // collections that come and go on purpose
};

std::vector<Lost> find_lost(const LostFacts& facts);
// For results, status and log: names and counts, nothing else. accepted: a person said that it is right.
std::string lost_sentence(const Lost& lost, bool accepted = false);

}  // namespace reprise
