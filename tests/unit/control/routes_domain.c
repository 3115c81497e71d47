/*
 * Unit tests of the routes of domains, against a daemon.
 */
#include "daemon.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    tn_test_expect(*state, "POST", "/v1/tenants", "{\"slug\":\"acme\",\"name\":\"Acme\"}", 201, "");
    tn_test_expect(*state, "POST", "/v1/tenants", "{\"slug\":\"other\",\"name\":\"Other\"}", 201,
                   "");
    return code;
}

static void test_add_and_remove(void **state)
{
    tn_test_answer_t answer = tn_test_ask(*state, "POST", "/v1/tenants/acme/domains",
                                          "{\"host\":\" B\xc3\xbc"
                                          "cher.Example. \"}");
    assert_int_equal(answer.status, 201);
    assert_string_equal(tn_test_text_of(&answer, "domain.host"), "xn--bcher-kva.example");
    assert_string_equal(tn_test_text_of(&answer, "domain.tenant"), "acme");
    assert_false(tn_test_boolean_of(&answer, "domain.primary"));
    assert_true(tn_test_boolean_of(&answer, "published"));
    assert_int_equal(json_object_size(tn_test_member(&answer, "domain")), 6);
    assert_int_equal(strtoll(tn_test_header_of(&answer, "Tenantry-Generation"), NULL, 10),
                     tn_test_number_of(&answer, "generation"));
    tn_test_answer_deinit(&answer);

    answer = tn_test_ask(*state, "GET", "/v1/tenants/acme/domains", NULL);
    assert_int_equal(json_array_size(tn_test_member(&answer, "domains")), 1);
    assert_string_equal(tn_test_text_of(&answer, "domains.0.host"), "xn--bcher-kva.example");
    tn_test_answer_deinit(&answer);

    /* taken, by the same tenant and by another */
    tn_test_expect(*state, "POST", "/v1/tenants/acme/domains",
                   "{\"host\":\"xn--bcher-kva.example\"}", 409, "conflict");
    tn_test_expect(*state, "POST", "/v1/tenants/other/domains",
                   "{\"host\":\"xn--bcher-kva.example\"}", 409, "conflict");
    /* removed by its owner only, as typed or as kept */
    tn_test_expect(*state, "DELETE", "/v1/tenants/other/domains/xn--bcher-kva.example", NULL, 404,
                   "not_found");
    tn_test_expect(*state, "DELETE", "/v1/tenants/acme/domains/b%C3%BCcher.example", NULL, 200, "");
    tn_test_expect(*state, "DELETE", "/v1/tenants/acme/domains/xn--bcher-kva.example", NULL, 404,
                   "not_found");
    tn_test_expect(*state, "POST", "/v1/tenants/nobody/domains", "{\"host\":\"a.example\"}", 404,
                   "not_found");
    tn_test_expect(*state, "GET", "/v1/tenants/nobody/domains", NULL, 404, "not_found");
}

