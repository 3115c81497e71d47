/*
 * Unit tests of base/clock.h.
 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_format(void **state)
{
    static const struct {
        int64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {999, "1970-01-01T00:00:00.999Z"},
        {1000, "1970-01-01T00:00:01.000Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1769903999123, "2026-01-31T23:59:59.123Z"},
        {2147483648000, "2038-01-19T03:14:08.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[TN_TIME_TEXT_SIZE];
        memset(buffer, 'x', sizeof(buffer));
        assert_string_equal(tn_clock_format(buffer, cases[i].wall_ms), cases[i].text);
        assert_ptr_equal(tn_clock_format(buffer, cases[i].wall_ms), buffer);
    }
}

static void test_steady_never_goes_back(void **state)
{
    int64_t before = tn_clock_steady_ms();
    for (int i = 0; i < 100000; i++) {
        int64_t now = tn_clock_steady_ms();
        assert_true(now >= before);
        before = now;
    }
}

/* Milliseconds, not another unit: a nap of 20 ms is seen as at least that, and not as 20 seconds.
 */
static void test_steady_counts_milliseconds(void **state)
{
    int64_t before = tn_clock_steady_ms();
    const struct timespec nap = {.tv_nsec = 20 * 1000 * 1000};
    (void)nanosleep(&nap, NULL);
    int64_t passed = tn_clock_steady_ms() - before;
    assert_true(passed >= 19);
    assert_true(passed < 20000);
}

static void test_wall_is_the_systems_time(void **state)
{
    time_t before = time(NULL);
    int64_t wall_ms = tn_clock_wall_ms();
    time_t after = time(NULL);
    /* time() may lag behind clock_gettime by a tick of the kernel's coarse clock */
    assert_true(wall_ms / 1000 >= before);
    assert_true(wall_ms / 1000 <= after + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_steady_never_goes_back),
        cmocka_unit_test(test_steady_counts_milliseconds),
        cmocka_unit_test(test_wall_is_the_systems_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
