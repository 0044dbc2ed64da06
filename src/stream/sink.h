// Bytes out (Sink) and bytes in (Source). The blocking call is the back-pressure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reprise {

class Sink {
public:
    virtual ~Sink() = default;  // without finish(): nothing stays visible
    virtual void write(std::string_view bytes) = 0;
    virtual void finish() = 0;  // everything is written, durable as far as this stage goes; once
};

class Source {
public:
    virtual ~Source() = default;
    // Reads up to `capacity` bytes; 0 only when the end is proven whole (layers check their trailers first).
    virtual std::size_t read(char* buffer, std::size_t capacity) = 0;
};

}  // namespace reprise
