#include "codec/json_text.h"

namespace reprise {

char* put_json_escape(char* at, unsigned char byte) {
    constexpr char kHex[] = "0123456789abcdef";
    *at++ = '\\';
    switch (byte) {
        case '"':
        case '\\': *at++ = static_cast<char>(byte); return at;
        case '\b': *at++ = 'b'; return at;
        case '\f': *at++ = 'f'; return at;
        case '\n': *at++ = 'n'; return at;
        case '\r': *at++ = 'r'; return at;
        case '\t': *at++ = 't'; return at;
        default: break;
    }
    std::memcpy(at, "u00", 3);
    at[3] = kHex[byte >> 4];
    at[4] = kHex[byte & 15];
    return at + 5;
}

}  // namespace reprise
