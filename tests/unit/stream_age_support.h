// Sources and sinks in memory, and a whole file there and back.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/failure.h"
#include "stream/age.h"

namespace reprise {

// Gives at most `piece` bytes at once, as a slow source would.
class TextSource : public Source {
public:
    explicit TextSource(std::string_view text, std::size_t piece = 1 << 20) : text_(text), piece_(piece) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = text_.copy(buffer, std::min(capacity, piece_), at_);
        at_ += count;
        return count;
    }

private:
    std::string_view text_;
    std::size_t piece_, at_ = 0;
};

class TextSink : public Sink {
public:
    void write(std::string_view bytes) override { text += bytes; }
    void finish() override { finished = true; }
    std::string text;
    bool finished = false;
};

inline std::string read_everything(Source& source, std::string* released = nullptr) {
    std::string out(1, '\0'), piece(10000, '\0');
    out.clear();
    while (const std::size_t count = source.read(piece.data(), piece.size())) {
        out.append(piece, 0, count);
        if (released != nullptr) released->append(piece, 0, count);
    }
    return out;
}

inline std::string age_encrypt(std::string_view plain, const AgeRecipients& recipients, AgeKeyring* keyring = nullptr) {
    TextSink sink;
    const auto age = make_age_sink(sink, recipients, keyring);
    age->write(plain);
    age->finish();
    return sink.text;
}

inline std::string age_decrypt(std::string_view sealed, AgeKeyring& keyring, std::size_t piece = 1 << 20) {
    TextSource source(sealed, piece);
    return read_everything(*make_age_source(source, keyring));
}

inline AgeKeyring ring_of(const Secret& identity) {
    return AgeKeyring({[identity] { return std::vector<Secret>{identity}; }, {}});
}

inline AgeKeyring ring_of_passphrase(std::string passphrase, int max_log_n = kScryptReadLogN) {
    return AgeKeyring({{}, [passphrase] { return Secret(passphrase); }}, max_log_n);
}

template <typename Call>
std::string reason_of(Call&& call) {
    try {
        call();
    } catch (const Failure& failure) {
        return failure.reason;
    }
    return "";
}

}  // namespace reprise
