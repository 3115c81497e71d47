/*
 * Unit tests of control/route.h, over a table of their own.
 */
#include "control/route.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define TOKEN "tno_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Says which parameters it got, and what came in the body. */
static int echo(tn_exchange_t *exchange, tn_err_t *err)
{
    json_t *document =
        json_pack("{s:s, s:s, s:O?, s:b}", "first", exchange->params[0], "second",
                  exchange->params[1], "body", exchange->body, "operator", exchange->is_operator);
    return tn_response_json(exchange->response, 200, document, err);
}

static int fail_inside(tn_exchange_t *exchange, tn_err_t *err)
{
    return tn_err_set(err, TN_EIO, "cannot read '/secret/place'");
}

static int fail_field(tn_exchange_t *exchange, tn_err_t *err)
{
    return tn_err_field(err, TN_ECONFLICT, "slug", "slug 'x' is taken");
}

static int fail_unavailable(tn_exchange_t *exchange, tn_err_t *err)
{
    return TN_EUNAVAILABLE;
}

static const tn_json_field_t fields[] = {{"name", TN_JSON_STRING, true}, {0}};

static const tn_route_t table[] = {
    {"GET", "/v1/things", TN_RIGHT_PUBLIC, echo, NULL, false},
    {"POST", "/v1/things", TN_RIGHT_OPERATOR, echo, fields, false},
    {"GET", "/v1/things/{ref}", TN_RIGHT_PUBLIC, echo, NULL, false},
    {"PUT", "/v1/things/{ref}/parts/{part}", TN_RIGHT_PUBLIC, echo, fields, true},
    {"DELETE", "/v1/things/{ref}/parts/{part}", TN_RIGHT_PUBLIC, echo, NULL, false},
    {"GET", "/v1/inside", TN_RIGHT_PUBLIC, fail_inside, NULL, false},
    {"GET", "/v1/field", TN_RIGHT_PUBLIC, fail_field, NULL, false},
    {"GET", "/v1/unavailable", TN_RIGHT_PUBLIC, fail_unavailable, NULL, false},
    {"GET", "/auth/page", TN_RIGHT_PUBLIC, fail_unavailable, NULL, false},
    {0},
};

static tn_control_t control;

static int set_up(void **state)
{
    char path[] = "/tmp/tenantry-route-XXXXXX";
    bool is_new;
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    (void)close(fd);
    int code = tn_file_write(path, TOKEN, strlen(TOKEN), 0600, NULL);
    if (code == TN_OK) {
        code = tn_operator_load(&control.operator_token, &is_new, path, NULL);
    }
    (void)unlink(path);
    return code;
}

/* ---- finding ------------------------------------------------------------------------------ */

