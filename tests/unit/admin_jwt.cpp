// RFC 8725 as a table of attacks, and the claims.
#include "admin/jwt.h"
#include "admin_support.h"
#include "doctest/doctest.h"

using namespace reprise;
using namespace reprise::test;
using May = Caller::May;

namespace {

const std::string kGood = R"({"sub":"sophie","role":"admin","exp":1760290000})";

}  // namespace

TEST_CASE("a good token is welcome, and its subject is known") {
    const Caller caller = check_token(signed_token(kHeader, kGood), rules(), kNow);
    CHECK(caller.may == May::admin);
    CHECK(caller.subject == "sophie");
}

TEST_CASE("headers that RFC 8725 warns of are refused") {
    CHECK(may_with_header(kHeader) == May::admin);
    for (const char* header : {R"({"alg":"none"})",
                               R"({"alg":"None"})",
                               R"({"alg":"NONE"})",
                               R"({"alg":"nOnE"})",
                               R"({"alg":""})",
                               R"({})",
                               R"({"alg":"hs256"})",
                               R"({"alg":"HS384"})",
                               R"({"alg":"RS256"})",
                               R"({"alg":["HS256"]})",
                               R"({"alg":null})",
                               R"({"alg":"HS256","crit":[]})",
                               R"({"alg":"HS256","crit":["exp"],"exp":1})",
                               R"({"alg":"HS256","crit":["b64"],"b64":false})",
                               R"({"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}})",
                               R"({"alg":"HS256","jku":"https://evil.example/keys"})",
                               R"({"alg":"HS256","x5u":"https://evil.example"})",
                               R"({"alg":"HS256","x5c":["AAAA"]})",
                               R"({"alg":"none","alg":"HS256"})",
                               R"({"alg":"HS256","alg":"HS256"})",
                               R"({"alg":"HS256","kid":1})",
                               R"({"alg":"HS256","typ":"secevent+jwt"})",
                               R"({"alg":"HS256","cty":"JWT"})",
                               R"(["HS256"])",
                               R"("HS256")",
                               R"({"alg":"HS256"} )"
                               "x",
                               R"({"alg":"HS256",})"}) {
        CAPTURE(header);
        CHECK(may_with_header(header) == May::nothing);
    }
    CHECK(may_with_header(R"({"alg":"HS256","typ":"at+jwt"})") == May::admin);
    CHECK(may_with_header(R"({"alg":"HS256","typ":"jwt","kid":"any"})") == May::admin);
}

TEST_CASE("a token in another form than the canonical one is refused") {
    const std::string good = signed_token(kHeader, kGood);
    const auto refused = [](const std::string& token) { return check_token(token, rules(), kNow).may == May::nothing; };
    const std::size_t first = good.find('.'), second = good.find('.', first + 1);
    CHECK(!refused(good));
    CHECK(refused(""));
    CHECK(refused("."));
    CHECK(refused(".."));
    CHECK(refused(good + "."));
    CHECK(refused(good + "="));
    CHECK(refused(good + "\n"));
    CHECK(refused(" " + good));
    CHECK(refused(good.substr(0, second + 1)));
    CHECK(refused(good.substr(0, second)));
    CHECK(refused("." + good));
    CHECK(refused("{\"payload\":\"" + good.substr(first + 1, second - first - 1) + "\"}"));
    // The last character of the tag holds two unused bits: other spellings of the same bytes.
    std::string last = good;
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::size_t value = digits.find(last.back());
    for (std::size_t other = value & ~std::size_t{3}; other < (value | 3) + 1; ++other) {
        last.back() = digits[other];
        CHECK(refused(last) == (other != value));
    }
    // Under and over 8 KiB, both signed well.
    CHECK(may(R"({"role":"admin","exp":1760290000,"pad":")" + std::string(5000, 'x') + "\"}") == May::admin);
    CHECK(may(R"({"role":"admin","exp":1760290000,"pad":")" + std::string(8000, 'x') + "\"}") == May::nothing);
}

