// Streams in memory, compressed and unpacked by ours and by the programs that people have.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/failure.h"
#include "stream/compression.h"
#include "stream/layers.h"

namespace stream_test {

struct Memory : reprise::Sink {
    void write(std::string_view bytes) override {
        if (text.size() + bytes.size() > full_at) throw reprise::Failure(reprise::Code::io, "disk_full", "full");
        text += bytes;
    }
    void finish() override { finished = true; }
    std::string text;
    std::size_t full_at = static_cast<std::size_t>(-1);
    bool finished = false;
};

// Gives `text` in pieces of `piece` bytes.
struct Pieces : reprise::Source {
    explicit Pieces(std::string_view text_, std::size_t piece_ = 1 << 20) : text(text_), piece(piece_) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = std::min({capacity, piece, text.size() - at});
        std::copy_n(text.data() + at, count, buffer);
        at += count;
        return count;
    }
    std::string_view text;
    std::size_t piece, at = 0;
};

// Lines that look alike, with numbers in between that do not.
inline std::string lines(std::size_t bytes, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::string text;
    while (text.size() < bytes)
        text += "{\"_id\":{\"$oid\":\"" + std::to_string(random()) + std::to_string(random()) +
                "\"},\"name\":\"Sophie Martin\"},\n";
    text.resize(bytes);
    return text;
}

inline std::string noise(std::size_t bytes) {
    std::mt19937 random(7);
    std::string text(bytes, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

inline std::string pack(const std::string& how, std::string_view text, std::size_t piece = 100000) {
    Memory memory;
    const auto sink = reprise::make_compressor(memory, reprise::parse_compression(how, "key compression"));
    for (std::size_t at = 0; at < text.size(); at += piece) sink->write(text.substr(at, piece));
    sink->finish();
    if (!memory.finished) throw std::logic_error("the inner sink was not finished");
    return memory.text;
}

inline std::string unpack(std::string_view stored, std::size_t piece = 1 << 20, std::size_t capacity = 50000) {
    Pieces pieces(stored, piece);
    reprise::Content content(pieces);
    std::string text, buffer(capacity, '\0');
    while (const std::size_t count = content.read(buffer.data(), buffer.size())) text.append(buffer, 0, count);
    return text;
}

inline std::string reason_of(std::string_view stored, std::size_t piece = 1 << 20) {
    try {
        unpack(stored, piece);
    } catch (const reprise::Failure& failure) {
        return failure.reason;
    }
    return "fine";
}

// What the shell command makes of `input`; throws when it fails.
inline std::string through(const std::string& command, std::string_view input) {
    const auto folder = std::filesystem::temp_directory_path() / ("reprise_stream_" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(folder);
    const std::string in = (folder / "in").string(), out = (folder / "out").string();
    std::ofstream(in, std::ios::binary) << input;
    const int code = std::system((command + " <" + in + " >" + out).c_str());
    std::ifstream made(out, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(made), std::istreambuf_iterator<char>()};
    std::filesystem::remove_all(folder);
    if (code != 0) throw std::runtime_error(command + " failed");
    return text;
}

}  // namespace stream_test