static void test_find(void **state)
{
    static const struct {
        const char *method, *path;
        tn_route_match_t match;
        int index;
    } cases[] = {
        {"GET", "/v1/things", TN_ROUTE_FOUND, 0},
        {"HEAD", "/v1/things", TN_ROUTE_FOUND, 0},
        {"POST", "/v1/things", TN_ROUTE_FOUND, 1},
        {"GET", "/v1/things/acme", TN_ROUTE_FOUND, 2},
        {"GET", "/v1/things/%2e%2e", TN_ROUTE_FOUND, 2},
        {"PUT", "/v1/things/a/parts/b", TN_ROUTE_FOUND, 3},
        {"DELETE", "/v1/things/a/parts/b", TN_ROUTE_FOUND, 4},
        {"DELETE", "/v1/things", TN_ROUTE_NO_METHOD, -1},
        {"get", "/v1/things", TN_ROUTE_NO_METHOD, -1},
        {"HEAD", "/v1/things/a/parts/b", TN_ROUTE_NO_METHOD, -1},
        {"OPTIONS", "/v1/things", TN_ROUTE_NO_METHOD, -1},
        {"GET", "", TN_ROUTE_NO_PATH, -1},
        {"GET", "/", TN_ROUTE_NO_PATH, -1},
        {"GET", "*", TN_ROUTE_NO_PATH, -1},
        {"GET", "/v1", TN_ROUTE_NO_PATH, -1},
        {"GET", "/v1/things/", TN_ROUTE_NO_PATH, -1},
        {"GET", "/v1//things", TN_ROUTE_NO_PATH, -1},
        {"GET", "//v1/things", TN_ROUTE_NO_PATH, -1},
        {"GET", "/V1/things", TN_ROUTE_NO_PATH, -1},
        {"GET", "/v1/thing", TN_ROUTE_NO_PATH, -1},
        {"GET", "/v1/things2", TN_ROUTE_NO_PATH, -1},
        {"GET", "/v1/%74hings", TN_ROUTE_NO_PATH, -1},
        {"PUT", "/v1/things/a/parts", TN_ROUTE_NO_PATH, -1},
        {"PUT", "/v1/things//parts/b", TN_ROUTE_NO_PATH, -1},
        {"PUT", "/v1/things/a/parts/b/c", TN_ROUTE_NO_PATH, -1},
        {"PUT", "/v1/things/a/parts/b/", TN_ROUTE_NO_PATH, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tn_route_t *route = NULL;
        tn_route_match_t match =
            tn_route_find(&route, NULL, table, tn_str(cases[i].method), tn_str(cases[i].path));
        if (match != cases[i].match) {
            fail_msg("%s %s: %d", cases[i].method, cases[i].path, (int)match);
        }
        assert_ptr_equal(route, cases[i].index < 0 ? NULL : &table[cases[i].index]);
    }
}

static void test_allow(void **state)
{
    static const struct {
        const char *path, *allow;
    } cases[] = {
        {"/v1/things", "GET, HEAD, POST, OPTIONS"},
        {"/v1/things/a", "GET, HEAD, OPTIONS"},
        {"/v1/things/a/parts/b", "PUT, DELETE, OPTIONS"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tn_route_t *route = NULL;
        tn_buf_t allow;
        tn_buf_init(&allow);
        (void)tn_route_find(&route, &allow, table, TN_STR("PATCH"), tn_str(cases[i].path));
        assert_string_equal(allow.data, cases[i].allow);
        tn_buf_deinit(&allow);
    }
}

static void test_params(void **state)
{
    char params[TN_ROUTE_PARAMS_MAX][TN_ROUTE_PARAM_SIZE];
    const char *pattern = table[3].pattern;
    tn_err_t err = {0};
    assert_int_equal(
        tn_route_params(params, pattern, TN_STR("/v1/things/a%20b/parts/%C3%BC"), &err), TN_OK);
    assert_string_equal(params[0], "a b");
    assert_string_equal(params[1], "\xc3\xbc");
    static const char *const refused[] = {
        "/v1/things/a/parts/%00", "/v1/things/a/parts/a%2Fb", "/v1/things/a/parts/%",
        "/v1/things/a/parts/%FF", "/v1/things/a/parts/%0A",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(tn_route_params(params, pattern, tn_str(refused[i]), &err), TN_EINVAL);
        assert_string_equal(err.field, "part");
    }
}

/* ---- dispatching -------------------------------------------------------------------------- */

typedef struct {
    const char *method, *path, *token, *type, *body, *accept;
} tn_trial_t;

/* Dispatches, and gives the response, to be deinit'ed. */
static tn_response_t dispatch(const tn_trial_t *trial)
{
    tn_header_t headers[3];
    tn_response_t response;
    char authorization[128];
    tn_request_t request = {
        .method = tn_str(trial->method),
        .path = tn_str(trial->path),
        .headers = headers,
        .body = tn_str(trial->body == NULL ? "" : trial->body),
    };
    if (trial->token != NULL) {
        (void)snprintf(authorization, sizeof(authorization), "Bearer %s", trial->token);
        headers[request.header_count++] =
            (tn_header_t){TN_STR("Authorization"), tn_str(authorization)};
    }
    if (trial->type != NULL) {
        headers[request.header_count++] =
            (tn_header_t){TN_STR("Content-Type"), tn_str(trial->type)};
    }
    if (trial->accept != NULL) {
        headers[request.header_count++] = (tn_header_t){TN_STR("Accept"), tn_str(trial->accept)};
    }
    tn_response_init(&response);
    tn_route_dispatch(&control, table, &request, &response);
    return response;
}

static const char *header_of(const tn_response_t *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcmp(response->headers[i].name, name) == 0) {
            return response->headers[i].value;
        }
    }
    return NULL;
}