TEST_CASE("claims of time are kept, with a leeway of a minute at most") {
    const auto with = [](const std::string& claims) { return R"({"role":"admin",)" + claims + "}"; };
    CHECK(may(with(R"("exp":1760286442)")) == May::admin);
    CHECK(may(with(R"("exp":1760286412)")) == May::admin);  // 29 s ago, within the leeway of 30 s
    CHECK(may(with(R"("exp":1760286411)")) == May::nothing);
    CHECK(may(with(R"("exp":1760286411.5)")) == May::admin);
    CHECK(may(R"({"role":"admin"})") == May::nothing);
    for (const char* exp : {R"("1760290000")", "null", "true", "[1760290000]", "-1", "1e300", "NaN", "0"})
        CHECK(may(with("\"exp\":" + std::string(exp))) == May::nothing);
    CHECK(may(with(R"("exp":1760290000,"nbf":1760286471)")) == May::admin);
    CHECK(may(with(R"("exp":1760290000,"nbf":1760286472)")) == May::nothing);
    CHECK(may(with(R"("exp":1760290000,"nbf":"now")")) == May::nothing);
    CHECK(may(with(R"("exp":1760290000,"iat":"yesterday")")) == May::nothing);
    JwtRules lax = rules();
    lax.leeway_s = 100000;
    CHECK(may(with(R"("exp":1760286382)"), lax) == May::admin);
    CHECK(may(with(R"("exp":1760286381)"), lax) == May::nothing);
    lax.require_expiry = false;
    CHECK(may(R"({"role":"admin"})", lax) == May::admin);
}

TEST_CASE("issuer and audience are as configured") {
    JwtRules strict = rules();
    strict.issuer = "https://login.example";
    strict.audience = "backups";
    const auto with = [](const std::string& claims) { return R"({"role":"admin","exp":1760290000,)" + claims + "}"; };
    CHECK(may(with(R"("iss":"https://login.example","aud":"backups")"), strict) == May::admin);
    CHECK(may(with(R"("iss":"https://login.example","aud":["payroll","backups"])"), strict) == May::admin);
    CHECK(may(with(R"("iss":"https://login.example","aud":["payroll"])"), strict) == May::nothing);
    CHECK(may(with(R"("iss":"https://login.example","aud":7)"), strict) == May::nothing);
    CHECK(may(with(R"("iss":"https://login.example")"), strict) == May::nothing);
    CHECK(may(with(R"("iss":"https://login.example/","aud":"backups")"), strict) == May::nothing);
    CHECK(may(with(R"("aud":"backups")"), strict) == May::nothing);
    // Meant for somebody else, and we were never told a name of ours.
    CHECK(may(with(R"("aud":"payroll")")) == May::nothing);
}

TEST_CASE("who is known but no admin is told apart from who is not known") {
    const auto with = [](const std::string& claims) { return R"({"exp":1760290000,)" + claims + "}"; };
    CHECK(may(with(R"("role":"admin")")) == May::admin);
    CHECK(may(with(R"("role":["user","admin"])")) == May::admin);
    for (const char* role : {R"("user")", R"("Admin")", R"("admin ")", R"("administrator")", "true", "1", "null", "[]",
                             R"([["admin"]])", R"({"admin":true})"})
        CHECK(may(with("\"role\":" + std::string(role))) == May::no_admin);
    CHECK(may(with(R"("sub":"x")")) == May::no_admin);
    CHECK(may(with(R"("role":"user","role":"admin")")) == May::nothing);  // a duplicate member is no JSON of ours
    CHECK(may("[]") == May::nothing);
    CHECK(may("not json") == May::nothing);
    JwtRules nested = rules();
    nested.role_claim = "realm_access.roles";
    CHECK(may(with(R"("realm_access":{"roles":["admin"]})"), nested) == May::admin);
    CHECK(may(with(R"("realm_access.roles":"admin")"), nested) == May::admin);
    CHECK(may(with(R"("realm_access":"admin")"), nested) == May::no_admin);
}
