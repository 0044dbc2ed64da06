#include "codec/date.h"

#include <cstddef>

namespace reprise {
namespace {

constexpr std::int64_t kDayMs = 86400000;

char* put_two(char* at, unsigned value) {
    at[0] = static_cast<char>('0' + value / 10);
    at[1] = static_cast<char>('0' + value % 10);
    return at + 2;
}

// Howard Hinnant's public-domain algorithms for the proleptic Gregorian calendar, for days from 1970 on.
char* put_day(char* at, unsigned days) {
    days += 719468;
    const unsigned era = days / 146097, day_of_era = days % 146097;
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month_from_march = (5 * day_of_year + 2) / 153;
    const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const unsigned year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    at = put_two(put_two(at, year / 100), year % 100);
    *at++ = '-';
    at = put_two(at, month);
    *at++ = '-';
    return put_two(at, day_of_year - (153 * month_from_march + 2) / 5 + 1);
}

std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int days_in(int year, int month) {
    constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

// Reads from a text that is used up piece by piece; `good` falls once and stays down.
struct Pieces {
    std::string_view text;
    bool good = true;

    int digits(std::size_t count) {
        int value = 0;
        if (text.size() < count) good = false;
        for (std::size_t i = 0; good && i < count; ++i) {
            good = text[i] >= '0' && text[i] <= '9';
            value = value * 10 + (text[i] - '0');
        }
        if (good) text.remove_prefix(count);
        return value;
    }
    bool has(char c) {
        if (text.empty() || text[0] != c) return false;
        text.remove_prefix(1);
        return true;
    }
    void need(char c) { good = has(c) && good; }
};

int read_decimals(Pieces& pieces) {
    if (!pieces.has('.')) return 0;
    std::size_t count = 0;
    while (count < pieces.text.size() && pieces.text[count] >= '0' && pieces.text[count] <= '9') ++count;
    if (count < 1 || count > 3) pieces.good = false;
    const int value = pieces.good ? pieces.digits(count) : 0;
    return count == 1 ? value * 100 : count == 2 ? value * 10 : value;
}

std::int64_t read_offset_ms(Pieces& pieces) {
    if (pieces.has('Z')) return 0;
    const bool west = pieces.has('-');
    if (!west) pieces.need('+');
    const int hours = pieces.digits(2);
    pieces.need(':');
    const int minutes = pieces.digits(2);
    if (hours > 23 || minutes > 59) pieces.good = false;
    const std::int64_t ms = (hours * 60 + minutes) * std::int64_t{60000};
    return west ? -ms : ms;
}

}  // namespace

char* put_date(char* at, std::int64_t unix_ms) {
    at = put_day(at, static_cast<unsigned>(unix_ms / kDayMs));
    const auto in_day = static_cast<unsigned>(unix_ms % kDayMs);
    const unsigned ms = in_day % 1000, seconds = in_day / 1000;
    *at++ = 'T';
    at = put_two(at, seconds / 3600);
    *at++ = ':';
    at = put_two(at, seconds / 60 % 60);
    *at++ = ':';
    at = put_two(at, seconds % 60);
    if (ms != 0) {
        *at++ = '.';
        *at++ = static_cast<char>('0' + ms / 100);
        at = put_two(at, ms % 100);
    }
    *at++ = 'Z';
    return at;
}

bool read_date(std::string_view text, std::int64_t& unix_ms) {
    Pieces pieces{text};
    const int year = pieces.digits(4);
    pieces.need('-');
    const int month = pieces.digits(2);
    pieces.need('-');
    const int day = pieces.digits(2);
    pieces.need('T');
    const int hour = pieces.digits(2);
    pieces.need(':');
    const int minute = pieces.digits(2);
    pieces.need(':');
    const int second = pieces.digits(2);
    const int ms = read_decimals(pieces);
    const std::int64_t offset = read_offset_ms(pieces);
    if (!pieces.good || !pieces.text.empty() || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    const std::int64_t in_day = ((hour * 60 + minute) * 60 + second) * std::int64_t{1000} + ms;
    unix_ms = days_from_civil(year, month, day) * kDayMs + in_day - offset;
    return true;
}

}  // namespace reprise