/* Status and, for problems, the code of the document. */
static void assert_answer(const tn_trial_t *trial, unsigned status, const char *code)
{
    tn_response_t response = dispatch(trial);
    if (response.status != status) {
        fail_msg("%s %s: %u, not %u: %s", trial->method, trial->path, response.status, status,
                 response.body.data);
    }
    if (code != NULL) {
        json_t *document = json_loads(response.body.data, 0, NULL);
        assert_string_equal(response.content_type, "application/problem+json");
        assert_string_equal(json_string_value(json_object_get(document, "code")), code);
        assert_string_equal(json_string_value(json_object_get(document, "instance")), trial->path);
        json_decref(document);
    }
    tn_response_deinit(&response);
}

static void test_right(void **state)
{
    static const char json[] = "application/json";
    static const char body[] = "{\"name\":\"a\"}";
    assert_answer(&(tn_trial_t){"POST", "/v1/things", TOKEN, json, body, NULL}, 200, NULL);
    /* who may not, is not told whether the body was right */
    assert_answer(&(tn_trial_t){"POST", "/v1/things", NULL, json, body, NULL}, 401,
                  "unauthenticated");
    assert_answer(&(tn_trial_t){"POST", "/v1/things", NULL, json, "{", NULL}, 401,
                  "unauthenticated");
    assert_answer(&(tn_trial_t){"POST", "/v1/things", "tno_x", json, body, NULL}, 401,
                  "unauthenticated");
    /* a public route knows its operator, and does not mind others */
    assert_answer(&(tn_trial_t){"GET", "/v1/things", "tno_x", NULL, NULL, NULL}, 200, NULL);
    tn_response_t response = dispatch(&(tn_trial_t){"GET", "/v1/things", TOKEN, NULL, NULL, NULL});
    assert_non_null(strstr(response.body.data, "\"operator\":true"));
    tn_response_deinit(&response);
    response = dispatch(&(tn_trial_t){"POST", "/v1/things", NULL, NULL, NULL, NULL});
    assert_string_equal(header_of(&response, "WWW-Authenticate"), "Bearer realm=\"tenantry\"");
    tn_response_deinit(&response);
}

