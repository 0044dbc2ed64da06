#include "crypto/verify_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <optional>

#include "base/failure.h"

namespace reprise {
namespace {

constexpr int kLeastRsaBits = 2048, kMostRsaBits = 16384;
constexpr std::size_t kMaxPemBytes = 64 * 1024;

struct Closer {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
    void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
    void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <typename T>
using Handle = std::unique_ptr<T, Closer>;

// What OpenSSL noted of a failure is of no use to anybody, and must not pile up in the host's own thread.
struct QuietErrors {
    QuietErrors() { ERR_set_mark(); }
    ~QuietErrors() { ERR_pop_to_mark(); }
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;
};

Failure invalid(const char* what) { return Failure(Code::invalid_config, "key_invalid", what); }

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Handle<BIGNUM> number(std::string_view big_endian) {
    Handle<BIGNUM> out(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
    if (!out) throw std::bad_alloc();
    return out;
}

const EVP_MD* digest(int bits) { return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512(); }

Handle<EVP_PKEY> make_key(const char* name, OSSL_PARAM_BLD* builder, const char* refusal) {
    const Handle<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder));
    const Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, name, nullptr));
    EVP_PKEY* made = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        throw invalid(refusal);
    return Handle<EVP_PKEY>(made);
}

Handle<EVP_PKEY> read_pem(std::string_view pem) {
    const auto open = [&] { return Handle<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); };
    // An empty password: the library must never ask on the host's terminal.
    char none[] = "";
    if (Handle<EVP_PKEY> key{PEM_read_bio_PUBKEY(open().get(), nullptr, nullptr, none)}) return key;
    if (const Handle<X509> certificate{PEM_read_bio_X509(open().get(), nullptr, nullptr, none)})
        return Handle<EVP_PKEY>(X509_get_pubkey(certificate.get()));
    return nullptr;
}

// RSA's exponent: 1 makes every message its own signature, and an even one has no inverse.
bool exponent_fits(const EVP_PKEY* key) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return false;
    const Handle<BIGNUM> exponent(raw);
    return BN_is_odd(exponent.get()) != 0 && BN_is_one(exponent.get()) == 0;
}

std::optional<std::string> curve_of(const EVP_PKEY* key) {
    char name[80];
    std::size_t size = 0;
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &size) != 1) return std::nullopt;
    return std::string(name, size);
}

// The curve that goes with a digest in RFC 7518, by OpenSSL's name, and the bytes of one of its numbers.
struct Curve {
    const char* openssl;
    std::size_t bytes;
};
Curve curve_for(int digest_bits) {
    if (digest_bits == 256) return {"prime256v1", 32};
    if (digest_bits == 384) return {"secp384r1", 48};
    return {"secp521r1", 66};
}

