/*
 * Unit tests of control/http.h: raw bytes over a real socket, the framings among them that servers
 * read differently.
 */
#include "control/http.h"

#include "base/clock.h"
#include "base/str.h"
#include "control/listener.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char folder[64];
static char path[96];
static tn_listener_t listener;
static tn_http_t *http;
static atomic_int calls;
static atomic_int delay_ms;

/* Repeats method, path, query and the body's length. */
static void echo(const tn_request_t *request, tn_response_t *response, void *context)
{
    atomic_fetch_add(&calls, 1);
    int ms = atomic_load(&delay_ms);
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
    response->status = 200;
    response->content_type = "text/plain";
    tn_buf_add_format(&response->body, "%.*s %.*s", (int)request->method.length,
                      request->method.data, (int)request->path.length, request->path.data);
    for (size_t i = 0; i < request->query_count; i++) {
        tn_buf_add_format(&response->body, " [%.*s=%.*s]", (int)request->query[i].name.length,
                          request->query[i].name.data, (int)request->query[i].value.length,
                          request->query[i].value.data);
    }
    tn_buf_add_format(&response->body, " body=%zu", request->body.length);
    tn_response_header(response, "X-Echo", "yes");
}

static int start(void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tenantry-http-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    if (tn_listener_open(&listener, path, NULL) != TN_OK) {
        return -1;
    }
    tn_http_options_t options = {
        .listen_fd = listener.fd, .threads = 2, .timeout_s = 10, .handler = echo};
    listener.fd = -1;
    atomic_store(&calls, 0);
    atomic_store(&delay_ms, 0);
    return tn_http_start(&http, &options, NULL);
}

static int stop(void **state)
{
    tn_http_stop(http, 5000);
    http = NULL;
    tn_listener_close(&listener);
    return rmdir(folder);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval timeout = {.tv_sec = 10};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    return fd;
}

static void send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* the other side has had enough; its answer tells */
        }
        data += n;
        length -= (size_t)n;
    }
}

