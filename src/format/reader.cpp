#include "format/reader.h"

#include "base/failure.h"
#include "format/read_body.h"

namespace reprise {
namespace {

constexpr std::size_t kHeadBytes = 64 * 1024;

// Enough of the beginning to tell what the file is.
std::string read_head(Source& source) {
    std::string head(kHeadBytes, '\0');
    std::size_t size = 0;
    while (size < head.size()) {
        const std::size_t count = source.read(head.data() + size, head.size() - size);
        if (count == 0) break;
        size += count;
    }
    head.resize(size);
    return head;
}

bool starts(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

void refuse_other_contents(std::string_view head) {
    if (head.empty()) throw Failure(Code::corrupt, "file_truncated", "the file is empty; use another backup");
    const std::size_t first = head.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || head[first] != '{')
        throw Failure(Code::corrupt, "not_a_backup", "the file is no backup: a backup is one JSON object; choose another file");
}

// Laid out as format 1: a first line with the first two keys. A file of the replaced system is not, nor is one that was
// indented anew.
bool laid_out(std::string_view head) {
    const std::size_t end = head.find('\n');
    return starts(head, "{\"backup_date\":\"") && end != std::string_view::npos &&
           head.substr(0, end).find("\",\"database\":\"") != std::string_view::npos && head.substr(end - 2, 2) == "\",";
}

// Room's edge: what is wrong with the content gets the file's name and the place.
template <typename Work>
auto named(const std::string& name, const std::unique_ptr<ReadBody>& body, Work work) {
    try {
        return work();
    } catch (Failure& failure) {
        if (failure.code == Code::corrupt || failure.code == Code::unsupported)
            failure.message = name + (body ? ", " + body->place() : std::string()) + ": " + failure.message;
        throw;
    }
}

}  // namespace

struct BackupReader::State {
    std::string name;
    std::unique_ptr<Content> content;
    std::unique_ptr<ReadBody> body;
};

BackupReader::BackupReader(Source& source, std::string name, ReadOptions options) : state_(std::make_unique<State>()) {
    state_->name = std::move(name);
    named(state_->name, state_->body, [&] {
        state_->content = std::make_unique<Content>(source, options.layers);
        Source& plain = *state_->content;
        BodyInput input{plain, read_head(plain), state_->name, options.tolerate_edits};
        refuse_other_contents(input.head);
        const bool by_line = !options.tolerate_edits && laid_out(input.head);
        state_->body = by_line ? read_by_line(std::move(input)) : read_by_token(std::move(input));
    });
}

BackupReader::~BackupReader() = default;

bool BackupReader::legacy() const { return state_->body->legacy; }
const Header& BackupReader::header() const { return state_->body->header; }
const std::vector<CatalogEntry>& BackupReader::catalog() const { return state_->body->catalog; }

bool BackupReader::next_collection(std::string& name) {
    return named(state_->name, state_->body, [&] { return state_->body->next_collection(name); });
}

bool BackupReader::next_document(std::string_view& bson) {
    return named(state_->name, state_->body, [&] { return state_->body->next_document(bson); });
}

std::uint64_t BackupReader::line() const { return state_->body->line(); }
const Summary& BackupReader::summary() const { return state_->body->summary; }
const std::string& BackupReader::sha256() const { return state_->body->sha256; }
const std::optional<FileSignature>& BackupReader::signature() const { return state_->body->signature; }
const std::vector<std::string>& BackupReader::warnings() const { return state_->body->warnings; }
const std::optional<std::string>& BackupReader::mismatch() const { return state_->body->mismatch; }

}  // namespace reprise