static void test_refused_hosts(void **state)
{
    static const struct {
        const char *host;
        long status;
        const char *code;
    } cases[] = {
        {"", 400, "invalid_host"},
        {"127.0.0.1", 400, "invalid_host"},
        {"[::1]", 400, "invalid_host"},
        {"https://a.example/", 400, "invalid_host"},
        {"a.example:80", 400, "invalid_host"},
        {"*.example", 400, "invalid_host"},
        {"a..example", 400, "invalid_host"},
        /* the platform's own */
        {"localhost", 409, "conflict"},
        {"new.localhost", 409, "conflict"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[128];
        (void)snprintf(body, sizeof(body), "{\"host\":\"%s\"}", cases[i].host);
        tn_test_answer_t answer = tn_test_ask(*state, "POST", "/v1/tenants/acme/domains", body);
        if (answer.status != cases[i].status) {
            fail_msg("%s: %ld %s", body, answer.status, answer.text);
        }
        assert_string_equal(tn_test_text_of(&answer, "code"), cases[i].code);
        assert_string_equal(tn_test_text_of(&answer, "field"), "host");
        tn_test_answer_deinit(&answer);
    }
}

static void test_primary(void **state)
{
    static const char path[] = "/v1/tenants/acme/primary-domain";
    tn_test_expect(*state, "POST", "/v1/tenants/acme/domains", "{\"host\":\"p.example\"}", 201, "");
    tn_test_answer_t answer = tn_test_ask(*state, "PUT", path, "{\"host\":\"P.example\"}");
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "tenant.primaryDomain"), "p.example");
    assert_true(tn_test_boolean_of(&answer, "tenant.redirectToPrimary"));
    assert_true(tn_test_boolean_of(&answer, "published"));
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "PUT", path, "{\"host\":\"p.example\",\"redirect\":false}");
    assert_false(tn_test_boolean_of(&answer, "tenant.redirectToPrimary"));
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "GET", "/v1/tenants/acme/domains", NULL);
    assert_true(tn_test_boolean_of(&answer, "domains.0.primary"));
    tn_test_answer_deinit(&answer);
    tn_test_expect(*state, "PUT", path, "{\"host\":\"none.example\"}", 404, "not_found");
    tn_test_expect(*state, "PUT", path, "{}", 400, "invalid_value");
    tn_test_expect(*state, "PUT", path, "{\"host\":\"p.example\",\"redirect\":1}", 400,
                   "invalid_value");
    answer = tn_test_ask(*state, "DELETE", path, NULL);
    assert_int_equal(answer.status, 200);
    assert_true(json_is_null(tn_test_member(&answer, "tenant.primaryDomain")));
    assert_false(tn_test_boolean_of(&answer, "tenant.redirectToPrimary"));
    tn_test_answer_deinit(&answer);
    tn_test_expect(*state, "DELETE", "/v1/tenants/acme/domains/p.example", NULL, 200, "");
}

static void test_list_of_all(void **state)
{
    static const struct {
        const char *path, *body;
    } domains[] = {
        {"/v1/tenants/acme/domains", "{\"host\":\"a.example\"}"},
        {"/v1/tenants/other/domains", "{\"host\":\"b.example\"}"},
        {"/v1/tenants/acme/domains", "{\"host\":\"c.example\"}"},
    };
    char path[256] = "/v1/domains?limit=2";
    for (size_t i = 0; i < 3; i++) {
        tn_test_expect(*state, "POST", domains[i].path, domains[i].body, 201, "");
    }
    tn_test_answer_t answer = tn_test_ask(*state, "GET", path, NULL);
    assert_string_equal(tn_test_text_of(&answer, "domains.0.tenant"), "acme");
    assert_string_equal(tn_test_text_of(&answer, "domains.1.host"), "b.example");
    assert_string_equal(tn_test_text_of(&answer, "domains.1.tenant"), "other");
    assert_int_equal(json_array_size(tn_test_member(&answer, "domains")), 2);
    (void)snprintf(path, sizeof(path), "/v1/domains?limit=2&cursor=%s",
                   tn_test_text_of(&answer, "nextCursor"));
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "GET", path, NULL);
    assert_int_equal(json_array_size(tn_test_member(&answer, "domains")), 1);
    assert_string_equal(tn_test_text_of(&answer, "domains.0.host"), "c.example");
    assert_true(json_is_null(tn_test_member(&answer, "nextCursor")));
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "GET", "/v1/domains?limit=3", NULL);
    assert_int_equal(json_array_size(tn_test_member(&answer, "domains")), 3);
    assert_true(json_is_null(tn_test_member(&answer, "nextCursor")));
    tn_test_answer_deinit(&answer);
}

/* A tenant may have more domains than any list shows a page of. */
static void test_more_than_a_page(void **state)
{
    for (int i = 0; i < 130; i++) {
        char body[64];
        (void)snprintf(body, sizeof(body), "{\"host\":\"h%03d.many.example\"}", i);
        tn_test_expect(*state, "POST", "/v1/tenants/other/domains", body, 201, "");
    }
    tn_test_answer_t answer = tn_test_ask(*state, "GET", "/v1/tenants/other/domains", NULL);
    assert_true(json_array_size(tn_test_member(&answer, "domains")) >= 130);
    tn_test_answer_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_remove),   cmocka_unit_test(test_refused_hosts),
        cmocka_unit_test(test_primary),          cmocka_unit_test(test_list_of_all),
        cmocka_unit_test(test_more_than_a_page),
    };
    return cmocka_run_group_tests(tests, set_up, tn_test_daemon_teardown);
}
