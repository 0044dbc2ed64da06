#include <doctest/doctest.h>

#include <string>

#include "base/failure.h"
#include "stream/pipe.h"

using namespace reprise;

namespace {

struct Memory : Sink {
    void write(std::string_view bytes) override {
        if (text.size() + bytes.size() > full_at) throw Failure(Code::io, "disk_full", "full");
        text += bytes;
    }
    void finish() override {
        if (refuse_finish) throw Failure(Code::io, "io_error", "no");
        finished = true;
    }
    std::string text;
    std::size_t full_at = static_cast<std::size_t>(-1);
    bool finished = false, refuse_finish = false;
};

std::string numbers(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += std::to_string(i) + ",";
    return out;
}

}  // namespace

TEST_CASE("what goes through a pipe comes out in order and once") {
    Memory memory;
    const std::string text = numbers(1000000);
    auto pipe = make_pipe_sink(memory);
    for (std::size_t at = 0, step = 1; at < text.size(); at += step, step = step % 700000 * 3 + 1)
        pipe->write(std::string_view(text).substr(at, step));
    pipe->finish();
    CHECK(memory.finished);
    CHECK((memory.text == text));
}

TEST_CASE("an empty pipe finishes") {
    Memory memory;
    make_pipe_sink(memory)->finish();
    CHECK(memory.finished);
}

TEST_CASE("a pipe that is dropped does not finish its inner sink") {
    Memory memory;
    make_pipe_sink(memory)->write(numbers(1000000));
    CHECK_FALSE(memory.finished);
}

TEST_CASE("a failure of the inner sink comes out of write or finish, and never blocks") {
    Memory memory;
    memory.full_at = kPipeBlockBytes * 3;
    auto pipe = make_pipe_sink(memory);
    const std::string block(kPipeBlockBytes, 'x');
    const auto pour = [&] {
        for (int i = 0; i < 100; ++i) pipe->write(block);
        pipe->finish();
    };
    CHECK_THROWS_AS(pour(), Failure);
    CHECK_FALSE(memory.finished);
}

TEST_CASE("a failure of the last finish comes out of finish") {
    Memory memory;
    memory.refuse_finish = true;
    auto pipe = make_pipe_sink(memory);
    pipe->write("abc");
    CHECK_THROWS_AS(pipe->finish(), Failure);
}
