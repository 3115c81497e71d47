/*
 * HTTP by libmicrohttpd; see http.h. The library calls on_request once when the headers are there,
 * for each piece of the body, and once more at its end; what belongs to a request is kept in an
 * exchange between these calls and freed in on_completed.
 *
 * The library is laxer than nginx in what it takes (two Host headers, two Content-Length, both
 * framings at once), so the checks are here.
 */
#include "control/http.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTION_MEMORY = 64 * 1024, /* request line and headers; more is answered 431 */
    CONNECTION_LIMIT = 512,
    /* a body over the limit is read up to here, so that the answer arrives; then the line is cut */
    DISCARDED_MAX = TN_HTTP_BODY_MAX + 1024 * 1024,
    QUERY_MAX = 32,
};

struct tn_http {
    tn_http_options_t options;
    struct MHD_Daemon *daemon;
    atomic_uint in_flight;
    atomic_bool is_stopping;
};

typedef struct {
    tn_http_t *http;
    tn_request_t request;
    tn_response_t response;
    tn_header_t headers[TN_HTTP_HEADERS_MAX];
    tn_header_t query[QUERY_MAX];
    bool has_too_many;
    tn_buf_t body;
    uint64_t received;
} tn_http_exchange_t;

/* Headers that have one value; two of them are read differently by different readers. */
static const char *const single_headers[] = {
    "Host",        "Content-Length",   "Transfer-Encoding", "Authorization", "Content-Type",
    "X-Tenant-Id", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Tenant-Slug", "X-Tenant-Domain",
};

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      size_t name_length, const char *value, size_t value_length)
{
    tn_http_exchange_t *exchange = context;
    size_t *count =
        kind == MHD_HEADER_KIND ? &exchange->request.header_count : &exchange->request.query_count;
    tn_header_t *list = kind == MHD_HEADER_KIND ? exchange->headers : exchange->query;
    size_t max = kind == MHD_HEADER_KIND ? TN_HTTP_HEADERS_MAX : QUERY_MAX;
    if (*count == max) {
        exchange->has_too_many = true;
        return MHD_NO;
    }
    list[(*count)++] = (tn_header_t){
        {name, name_length}, {value == NULL ? "" : value, value == NULL ? 0 : value_length}};
    return MHD_YES;
}

static bool has_control_bytes(tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

/* The Content-Length, 0 without one; false when it is no number. */
static bool content_length(uint64_t *out, const tn_request_t *request)
{
    tn_str_t text = tn_request_header(request, "Content-Length");
    *out = 0;
    return tn_request_header_count(request, "Content-Length") == 0 ||
           tn_str_number(out, text, INT64_MAX) == TN_OK;
}

/* What is wrong with the way this request is framed, NULL when nothing is (RFC 9112 section 6.3).
 */
static const char *framing_fault(const tn_request_t *request)
{
    uint64_t length;
    tn_str_t encoding = tn_request_header(request, "Transfer-Encoding");
    bool has_encoding = tn_request_header_count(request, "Transfer-Encoding") > 0;
    if (request->path.length == 0 || request->path.data[0] != '/') {
        return "the request target must be a path";
    }
    if (tn_request_header(request, "Host").length == 0) {
        return "there must be a Host header";
    }
    if (!content_length(&length, request)) {
        return "the Content-Length is not a number";
    }
    if (has_encoding && !tn_str_equal_nocase(encoding, TN_STR("chunked"))) {
        return "the only Transfer-Encoding is chunked";
    }
    if (has_encoding && tn_request_header_count(request, "Content-Length") > 0) {
        return "Content-Length and Transfer-Encoding exclude each other";
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (has_control_bytes(request->headers[i].value)) {
            return "a header has a control character in it";
        }
    }
    return NULL;
}

/* True, with a problem in the response, when a request is refused before its body is read. */
static bool is_refused(tn_http_exchange_t *exchange)
{
    const tn_request_t *request = &exchange->request;
    uint64_t length = 0;
    for (size_t i = 0; i < sizeof(single_headers) / sizeof(single_headers[0]); i++) {
        if (tn_request_header_count(request, single_headers[i]) > 1) {
            tn_response_problem(&exchange->response, TN_PROBLEM_BAD_REQUEST,
                                "there is more than one %s header", single_headers[i]);
            return true;
        }
    }
    const char *fault = framing_fault(request);
    if (exchange->has_too_many) {
        tn_response_problem(&exchange->response, TN_PROBLEM_HEADERS_TOO_LARGE,
                            "more than %d headers or %d parameters", TN_HTTP_HEADERS_MAX,
                            QUERY_MAX);
    } else if (fault != NULL) {
        tn_response_problem(&exchange->response, TN_PROBLEM_BAD_REQUEST, "%s", fault);
    } else if (content_length(&length, request) && length > DISCARDED_MAX) {
        tn_response_problem(&exchange->response, TN_PROBLEM_TOO_LARGE,
                            "a body has at most %d bytes", TN_HTTP_BODY_MAX);
    }
    return exchange->response.problem != NULL;
}

static tn_http_exchange_t *begin_exchange(tn_http_t *http, struct MHD_Connection *connection,
                                          const char *path, const char *method)
{
    tn_http_exchange_t *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL) {
        return NULL;
    }
    exchange->http = http;
    exchange->request = (tn_request_t){
        .method = tn_str(method),
        .path = tn_str(path),
        .headers = exchange->headers,
        .query = exchange->query,
        .body = TN_STR(""),
    };
    tn_response_init(&exchange->response);
    tn_buf_init(&exchange->body);
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_header, exchange);
    (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, collect_header, exchange);
    atomic_fetch_add(&http->in_flight, 1);
    return exchange;
}

