/*
 * Unit tests of control/percent.h.
 */
#include "control/percent.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_decode(void **state)
{
    static const struct {
        const char *text;
        bool is_path;
        int code;
        const char *decoded;
    } cases[] = {
        {"acme", true, TN_OK, "acme"},
        {"", true, TN_OK, ""},
        {"a%20b", true, TN_OK, "a b"},
        {"b%C3%BCcher.example", true, TN_OK,
         "b\xc3\xbc"
         "cher.example"},
        {"%c3%bc", false, TN_OK, "\xc3\xbc"},
        {"a%2Fb", false, TN_OK, "a/b"},
        {"%2541", true, TN_OK, "%41"},
        {"a+b", true, TN_OK, "a+b"},
        /* an encoded slash is no separator, and nothing else */
        {"a%2Fb", true, TN_EINVAL, NULL},
        {"a%2fb", true, TN_EINVAL, NULL},
        {"a%00", true, TN_EINVAL, NULL},
        {"%00", false, TN_EINVAL, NULL},
        {"%0a", true, TN_EINVAL, NULL},
        {"%7F", true, TN_EINVAL, NULL},
        {"%", true, TN_EINVAL, NULL},
        {"%4", true, TN_EINVAL, NULL},
        {"%4g", true, TN_EINVAL, NULL},
        {"%%41", true, TN_EINVAL, NULL},
        {"%ff", true, TN_EINVAL, NULL},
        {"%C3", true, TN_EINVAL, NULL},
        {"%ED%A0%80", true, TN_EINVAL, NULL},
        {"0123456789abcde", true, TN_OK, "0123456789abcde"},
        {"0123456789abcdef", true, TN_ETOOBIG, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[16];
        tn_err_t err = {0};
        int code = tn_percent_decode(out, sizeof(out), tn_str(cases[i].text), cases[i].is_path,
                                     "ref", &err);
        if (code != cases[i].code) {
            fail_msg("'%s': %d", cases[i].text, code);
        }
        if (code == TN_OK) {
            assert_string_equal(out, cases[i].decoded);
        } else {
            assert_string_equal(err.field, "ref");
        }
    }
}

static void test_encode(void **state)
{
    tn_buf_t out;
    tn_buf_init(&out);
    tn_percent_encode(&out, TN_STR("aZ09-._~ /?%\x00\xc3\xbc"));
    assert_string_equal(out.data, "aZ09-._~%20%2F%3F%25%00%C3%BC");
    tn_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
