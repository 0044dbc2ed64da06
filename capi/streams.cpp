#include "guard.h"

using namespace reprise_capi;

int32_t reprise_stream_open(reprise_engine* engine, const char* what, size_t what_size, const char* file, size_t file_size,
                            reprise_stream** stream, reprise_error* error) {
    if (stream != nullptr) *stream = nullptr;
    return guarded(error, [&] {
        need(engine, "engine");
        need(what, "what");
        need(stream, "stream");
        *stream =
            new reprise_stream{engine->service.open_stream(text_in(what, what_size, "what"), text_in(file, file_size, "file"))};
    });
}

int32_t reprise_stream_read(reprise_stream* stream, char* buffer, size_t capacity, size_t* size, reprise_error* error) {
    if (size != nullptr) *size = 0;
    return guarded(error, [&] {
        need(stream, "stream");
        need(buffer, "buffer");
        need(size, "size");
        *size = stream->source->read(buffer, capacity);
    });
}

void reprise_stream_close(reprise_stream* stream) {
    if (stream == nullptr || reprise::forked_while_busy()) return;
    guarded(nullptr, [&] { delete stream; });
}