static void test_body(void **state)
{
    static const struct {
        const char *type, *body;
        unsigned status;
        const char *code;
    } cases[] = {
        {"application/json", "{\"name\":\"a\"}", 200, NULL},
        {"Application/JSON; charset=UTF-8", "{\"name\":\"a\"}", 200, NULL},
        {"application/json;charset=\"utf-8\"", "{\"name\":\"a\"}", 200, NULL},
        {NULL, "{\"name\":\"a\"}", 415, "unsupported_media_type"},
        {"text/plain", "{\"name\":\"a\"}", 415, "unsupported_media_type"},
        {"application/json; charset=latin1", "{\"name\":\"a\"}", 415, "unsupported_media_type"},
        {"application/jsonx", "{\"name\":\"a\"}", 415, "unsupported_media_type"},
        {"application/x-www-form-urlencoded", "name=a", 415, "unsupported_media_type"},
        {"application/json", "", 400, "invalid_body"},
        {"application/json", "{", 400, "invalid_body"},
        {"application/json", "[]", 400, "invalid_body"},
        {"application/json", "{\"name\":1}", 400, "invalid_value"},
        {"application/json", "{}", 400, "invalid_value"},
        {"application/json", "{\"name\":\"a\",\"x\":1}", 400, "invalid_value"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_answer(
            &(tn_trial_t){"POST", "/v1/things", TOKEN, cases[i].type, cases[i].body, NULL},
            cases[i].status, cases[i].code);
    }
    /* one that may be left out, and one that there must not be */
    assert_answer(&(tn_trial_t){"PUT", "/v1/things/a/parts/b", NULL, NULL, NULL, NULL}, 200, NULL);
    assert_answer(&(tn_trial_t){"PUT", "/v1/things/a/parts/b", NULL, NULL, "{}", NULL}, 415,
                  "unsupported_media_type");
    assert_answer(
        &(tn_trial_t){"DELETE", "/v1/things/a/parts/b", NULL, "application/json", "{}", NULL}, 400,
        "invalid_body");
}

static void test_no_route(void **state)
{
    assert_answer(&(tn_trial_t){"GET", "/v1/nothing", NULL, NULL, NULL, NULL}, 404, "not_found");
    assert_answer(&(tn_trial_t){"GET", "/v1/things/%00", NULL, NULL, NULL, NULL}, 400,
                  "invalid_value");
    assert_answer(&(tn_trial_t){"PATCH", "/v1/things", NULL, NULL, NULL, NULL}, 405,
                  "method_not_allowed");
    tn_response_t response = dispatch(&(tn_trial_t){"PUT", "/v1/things", NULL, NULL, NULL, NULL});
    assert_string_equal(header_of(&response, "Allow"), "GET, HEAD, POST, OPTIONS");
    tn_response_deinit(&response);
    response = dispatch(&(tn_trial_t){"OPTIONS", "/v1/things", NULL, NULL, NULL, NULL});
    assert_int_equal(response.status, 204);
    assert_string_equal(header_of(&response, "Allow"), "GET, HEAD, POST, OPTIONS");
    assert_int_equal(response.body.length, 0);
    assert_null(response.content_type);
    tn_response_deinit(&response);
}

static void test_failures(void **state)
{
    assert_answer(&(tn_trial_t){"GET", "/v1/field", NULL, NULL, NULL, NULL}, 409, "conflict");
    assert_answer(&(tn_trial_t){"GET", "/v1/inside", NULL, NULL, NULL, NULL}, 500,
                  "internal_error");
    tn_response_t response = dispatch(&(tn_trial_t){"GET", "/v1/inside", NULL, NULL, NULL, NULL});
    assert_null(strstr(response.body.data, "secret"));
    tn_response_deinit(&response);
    response = dispatch(&(tn_trial_t){"GET", "/v1/field", NULL, NULL, NULL, NULL});
    assert_non_null(strstr(response.body.data, "\"field\":\"slug\""));
    assert_null(header_of(&response, "Retry-After"));
    tn_response_deinit(&response);
    response = dispatch(&(tn_trial_t){"GET", "/v1/unavailable", NULL, NULL, NULL, NULL});
    assert_string_equal(header_of(&response, "Retry-After"), "5");
    tn_response_deinit(&response);
}

static void test_document_or_page(void **state)
{
    static const struct {
        const char *path, *accept;
        bool is_page;
    } cases[] = {
        {"/v1/nothing", "text/html", false},
        {"/api/nothing", "text/html", false},
        {"/auth/page", NULL, true},
        {"/auth/nothing", "application/json", true},
        {"/nothing", "text/html,*/*;q=0.8", true},
        {"/nothing", "*/*", false},
        {"/nothing", NULL, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_response_t response =
            dispatch(&(tn_trial_t){"GET", cases[i].path, NULL, NULL, NULL, cases[i].accept});
        assert_string_equal(response.content_type, cases[i].is_page ? "text/html; charset=utf-8"
                                                                    : "application/problem+json");
        assert_in_range(response.status, 404, 503);
        tn_response_deinit(&response);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),     cmocka_unit_test(test_allow),
        cmocka_unit_test(test_params),   cmocka_unit_test(test_right),
        cmocka_unit_test(test_body),     cmocka_unit_test(test_no_route),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_document_or_page),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
