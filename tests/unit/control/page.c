/*
 * Unit tests of control/page.h.
 */
#include "control/page.h"

#include "base/str.h"

#include <sodium.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *header_of(const tn_response_t *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcmp(response->headers[i].name, name) == 0) {
            return response->headers[i].value;
        }
    }
    fail_msg("no header '%s'", name);
    return NULL;
}

static void test_frame_escapes(void **state)
{
    tn_buf_t out;
    tn_buf_init(&out);
    tn_page_begin(&out, TN_LANGUAGE_FR, "</title><script>\"'&");
    tn_page_end(&out);
    assert_non_null(strstr(out.data, "<html lang=\"fr\">"));
    assert_non_null(
        strstr(out.data, "<title>&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;</title>"));
    assert_null(strstr(out.data, "<script>"));
    tn_buf_deinit(&out);
}

/* The policy names the hash of the very style sheet that the page has: no other one runs. */
static void test_policy_has_the_hash_of_the_style(void **state)
{
    tn_response_t response;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char expected[128] = "'sha256-";
    tn_response_init(&response);
    tn_page_begin(&response.body, TN_LANGUAGE_EN, "x");
    tn_page_headers(&response, 200, TN_LANGUAGE_EN);
    const char *begin = strstr(response.body.data, "<style>") + strlen("<style>");
    const char *end = strstr(begin, "</style>");
    (void)crypto_hash_sha256(hash, (const unsigned char *)begin, (size_t)(end - begin));
    (void)sodium_bin2base64(expected + 8, sizeof(expected) - 8, hash, sizeof(hash),
                            sodium_base64_VARIANT_ORIGINAL);
    const char *policy = header_of(&response, "Content-Security-Policy");
    assert_non_null(strstr(policy, expected));
    assert_non_null(strstr(policy, "default-src 'none'"));
    assert_non_null(strstr(policy, "frame-ancestors 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_null(strstr(response.body.data, "style=\""));
    tn_response_deinit(&response);
}

static void test_problem(void **state)
{
    static const struct {
        const char *accept_language, *tag, *heading;
    } cases[] = {
        {"fr", "fr", "<h1>Il n’y a rien à cette adresse</h1>"},
        {"en", "en", "<h1>There is nothing at this address</h1>"},
        {"", "en", "<h1>There is nothing at this address</h1>"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tn_header_t header = {TN_STR("Accept-Language"), tn_str(cases[i].accept_language)};
        tn_request_t request = {.headers = &header, .header_count = 1};
        tn_response_t response;
        tn_response_init(&response);
        tn_response_problem(&response, TN_PROBLEM_NOT_FOUND, "<b>%s</b>", "secret");
        tn_page_problem(&response, &request);
        assert_int_equal(response.status, 404);
        assert_string_equal(response.content_type, "text/html; charset=utf-8");
        assert_string_equal(header_of(&response, "Content-Language"), cases[i].tag);
        assert_non_null(strstr(header_of(&response, "Vary"), "Accept-Language"));
        assert_non_null(strstr(response.body.data, cases[i].heading));
        /* details are for programs */
        assert_null(strstr(response.body.data, "secret"));
        tn_response_deinit(&response);
    }
}

/* Every problem has a page, in both languages, that differs from the other. */
static void test_every_problem(void **state)
{
    for (int i = 0; i < TN_PROBLEM_COUNT; i++) {
        char *pages[2];
        for (int language = 0; language < 2; language++) {
            const tn_header_t header = {TN_STR("Accept-Language"),
                                        tn_str(tn_language_tag((tn_language_t)language))};
            tn_request_t request = {.headers = &header, .header_count = 1};
            tn_response_t response;
            tn_response_init(&response);
            tn_response_problem(&response, (tn_problem_code_t)i, "x");
            tn_page_problem(&response, &request);
            assert_false(tn_buf_failed(&response.body));
            pages[language] = tn_buf_take(&response.body, NULL);
            tn_response_deinit(&response);
        }
        assert_string_not_equal(strstr(pages[0], "<h1>"), strstr(pages[1], "<h1>"));
        free(pages[0]);
        free(pages[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_escapes),
        cmocka_unit_test(test_policy_has_the_hash_of_the_style),
        cmocka_unit_test(test_problem),
        cmocka_unit_test(test_every_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
