/*
 * Unit tests of control/name.h.
 */
#include "control/name.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_accepted(void **state)
{
    static const struct {
        const char *typed, *host;
    } cases[] = {
        {"acme.example", "acme.example"},
        {"  acme.example\t\r\n", "acme.example"},
        {"ACME.Example", "acme.example"},
        {"acme.example.", "acme.example"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "CHER.example",
         "xn--bcher-kva.example"},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example"}, /* decomposed */
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"stra\xc3\x9f"
         "e.example",
         "xn--strae-oqa.example"}, /* non-transitional: not strasse */
        {"\xe4\xbe\x8b\xe3\x81\x88.example", "xn--r8jz45g.example"},
        {"\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82"
         "example",
         "xn--r8jz45g.example"}, /* U+3002 */
        {"a-1.b-2.example", "a-1.b-2.example"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_host_t host;
        tn_err_t err = {0};
        if (tn_name_to_host(&host, cases[i].typed, "host", &err) != TN_OK) {
            fail_msg("'%s': %s", cases[i].typed, err.detail);
        }
        assert_string_equal(host.name, cases[i].host);
        assert_false(host.has_port);
    }
}

static void test_refused(void **state)
{
    const char *const cases[] = {
        "",
        "   ",
        ".",
        "a..b",
        ".acme.example",
        "https://acme.example",
        "acme.example/path",
        "acme.example:443",
        "user@acme.example",
        "acme.example?x",
        "*.acme.example",
        "127.0.0.1",
        "[::1]",
        "::1",
        "-acme.example",
        "acme-.example",
        "ac_me.example",
        "ac me.example",
        "ac%6de.example",
        "\xc3\xbc"
        "-.example",
        "\xcc\x88"
        "a.example",     /* begins with a combining mark */
        "xn--a.example", /* not what any name is encoded to */
        "a\xe2\x80\x8d"
        "b.example",                /* a joiner where none belongs */
        "\xf0\x9f\x92\xa9.example", /* an emoji is no letter in IDNA 2008 */
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.example",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_host_t host;
        tn_err_t err = {0};
        if (tn_name_to_host(&host, cases[i], "host", &err) != TN_EHOST) {
            fail_msg("'%s' was accepted", cases[i]);
        }
        assert_string_equal(err.field, "host");
        assert_true(err.detail[0] != '\0');
    }
}

static void test_length(void **state)
{
    char text[2048];
    tn_host_t host;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(tn_name_to_host(&host, text, "host", NULL), TN_EHOST);
    for (size_t i = 0; i < sizeof(text) - 1; i += 2) {
        text[i + 1] = '.';
    }
    text[TN_HOST_MAX] = '\0';
    assert_int_equal(tn_name_to_host(&host, text, "host", NULL), TN_OK);
    assert_int_equal(host.length, TN_HOST_MAX);
    text[TN_HOST_MAX] = 'b';
    text[TN_HOST_MAX + 1] = '\0';
    assert_int_equal(tn_name_to_host(&host, text, "host", NULL), TN_EHOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
