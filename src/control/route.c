/*
 * Routing; see route.h.
 */
#include "control/route.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "control/page.h"
#include "control/percent.h"

#include <stdio.h>

/* Cuts the segment before the next '/' off *rest, which begins with one. False at the end. */
static bool next_segment(tn_str_t *segment, tn_str_t *rest)
{
    if (rest->length == 0 || rest->data[0] != '/') {
        return false;
    }
    const char *begin = rest->data + 1;
    const char *end = memchr(begin, '/', rest->length - 1);
    size_t length = end == NULL ? rest->length - 1 : (size_t)(end - begin);
    *segment = (tn_str_t){begin, length};
    *rest = (tn_str_t){begin + length, rest->length - 1 - length};
    return true;
}

static bool is_param(tn_str_t segment)
{
    return segment.length > 0 && segment.data[0] == '{';
}

static bool matches(const char *pattern, tn_str_t path)
{
    tn_str_t expected = tn_str(pattern);
    tn_str_t want, have;
    while (next_segment(&want, &expected)) {
        if (!next_segment(&have, &path)) {
            return false;
        }
        if (is_param(want) ? have.length == 0 : !tn_str_equal(want, have)) {
            return false;
        }
    }
    return path.length == 0;
}

/* HEAD is GET without the body, which is left away when the response is sent. */
static tn_str_t routed_method(tn_str_t method)
{
    return tn_str_equal(method, TN_STR("HEAD")) ? TN_STR("GET") : method;
}

static void allow_method(tn_buf_t *allow, const char *method)
{
    tn_buf_add_format(allow, "%s%s", allow->length == 0 ? "" : ", ", method);
    if (strcmp(method, "GET") == 0) {
        tn_buf_add_text(allow, ", HEAD");
    }
}

tn_route_match_t tn_route_find(const tn_route_t **out, tn_buf_t *allow, const tn_route_t *table,
                               tn_str_t method, tn_str_t path)
{
    tn_route_match_t match = TN_ROUTE_NO_PATH;
    for (const tn_route_t *route = table; route->method != NULL; route++) {
        if (!matches(route->pattern, path)) {
            continue;
        }
        if (allow != NULL) {
            allow_method(allow, route->method);
        }
        if (tn_str_equal(tn_str(route->method), routed_method(method))) {
            *out = route;
            match = TN_ROUTE_FOUND;
        } else if (match == TN_ROUTE_NO_PATH) {
            match = TN_ROUTE_NO_METHOD;
        }
    }
    if (match != TN_ROUTE_NO_PATH && allow != NULL) {
        tn_buf_add_text(allow, ", OPTIONS");
    }
    return match;
}

int tn_route_params(char params[TN_ROUTE_PARAMS_MAX][TN_ROUTE_PARAM_SIZE], const char *pattern,
                    tn_str_t path, tn_err_t *err)
{
    tn_str_t expected = tn_str(pattern);
    tn_str_t want, have;
    size_t count = 0;
    while (next_segment(&want, &expected) && next_segment(&have, &path)) {
        if (!is_param(want) || count == TN_ROUTE_PARAMS_MAX) {
            continue;
        }
        char name[32];
        (void)snprintf(name, sizeof(name), "%.*s", (int)want.length - 2, want.data + 1);
        int code = tn_percent_decode(params[count++], TN_ROUTE_PARAM_SIZE, have, true, name, err);
        if (code != TN_OK) {
            return code;
        }
    }
    return TN_OK;
}

/* application/json, with no parameter but charset=utf-8 (RFC 8259 knows none). */
static bool is_json_type(tn_str_t type)
{
    const char *semicolon = memchr(type.data, ';', type.length);
    size_t length = semicolon == NULL ? type.length : (size_t)(semicolon - type.data);
    if (!tn_str_equal_nocase(tn_str_trim((tn_str_t){type.data, length}),
                             TN_STR("application/json"))) {
        return false;
    }
    if (semicolon == NULL) {
        return true;
    }
    tn_str_t parameter = tn_str_trim((tn_str_t){semicolon + 1, type.length - length - 1});
    return parameter.length == 0 || tn_str_equal_nocase(parameter, TN_STR("charset=utf-8")) ||
           tn_str_equal_nocase(parameter, TN_STR("charset=\"utf-8\""));
}

/* Reads the body as the route wants it. False when the response has the problem with it. */
static bool read_body(tn_exchange_t *exchange, const tn_route_t *route)
{
    tn_str_t text = exchange->request->body;
    tn_response_t *response = exchange->response;
    tn_err_t err = {0};
    if (route->fields == NULL && text.length > 0) {
        tn_response_problem(response, TN_PROBLEM_INVALID_BODY, "this request takes no body");
        return false;
    }
    if (route->fields == NULL || (text.length == 0 && route->is_body_optional)) {
        return true;
    }
    if (!is_json_type(tn_request_header(exchange->request, "Content-Type"))) {
        tn_response_problem(response, TN_PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                            "the Content-Type must be application/json");
        return false;
    }
    int code = tn_json_read(&exchange->body, text, route->fields, &err);
    if (code == TN_EINVAL && err.field[0] == '\0') {
        tn_response_problem(response, TN_PROBLEM_INVALID_BODY, "%s", err.detail);
    } else if (code != TN_OK) {
        tn_response_error(response, code, &err);
    }
    return code == TN_OK;
}

