#include <doctest/doctest.h>

#include "base/cancel.h"

using namespace reprise;

TEST_CASE("S14: a tidy-up after a cancel has what is left of the answer's 2 s, and without one as long as usual") {
    Cancel cancel;
    CHECK(cancel.tidy_ms(30000) == 30000);
    cancel.request();
    CHECK(cancel.tidy_ms(30000) <= 1500);
    CHECK(cancel.tidy_ms(30000) >= 200);
    CHECK(cancel.tidy_ms(100) == 100);
}

TEST_CASE("a job past its point of no return has all its time to tidy up, whoever cancels it") {
    Cancel cancel;
    cancel.shield();
    cancel.request();
    CHECK_FALSE(cancel.requested());
    CHECK(cancel.tidy_ms(30000) == 30000);
}