static enum MHD_Result send_response(struct MHD_Connection *connection,
                                     tn_http_exchange_t *exchange)
{
    tn_response_t *response = &exchange->response;
    size_t length = 0;
    char *data = tn_buf_take(&response->body, &length);
    if (data == NULL) {
        return MHD_NO;
    }
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(length, data, MHD_RESPMEM_MUST_FREE);
    if (answer == NULL) {
        free(data);
        return MHD_NO;
    }
    /* nothing the daemon says is for a cache, or for a browser to guess the type of */
    bool is_made = MHD_add_response_header(answer, "Cache-Control", "no-store") == MHD_YES &&
                   MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff") == MHD_YES;
    for (size_t i = 0; i < response->header_count; i++) {
        is_made &= MHD_add_response_header(answer, response->headers[i].name,
                                           response->headers[i].value) == MHD_YES;
    }
    if (response->content_type != NULL) {
        is_made &= MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE,
                                           response->content_type) == MHD_YES;
    }
    if (response->closes_connection || atomic_load(&exchange->http->is_stopping)) {
        is_made &= MHD_add_response_header(answer, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    }
    enum MHD_Result result =
        is_made ? MHD_queue_response(connection, response->status, answer) : MHD_NO;
    MHD_destroy_response(answer);
    return result;
}

/* Problems of the framing are found below the routes and told in the same form. The connection
 * ends: what follows on it cannot be told apart from this request's body. */
static enum MHD_Result refuse(struct MHD_Connection *connection, tn_http_exchange_t *exchange)
{
    tn_response_t *response = &exchange->response;
    response->content_type = "application/problem+json";
    response->closes_connection = true;
    tn_problem_write(&response->body, response->problem, exchange->request.path, "",
                     response->problem_detail);
    return send_response(connection, exchange);
}

/* Keeps a piece of the body, or counts it when there is too much. */
static enum MHD_Result collect_body(tn_http_exchange_t *exchange, const char *data, size_t *length)
{
    exchange->received += *length;
    if (exchange->received > DISCARDED_MAX) {
        return MHD_NO;
    }
    if (exchange->received <= TN_HTTP_BODY_MAX) {
        tn_buf_add(&exchange->body, data, *length);
    }
    *length = 0;
    return tn_buf_failed(&exchange->body) ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *length, void **state)
{
    tn_http_t *http = context;
    tn_http_exchange_t *exchange = *state;
    if (exchange == NULL) {
        exchange = begin_exchange(http, connection, path, method);
        *state = exchange;
        if (exchange == NULL) {
            return MHD_NO;
        }
        return is_refused(exchange) ? refuse(connection, exchange) : MHD_YES;
    }
    if (*length > 0) {
        return collect_body(exchange, data, length);
    }
    if (exchange->received > TN_HTTP_BODY_MAX) {
        tn_response_problem(&exchange->response, TN_PROBLEM_TOO_LARGE,
                            "a body has at most %d bytes", TN_HTTP_BODY_MAX);
        return refuse(connection, exchange);
    }
    if (exchange->body.length > 0) {
        exchange->request.body = (tn_str_t){exchange->body.data, exchange->body.length};
    }
    http->options.handler(&exchange->request, &exchange->response, http->options.context);
    return send_response(connection, exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    tn_http_exchange_t *exchange = *state;
    if (exchange != NULL) {
        tn_response_deinit(&exchange->response);
        tn_buf_deinit(&exchange->body);
        free(exchange);
        *state = NULL;
        atomic_fetch_sub(&((tn_http_t *)context)->in_flight, 1);
    }
}

/* Paths and parameters are decoded by the routes, who refuse what this library lets through. */
static size_t keep_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_library_log(void *context, const char *format,
                                                                 va_list args)
{
    char text[256];
    (void)vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    tn_log_write(context, TN_LOG_INFO, "http, %s", text);
}

int tn_http_start(tn_http_t **out, const tn_http_options_t *options, tn_err_t *err)
{
    tn_http_t *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        (void)close(options->listen_fd);
        return tn_err_set(err, TN_ENOMEM, "no memory for HTTP");
    }
    http->options = *options;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        http, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, options->log, MHD_OPTION_LISTEN_SOCKET,
        options->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, options->threads,
        MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTION_LIMIT,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_END);
    if (http->daemon == NULL) {
        (void)close(options->listen_fd);
        free(http);
        return tn_err_set(err, TN_EIO, "cannot start to serve HTTP");
    }
    *out = http;
    return TN_OK;
}

void tn_http_stop(tn_http_t *http, int64_t grace_ms)
{
    if (http == NULL) {
        return;
    }
    atomic_store(&http->is_stopping, true);
    int listen_fd = MHD_quiesce_daemon(http->daemon);
    int64_t until_ms = tn_clock_steady_ms() + grace_ms;
    const struct timespec pause = {.tv_nsec = 5000000};
    while (atomic_load(&http->in_flight) > 0 && tn_clock_steady_ms() < until_ms) {
        (void)nanosleep(&pause, NULL);
    }
    MHD_stop_daemon(http->daemon);
    if (listen_fd >= 0) {
        (void)close(listen_fd);
    }
    free(http);
}
