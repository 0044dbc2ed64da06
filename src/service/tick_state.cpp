#include "service/tick_state.h"

#include "base/failure.h"
#include "base/text.h"

namespace reprise {
namespace {

constexpr const char* kKey = "schedule";
constexpr std::int64_t kVersion1 = 1;

std::string second(std::int64_t unix_s) { return iso_time(unix_s * 1000000).substr(0, 19) + "Z"; }

std::int64_t second_of(const Json& json, const char* key) {
    const Json* value = json.find(key);
    if (value == nullptr || value->is_null()) return 0;
    const auto found = from_iso_time(value->as_string());
    if (!found) throw Failure(Code::corrupt, "json_invalid", std::string(key) + " is no time");
    return *found / 1000000;
}

std::string text_of(const Json& json, const char* key) {
    const Json* value = json.find(key);
    return value == nullptr || value->is_null() ? std::string() : value->as_string();
}

Json claim_to_json(const TickClaim& claim) {
    return Json::object({{"token", claim.token},
                         {"due", second(claim.due_s)},
                         {"since", second(claim.since_s)},
                         {"job", claim.job},
                         {"process", process_to_json(claim.process)}});
}

TickClaim claim_from_json(const Json& json) {
    TickClaim claim;
    claim.token = json.at("token").as_string();
    claim.due_s = second_of(json, "due");
    claim.since_s = second_of(json, "since");
    claim.job = static_cast<std::uint64_t>(json.at("job").as_int());
    claim.process = process_from_json(json.at("process"));
    return claim;
}

TickRun run_from_json(const Json& json) {
    TickRun run;
    run.due_s = second_of(json, "due");
    run.started_s = second_of(json, "started");
    run.ended_s = second_of(json, "ended");
    run.job = static_cast<std::uint64_t>(json.at("job").as_int());
    run.state = json.at("state").as_string();
    run.reason = text_of(json, "reason");
    run.file = text_of(json, "file");
    return run;
}

TickState state_from_json(const Json& json) {
    TickState state;
    if (json.at("schedule").as_int() != kVersion1)
        throw Failure(Code::corrupt, "json_invalid", "the schedule's state is of another version");
    state.seed = static_cast<std::uint64_t>(json.at("seed").as_int());
    state.handled_s = second_of(json, "handled_until");
    state.failures = json.at("failures").as_int();
    state.retry_s = second_of(json, "retry_at");
    state.next_s = second_of(json, "next");
    if (const Json* claim = json.find("claim"); claim != nullptr && claim->is_object()) state.claim = claim_from_json(*claim);
    if (const Json* last = json.find("last"); last != nullptr && last->is_object()) state.last = run_from_json(*last);
    return state;
}

}  // namespace

Json second_or_null(std::int64_t unix_s) { return unix_s == 0 ? Json() : Json(second(unix_s)); }

Json run_to_json(const TickRun& run) {
    return Json::object({{"due", second(run.due_s)},
                         {"started", second(run.started_s)},
                         {"ended", second(run.ended_s)},
                         {"job", run.job},
                         {"state", run.state},
                         {"reason", run.reason.empty() ? Json() : Json(run.reason)},
                         {"file", run.file.empty() ? Json() : Json(run.file)}});
}

std::optional<TickState> read_ticks(Store& store) {
    const auto text = store.read_state(kKey);
    if (!text) return std::nullopt;
    try {
        return state_from_json(parse_json(*text));
    } catch (const Failure&) {
        return std::nullopt;
    }
}

void write_ticks(Store& store, const TickState& state) {
    Json json = Json::object({{"schedule", kVersion1},
                              {"seed", state.seed},
                              {"handled_until", second(state.handled_s)},
                              {"failures", state.failures},
                              {"retry_at", second_or_null(state.retry_s)},
                              {"next", second_or_null(state.next_s)}});
    json.set("claim", state.claim ? claim_to_json(*state.claim) : Json());
    json.set("last", state.last ? run_to_json(*state.last) : Json());
    store.write_state(kKey, json.text(2) + "\n");
}

}  // namespace reprise
