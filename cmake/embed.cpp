// Run at build time: puts the admin page, its script and its style, and openapi.json into one C++ source, with the hashes that
// the page's Content-Security-Policy needs.   embed FOLDER OUT.cpp
#include <openssl/evp.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace {

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string source_hash(const std::string& text) {
    unsigned char digest[32];
    unsigned char base64[64];
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
    EVP_EncodeBlock(base64, digest, static_cast<int>(size));
    return "'sha256-" + std::string(reinterpret_cast<char*>(base64)) + "'";
}

void replace(std::string& page, const std::string& mark, const std::string& text) {
    const std::size_t at = page.find(mark);
    if (at == std::string::npos) throw std::runtime_error("page.html holds no " + mark);
    page.replace(at, mark.size(), text);
}

// In numbers, because compilers bound the length of a literal.
void put(std::ofstream& out, const char* name, const std::string& text) {
    out << "const char k_" << name << "[] = {";
    for (const char c : text) out << static_cast<int>(c) << ',';
    out << "0};\nstd::string_view embedded_" << name << "() { return {k_" << name << ", " << text.size() << "}; }\n";
}

}  // namespace

int main(int count, char** words) {
    try {
        if (count != 3) throw std::runtime_error("usage: embed FOLDER OUT.cpp");
        const std::string folder = words[1];
        std::string page = read(folder + "/page.html");
        const std::string script = read(folder + "/words.js") + read(folder + "/app.js"), style = read(folder + "/app.css");
        replace(page, "/*app.css*/", style);
        replace(page, "/*app.js*/", script);
        std::ofstream out(words[2], std::ios::binary);
        out << "#include <string_view>\n\n#include \"admin/page/embedded.h\"\n\nnamespace reprise {\n";
        put(out, "page", page);
        put(out, "script_hash", source_hash(script));
        put(out, "style_hash", source_hash(style));
        put(out, "openapi", read(folder + "/openapi.json"));
        out << "}  // namespace reprise\n";
        return out.good() ? 0 : 1;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "embed: %s\n", problem.what());
        return 1;
    }
}
