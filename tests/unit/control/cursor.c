/*
 * Unit tests of control/cursor.h.
 */
#include "control/cursor.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
    char longest[TN_HOST_MAX + 1];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const char *const keys[] = {"a", "acme", "x.example", "18446744073709551615", longest};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char text[TN_CURSOR_TEXT_MAX];
        char key[TN_HOST_MAX + 1];
        tn_cursor_write(text, 't', keys[i]);
        /* it goes into a query as it is */
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
                         strlen(text));
        assert_int_equal(tn_cursor_read(key, sizeof(key), 't', tn_str(text), NULL), TN_OK);
        assert_string_equal(key, keys[i]);
    }
}

static void test_refused(void **state)
{
    char text[TN_CURSOR_TEXT_MAX];
    tn_cursor_write(text, 'd', "acme");
    const char *const cases[] = {
        "",   /* nothing */
        text, /* another list's */
        "dA", /* "t" alone: no key */
        "not base64!",
        "dGFjbWU=",                    /* padded */
        "dAA",                         /* "t\0" */
        "dP__",                        /* invalid UTF-8 behind the kind */
        "dGFhYWFhYWFhYWFhYWFhYWFhYWE", /* longer than there is room for */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char key[16] = "untouched";
        tn_err_t err = {0};
        if (tn_cursor_read(key, sizeof(key), 't', tn_str(cases[i]), &err) != TN_EINVAL) {
            fail_msg("'%s' was taken for a cursor", cases[i]);
        }
        assert_string_equal(err.field, "cursor");
        assert_string_equal(key, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
