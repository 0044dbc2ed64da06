// What one job has to encrypt, open, sign and check files with. Everything secret is asked for when it is needed, kept in
// memory that no core dump holds, and wiped with this. While it is used, OpenSSL has a copy on the ordinary heap.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/signature.h"
#include "stream/age_keys.h"
#include "stream/sink.h"

namespace reprise {

class Vault {
public:
    // Each function may throw and is called until it once did not; an empty one: there is none.
    struct Given {
        std::vector<std::string> recipients;           // 32 bytes each
        std::function<Secret()> passphrase;            // to write with, where there are no recipients
        AgeSecrets secrets;                            // to open with
        std::function<Secret()> signing_key;           // PEM; empty: files are not signed
        std::function<std::vector<PublicKey>()> keys;  // whose signatures are taken; empty: none is asked for
        int scrypt_max_log_n = kScryptReadLogN;
        bool configured = false;  // anything of this was asked for: files of the replaced system are then not believed
    };
    Vault() = default;
    explicit Vault(Given given);

    bool encrypts() const { return !given_.recipients.empty() || given_.passphrase != nullptr; }
    bool signs() const { return given_.signing_key != nullptr; }
    bool asks_for_signature() const { return given_.keys != nullptr; }

    bool configured() const { return given_.configured; }
    bool trusts(const std::string& key_id);  // whose signature it is that a manifest speaks of

    std::unique_ptr<Sink> encrypted(Sink& inner);         // only where encrypts(); outlived by this and `inner`
    std::unique_ptr<Source> opened(Source& below);        // an age file, with or without armor
    void forget_written() { keyring_.forget_written(); }  // the keys of the files that were written so far

    FileSignature sign(const std::string& sha256);
    // Does the signature of a file whose content has this hash prove that one of our keys wrote it? Failure{refused,
    // "signature_missing" | "signature_unknown" | "signature_wrong"}; nothing where none is asked for. Returns the key's id.
    std::string check(const std::optional<FileSignature>& signature, const std::string& sha256);

private:
    const std::vector<PublicKey>& keys();

    Given given_;
    AgeKeyring keyring_;
    std::mutex mutex_;
    std::optional<AgeRecipients> recipients_;
    std::optional<Secret> signing_key_;  // PEM: OpenSSL's form of it would lie where core dumps see it
    std::optional<std::vector<PublicKey>> keys_;
};

}  // namespace reprise
