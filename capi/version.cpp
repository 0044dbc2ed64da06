#include <cstdlib>
#include <cstring>

#include "guard.h"

using namespace reprise_capi;

int32_t reprise_abi(void) { return REPRISE_ABI; }

const char* reprise_version(void) { return reprise::version_text(); }

int32_t reprise_build(char** json, size_t* size, reprise_error* error) {
    clear_out(json, size);
    return guarded(error, [&] {
        need(json, "json");
        text_out(reprise::describe_build().set("abi", REPRISE_ABI).text(), json, size);
    });
}

const char* reprise_code_name(int32_t code) { return reprise::code_name(static_cast<reprise::Code>(code)); }

// Some texts are secrets (reprise_key_new), so all are wiped.
void reprise_free(char* text) {
    if (text != nullptr) ::explicit_bzero(text, std::strlen(text));
    std::free(text);
}