std::optional<std::string> der_signature(std::string_view fixed, std::size_t half) {
    if (fixed.size() != 2 * half) return std::nullopt;
    const Handle<ECDSA_SIG> signature(ECDSA_SIG_new());
    Handle<BIGNUM> r = number(fixed.substr(0, half)), s = number(fixed.substr(half));
    if (!signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return std::nullopt;
    r.release();
    s.release();
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    if (size <= 0) return std::nullopt;
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

bool right_tag(const Secret& secret, int digest_bits, std::string_view message, std::string_view tag) {
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const std::string_view key = secret.reveal();
    if (HMAC(digest(digest_bits), key.data(), static_cast<int>(key.size()), bytes(message), message.size(), expected, &size) ==
        nullptr)
        return false;
    const bool right = size == tag.size() && CRYPTO_memcmp(expected, tag.data(), size) == 0;
    OPENSSL_cleanse(expected, sizeof expected);
    return right;
}

bool verify_with(EVP_PKEY* key, const EVP_MD* md, bool pss, std::string_view message, std::string_view signature) {
    const Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* inner = nullptr;
    if (!context || EVP_DigestVerifyInit(context.get(), &inner, md, nullptr, key) != 1) return false;
    if (pss &&
        (EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(inner, md) != 1))
        return false;
    return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
}

}  // namespace

struct VerifyKey::State {
    KeyFamily type = KeyFamily::hmac;
    Secret secret;
    Handle<EVP_PKEY> key;

    static std::shared_ptr<const State> of(Handle<EVP_PKEY> key) {
        auto state = std::make_shared<State>();
        const int id = EVP_PKEY_get_base_id(key.get());
        if (id == EVP_PKEY_RSA)
            state->type = KeyFamily::rsa;
        else if (id == EVP_PKEY_EC)
            state->type = KeyFamily::ec;
        else if (id == EVP_PKEY_ED25519)
            state->type = KeyFamily::ed25519;
        else
            throw invalid("the key is neither RSA, EC nor Ed25519");
        state->key = std::move(key);
        state->check();
        return state;
    }

    void check() const {
        const int bits = EVP_PKEY_get_bits(key.get());
        if (type == KeyFamily::rsa && (bits < kLeastRsaBits || bits > kMostRsaBits || !exponent_fits(key.get())))
            throw Failure(Code::invalid_config, "key_weak",
                          "an RSA key of " + std::to_string(bits) +
                              " bits, or with such an exponent, is not used: take one of 2048 to 16384 bits");
        if (type != KeyFamily::ec) return;
        const Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
        if (!context || EVP_PKEY_public_check(context.get()) != 1) throw invalid("the key is no point on its curve");
    }
};

VerifyKey VerifyKey::hmac(const Secret& secret) {
    if (secret.empty()) throw invalid("the HMAC key is empty");
    auto state = std::make_shared<State>();
    state->secret = secret;
    return VerifyKey(std::move(state));
}

VerifyKey VerifyKey::from_pem(std::string_view pem) {
    const QuietErrors quiet;
    Handle<EVP_PKEY> key = pem.size() <= kMaxPemBytes ? read_pem(pem) : nullptr;
    if (!key) throw invalid("the text is no public key in PEM (BEGIN PUBLIC KEY)");
    return VerifyKey(State::of(std::move(key)));
}

VerifyKey VerifyKey::rsa(std::string_view modulus, std::string_view exponent) {
    const QuietErrors quiet;
    const Handle<BIGNUM> n = number(modulus), e = number(exponent);
    const Handle<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        throw std::bad_alloc();
    return VerifyKey(State::of(make_key("RSA", builder.get(), "the numbers are no RSA key")));
}

VerifyKey VerifyKey::ec(std::string_view curve, std::string_view x, std::string_view y) {
    const QuietErrors quiet;
    const int bits = curve == "P-256" ? 256 : curve == "P-384" ? 384 : curve == "P-521" ? 512 : 0;
    if (bits == 0) throw invalid("the curve is none of P-256, P-384, P-521");
    const Curve known = curve_for(bits);
    if (x.size() != known.bytes || y.size() != known.bytes) throw invalid("the coordinates have not the length of the curve");
    std::string point = "\x04";
    point.append(x).append(y);
    const Handle<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, known.openssl, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        throw std::bad_alloc();
    return VerifyKey(State::of(make_key("EC", builder.get(), "the key is no point on its curve")));
}

VerifyKey VerifyKey::ed25519(std::string_view raw) {
    const QuietErrors quiet;
    Handle<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(raw), raw.size()));
    if (!key) throw invalid("an Ed25519 key has 32 bytes");
    return VerifyKey(State::of(std::move(key)));
}

KeyFamily VerifyKey::type() const { return state_->type; }

std::size_t VerifyKey::size_bits() const {
    if (state_->type == KeyFamily::hmac) return state_->secret.reveal().size() * 8;
    return static_cast<std::size_t>(EVP_PKEY_get_bits(state_->key.get()));
}

bool VerifyKey::verify(SignatureMethod method, std::string_view message, std::string_view signature) const {
    const QuietErrors quiet;
    EVP_PKEY* key = state_->key.get();
    const EVP_MD* md = digest(method.digest_bits);
    switch (method.scheme) {
        case SignatureScheme::hmac:
            return state_->type == KeyFamily::hmac && right_tag(state_->secret, method.digest_bits, message, signature);
        case SignatureScheme::rsa_pkcs1:
        case SignatureScheme::rsa_pss:
            return state_->type == KeyFamily::rsa && signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(key)) &&
                   verify_with(key, md, method.scheme == SignatureScheme::rsa_pss, message, signature);
        case SignatureScheme::ecdsa: {
            const Curve curve = curve_for(method.digest_bits);
            if (state_->type != KeyFamily::ec || curve_of(key) != std::string(curve.openssl)) return false;
            const auto der = der_signature(signature, curve.bytes);
            return der && verify_with(key, md, false, message, *der);
        }
        case SignatureScheme::ed25519:
            return state_->type == KeyFamily::ed25519 && signature.size() == 64 &&
                   verify_with(key, nullptr, false, message, signature);
    }
    return false;
}

}  // namespace reprise
