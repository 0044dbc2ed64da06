#include <algorithm>
#include <cstring>
#include <set>

#include "base/failure.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/json_pull.h"
#include "codec/json_to_bson.h"
#include "format/names.h"
#include "format/read_body.h"
#include "format/sections.h"
#include "format/tail_hash.h"
#include "format/tally.h"

namespace reprise {
namespace {

using Token = JsonPull::Token;

// json.dump writes a character as up to 6 bytes, and an indented document holds much white space.
constexpr std::size_t kMaxRawBytes = 128 * 1024 * 1024;
constexpr std::size_t kMaxTopKeys = 1000;
constexpr std::string_view kOrder[] = {"backup_date", "database", "reprise",   "catalog",
                                       "collections", "summary",  "signature", "sha256"};
enum Place { kBackupDate, kDatabase, kReprise, kCatalog, kCollections, kSummary, kSignature, kSha256, kUnknown };

Place place_of(std::string_view key) {
    return static_cast<Place>(std::find(std::begin(kOrder), std::end(kOrder), key) - std::begin(kOrder));
}

Failure corrupt(const char* reason, const std::string& what) { return Failure(Code::corrupt, reason, what); }

std::string quoted(std::string_view name) { return "\"" + printable(name) + "\""; }

std::int64_t legacy_date(const std::string& text) {
    // datetime.isoformat() writes no zone, or +00:00; the old system's clock was UTC.
    std::string plain = text.substr(0, text.find_first_of("+Z"));
    return from_iso_time(plain + "Z").value_or(0);
}

class TokenBody : public ReadBody {
public:
    explicit TokenBody(BodyInput input)
        : file_(std::move(input.name)),
          tolerate_(input.tolerate_edits),
          head_(std::move(input.head)),
          source_(input.source),
          pull_([this](char* buffer, std::size_t capacity) { return read(buffer, capacity); }, true) {
        try {
            need(Token::begin_object, "an object");
            read_up_to_collections();
        } catch (Failure& failure) {
            failure.message = place() + ": " + failure.message;
            throw;
        }
        if (ours_) tally_.expect(catalog);
    }

    bool next_collection(std::string& name) override {
        if (ended_) return false;
        std::string_view skipped;
        while (running_ && next_document(skipped)) {
        }
        const Token token = pull_.next();
        if (token == Token::end_object) {
            end();
            return false;
        }
        if (token != Token::key) throw corrupt("json_invalid", "the name of a collection was expected");
        name = pull_.text();
        if (const auto problem = collection_name_problem(header.database, name))
            throw corrupt("name_invalid", "the name " + quoted(name) + " cannot be trusted: " + *problem);
        tally_.begin(name);
        need(Token::begin_array, "an array of documents");
        running_ = true;
        return true;
    }

    bool next_document(std::string_view& bson) override {
        if (!running_) return false;
        const Token token = pull_.next();
        line_ = pull_.line();
        if (token == Token::end_array) {
            running_ = false;
            tally_.end();
            return false;
        }
        if (token != Token::begin_object) throw corrupt("json_invalid", "a document was expected");
        bson = ours_ ? decode() : decode_legacy();
        tally_.add(bson);
        return true;
    }

    std::uint64_t line() const override { return line_; }
    std::string place() const override {
        std::string text = "line " + std::to_string(running_ ? line_ : pull_.line());
        if (running_) text += " (" + quoted(tally_.running()) + ", document " + std::to_string(tally_.position() + 1) + ")";
        return text;
    }

private:
    std::size_t read(char* buffer, std::size_t capacity) {
        std::size_t count = 0;
        if (head_at_ < head_.size()) {
            count = std::min(capacity, head_.size() - head_at_);
            std::memcpy(buffer, head_.data() + head_at_, count);
            head_at_ += count;
        } else {
            count = source_.read(buffer, capacity);
        }
        hash_.add({buffer, count});
        return count;
    }

    void need(Token wanted, const char* what) {
        if (pull_.next() != wanted) throw corrupt("json_invalid", std::string(what) + " was expected");
    }

    std::string take_value() {
        need(Token::begin_object, "an object");
        return std::string(pull_.take_raw(kMaxRawBytes));
    }

    std::string take_string() {
        need(Token::string, "a string");
        return std::string(pull_.text());
    }

    void skip_value() {
        const Token token = pull_.next();
        if (token == Token::begin_object || token == Token::begin_array) (void)pull_.take_raw(kMaxRawBytes);
    }

    std::string_view decode() {
        text_ = pull_.take_raw(kMaxRawBytes);
        return decoder_.decode(text_);
    }

    std::string_view decode_legacy() {
        const LegacyDocument document = legacy_decoder_.decode(pull_.take_raw(kMaxRawBytes));
        surrogates_ += document.replaced_surrogates;
        return document.bson;
    }

    // Which of our keys it is; each once, and in a file of format 1 in their order.
    Place take_key() {
        const std::string key(pull_.text());
        if (!seen_.insert(key).second) throw corrupt("duplicate_key", "the key " + quoted(key) + " stands twice");
        if (seen_.size() > kMaxTopKeys) throw corrupt("not_a_backup", "the file is no backup: too many keys");
        const Place place = place_of(key);
        if (place == kReprise) ours_ = true;
        if (place == kDatabase) date_first_ = seen_.count("backup_date") == 1;
        if (!ours_ && (place == kCatalog || place >= kSummary) && place != kUnknown)
            throw corrupt(
                "header_missing",
                quoted(key) +
                    " stands there without \"reprise\" before it: a part of the file was taken out; use another backup");
        if (ours_) check_order(place, key);
        return place;
    }

