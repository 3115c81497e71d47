/*
 * Unit tests of control/accept.h.
 */
#include "control/accept.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_language(void **state)
{
    static const struct {
        const char *header;
        tn_language_t language;
    } cases[] = {
        {"", TN_LANGUAGE_EN},
        {"fr", TN_LANGUAGE_FR},
        {"FR-ca", TN_LANGUAGE_FR},
        {"en", TN_LANGUAGE_EN},
        {"de, ja", TN_LANGUAGE_EN},
        {"fro", TN_LANGUAGE_EN},
        {"fr, en", TN_LANGUAGE_FR},
        {"en, fr", TN_LANGUAGE_EN},
        {"fr;q=0.8, en;q=0.8", TN_LANGUAGE_FR},
        {"en;q=0.5, fr;q=0.8", TN_LANGUAGE_FR},
        {"fr;q=0.5, en;q=0.501", TN_LANGUAGE_EN},
        {"fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", TN_LANGUAGE_FR},
        {"en-GB;q=0.9 , fr ; q=0.8", TN_LANGUAGE_EN},
        /* refused, and what is left for the rest */
        {"en;q=0, fr;q=0.1", TN_LANGUAGE_FR},
        {"fr;q=0", TN_LANGUAGE_EN},
        {"en;q=0, *", TN_LANGUAGE_FR},
        {"fr;q=0, *;q=0.5", TN_LANGUAGE_EN},
        {"en;q=0, fr;q=0", TN_LANGUAGE_EN},
        {"*", TN_LANGUAGE_EN},
        {"en;q=0.3, *;q=0.7", TN_LANGUAGE_FR},
        {"de, fr;q=0.001", TN_LANGUAGE_FR},
        /* members that are not of the form are passed over */
        {"fr;q=2", TN_LANGUAGE_EN},
        {"fr;q=1.001", TN_LANGUAGE_EN},
        {"fr;q=0.1234, en;q=0.1", TN_LANGUAGE_EN},
        {"fr;q=-1, en;q=0.1", TN_LANGUAGE_EN},
        {"fr;q=, en;q=0.1", TN_LANGUAGE_EN},
        {"fr;q=.5, en;q=0.1", TN_LANGUAGE_EN},
        {";;;,,,q=1", TN_LANGUAGE_EN},
        {",, fr ,,", TN_LANGUAGE_FR},
        {"fr;level=1;q=1.000, en", TN_LANGUAGE_FR},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (tn_language_choose(tn_str(cases[i].header)) != cases[i].language) {
            fail_msg("'%s' is not %s", cases[i].header, tn_language_tag(cases[i].language));
        }
    }
}

static void test_tag(void **state)
{
    assert_string_equal(tn_language_tag(TN_LANGUAGE_EN), "en");
    assert_string_equal(tn_language_tag(TN_LANGUAGE_FR), "fr");
}

static void test_names_html(void **state)
{
    static const struct {
        const char *header;
        bool names;
    } cases[] = {
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
        {"TEXT/HTML", true},
        {"application/xhtml+xml", true},
        {"application/json, text/html;q=0.1", true},
        {"", false},
        {"*/*", false},
        {"text/*", false},
        {"application/json", false},
        {"text/html;q=0, */*", false},
        {"text/htmlx", false},
        {"text/html;q=x", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (tn_accept_names_html(tn_str(cases[i].header)) != cases[i].names) {
            fail_msg("'%s'", cases[i].header);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_tag),
        cmocka_unit_test(test_names_html),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
