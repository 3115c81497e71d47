/*
 * Unit tests of control/message.h.
 */
#include "control/message.h"

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_header(void **state)
{
    static const tn_header_t headers[] = {
        {{"Accept", 6}, {"text/html", 9}},
        {{"x-tenant-id", 11}, {"  one ", 6}},
        {{"X-Tenant-Id", 11}, {"two", 3}},
    };
    tn_request_t request = {.headers = headers, .header_count = 3};
    assert_true(tn_str_equal(tn_request_header(&request, "X-TENANT-ID"), TN_STR("one")));
    assert_int_equal(tn_request_header_count(&request, "X-Tenant-Id"), 2);
    assert_int_equal(tn_request_header(&request, "X-Tenant").length, 0);
    assert_int_equal(tn_request_header_count(&request, "X-Tenant"), 0);
}

static void test_query(void **state)
{
    static const tn_header_t query[] = {
        {{"q", 1}, {"a%20b", 5}},       {{"empty", 5}, {"", 0}},  {{"bad", 3}, {"%00", 3}},
        {{"twice", 5}, {"1", 1}},       {{"twice", 5}, {"1", 1}}, {{"slash", 5}, {"a%2Fb", 5}},
        {{"long", 4}, {"12345678", 8}},
    };
    tn_request_t request = {.query = query, .query_count = sizeof(query) / sizeof(query[0])};
    char text[8];
    bool is_given;
    tn_err_t err = {0};
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "q", &err), TN_OK);
    assert_true(is_given);
    assert_string_equal(text, "a b");
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "empty", &err),
                     TN_OK);
    assert_true(is_given);
    assert_string_equal(text, "");
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "none", &err),
                     TN_OK);
    assert_false(is_given);
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "slash", &err),
                     TN_OK);
    assert_string_equal(text, "a/b");
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "bad", &err),
                     TN_EINVAL);
    assert_string_equal(err.field, "bad");
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "twice", &err),
                     TN_EINVAL);
    assert_string_equal(err.field, "twice");
    assert_int_equal(tn_request_query(text, sizeof(text), &is_given, &request, "long", &err),
                     TN_ETOOBIG);
}

static void test_address(void **state)
{
    static const struct {
        const char *header, *address;
    } cases[] = {
        {"", "local"},
        {"192.0.2.7", "192.0.2.7"},
        {"2001:db8::7", "2001:db8::7"},
        {"192.0.2.7, 10.0.0.1", "unknown"},
        {"unix:", "unknown"},
        {"somebody", "unknown"},
        {"192.0.2.7\ninjected", "unknown"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tn_header_t header = {TN_STR("X-Forwarded-For"), tn_str(cases[i].header)};
        tn_request_t request = {.headers = &header, .header_count = 1};
        char buffer[TN_ADDRESS_SIZE];
        assert_string_equal(tn_request_address(buffer, &request), cases[i].address);
    }
}

static void test_json(void **state)
{
    tn_response_t response;
    tn_response_init(&response);
    assert_int_equal(
        tn_response_json(&response, 201, json_pack("{s:i, s:s}", "a", 1, "b", "\xc3\xa9"), NULL),
        TN_OK);
    assert_int_equal(response.status, 201);
    assert_string_equal(response.content_type, "application/json");
    assert_string_equal(response.body.data, "{\"a\":1,\"b\":\"\xc3\xa9\"}\n");
    assert_int_equal(tn_response_json(&response, 200, NULL, NULL), TN_ENOMEM);
    tn_response_deinit(&response);
}

static void test_header_cannot_split_a_response(void **state)
{
    tn_response_t response;
    tn_response_init(&response);
    tn_response_header(&response, "Location", "/v1/%s", "a\r\nSet-Cookie: x");
    tn_response_header(&response, "X", "%s", "a\nb");
    assert_int_equal(response.header_count, 2);
    assert_string_equal(response.headers[0].value, "/v1/a");
    assert_string_equal(response.headers[1].value, "a");
    tn_response_deinit(&response);
}

static void test_problem_takes_the_place_of_an_answer(void **state)
{
    tn_response_t response;
    tn_err_t err = {0};
    tn_response_init(&response);
    assert_int_equal(tn_response_json(&response, 200, json_object(), NULL), TN_OK);
    (void)tn_err_field(&err, TN_ECONFLICT, "slug", "taken");
    tn_response_error(&response, TN_ECONFLICT, &err);
    assert_int_equal(response.status, 409);
    assert_int_equal(response.body.length, 0);
    assert_string_equal(response.problem->code, "conflict");
    assert_string_equal(response.problem_field, "slug");
    assert_string_equal(response.problem_detail, "taken");
    /* a detail of something else is not told */
    tn_response_error(&response, TN_EBUSY, &err);
    assert_string_equal(response.problem_field, "");
    assert_string_equal(response.problem_detail, "busy");
    tn_response_error(&response, TN_ENOTFOUND, NULL);
    assert_string_equal(response.problem_detail, "not found");
    tn_response_problem(&response, TN_PROBLEM_NO_TENANT, "at %s", "x");
    assert_string_equal(response.problem_detail, "at x");
    assert_int_equal(response.status, 404);
    tn_response_deinit(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_header_cannot_split_a_response),
        cmocka_unit_test(test_problem_takes_the_place_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