    void check_order(Place place, const std::string& key) {
        const bool follows = place == next_ || (place == kSha256 && next_ == kSignature);
        if (place == kReprise ? seen_.size() != 3 || !date_first_ : !follows)
            throw corrupt("keys_out_of_order",
                          quoted(key) + " stands where " + std::string(kOrder[std::min<int>(next_, kSha256)]) + " must stand");
        next_ = static_cast<Place>(place + 1);
    }

    void read_up_to_collections() {
        for (;;) {
            const Token token = pull_.next();
            if (token != Token::key)
                throw corrupt("not_a_backup", "the file is no backup: it has no collections; choose another file");
            switch (take_key()) {
                case kBackupDate: date_ = scalar(); break;
                case kDatabase: header.database = scalar(); break;
                case kReprise: read_header(); break;
                case kCatalog: read_catalog(); break;
                case kCollections: return begin_collections();
                default: skip_value();
            }
        }
    }

    // In a file of the replaced system whatever stands there; what is no text is left empty.
    std::string scalar() {
        const Token token = pull_.next();
        if (token == Token::begin_object || token == Token::begin_array) {
            (void)pull_.take_raw(kMaxRawBytes);
            return {};
        }
        return token == Token::string ? std::string(pull_.text()) : std::string();
    }

    void read_header() {
        header_from_json(parse_json(take_value()), header);
        read_opening(date_, header.database, header);
        check_database_name(header);
    }

    void read_catalog() {
        need(Token::begin_object, "an object");
        EntryDecoder entries;
        for (Token token = pull_.next(); token != Token::end_object; token = pull_.next()) {
            std::string name(pull_.text());
            std::string json = take_value();
            catalog.push_back(entries.decode(header, std::move(name), json));
        }
    }

    void begin_collections() {
        need(Token::begin_object, "an object");
        if (ours_) return;
        legacy = true;
        header.format = 0;
        header.backup_date_us = legacy_date(date_);
        if (!header.database.empty()) check_database_name(header);
    }

    void end() {
        tally_.check_all_read();
        std::string claimed;
        std::optional<Json> said;
        for (Token token = pull_.next(); token != Token::end_object; token = pull_.next()) {
            switch (take_key()) {
                case kSummary: said = parse_json(take_value()); break;
                case kSignature: signature = signature_from_json(parse_json(take_value())); break;
                case kSha256: claimed = take_string(); break;
                case kReprise: throw corrupt("keys_out_of_order", "\"reprise\" stands behind the collections");
                default: skip_value();
            }
        }
        need(Token::end, "the end");
        if (ours_ && (!said || claimed.empty())) throw corrupt("keys_out_of_order", "summary and sha256 must stand at the end");
        ours_ ? end_of_ours(*said, claimed) : end_of_legacy();
        ended_ = true;
    }

    void end_of_ours(const Json& said, const std::string& claimed) {
        sha256 = hash_.finish();
        if (sha256 != claimed || !last_line_ok()) keep_or_throw(corrupt("file_edited", edited_sentence(file_)));
        summary = summary_from_json(said);
        if (const auto problem = tally_.difference(summary)) keep_or_throw(*problem);
    }

    // What the hash does not cover: nothing may stand there but itself, and a signature.
    bool last_line_ok() const {
        std::string_view line = hash_.last_line();
        line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
        return (line.substr(0, 8) == "\"sha256\"" || line.substr(0, 11) == "\"signature\"") && line.size() > 2 &&
               line.substr(line.size() - 2) == "}\n";
    }

    void keep_or_throw(const Failure& failure) {
        if (!tolerate_) throw failure;
        mismatch = mismatch ? *mismatch + "; " + failure.message : failure.message;
    }

    void end_of_legacy() {
        sha256 = hash_.whole();
        summary.documents = tally_.documents();
        summary.collections = tally_.done();
        summary.read_from_us = summary.read_to_us = header.backup_date_us;
        warnings.push_back(file_ +
                           " was written by the system that reprise replaces: nothing proves that it is whole and unchanged, "
                           "dates and ObjectIds in it are text, and it holds no indexes");
        if (surrogates_ > 0)
            warnings.push_back(std::to_string(surrogates_) + " lone surrogates in " + file_ + " were read as U+FFFD");
    }

    const std::string file_;
    const bool tolerate_;
    const std::string head_;
    std::size_t head_at_ = 0;
    Source& source_;
    TailHash hash_;
    JsonPull pull_;
    Decoder decoder_;
    LegacyDecoder legacy_decoder_;
    Tally tally_;
    std::string date_, text_;
    std::set<std::string> seen_;
    std::uint64_t line_ = 0, surrogates_ = 0;
    Place next_ = kReprise;
    bool ours_ = false, date_first_ = false, running_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<ReadBody> read_by_token(BodyInput input) { return std::make_unique<TokenBody>(std::move(input)); }

}  // namespace reprise
