#include "stream/age_header.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "crypto/kdf.h"
#include "stream/age_stanza.h"

namespace reprise {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kAnyVersion = "age-encryption.org/";
constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kColumns = 64;
constexpr std::string_view kMacMark = "---";
constexpr std::size_t kMacLineBytes = 4 + 43;

Failure bad_mac() { return bad_age("no MAC of 32 bytes at the end of the header"); }

// Lines of the header out of a source, bounded.
class HeadLines {
public:
    HeadLines(Source& source, std::string& buffer) : source_(source), buffer_(buffer) {}

    // Without its newline; valid until the next call.
    std::string_view next() {
        begin_ = end_;
        std::size_t newline;
        while ((newline = buffer_.find('\n', searched_)) == std::string::npos) fill();
        searched_ = end_ = newline + 1;
        if (end_ > kMaxAgeHeaderBytes) throw bad_age("a header over 64 KiB");
        return std::string_view(buffer_).substr(begin_, newline - begin_);
    }
    std::size_t line_begin() const { return begin_; }
    std::size_t taken() const { return end_; }

private:
    void fill() {
        searched_ = buffer_.size();
        if (begin_ == 0 && buffer_.size() > kVersionLine.size()) throw bad_age("no version line");
        // Whatever follows the MAC without a newline in between was changed, not cut off.
        if (buffer_.compare(begin_, kMacMark.size(), kMacMark) == 0 && buffer_.size() - begin_ > kMacLineBytes) throw bad_mac();
        if (buffer_.size() >= kMaxAgeHeaderBytes) throw bad_age("a header over 64 KiB");
        const std::size_t had = buffer_.size();
        buffer_.resize(had + kReadBytes);
        const std::size_t got = source_.read(buffer_.data() + had, kReadBytes);
        buffer_.resize(had + got);
        if (got == 0)
            throw Failure(Code::corrupt, "file_truncated", "the encrypted file ends inside its header: it was cut off");
    }

    Source& source_;
    std::string& buffer_;
    std::size_t begin_ = 0, end_ = 0, searched_ = 0;
};

std::vector<std::string> arguments_of(std::string_view line) {
    std::vector<std::string> found;
    for (;;) {
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string_view one = line.substr(0, space);
        const bool printable = std::all_of(one.begin(), one.end(), [](char c) { return c > 32 && c < 127; });
        if (one.empty() || !printable) throw bad_age("an argument that is empty or not printable");
        found.emplace_back(one);
        if (space == line.size()) return found;
        line.remove_prefix(space + 1);
    }
}

std::string read_body(HeadLines& lines) {
    std::string body;
    for (;;) {
        const std::string_view line = lines.next();
        const auto bytes = line.size() <= kColumns ? from_base64_unpadded(line) : std::nullopt;
        if (!bytes) throw bad_age("a body that is not base64 in lines of 64");
        body += *bytes;
        if (line.size() < kColumns) return body;
    }
}

void read_mac(std::string_view line, AgeHeader& header) {
    const auto mac = line.substr(0, 4) == "--- " ? from_base64_unpadded(line.substr(4)) : std::nullopt;
    if (!mac || mac->size() != kKeyBytes) throw bad_mac();
    header.mac = *mac;
}

std::string mac_of(const Secret& file_key, std::string_view text) {
    return hmac_sha256(hkdf_sha256(file_key.reveal(), {}, "header").reveal(), text);
}

// scrypt stands alone, or else whoever knows the passphrase could not tell who else reads along.
void check_together(const std::vector<AgeStanza>& stanzas) {
    if (stanzas.empty()) throw bad_age("no recipient at all");
    const bool scrypt =
        std::any_of(stanzas.begin(), stanzas.end(), [](const auto& s) { return s.arguments[0] == kScryptType; });
    if (scrypt && stanzas.size() > 1) throw bad_age("a passphrase beside other recipients");
}

void put_stanza(std::string& out, const AgeStanza& stanza) {
    out += "->";
    for (const std::string& argument : stanza.arguments) out += " " + argument;
    out += '\n';
    const std::string body = to_base64_unpadded(stanza.body);
    for (std::size_t at = 0; at <= body.size(); at += kColumns) out += body.substr(at, kColumns) + "\n";
}

}  // namespace

AgeHeader read_age_header(Source& source, std::string& rest) {
    HeadLines lines(source, rest);
    AgeHeader header;
    const std::string_view first = lines.next();
    if (first != kVersionLine && first.substr(0, kAnyVersion.size()) == kAnyVersion)
        throw Failure(Code::unsupported, "encryption_unknown", "the file is encrypted by another version of age than v1");
    if (first != kVersionLine) throw bad_age("no version line");
    for (;;) {
        const std::string_view line = lines.next();
        if (line.substr(0, kMacMark.size()) == kMacMark) {
            read_mac(line, header);
            header.text = rest.substr(0, lines.line_begin() + kMacMark.size());
            break;
        }
        if (line.substr(0, 3) != "-> ") throw bad_age("a line that begins no recipient");
        if (header.stanzas.size() == kMaxAgeStanzas) throw bad_age("more than 128 recipients");
        AgeStanza stanza{arguments_of(line.substr(3)), {}};
        stanza.body = read_body(lines);
        header.stanzas.push_back(std::move(stanza));
    }
    check_together(header.stanzas);
    rest.erase(0, lines.taken());
    return header;
}

Secret open_age_header(const AgeHeader& header, AgeKeyring& keyring) {
    const auto known = keyring.recall(header.text);
    const Secret file_key = known ? *known : unwrap_file_key(header.stanzas, keyring);
    if (!equal_constant_time(mac_of(file_key, header.text), header.mac))
        throw Failure(Code::corrupt, "encryption_forged",
                      "the header of the encrypted file was changed since it was written: its MAC does not fit");
    if (!known) keyring.remember(header.text, file_key);
    return file_key;
}

std::string make_age_header(const AgeRecipients& recipients, const Secret& file_key) {
    std::string out = std::string(kVersionLine) + "\n";
    for (const AgeStanza& stanza : wrap_file_key(recipients, file_key)) put_stanza(out, stanza);
    out += "---";
    return out + " " + to_base64_unpadded(mac_of(file_key, out)) + "\n";
}

std::string mac_covers(std::string_view whole_header) {
    return std::string(whole_header.substr(0, whole_header.rfind("--- ") + 3));
}

}  // namespace reprise
