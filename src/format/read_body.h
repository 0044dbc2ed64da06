// The two ways to read a backup: line by line, as format 1 is laid out, and token by token, for everything else (files of
// the replaced system, format 1 in another layout, files that somebody edited). Private to the room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/model.h"
#include "stream/sink.h"

namespace reprise {

class ReadBody {
public:
    virtual ~ReadBody() = default;
    virtual bool next_collection(std::string& name) = 0;
    virtual bool next_document(std::string_view& bson) = 0;
    virtual std::uint64_t line() const = 0;
    virtual std::string place() const = 0;  // for messages: line, collection

    bool legacy = false;
    Header header;
    std::vector<CatalogEntry> catalog;
    Summary summary;
    std::string sha256;
    std::optional<FileSignature> signature;
    std::vector<std::string> warnings;
    std::optional<std::string> mismatch;
};

struct BodyInput {
    Source& source;
    std::string head;  // bytes of the source that were read already
    std::string name;  // for messages
    bool tolerate_edits;
};

std::unique_ptr<ReadBody> read_by_line(BodyInput input);
std::unique_ptr<ReadBody> read_by_token(BodyInput input);

// Shared by both. The texts are one JSON value each.
std::string edited_sentence(const std::string& file);
void read_opening(std::string_view date, std::string_view database, Header& header);  // of format 1
void check_database_name(const Header& header);
class EntryDecoder {
public:
    EntryDecoder();
    ~EntryDecoder();
    // `json`: the object under `name` in the catalog; its content is destroyed. Failure as check_entry.
    CatalogEntry decode(const Header& header, std::string name, std::string& json);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
