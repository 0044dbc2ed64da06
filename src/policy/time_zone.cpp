#include "policy/time_zone.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/civil.h"
#include "base/failure.h"
#include "policy/zone_rule.h"

namespace reprise {
namespace {

constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max() / 4;  // far from overflow in sums of a few
constexpr std::int64_t kLastRuleYear = 2400;
constexpr std::int64_t kMaxOffsetS = 26 * 3600;
constexpr std::size_t kHeaderBytes = 44;
constexpr std::size_t kMaxTimes = 10000, kMaxTypes = 256, kMaxNameBytes = 10000;
constexpr std::size_t kTypeBytes = 6, kTimeBytes = 8;

[[noreturn]] void damaged(const char* what) {
    throw Failure(Code::corrupt, "time_zone_invalid", std::string("it is no time zone file that can be used: ") + what);
}

struct Counts {
    std::size_t utc_flags, standard_flags, leaps, times, types, name_bytes;
};

}  // namespace

class ZoneReader {
public:
    explicit ZoneReader(std::string_view bytes) : bytes_(bytes) {}

    TimeZone read() {
        skip_version_1();
        const Counts counts = header();
        if (counts.leaps != 0) damaged("it counts leap seconds, which clocks here do not");
        if (counts.types == 0) damaged("it has no type of local time");
        const std::size_t times = at_;
        const std::size_t kinds = times + counts.times * kTimeBytes;
        types_ = kinds + counts.times;
        skip(body_bytes(counts, kTimeBytes));
        add_table(counts, times, kinds);
        add_rule(footer());
        return std::move(zone_);
    }

private:
    void skip(std::size_t size) {
        if (size > bytes_.size() - at_) damaged("it is cut off");
        at_ += size;
    }

    std::uint64_t big_endian(std::size_t at, std::size_t size) const {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
        return value;
    }

    std::size_t count(std::size_t at, std::size_t most) const {
        const auto value = static_cast<std::size_t>(big_endian(at, 4));
        if (value > most) damaged("a count in it is too large");
        return value;
    }

    Counts header() {
        const std::size_t at = at_;
        skip(kHeaderBytes);
        if (bytes_.substr(at, 4) != "TZif") damaged("it does not begin with TZif");
        if (bytes_[at + 4] < '2') damaged("its version is too old");
        return {count(at + 20, kMaxTypes), count(at + 24, kMaxTypes), count(at + 28, kMaxTimes),
                count(at + 32, kMaxTimes), count(at + 36, kMaxTypes), count(at + 40, kMaxNameBytes)};
    }

    static std::size_t body_bytes(const Counts& counts, std::size_t time_bytes) {
        return counts.times * (time_bytes + 1) + counts.types * kTypeBytes + counts.name_bytes +
               counts.leaps * (time_bytes + 4) + counts.standard_flags + counts.utc_flags;
    }

    void skip_version_1() {
        const Counts counts = header();
        skip(body_bytes(counts, 4));
    }

    std::int64_t offset_of(std::size_t type) const {
        const auto offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(big_endian(types_ + type * kTypeBytes, 4)));
        if (offset > kMaxOffsetS || offset < -kMaxOffsetS) damaged("an offset in it is too large");
        return offset;
    }

    void add_table(const Counts& counts, std::size_t times, std::size_t kinds) {
        zone_.first_offset_s_ = offset_of(0);
        for (std::size_t i = 0; i < counts.times; ++i) {
            const auto at_s = static_cast<std::int64_t>(big_endian(times + i * kTimeBytes, kTimeBytes));
            const auto type = static_cast<std::size_t>(static_cast<unsigned char>(bytes_[kinds + i]));
            if (type >= counts.types) damaged("a change in it has no type");
            if (i > 0 && at_s <= last_s_) damaged("its changes are not in order");
            last_s_ = at_s;
            add(std::clamp(at_s, -kEver, kEver), offset_of(type));
        }
    }

    void add(std::int64_t at_s, std::int64_t offset_s) {
        const std::int64_t before = zone_.changes_.empty() ? zone_.first_offset_s_ : zone_.changes_.back().offset_s;
        if (offset_s != before) zone_.changes_.push_back({at_s, offset_s});
    }

    std::string_view footer() const {
        const std::string_view rest = bytes_.substr(at_);
        if (rest.size() < 2 || rest.front() != '\n') damaged("its last line is missing");
        const std::size_t end = rest.find('\n', 1);
        if (end == std::string_view::npos) damaged("its last line is cut off");
        return rest.substr(1, end - 1);
    }

    void add_rule(std::string_view text) {
        if (text.empty()) return;
        const auto rule = parse_zone_rule(text);
        if (!rule) damaged("its last line is malformed");
        if (!rule->summer) {
            // The rule holds from the last change of the table on; without a table, always.
            if (zone_.changes_.empty() && last_s_ == kNone) zone_.first_offset_s_ = rule->standard_s;
            return;
        }
        const std::int64_t after = last_s_;
        const std::int64_t first_year = civil_from_days(floor_div(std::clamp(after, -kEver, kEver), 86400)).year;
        for (std::int64_t year = std::max<std::int64_t>(first_year - 1, 1800); year <= kLastRuleYear; ++year)
            add_year(*rule, year, after);
    }

    // A change counts from the clock that was in force before it. Where both fall on one instant the later of the year's
    // order wins: summer time all year is written that way.
    void add_year(const ZoneRule& rule, std::int64_t year, std::int64_t after) {
        const std::int64_t summer = rule.summer->from.in_year(year) - rule.standard_s;
        const std::int64_t winter = rule.summer->until.in_year(year) - rule.summer->offset_s;
        const bool north = summer <= winter;
        const std::int64_t instants[2] = {north ? summer : winter, north ? winter : summer};
        for (int i = 0; i < 2; ++i) {
            const std::int64_t offset = (i == 0) == north ? rule.summer->offset_s : rule.standard_s;
            if (instants[i] <= after) continue;
            if (!zone_.changes_.empty() && zone_.changes_.back().at_s >= instants[i]) zone_.changes_.pop_back();
            add(instants[i], offset);
        }
    }

    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
    std::string_view bytes_;
    std::size_t at_ = 0, types_ = 0;
    std::int64_t last_s_ = kNone;  // the last change of the table
    TimeZone zone_;
};

TimeZone TimeZone::parse(std::string_view tzif) { return ZoneReader(tzif).read(); }

Stretch TimeZone::stretch(std::size_t index) const {
    Stretch out;
    out.from_s = index == 0 ? -kEver : changes_[index - 1].at_s;
    out.until_s = index == changes_.size() ? kEver : changes_[index].at_s;
    out.offset_s = index == 0 ? first_offset_s_ : changes_[index - 1].offset_s;
    return out;
}

std::size_t TimeZone::index_at(std::int64_t unix_s) const {
    const auto after = std::upper_bound(changes_.begin(), changes_.end(), unix_s,
                                        [](std::int64_t at, const Change& change) { return at < change.at_s; });
    return static_cast<std::size_t>(after - changes_.begin());
}

Stretch TimeZone::at(std::int64_t unix_s) const { return stretch(index_at(unix_s)); }

std::int64_t TimeZone::first_instant(std::int64_t local_s) const {
    for (std::size_t i = index_at(local_s - 2 * kMaxOffsetS); i < changes_.size(); ++i) {
        const Stretch here = stretch(i);
        if (local_s < here.until_s + here.offset_s) return std::max(here.from_s, local_s - here.offset_s);
    }
    const Stretch last = stretch(changes_.size());
    return std::max(last.from_s, local_s - last.offset_s);
}

}  // namespace reprise
