// Generated HR documents of about 470 bytes of BSON each: what the benches measure with. The same seed, the same bytes.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "base/bson.h"
#include "base/bytes.h"

namespace reprise::bench {

inline std::string hr_oid(std::mt19937_64& random) {
    std::string bytes;
    append_le(bytes, static_cast<std::uint64_t>(random()));
    append_le(bytes, static_cast<std::uint32_t>(random()));
    return bytes;
}

inline std::string hr_date(std::mt19937_64& random) {
    std::string bytes;
    append_le(bytes, static_cast<std::int64_t>(1262304000000 + static_cast<std::int64_t>(random() % 500000000) * 1000));
    return bytes;
}

inline std::string hr_document(std::mt19937_64& random) {
    static const char* const kFirst[] = {"Sophie", "Élodie", "Marc", "Jean-Baptiste", "Amélie", "Karim", "Inès", "Paul"};
    static const char* const kLast[] = {"Martin", "Lefèvre", "Dubois", "Benali", "Moreau", "Garnier", "Rousseau", "Petit"};
    static const char* const kTeams[] = {"Comptabilité", "Ressources humaines", "Informatique", "Direction", "Logistique"};
    const auto pick = [&random](auto& names) { return std::string(names[random() % std::size(names)]); };
    const std::string first = pick(kFirst), last = pick(kLast);
    const auto number = [&random](int low, int high) {
        return low + static_cast<std::int32_t>(random() % static_cast<unsigned>(high - low));
    };
    BsonArray skills;
    skills.add("Excel").add("Négociation").add("Anglais B2");
    return BsonBuilder()
        .raw(BsonType::oid, "_id", hr_oid(random))
        .add("employee_number", number(1, 100000))
        .add("name", first + " " + last)
        .add("email", "contact." + std::to_string(random() % 100000) + "@entreprise.example")
        .add("department", pick(kTeams))
        .add("active", random() % 10 != 0)
        .raw(BsonType::date, "hired", hr_date(random))
        .add("salary", number(1800, 6500) + number(0, 100) / 100.0)
        .doc("contract", BsonBuilder()
                             .add("type", "CDI")
                             .raw(BsonType::date, "start", hr_date(random))
                             .add("weekly_hours", number(20, 40))
                             .add("rate", number(10, 60) + 0.5)
                             .str())
        .doc("address", BsonBuilder()
                            .add("street", std::to_string(number(1, 200)) + " rue de la République")
                            .add("city", "Lyon")
                            .add("postcode", std::to_string(number(10000, 99999)))
                            .str())
        .array("skills", skills.str())
        .raw(BsonType::oid, "manager_id", hr_oid(random))
        .add("leave_days", number(0, 30))
        .null("left")
        .str();
}

inline std::vector<std::string> hr_documents(std::size_t count) {
    std::mt19937_64 random(20251012);
    std::vector<std::string> documents;
    for (std::size_t i = 0; i < count; ++i) documents.push_back(hr_document(random));
    return documents;
}

}  // namespace reprise::bench
