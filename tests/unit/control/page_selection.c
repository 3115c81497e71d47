/*
 * Unit tests of /auth/tenant-selection, against a daemon.
 */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void create(const tn_test_daemon_t *daemon, const char *slug, const char *name)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "{\"slug\":\"%s\",\"name\":\"%s\",\"listed\":true}", slug,
                   name);
    tn_test_expect(daemon, "POST", "/v1/tenants", body, 201, "");
}

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    create(*state, "demo", "D\xc3\xa9mo");
    create(*state, "evil", "<script>alert(1)</script>\\\" onclick='x' &amp;");
    create(*state, "hidden", "Hidden");
    create(*state, "resting", "Resting");
    tn_test_expect(*state, "PATCH", "/v1/tenants/hidden", "{\"listed\":false}", 200, "");
    tn_test_expect(*state, "PATCH", "/v1/tenants/resting", "{\"status\":\"suspended\"}", 200, "");
    return code;
}

static tn_test_answer_t get(const tn_test_daemon_t *daemon, const char *query, const char *host,
                            const char *language)
{
    char path[256], forwarded[128], accept[128];
    (void)snprintf(path, sizeof(path), "/auth/tenant-selection%s", query);
    (void)snprintf(forwarded, sizeof(forwarded), "X-Forwarded-Host: %s", host);
    (void)snprintf(accept, sizeof(accept), "Accept-Language: %s", language);
    tn_test_call_t call = {
        .method = "GET",
        .path = path,
        .is_anonymous = true,
        .headers = {forwarded, "X-Forwarded-Proto: http", accept},
    };
    tn_test_answer_t answer = tn_test_call(daemon, &call);
    assert_int_equal(answer.status, 200);
    return answer;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

static void test_who_is_listed(void **state)
{
    tn_test_answer_t answer = get(*state, "", "localhost:3000", "en");
    assert_non_null(strstr(answer.text, "href=\"http://demo.localhost:3000/\""));
    assert_non_null(strstr(answer.text, "href=\"http://evil.localhost:3000/\""));
    assert_null(strstr(answer.text, "hidden"));
    assert_null(strstr(answer.text, "resting"));
    assert_int_equal(count(answer.text, "<li>"), 2);
    /* few enough to need no search */
    assert_null(strstr(answer.text, "<form"));
    tn_test_answer_deinit(&answer);
}

static void test_names_are_text(void **state)
{
    tn_test_answer_t answer = get(*state, "", "localhost:3000", "en");
    assert_null(strstr(answer.text, "<script"));
    assert_null(strstr(answer.text, "onclick='"));
    assert_non_null(strstr(answer.text, "&lt;script&gt;alert(1)&lt;/script&gt;&quot; "
                                        "onclick=&#39;x&#39; &amp;amp;"));
    tn_test_answer_deinit(&answer);
    answer = get(*state, "?q=%22%3E%3Cscript%3E", "localhost:3000", "en");
    assert_null(strstr(answer.text, "<script"));
    assert_non_null(strstr(answer.text, "value=\"&quot;&gt;&lt;script&gt;\""));
    tn_test_answer_deinit(&answer);
}

static void test_links_as_the_visitor_came(void **state)
{
    tn_test_answer_t answer = get(*state, "", "localhost:8080", "en");
    assert_non_null(strstr(answer.text, "href=\"http://demo.localhost:8080/\""));
    tn_test_answer_deinit(&answer);
    /* a tenant's own host leads to the platform's names; a strange one is not repeated */
    answer = get(*state, "", "demo.localhost:8080", "en");
    assert_non_null(strstr(answer.text, "href=\"http://demo.localhost:8080/\""));
    tn_test_answer_deinit(&answer);
    answer = get(*state, "", "attacker.example", "en");
    assert_null(strstr(answer.text, "attacker"));
    tn_test_answer_deinit(&answer);
}

static void test_setup_lines(void **state)
{
    tn_test_answer_t answer = get(*state, "", "localhost:3000", "en");
    assert_non_null(strstr(answer.text, ">127.0.0.1 demo.localhost\n127.0.0.1 evil.localhost<"));
    assert_non_null(strstr(answer.text, "*.example.com. 3600 IN A 203.0.113.10"));
    assert_non_null(strstr(answer.text, "*.localhost"));
    assert_non_null(strstr(answer.text, "tenantry hosts"));
    tn_test_answer_deinit(&answer);
}

static void test_languages(void **state)
{
    tn_test_answer_t answer = get(*state, "", "localhost", "en;q=0.2, fr;q=0.7");
    assert_non_null(strstr(answer.text, "<html lang=\"fr\">"));
    assert_non_null(strstr(answer.text, "Choisissez votre site"));
    assert_string_equal(tn_test_header_of(&answer, "Content-Language"), "fr");
    tn_test_answer_deinit(&answer);
    answer = get(*state, "", "localhost", "de");
    assert_non_null(strstr(answer.text, "<html lang=\"en\">"));
    assert_non_null(strstr(answer.text, "Choose your site"));
    assert_string_equal(tn_test_header_of(&answer, "Content-Type"), "text/html; charset=utf-8");
    assert_non_null(
        strstr(tn_test_header_of(&answer, "Content-Security-Policy"), "frame-ancestors 'none'"));
    assert_string_equal(tn_test_header_of(&answer, "Cache-Control"), "no-store");
    tn_test_answer_deinit(&answer);
}

static void test_search_and_pages(void **state)
{
    for (int i = 0; i < 230; i++) {
        char slug[32], name[32];
        (void)snprintf(slug, sizeof(slug), "many-%03d", i);
        (void)snprintf(name, sizeof(name), "Compagnie %d", i * 7);
        create(*state, slug, name);
    }
    tn_test_answer_t answer = get(*state, "", "localhost:3000", "en");
    assert_int_equal(count(answer.text, "<li>"), 200);
    assert_non_null(strstr(answer.text, "<form"));
    /* the rest is behind one link, and it is all of the rest */
    char query[128];
    const char *cursor = strstr(answer.text, "?cursor=");
    assert_non_null(cursor);
    (void)snprintf(query, sizeof(query), "%.*s", (int)strcspn(cursor, "\""), cursor);
    tn_test_answer_deinit(&answer);
    answer = get(*state, query, "localhost:3000", "en");
    assert_int_equal(count(answer.text, "<li>"), 32);
    assert_null(strstr(answer.text, "?cursor="));
    assert_null(strstr(answer.text, "//demo.localhost"));
    assert_non_null(strstr(answer.text, "//many-229.localhost"));
    tn_test_answer_deinit(&answer);

    static const struct {
        const char *query;
        size_t found;
        const char *slug;
    } cases[] = {
        {"?q=many-22", 10, "many-229"},       /* the beginning of a slug */
        {"?q=MANY-22", 10, "many-229"},       /* in any case */
        {"?q=any-229", 1, "many-229"},        /* a part of one */
        {"?q=compagnie+1603", 1, "many-229"}, /* a part of a name */
        {"?q=d%C3%A9m", 1, "demo"},
        {"?q=d%C3%89m", 0, NULL}, /* case is known of ASCII letters only */
        {"?q=hidden", 0, NULL},
        {"?q=resting", 0, NULL},
        {"?q=many-", 200, "many-000"},
        {"?q=%25", 0, NULL},
        {"?q=_", 0, NULL},
        {"?q=", 200, "demo"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer = get(*state, cases[i].query, "localhost:3000", "en");
        if (count(answer.text, "<li>") != cases[i].found) {
            fail_msg("%s: %zu", cases[i].query, count(answer.text, "<li>"));
        }
        if (cases[i].slug != NULL) {
            char link[64];
            (void)snprintf(link, sizeof(link), "//%s.localhost:3000/", cases[i].slug);
            assert_non_null(strstr(answer.text, link));
        }
        tn_test_answer_deinit(&answer);
    }
}

static void test_refused(void **state)
{
    static const char *const paths[] = {
        "/auth/tenant-selection?q=%00",
        "/auth/tenant-selection?q=a&q=b",
        "/auth/tenant-selection?cursor=x",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        tn_test_answer_t answer = tn_test_ask(*state, "GET", paths[i], NULL);
        assert_int_equal(answer.status, 400);
        assert_string_equal(tn_test_header_of(&answer, "Content-Type"), "text/html; charset=utf-8");
        tn_test_answer_deinit(&answer);
    }
    tn_test_answer_t answer = tn_test_ask(*state, "POST", "/auth/tenant-selection", NULL);
    assert_int_equal(answer.status, 405);
    tn_test_answer_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_listed),
        cmocka_unit_test(test_names_are_text),
        cmocka_unit_test(test_links_as_the_visitor_came),
        cmocka_unit_test(test_setup_lines),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_search_and_pages),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tn_test_daemon_teardown);
}
