#include "stream/age.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "base/failure.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "stream/age_header.h"

namespace reprise {
namespace {

constexpr std::size_t kSealedBytes = kAgeChunkBytes + kAeadTagBytes;
constexpr std::size_t kPayloadNonceBytes = 16;

// 11 bytes of counter, big-endian, and one that says whether the chunk is the last.
class ChunkNonce {
public:
    std::string_view bytes(bool last) {
        for (std::size_t i = 0; i < sizeof counter_; ++i)
            nonce_[kAeadNonceBytes - 2 - i] = static_cast<char>(counter_ >> (8 * i) & 0xff);
        nonce_[kAeadNonceBytes - 1] = last ? 1 : 0;
        return {nonce_, kAeadNonceBytes};
    }
    void advance() { ++counter_; }
    std::uint64_t counter() const { return counter_; }

private:
    std::uint64_t counter_ = 0;
    char nonce_[kAeadNonceBytes] = {};
};

Aead payload_cipher(const Secret& file_key, std::string_view nonce, Aead::Way way) {
    return Aead(hkdf_sha256(file_key.reveal(), nonce, "payload").reveal(), way);
}

class AgeSink : public Sink {
public:
    AgeSink(Sink& inner, AgeRecipients recipients, AgeKeyring* keyring)
        : inner_(inner), recipients_(std::move(recipients)), keyring_(keyring), sealed_(kSealedBytes, '\0') {
        plain_.reserve(kAgeChunkBytes);
    }

    void write(std::string_view bytes) override {
        while (!bytes.empty()) {
            if (plain_.size() == kAgeChunkBytes) seal(false);
            const std::string_view part = bytes.substr(0, kAgeChunkBytes - plain_.size());
            plain_ += part;
            bytes.remove_prefix(part.size());
        }
    }

    // A full chunk waits until it is known whether more comes: only an empty payload ends in an empty chunk.
    void finish() override {
        seal(true);
        inner_.finish();
    }

private:
    void begin() {
        Secret file_key = Secret::zeroed(kFileKeyBytes);
        random_secret(file_key);
        const std::string header = make_age_header(recipients_, file_key);
        const std::string nonce = random_bytes(kPayloadNonceBytes);
        cipher_.emplace(payload_cipher(file_key, nonce, Aead::Way::seal));
        if (keyring_ != nullptr) keyring_->remember(mac_covers(header), file_key, true);
        recipients_ = AgeRecipients();
        inner_.write(header);
        inner_.write(nonce);
    }

    void seal(bool last) {
        if (!cipher_) begin();
        cipher_->seal(nonce_.bytes(last), plain_, sealed_.data());
        inner_.write(std::string_view(sealed_).substr(0, plain_.size() + kAeadTagBytes));
        nonce_.advance();
        plain_.clear();
    }

    Sink& inner_;
    AgeRecipients recipients_;
    AgeKeyring* keyring_;
    std::optional<Aead> cipher_;
    ChunkNonce nonce_;
    std::string plain_, sealed_;
};

class AgeSource : public Source {
public:
    AgeSource(Source& inner, AgeKeyring& keyring, std::string head)
        : inner_(inner), keyring_(keyring), sealed_(std::move(head)) {}

    std::size_t read(char* buffer, std::size_t capacity) override {
        if (failure_) std::rethrow_exception(failure_);
        try {
            if (!cipher_) begin();
            while (given_ == plain_.size() && !ended_) {
                if (after_plain_) throw Failure(*after_plain_);
                open_chunk();
            }
        } catch (...) {
            failure_ = std::current_exception();
            throw;
        }
        const std::size_t count = plain_.copy(buffer, capacity, given_);
        given_ += count;
        return count;
    }

private:
    // Reads on until `wanted` bytes wait in sealed_; false when there are no more so many.
    bool fill(std::size_t wanted) {
        std::size_t have = sealed_.size();
        if (have >= wanted) return true;
        sealed_.resize(wanted);
        while (have < wanted) {
            const std::size_t got = inner_.read(sealed_.data() + have, wanted - have);
            if (got == 0) break;
            have += got;
        }
        sealed_.resize(have);
        return have == wanted;
    }

    void begin() {
        const AgeHeader header = read_age_header(inner_, sealed_);
        const Secret file_key = open_age_header(header, keyring_);
        if (!fill(kPayloadNonceBytes)) throw cut_off();
        cipher_.emplace(payload_cipher(file_key, std::string_view(sealed_).substr(0, kPayloadNonceBytes), Aead::Way::open));
        sealed_.erase(0, kPayloadNonceBytes);
    }

    void open_chunk() {
        const bool more = fill(kSealedBytes + 1);
        const std::string_view chunk = std::string_view(sealed_).substr(0, kSealedBytes);
        if (chunk.size() < kAeadTagBytes) throw cut_off();
        plain_.resize(chunk.size() - kAeadTagBytes);
        given_ = 0;
        if (!cipher_->open(nonce_.bytes(!more), chunk, plain_.data())) return open_otherwise(chunk, more);
        if (!more && plain_.empty() && nonce_.counter() > 0)
            throw Failure(Code::corrupt, "encryption_invalid",
                          "the encrypted file ends in an empty chunk, which age never writes");
        nonce_.advance();
        ended_ = !more;
        sealed_.erase(0, chunk.size());
    }

    // A chunk that is the last and has something behind it, or is full, not the last and has nothing: what it holds is true
    // all the same, and is given out before the failure.
    void open_otherwise(std::string_view chunk, bool more) {
        const bool opened = cipher_->open(nonce_.bytes(more), chunk, plain_.data());
        if (!opened) {
            plain_.clear();
            throw Failure(Code::corrupt, "file_damaged",
                          "the encrypted file was changed or cut in its chunk " + std::to_string(nonce_.counter() + 1));
        }
        if (chunk.size() < kSealedBytes) plain_.clear();
        after_plain_ =
            more ? Failure(Code::corrupt, "trailing_bytes", "something follows the end of the encrypted file") : cut_off();
    }

    static Failure cut_off() {
        return Failure(Code::corrupt, "file_truncated", "the encrypted file ends before its last chunk: it was cut off");
    }

    Source& inner_;
    AgeKeyring& keyring_;
    std::string sealed_, plain_;
    std::size_t given_ = 0;
    std::optional<Aead> cipher_;
    ChunkNonce nonce_;
    bool ended_ = false;
    std::optional<Failure> after_plain_;
    std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<Sink> make_age_sink(Sink& inner, const AgeRecipients& recipients, AgeKeyring* keyring) {
    return std::make_unique<AgeSink>(inner, recipients, keyring);
}

std::unique_ptr<Source> make_age_source(Source& inner, AgeKeyring& keyring, std::string head) {
    return std::make_unique<AgeSource>(inner, keyring, std::move(head));
}

}  // namespace reprise