/* Everything until the other side closes, which it must; a static text. */
static const char *read_answer(int fd)
{
    static char text[65536];
    size_t used = 0;
    ssize_t n;
    do {
        n = recv(fd, text + used, sizeof(text) - 1 - used, 0);
        used += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    assert_true(n == 0 || errno == ECONNRESET);
    text[used] = '\0';
    return text;
}

static const char *ask(tn_str_t request)
{
    int fd = dial();
    send_all(fd, request.data, request.length);
    const char *answer = read_answer(fd);
    (void)close(fd);
    return answer;
}

static int status_of(const char *answer)
{
    int status = 0;
    (void)sscanf(answer, "HTTP/1.%*d %d", &status);
    return status;
}

static void test_whole_request(void **state)
{
    const char *answer = ask(TN_STR("GET /a%20b/%2F?x=1%202&y=a+b&z HTTP/1.1\r\nHost: x\r\n"
                                    "Connection: close\r\n\r\n"));
    assert_int_equal(status_of(answer), 200);
    /* nothing is decoded below the routes */
    assert_non_null(strstr(answer, "GET /a%20b/%2F [x=1%202] [y=a b] [z=] body=0"));
    assert_non_null(strstr(answer, "X-Echo: yes"));
    assert_non_null(strstr(answer, "Cache-Control: no-store"));
    assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff"));
    answer = ask(TN_STR("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Length: 13"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void test_bodies(void **state)
{
    const char *answer = ask(TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                                    "Connection: close\r\n\r\nhello"));
    assert_non_null(strstr(answer, "POST / body=5"));
    answer = ask(TN_STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                        "Connection: close\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"));
    assert_non_null(strstr(answer, "POST / body=5"));
    /* several on one connection */
    answer = ask(TN_STR("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
                        "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert_non_null(strstr(answer, "POST /1 body=1"));
    assert_non_null(strstr(answer, "GET /2 body=0"));
}

static void test_refused_framings(void **state)
{
    const tn_str_t cases[] = {
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
               "Content-Length: 4\r\n\r\n0\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4,4\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x4\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nabcd"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        TN_STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
               "Authorization: Bearer b\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost: x\r\nX-Tenant-Id: a\r\nX-Tenant-Id: b\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: a\r\nX-Forwarded-Host: b\r\n\r\n"),
        TN_STR("GET / HTTP/1.1\r\nHost: x\r\nX: a\x01"
               "b\r\n\r\n"),
        TN_STR("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        TN_STR("GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* read_answer ends: the connection is closed, so nothing behind it is taken for a request
         */
        const char *answer = ask(cases[i]);
        if (status_of(answer) != 400) {
            fail_msg("case %zu: %s\n%s", i, cases[i].data, answer);
        }
        assert_null(strstr(answer, "X-Echo"));
    }
    assert_int_equal(atomic_load(&calls), 0);
}

/* A request that hides behind a refused one's body is never served. */
static void test_nothing_is_smuggled(void **state)
{
    const char *answer = ask(TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 49\r\n"
                                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                                    "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(status_of(answer), 400);
    assert_null(strstr(answer, "hidden"));
    assert_int_equal(atomic_load(&calls), 0);
}

static const char *ask_with_body(size_t length)
{
    char head[128];
    int head_length = snprintf(head, sizeof(head),
                               "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n"
                               "Connection: close\r\n\r\n",
                               length);
    char *body = calloc(1, length);
    assert_non_null(body);
    int fd = dial();
    send_all(fd, head, (size_t)head_length);
    send_all(fd, body, length);
    const char *answer = read_answer(fd);
    (void)close(fd);
    free(body);
    return answer;
}

static void test_body_limit(void **state)
{
    assert_non_null(strstr(ask_with_body(TN_HTTP_BODY_MAX), "body=131072"));
    const char *answer = ask_with_body(TN_HTTP_BODY_MAX + 1);
    assert_int_equal(status_of(answer), 413);
    assert_non_null(strstr(answer, "urn:tenantry:problem:too_large"));
    assert_int_equal(status_of(ask_with_body(TN_HTTP_BODY_MAX + 500000)), 413);
    assert_int_equal(atomic_load(&calls), 1);
    /* far over it, the answer comes before the body */
    answer = ask(TN_STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"));
    assert_int_equal(status_of(answer), 413);
}

/* A body without a length and without an end is cut off. */
static void test_endless_chunks(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    char *chunk = malloc(65536 + 16);
    assert_non_null(chunk);
    int length = snprintf(chunk, 16, "10000\r\n");
    memset(chunk + length, 'a', 65536);
    memcpy(chunk + length + 65536, "\r\n", 2);
    int fd = dial();
    send_all(fd, head, sizeof(head) - 1);
    bool is_cut = false;
    for (int i = 0; i < 200 && !is_cut; i++) {
        is_cut = send(fd, chunk, (size_t)length + 65538, MSG_NOSIGNAL) < 0;
    }
    assert_true(is_cut);
    (void)close(fd);
    free(chunk);
    assert_int_equal(atomic_load(&calls), 0);
}

static void test_many_headers(void **state)
{
    tn_buf_t request;
    tn_buf_init(&request);
    tn_buf_add_text(&request, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < TN_HTTP_HEADERS_MAX; i++) {
        tn_buf_add_format(&request, "X-%d: y\r\n", i);
    }
    tn_buf_add_text(&request, "\r\n");
    const char *answer = ask((tn_str_t){request.data, request.length});
    assert_int_equal(status_of(answer), 431);
    tn_buf_deinit(&request);
}

/* Stopping lets what has begun finish, and then accepts nobody. */
static void test_stop_finishes_requests(void **state)
{
    static const char request[] = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    atomic_store(&delay_ms, 300);
    int idle = dial();
    int fd = dial();
    send_all(fd, request, sizeof(request) - 1);
    int64_t until_ms = tn_clock_steady_ms() + 5000;
    while (atomic_load(&calls) == 0 && tn_clock_steady_ms() < until_ms) {
        (void)usleep(1000);
    }
    assert_int_equal(atomic_load(&calls), 1);
    tn_http_stop(http, 5000);
    http = NULL;
    const char *answer = read_answer(fd);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "GET /slow body=0"));
    assert_non_null(strstr(answer, "Connection: close"));
    (void)close(fd);
    (void)close(idle);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_not_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_request, start, stop),
        cmocka_unit_test_setup_teardown(test_bodies, start, stop),
        cmocka_unit_test_setup_teardown(test_refused_framings, start, stop),
        cmocka_unit_test_setup_teardown(test_nothing_is_smuggled, start, stop),
        cmocka_unit_test_setup_teardown(test_body_limit, start, stop),
        cmocka_unit_test_setup_teardown(test_endless_chunks, start, stop),
        cmocka_unit_test_setup_teardown(test_many_headers, start, stop),
        cmocka_unit_test_setup_teardown(test_stop_finishes_requests, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
