/*
 * Unit tests of the routes of flags, against a daemon.
 */
#include "daemon.h"

#include <string.h>

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    tn_test_expect(*state, "POST", "/v1/tenants", "{\"slug\":\"acme\",\"name\":\"Acme\"}", 201, "");
    return code;
}

static void test_definitions(void **state)
{
    tn_test_answer_t answer = tn_test_ask(*state, "PUT", "/v1/flags/beta",
                                          "{\"default\":true,\"description\":\"New look\"}");
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "flag.key"), "beta");
    assert_string_equal(tn_test_text_of(&answer, "flag.description"), "New look");
    assert_true(tn_test_boolean_of(&answer, "flag.default"));
    assert_true(tn_test_boolean_of(&answer, "published"));
    assert_int_equal(json_object_size(tn_test_member(&answer, "flag")), 4);
    tn_test_answer_deinit(&answer);
    /* without a description that of before stays */
    answer = tn_test_ask(*state, "PUT", "/v1/flags/beta", "{\"default\":false}");
    assert_string_equal(tn_test_text_of(&answer, "flag.description"), "New look");
    assert_false(tn_test_boolean_of(&answer, "flag.default"));
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "GET", "/v1/flags", NULL);
    assert_int_equal(json_array_size(tn_test_member(&answer, "flags")), 1);
    assert_string_equal(tn_test_text_of(&answer, "flags.0.key"), "beta");
    tn_test_answer_deinit(&answer);
    tn_test_expect(*state, "DELETE", "/v1/flags/beta", NULL, 200, "");
    tn_test_expect(*state, "DELETE", "/v1/flags/beta", NULL, 404, "not_found");
}

static void test_refused(void **state)
{
    tn_test_expect(*state, "PUT", "/v1/flags/x", "{}", 400, "invalid_value");
    tn_test_expect(*state, "PUT", "/v1/flags/x", "{\"default\":1}", 400, "invalid_value");
    tn_test_expect(*state, "PUT", "/v1/flags/1x", "{\"default\":true}", 400, "invalid_value");
    tn_test_expect(*state, "PUT", "/v1/flags/a%20b", "{\"default\":true}", 400, "invalid_value");
    tn_test_expect(*state, "PUT",
                   "/v1/flags/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                   "{\"default\":true}", 400, "invalid_value");
    tn_test_expect(*state, "PUT", "/v1/tenants/nobody/flags/x", "{\"value\":true}", 404,
                   "not_found");
    tn_test_expect(*state, "GET", "/v1/tenants/nobody/flags", NULL, 404, "not_found");
    tn_test_expect(*state, "PUT", "/v1/tenants/acme/flags/x", "{\"value\":\"on\"}", 400,
                   "invalid_value");
    tn_test_expect(*state, "DELETE", "/v1/tenants/acme/flags/x", NULL, 404, "not_found");
}

static void test_of_a_tenant(void **state)
{
    tn_test_expect(*state, "PUT", "/v1/flags/gamma", "{\"default\":true}", 200, "");
    tn_test_answer_t answer =
        tn_test_ask(*state, "PUT", "/v1/tenants/acme/flags/gamma", "{\"value\":false}");
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "key"), "gamma");
    assert_false(tn_test_boolean_of(&answer, "value"));
    assert_true(tn_test_boolean_of(&answer, "published"));
    tn_test_answer_deinit(&answer);
    /* one that was not defined is, with the default off */
    tn_test_expect(*state, "PUT", "/v1/tenants/acme/flags/delta", "{\"value\":true}", 200, "");
    answer = tn_test_ask(*state, "GET", "/v1/tenants/acme/flags", NULL);
    assert_string_equal(answer.text, "{\"flags\":[{\"key\":\"delta\",\"value\":true,\"own\":true},"
                                     "{\"key\":\"gamma\",\"value\":false,\"own\":true}]}\n");
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "DELETE", "/v1/tenants/acme/flags/gamma", NULL);
    assert_int_equal(answer.status, 200);
    assert_true(tn_test_boolean_of(&answer, "value"));
    tn_test_answer_deinit(&answer);
    tn_test_expect(*state, "DELETE", "/v1/tenants/acme/flags/gamma", NULL, 404, "not_found");
    answer = tn_test_ask(*state, "GET", "/v1/tenants/acme/flags", NULL);
    assert_false(tn_test_boolean_of(&answer, "flags.1.own"));
    assert_true(tn_test_boolean_of(&answer, "flags.1.value"));
    tn_test_answer_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_of_a_tenant),
    };
    return cmocka_run_group_tests(tests, set_up, tn_test_daemon_teardown);
}
