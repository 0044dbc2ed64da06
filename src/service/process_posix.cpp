#include "mongo/holder_posix.h"
#include "service/process.h"

namespace reprise {
namespace {

// The lease's own way of telling the dead, a zombie that nobody reaped included.
HolderIdentity as_holder(const ProcessIdentity& process) {
    HolderIdentity out;
    out.boot = process.boot;
    out.pid = process.pid;
    out.start = process.start;
    return out;
}

}  // namespace

ProcessIdentity this_process() {
    const HolderIdentity own = own_identity("");
    return {own.boot, own.pid_namespace == 0 ? "" : std::to_string(own.pid_namespace), own.pid, own.start};
}

Life life_of(const ProcessIdentity& process) {
    const HolderIdentity us = own_identity("");
    if (process.boot.empty() || process.boot != us.boot || process.pid_namespace != std::to_string(us.pid_namespace))
        return Life::unknown;
    HolderIdentity holder = as_holder(process);
    holder.pid_namespace = us.pid_namespace;
    return proven_dead(holder, us) ? Life::dead : Life::alive;
}

Json process_to_json(const ProcessIdentity& process) {
    return Json::object(
        {{"boot", process.boot}, {"pid_namespace", process.pid_namespace}, {"pid", process.pid}, {"start", process.start}});
}

ProcessIdentity process_from_json(const Json& json) {
    return {json.at("boot").as_string(), json.at("pid_namespace").as_string(), json.at("pid").as_int(),
            json.at("start").as_int()};
}

}  // namespace reprise
