// The parts `encryption` and `signature` of the configuration, and the vault that a job gets by them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/json.h"
#include "service/schema.h"
#include "service/secret_file.h"
#include "stream/vault.h"

namespace reprise {

struct KeysConfig {
    std::vector<std::string> recipients;                        // 32 bytes each
    std::string identity_file, passphrase_file, sign_key_file;  // absolute; empty: not set
    std::vector<std::string> trust_key_files;
    int scrypt_max_log_n = kScryptReadLogN;
};

KeyRule encryption_rule();
KeyRule signature_rule();
// Checks recipients and paths; reads no file. Failure{invalid_config, …} naming the key.
KeysConfig parse_keys(const Json& config);
// Both parts as they are in force; recipients, which are written nowhere, as "***".
void add_keys(Json& out, const KeysConfig& keys);

// Files and pushed secrets are read when the vault needs them. A pushed secret goes before the file of its name.
std::unique_ptr<Vault> make_vault(const KeysConfig& keys, std::shared_ptr<const PushedSecrets> pushed);

// A key pair as text: what is kept, and what may be given away.
struct KeyPair {
    Secret secret;       // an identity as age-keygen writes it, or PKCS#8 PEM
    std::string shared;  // "age1…", or SPKI PEM
};
// kind: "age" or "signing". Failure{invalid_argument, "key_kind_unknown"}.
KeyPair new_key(const std::string& kind);
// The recipients of identities, one a line; or the public PEM of a signing key.
std::string shared_part(std::string_view secret);

}  // namespace reprise
