#include "service/keys.h"

#include <filesystem>
#include <system_error>

#include "base/clock.h"
#include "base/failure.h"
#include "base/text.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"

namespace reprise {
namespace {

constexpr const char* kHidden = "***";
constexpr int kLeastScryptLogN = 10;

Failure bad_value(const std::string& key, const std::string& problem) {
    return Failure(Code::invalid_config, "key_value_wrong", "key " + key + " of the configuration: " + problem);
}

// Against the working directory of the moment, which may be another one when the file is needed.
std::string absolute(const std::string& key, const std::string& path) {
    if (path.empty()) return {};
    std::error_code error;
    const auto made = std::filesystem::absolute(path, error);
    if (error) throw bad_value(key, "it is relative, and the working directory cannot be read");
    return made.lexically_normal().string();
}

std::string path_of(const Json& part, const std::string& noun, const std::string& key) {
    return absolute(noun + "." + key, text_or(part, key, ""));
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// What a passphrase file holds: its first line. An editor ends it with a newline that nobody means.
Secret passphrase_of(const Secret& file) {
    std::string_view text = file.reveal();
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    if (text.empty() || text.find('\n') != std::string_view::npos)
        throw Failure(Code::invalid_config, "passphrase_invalid", "a passphrase is one line of text, and not empty");
    return Secret(text);
}

Secret read_passphrase(const KeysConfig& keys, const PushedSecrets& pushed) {
    if (const auto given = pushed.get(kPassphraseSecret)) return passphrase_of(*given);
    if (keys.passphrase_file.empty()) return {};
    return passphrase_of(read_secret_file(keys.passphrase_file, "the passphrase file"));
}

std::vector<Secret> read_identities(const KeysConfig& keys, const PushedSecrets& pushed) {
    if (const auto given = pushed.get(kIdentitySecret)) return parse_identities(given->reveal());
    if (keys.identity_file.empty()) return {};
    return parse_identities(read_secret_file(keys.identity_file, "the identity file").reveal());
}

Secret read_signing_key(const KeysConfig& keys, const PushedSecrets& pushed) {
    if (auto given = pushed.get(kSigningSecret)) return std::move(*given);
    return read_secret_file(keys.sign_key_file, "the signing key");
}

// Who signs trusts itself.
std::vector<PublicKey> read_trusted(const KeysConfig& keys, const PushedSecrets& pushed, bool signs) {
    std::vector<PublicKey> trusted;
    for (const std::string& path : keys.trust_key_files)
        trusted.push_back(public_key_from_pem(read_key_file(path, "the trusted key")));
    if (!signs) return trusted;
    try {
        trusted.push_back({SigningKey(read_signing_key(keys, pushed).reveal()).public_key()});
    } catch (const Failure& failure) {
        if (trusted.empty() || failure.reason != "key_missing") throw;  // a host that only reads holds no private key
    }
    return trusted;
}

}  // namespace

KeyRule encryption_rule() {
    return {"encryption",
            KeyType::object,
            false,
            {},
            0,
            0,
            {{"recipients", KeyType::texts, false, {}, 0, 0},
             {"identity_file", KeyType::text, false, {}, 0, 0},
             {"passphrase_file", KeyType::text, false, {}, 0, 0},
             {"scrypt_max_log_n", KeyType::number, false, {}, kLeastScryptLogN, kScryptMostLogN}}};
}

KeyRule signature_rule() {
    return {"signature",
            KeyType::object,
            false,
            {},
            0,
            0,
            {{"sign_key_file", KeyType::text, false, {}, 0, 0}, {"trust_key_files", KeyType::texts, false, {}, 0, 0}}};
}

KeysConfig parse_keys(const Json& config) {
    KeysConfig keys;
    const Json& encryption = object_or_empty(config, "encryption");
    const Json& signature = object_or_empty(config, "signature");
    for (const std::string& text : texts_of(encryption, "recipients")) {
        const std::string key = "encryption.recipients[" + std::to_string(keys.recipients.size()) + "]";
        if (keys.recipients.size() == kMaxRecipients) throw bad_value(key, "more than 100 recipients");
        try {
            keys.recipients.push_back(parse_recipient(text));
        } catch (const Failure& failure) {
            throw Failure(failure.code, failure.reason, "key " + key + " of the configuration: " + failure.message);
        }
    }
    keys.identity_file = path_of(encryption, "encryption", "identity_file");
    keys.passphrase_file = path_of(encryption, "encryption", "passphrase_file");
    keys.scrypt_max_log_n = static_cast<int>(number_or(encryption, "scrypt_max_log_n", kScryptReadLogN));
    keys.sign_key_file = path_of(signature, "signature", "sign_key_file");
    for (const std::string& path : texts_of(signature, "trust_key_files")) {
        const std::string key = "signature.trust_key_files[" + std::to_string(keys.trust_key_files.size()) + "]";
        if (path.empty()) throw bad_value(key, "it is empty");
        keys.trust_key_files.push_back(absolute(key, path));
    }
    return keys;
}

void add_keys(Json& out, const KeysConfig& keys) {
    Json recipients = Json::array(), trusted = Json::array();
    for (std::size_t i = 0; i < keys.recipients.size(); ++i) recipients.push(kHidden);
    for (const std::string& path : keys.trust_key_files) trusted.push(path);
    out.set("encryption", Json::object({{"recipients", std::move(recipients)},
                                        {"identity_file", text_or_null(keys.identity_file)},
                                        {"passphrase_file", text_or_null(keys.passphrase_file)},
                                        {"scrypt_max_log_n", keys.scrypt_max_log_n}}));
    out.set("signature",
            Json::object({{"sign_key_file", text_or_null(keys.sign_key_file)}, {"trust_key_files", std::move(trusted)}}));
}

std::unique_ptr<Vault> make_vault(const KeysConfig& keys, std::shared_ptr<const PushedSecrets> pushed) {
    Vault::Given given;
    given.recipients = keys.recipients;
    given.scrypt_max_log_n = keys.scrypt_max_log_n;
    given.secrets.identities = [keys, pushed] { return read_identities(keys, *pushed); };
    given.secrets.passphrase = [keys, pushed] { return read_passphrase(keys, *pushed); };
    if (!keys.passphrase_file.empty() || pushed->has(kPassphraseSecret))
        given.passphrase = [keys, pushed] { return read_passphrase(keys, *pushed); };
    given.configured =
        !keys.recipients.empty() || !keys.identity_file.empty() || given.passphrase || pushed->has(kIdentitySecret);
    const bool signs = !keys.sign_key_file.empty() || pushed->has(kSigningSecret);
    if (signs) given.signing_key = [keys, pushed] { return read_signing_key(keys, *pushed); };
    if (signs || !keys.trust_key_files.empty())
        given.keys = [keys, pushed, signs] { return read_trusted(keys, *pushed, signs); };
    given.configured = given.configured || given.keys;
    return std::make_unique<Vault>(std::move(given));
}

KeyPair new_key(const std::string& kind) {
    if (kind == "signing") {
        Secret pem = new_signing_key_pem();
        std::string shared = SigningKey(pem.reveal()).public_pem();
        return {std::move(pem), std::move(shared)};
    }
    if (kind != "age")
        throw Failure(Code::invalid_argument, "key_kind_unknown",
                      "unknown kind of key " + printable(kind) + ": known are age, signing");
    const Secret identity = x25519_new_key();
    const std::string shared = recipient_of(identity.reveal());
    const Secret text = identity_text(identity.reveal());
    const std::string head =
        "# created: " + iso_time(system_clock().unix_us()).substr(0, 19) + "Z\n# public key: " + shared + "\n";
    Secret file = Secret::zeroed(head.size() + text.size() + 1);
    head.copy(file.data(), head.size());
    text.reveal().copy(file.data() + head.size(), text.size());
    file.data()[file.size() - 1] = '\n';
    return {std::move(file), shared};
}

std::string shared_part(std::string_view secret) {
    if (secret.find("-----BEGIN") != std::string_view::npos) return SigningKey(secret).public_pem();
    std::string out;
    for (const Secret& identity : parse_identities(secret)) out += (out.empty() ? "" : "\n") + recipient_of(identity.reveal());
    return out;
}

}  // namespace reprise
