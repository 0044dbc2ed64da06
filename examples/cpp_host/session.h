// Logging in: one administrator, whose password stands in the environment, is given a token that reprise's interface accepts.
#pragma once

#include <string>

namespace session {

// A JWT (HS256, RFC 7519) for `subject` with role admin, good for eight hours.
std::string token_for(const std::string& subject, const std::string& secret);
// In constant time; an empty expected password matches nothing.
bool same_password(const std::string& given, const std::string& expected);
// 32 random bytes in hex, for a server that was given no secret.
std::string random_secret();

}  // namespace session