static bool has_right(tn_exchange_t *exchange, const tn_route_t *route)
{
    tn_str_t given = tn_request_header(exchange->request, "Authorization");
    char address[TN_ADDRESS_SIZE];
    exchange->is_operator =
        given.length > 0 && tn_operator_check(&exchange->control->operator_token, given);
    if (given.length > 0 && !exchange->is_operator && route->right == TN_RIGHT_OPERATOR) {
        tn_log_write(exchange->control->log, TN_LOG_WARNING,
                     "auth, refused a token (from %s, %s %s)",
                     tn_request_address(address, exchange->request), route->method, route->pattern);
    }
    if (route->right == TN_RIGHT_PUBLIC || exchange->is_operator) {
        return true;
    }
    tn_response_problem(exchange->response, TN_PROBLEM_UNAUTHENTICATED, "%s",
                        given.length > 0 ? "this is not the operator's token"
                                         : "this needs the operator's token: Authorization: "
                                           "Bearer TOKEN");
    return false;
}

static void run_handler(tn_exchange_t *exchange, const tn_route_t *route)
{
    tn_err_t err = {0};
    int code = tn_route_params(exchange->params, route->pattern, exchange->request->path, &err);
    if (code == TN_OK) {
        code = route->handler(exchange, &err);
    }
    if (code == TN_OK) {
        return;
    }
    tn_response_error(exchange->response, code, &err);
    if (exchange->response->status != 500) {
        return;
    }
    /* what failed inside is for the operator's log, not for whoever asked */
    tn_log_write(exchange->control->log, TN_LOG_ERROR, "http, failed '%s %s' (%s)", route->method,
                 route->pattern, err.detail[0] == '\0' ? tn_error_text(code) : err.detail);
    tn_response_problem(exchange->response, TN_PROBLEM_INTERNAL_ERROR,
                        "the daemon's log says what failed");
}

static void answer(tn_exchange_t *exchange, const tn_route_t *table)
{
    const tn_request_t *request = exchange->request;
    tn_response_t *response = exchange->response;
    const tn_route_t *route = NULL;
    tn_buf_t allow;
    tn_buf_init(&allow);
    tn_route_match_t match = tn_route_find(&route, &allow, table, request->method, request->path);
    bool is_options = tn_str_equal(request->method, TN_STR("OPTIONS"));
    if (match == TN_ROUTE_NO_PATH) {
        tn_response_problem(response, TN_PROBLEM_NOT_FOUND, "there is nothing at this path");
    } else if (match == TN_ROUTE_NO_METHOD) {
        tn_response_header(response, "Allow", "%s", allow.data == NULL ? "" : allow.data);
        response->status = 204;
        if (!is_options) {
            tn_response_problem(response, TN_PROBLEM_METHOD_NOT_ALLOWED,
                                "this path answers other methods; see Allow");
        }
    } else if (has_right(exchange, route) && read_body(exchange, route)) {
        run_handler(exchange, route);
    }
    tn_buf_deinit(&allow);
}

static bool is_api_path(tn_str_t path)
{
    return tn_str_starts(path, TN_STR("/api/")) || tn_str_starts(path, TN_STR("/v1/"));
}

/* Programs get a document, people a page: the API's paths belong to programs, /auth to people, and
 * elsewhere Accept tells. */
static bool wants_page(const tn_request_t *request)
{
    if (is_api_path(request->path)) {
        return false;
    }
    return tn_str_starts(request->path, TN_STR("/auth/")) ||
           tn_accept_names_html(tn_request_header(request, "Accept"));
}

static void write_problem(const tn_request_t *request, tn_response_t *response)
{
    const tn_problem_t *problem = response->problem;
    if (problem->retry_after_s > 0) {
        tn_response_header(response, "Retry-After", "%u", problem->retry_after_s);
    }
    if (problem->status == 401) {
        tn_response_header(response, "WWW-Authenticate", "Bearer realm=\"tenantry\"");
    }
    if (wants_page(request)) {
        tn_page_problem(response, request);
        return;
    }
    if (!is_api_path(request->path)) {
        tn_response_header(response, "Vary", "Accept");
    }
    response->content_type = "application/problem+json";
    tn_problem_write(&response->body, problem, request->path, response->problem_field,
                     response->problem_detail);
}

void tn_route_dispatch(tn_control_t *control, const tn_route_t *table, const tn_request_t *request,
                       tn_response_t *response)
{
    tn_exchange_t exchange = {.control = control, .request = request, .response = response};
    int64_t begin_ms = tn_clock_steady_ms();
    answer(&exchange, table);
    json_decref(exchange.body);
    if (response->problem != NULL) {
        write_problem(request, response);
    }
    tn_log_write(control->log, TN_LOG_DEBUG, "http, answered '%.*s %.*s' (%u, %lld ms)",
                 (int)request->method.length, request->method.data, (int)request->path.length,
                 request->path.data, response->status,
                 (long long)(tn_clock_steady_ms() - begin_ms));
}
