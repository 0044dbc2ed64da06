// What startup answers, and the questions that reading alone can answer.
#pragma once

#include <optional>

#include "base/failure.h"
#include "service/startup.h"

namespace reprise {

StartupResult decided(const char* result, const char* reason, const std::string& message);
StartupResult refused(const Failure& failure);
StartupResult not_needed(const EmptyRule& rule);
// The rule says "empty" and no file in the folder holds documents. highest_in_folder: the highest sequence found there.
StartupResult nothing_to_restore(Client& client, const Place& place, const EmptyRule& rule, std::int64_t highest_in_folder);

struct QuickLook {
    bool rest_holds_data = false;  // `users` is empty and the rest is not: which rule is in force was all that was not known
};
// nullopt when an operation is needed. Takes no lock and writes nothing.
std::optional<StartupResult> ask_quickly(const Place& place, const StartupOptions& options, const Context& context,
                                         QuickLook& look);

}  // namespace reprise
