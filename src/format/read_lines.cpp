#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/json_to_bson.h"
#include "format/line_reader.h"
#include "format/names.h"
#include "format/read_body.h"
#include "format/sections.h"
#include "format/tally.h"

namespace reprise {
namespace {

constexpr std::string_view kKeys[] = {"backup_date", "database", "reprise",   "catalog",
                                      "collections", "summary",  "signature", "sha256"};

bool starts(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// The end of the JSON string that begins the line, past its closing quote; npos when it begins with none.
std::size_t string_end(std::string_view line) {
    if (line.empty() || line[0] != '"') return std::string_view::npos;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '"') {
            return i + 1;
        }
    }
    return std::string_view::npos;
}

std::string unescaped(std::string_view string) {
    return parse_json("[" + std::string(string) + "]").as_array().at(0).as_string();
}

class LineBody : public ReadBody {
public:
    explicit LineBody(BodyInput input) : file_(std::move(input.name)), lines_(input.source, std::move(input.head)) {
        try {
            open();
            read_header();
            read_catalog();
            expect_line("\"collections\":{", "collections");
        } catch (Failure& failure) {
            failure.message = place() + ": " + failure.message;
            throw;
        }
        tally_.expect(catalog);
    }

    bool next_collection(std::string& name) override {
        if (ended_) return false;
        std::string_view skipped;
        while (running_ && next_document(skipped)) {
        }
        std::string& line = lines_.next();
        if (line == "},") {
            if (more_) throw unexpected(line, "a collection");
            end();
            return false;
        }
        const std::size_t key = string_end(line);
        if (key == std::string::npos || line.compare(key, std::string::npos, ":[") != 0 || (begun_ && !more_))
            throw unexpected(line, "collections' end");
        name = unescaped(std::string_view(line).substr(0, key));
        tally_.begin(name);
        begun_ = running_ = true;
        more_documents_ = any_document_ = false;
        return true;
    }

    bool next_document(std::string_view& bson) override {
        if (!running_) return false;
        std::string& line = lines_.next();
        if (line == "]" || line == "],") {
            if (more_documents_) throw unexpected(line, "a document");
            more_ = line.size() == 2;
            running_ = false;
            tally_.end();
            return false;
        }
        if (line.empty() || line[0] != '{' || (any_document_ && !more_documents_))
            throw unexpected(line, "the collection's end");
        more_documents_ = take_comma(line);
        any_document_ = true;
        bson = decoder_.decode(line);
        tally_.add(bson);
        return true;
    }

    std::uint64_t line() const override { return lines_.number(); }
    std::string place() const override {
        return "line " + std::to_string(lines_.number()) +
               (running_ ? " (\"" + printable(tally_.running()) + "\")" : std::string());
    }

private:
    static bool take_comma(std::string& line) {
        if (line.empty() || line.back() != ',') return false;
        line.pop_back();
        return true;
    }

    Failure unexpected(std::string_view line, const std::string& wanted) const {
        const std::size_t end = string_end(line);
        for (const std::string_view key : kKeys)
            if (end != std::string_view::npos && line.substr(end, 1) == ":" && line.substr(1, end - 2) == key)
                return Failure(Code::corrupt, "keys_out_of_order",
                               "\"" + std::string(key) + "\" stands where " + wanted + " must stand");
        return Failure(Code::corrupt, "file_edited", wanted + " must stand there: " + edited_sentence(file_));
    }

    void expect_line(std::string_view text, const std::string& wanted) {
        const std::string& line = lines_.next();
        if (line != text) throw unexpected(line, wanted);
    }

    // The JSON after `"key":` and before the comma that ends the line.
    std::string_view value_of(std::string& line, std::string_view key) {
        const std::string prefix = "\"" + std::string(key) + "\":";
        if (!starts(line, prefix) || !take_comma(line)) throw unexpected(line, std::string(key));
        return std::string_view(line).substr(prefix.size());
    }

    void open() {
        std::string& line = lines_.next();
        if (!take_comma(line)) throw unexpected(line, "backup_date and database");
        const Json json = parse_json(line + "}");
        const Json::Object& members = json.as_object();
        if (members.size() != 2 || members[0].first != "backup_date" || members[1].first != "database")
            throw Failure(Code::corrupt, "keys_out_of_order", "a backup begins with backup_date and database and nothing else");
        date_ = members[0].second.as_string();
        database_ = members[1].second.as_string();
    }

    // The language first, then what was read before it.
    void read_header() {
        header_from_json(parse_json(value_of(lines_.next(), "reprise")), header);
        read_opening(date_, database_, header);
        check_database_name(header);
    }

    void read_catalog() {
        expect_line("\"catalog\":{", "catalog");
        EntryDecoder entries;
        for (bool more = false, any = false;; any = true) {
            std::string& line = lines_.next();
            if (line == "},") {
                if (more) throw unexpected(line, "a catalog entry");
                return;
            }
            const std::size_t key = string_end(line);
            if (key == std::string::npos || line.compare(key, 2, ":{") != 0 || (any && !more))
                throw unexpected(line, "the catalog's end");
            more = take_comma(line);
            std::string name = unescaped(std::string_view(line).substr(0, key));
            line.erase(0, key + 1);
            catalog.push_back(entries.decode(header, std::move(name), line));
        }
    }

    void end() {
        tally_.check_all_read();
        // Checked before it is believed, hence before it is parsed.
        std::string& line = lines_.next();
        const std::string text(value_of(line, "summary"));
        read_last_line();
        summary = summary_from_json(parse_json(text));
        if (auto problem = tally_.difference(summary)) throw *problem;
        ended_ = true;
    }

    void read_last_line() {
        const std::string& line = lines_.next_unhashed();
        sha256 = lines_.sha256();
        const std::string_view wanted_start = "\"sha256\":\"";
        std::string_view rest = line;
        if (starts(line, "\"signature\":{")) {
            const std::size_t at = line.rfind("},\"sha256\":\"");
            if (at == std::string::npos) throw unexpected(line, "sha256");
            signature = signature_from_json(parse_json("{" + line.substr(0, at + 1) + "}").at("signature"));
            rest.remove_prefix(at + 2);
        }
        const std::string_view hash = rest.substr(std::min(rest.size(), wanted_start.size()));
        if (!starts(rest, wanted_start) || hash.size() != 66 || hash.substr(64) != "\"}" ||
            !is_lower_hex(hash.substr(0, 64), 64))
            throw unexpected(line, "sha256");
        if (!lines_.at_end())
            throw Failure(Code::corrupt, "trailing_bytes", "something follows the end; remove it, or use another backup");
        if (hash.substr(0, 64) != sha256) throw Failure(Code::corrupt, "file_edited", edited_sentence(file_));
    }

    const std::string file_;
    LineReader lines_;
    Decoder decoder_;
    Tally tally_;
    std::string date_, database_;
    bool begun_ = false, running_ = false, ended_ = false;
    bool more_ = false;  // the last collection ended with a comma
    bool any_document_ = false, more_documents_ = false;
};

}  // namespace

std::unique_ptr<ReadBody> read_by_line(BodyInput input) { return std::make_unique<LineBody>(std::move(input)); }

}  // namespace reprise
