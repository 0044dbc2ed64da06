// The page and the description of the interface, put into the library by cmake/embed.cpp at build time.
#pragma once

#include <string_view>

namespace reprise {

std::string_view embedded_page();         // page.html with app.css and app.js inside
std::string_view embedded_script_hash();  // 'sha256-…' of the one script, for the Content-Security-Policy
std::string_view embedded_style_hash();
std::string_view embedded_openapi();  // openapi.json

}  // namespace reprise
