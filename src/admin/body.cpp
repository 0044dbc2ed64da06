#include "admin/body.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"

namespace reprise {

Json read_body(const Request& request, std::initializer_list<const char*> known) {
    if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return Json::object();
    Json json;
    try {
        json = parse_json(request.body);
    } catch (const Failure& failure) {
        throw Failure(Code::invalid_argument, "body_invalid", "the body is not valid JSON: " + failure.message);
    }
    if (!json.is_object()) throw Failure(Code::invalid_argument, "body_invalid", "the body must be a JSON object");
    std::string names;
    for (const char* name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    for (const auto& [key, value] : json.as_object())
        if (std::none_of(known.begin(), known.end(), [&key = key](const char* name) { return key == name; }))
            throw Failure(Code::invalid_argument, "key_unknown",
                          "unknown key " + printable(key) + " in the body: known are " + names);
    return json;
}

std::string checked_name(const std::string& name) {
    const bool bad = name.empty() || name.size() > 255 || name[0] == '.' || name.find('/') != std::string::npos ||
                     name.find('\\') != std::string::npos || name.find('\0') != std::string::npos ||
                     name.find('%') != std::string::npos || !is_utf8(name);
    if (bad)
        throw Failure(Code::invalid_argument, "name_invalid",
                      "the name " + printable(name) + " is no name of a backup: take one from the list");
    return name;
}

std::string file_name_in(const Json& value) {
    if (!value.is_string())
        throw Failure(Code::invalid_argument, "key_type_wrong", "key filename of the body must be a string");
    return checked_name(value.as_string());
}

}  // namespace reprise
