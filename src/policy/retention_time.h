// Times of backups as buckets of the calendar, in somebody's time zone. Private to the room.
#pragma once

#include "policy/retention.h"

namespace reprise {

class Calendar {
public:
    explicit Calendar(const RetentionFacts& facts) : offset_s_(facts.offset_s) {}

    // The hour, day, week (from Monday, as in ISO 8601), month or year that an instant lies in: equal texts, same bucket.
    std::string hour(std::int64_t unix_us) const;
    std::string day(std::int64_t unix_us) const;
    std::string week(std::int64_t unix_us) const;
    std::string month(std::int64_t unix_us) const;
    std::string year(std::int64_t unix_us) const;
    // The instant that lies `span` before; the earlier one where a change of the clock leaves a choice.
    std::int64_t before(std::int64_t unix_us, const Span& span) const;

private:
    std::int64_t offset_us(std::int64_t unix_us) const;
    std::int64_t local_us(std::int64_t unix_us) const { return unix_us + offset_us(unix_us); }

    const std::function<std::int64_t(std::int64_t)>& offset_s_;
};

}  // namespace reprise
