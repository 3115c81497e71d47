/*
 * Unit tests of control/serve.h: starting, stopping, and what is left behind. Runs in this process,
 * so that sanitizers see the whole daemon.
 */
#include "daemon.h"

#include "base/file.h"
#include "base/str.h"
#include "control/routes.h"
#include "control/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_files(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char *text = NULL;
    char pid[32];
    assert_int_equal(mode_of(daemon->conf.socket), 0660);
    assert_int_equal(mode_of(daemon->conf.operator_token), 0600);
    assert_int_equal(mode_of(daemon->conf.token_key), 0600);
    assert_int_equal(mode_of(daemon->database) & 07, 0);
    assert_int_equal(tn_file_read(&text, NULL, daemon->conf.pid_file, 64, NULL), TN_OK);
    (void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    assert_string_equal(text, pid);
    free(text);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    assert_int_not_equal(access(daemon->conf.socket, F_OK), 0);
    assert_int_not_equal(access(daemon->conf.pid_file, F_OK), 0);
    /* it is all there again */
    char token[64];
    memcpy(token, daemon->token, sizeof(token));
    tn_test_daemon_start(daemon);
    assert_string_equal(daemon->token, token);
}

static void test_data_stays(void **state)
{
    tn_test_daemon_t *daemon = *state;
    tn_test_expect(daemon, "POST", "/v1/tenants", "{\"slug\":\"stays\",\"name\":\"x\"}", 201, "");
    tn_test_answer_t before = tn_test_ask(daemon, "GET", "/v1/status", NULL);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    tn_test_daemon_start(daemon);
    tn_test_answer_t after = tn_test_ask(daemon, "GET", "/v1/status", NULL);
    assert_string_equal(before.text, after.text);
    tn_test_answer_deinit(&before);
    tn_test_answer_deinit(&after);
    tn_test_expect(daemon, "GET", "/v1/tenants/stays", NULL, 200, "");
}

/* A second daemon over the same state goes away by itself, and does no harm. */
static void test_second_daemon(void **state)
{
    tn_test_daemon_t *daemon = *state;
    tn_test_log_begin(daemon);
    int code = tn_serve(&daemon->conf);
    char *log = tn_test_log_end(daemon);
    assert_int_equal(code, 1);
    assert_non_null(strstr(log, "daemon, cannot start (a daemon runs already, as process"));
    free(log);
    tn_test_expect(daemon, "GET", "/healthz", NULL, 200, "");
    assert_int_equal(access(daemon->conf.pid_file, F_OK), 0);
}

static void test_cannot_start(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char *token = NULL;
    size_t length = 0;
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    const char *path = daemon->conf.operator_token;
    assert_int_equal(tn_file_read(&token, &length, path, 256, NULL), TN_OK);
    /* a token that others may read */
    assert_int_equal(chmod(path, 0644), 0);
    tn_test_log_begin(daemon);
    int code = tn_serve(&daemon->conf);
    char *log = tn_test_log_end(daemon);
    assert_int_equal(code, 1);
    assert_non_null(strstr(log, "0600"));
    assert_null(strstr(log, daemon->token));
    free(log);
    /* and what is none */
    assert_int_equal(tn_file_write(path, "x\n", 2, 0600, NULL), TN_OK);
    tn_test_log_begin(daemon);
    code = tn_serve(&daemon->conf);
    free(tn_test_log_end(daemon));
    assert_int_equal(code, 1);
    assert_int_equal(tn_file_write(path, token, length, 0600, NULL), TN_OK);
    free(token);
    /* signing keys that are none */
    char *keys = NULL;
    assert_int_equal(tn_file_read(&keys, &length, daemon->conf.token_key, 65536, NULL), TN_OK);
    assert_int_equal(tn_file_write(daemon->conf.token_key, "{}", 2, 0600, NULL), TN_OK);
    tn_test_log_begin(daemon);
    code = tn_serve(&daemon->conf);
    free(tn_test_log_end(daemon));
    assert_int_equal(code, 1);
    assert_int_equal(tn_file_write(daemon->conf.token_key, keys, length, 0600, NULL), TN_OK);
    free(keys);
    /* nothing of these attempts is in the way */
    assert_int_not_equal(access(daemon->conf.pid_file, F_OK), 0);
    tn_test_daemon_start(daemon);
}

static void test_secrets_are_not_logged(void **state)
{
    tn_test_daemon_t *daemon = *state;
    tn_test_log_begin(daemon);
    tn_test_expect(daemon, "POST", "/v1/tenants",
                   "{\"slug\":\"quiet\",\"name\":\"x\",\"settings\":{\"k\":\"secret-of-a-body\"}}",
                   201, "");
    tn_test_expect(daemon, "POST", "/v1/tenants", "{\"secret-of-a-body\":1}", 400, "invalid_value");
    tn_test_call_t call = {
        .method = "GET",
        .path = "/v1/tenants",
        .is_anonymous = true,
        .headers = {"Authorization: Bearer tno_wrong-token-of-somebody"},
    };
    tn_test_answer_t answer = tn_test_call(daemon, &call);
    assert_int_equal(answer.status, 401);
    tn_test_answer_deinit(&answer);
    char *log = tn_test_log_end(daemon);
    assert_non_null(strstr(log, "tenant, created 'quiet'"));
    assert_non_null(strstr(log, "auth, refused a token (from local"));
    assert_null(strstr(log, "wrong-token"));
    assert_null(strstr(log, "secret-of-a-body"));
    assert_null(strstr(log, daemon->token));
    free(log);
}

/* Every route of the operator's asks for the operator, whatever else is wrong. */
static void test_operators_routes(void **state)
{
    for (const tn_route_t *route = tn_routes; route->method != NULL; route++) {
        tn_test_call_t call = {
            .method = route->method,
            .path = route->pattern, /* braces and all: a name like any other */
            .is_anonymous = true,
        };
        tn_test_answer_t answer = tn_test_call(*state, &call);
        if ((answer.status == 401) != (route->right == TN_RIGHT_OPERATOR)) {
            fail_msg("%s %s: %ld", route->method, route->pattern, answer.status);
        }
        tn_test_answer_deinit(&answer);
    }
}

/* HEAD and OPTIONS come with every GET. */
static void test_head_and_options(void **state)
{
    for (const tn_route_t *route = tn_routes; route->method != NULL; route++) {
        if (strchr(route->pattern, '{') != NULL) {
            continue;
        }
        tn_test_answer_t answer = tn_test_ask(*state, "OPTIONS", route->pattern, NULL);
        assert_int_equal(answer.status, 204);
        assert_non_null(strstr(tn_test_header_of(&answer, "Allow"), route->method));
        tn_test_answer_deinit(&answer);
        if (strcmp(route->method, "GET") == 0) {
            tn_test_answer_t get = tn_test_ask(*state, "GET", route->pattern, NULL);
            tn_test_answer_t head = tn_test_ask(*state, "HEAD", route->pattern, NULL);
            assert_int_equal(head.status, get.status);
            assert_string_equal(head.text, "");
            tn_test_answer_deinit(&get);
            tn_test_answer_deinit(&head);
        }
    }
}

enum { WRITERS = 6, WRITES = 20 };

typedef struct {
    const tn_test_daemon_t *daemon;
    int number;
    int written;
    int64_t generations[WRITES];
} writer_t;

static void *write_tenants(void *context)
{
    writer_t *writer = context;
    for (int i = 0; i < WRITES; i++) {
        char body[96];
        (void)snprintf(body, sizeof(body), "{\"slug\":\"w%d-%d\",\"name\":\"x\"}", writer->number,
                       i);
        tn_test_answer_t answer = tn_test_ask(writer->daemon, "POST", "/v1/tenants", body);
        if (answer.status == 201 && json_is_true(tn_test_member(&answer, "published"))) {
            writer->generations[writer->written++] =
                json_integer_value(tn_test_member(&answer, "generation"));
        }
        tn_test_answer_deinit(&answer);
        answer = tn_test_ask(writer->daemon, "GET", "/api/tenant/cache?limit=5", NULL);
        tn_test_answer_deinit(&answer);
    }
    return NULL;
}

/* Everyone's writes are made, each with a generation of its own, in order for who made them. */
static void test_many_writers(void **state)
{
    writer_t writers[WRITERS] = {0};
    pthread_t threads[WRITERS];
    bool seen[WRITERS * WRITES + 1] = {false};
    tn_test_answer_t answer = tn_test_ask(*state, "GET", "/v1/status", NULL);
    int64_t first = tn_test_number_of(&answer, "database.generation");
    tn_test_answer_deinit(&answer);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer_t){.daemon = *state, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_tenants, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].written, WRITES);
        for (int j = 0; j < WRITES; j++) {
            int64_t offset = writers[i].generations[j] - first;
            assert_in_range(offset, 1, WRITERS * WRITES);
            assert_false(seen[offset]);
            seen[offset] = true;
            assert_true(j == 0 || writers[i].generations[j] > writers[i].generations[j - 1]);
        }
    }
    answer = tn_test_ask(*state, "GET", "/v1/status", NULL);
    assert_int_equal(tn_test_number_of(&answer, "directory.generation"), first + WRITERS * WRITES);
    tn_test_answer_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_data_stays),
        cmocka_unit_test(test_second_daemon),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_secrets_are_not_logged),
        cmocka_unit_test(test_operators_routes),
        cmocka_unit_test(test_head_and_options),
        cmocka_unit_test(test_many_writers),
    };
    return cmocka_run_group_tests(tests, tn_test_daemon_setup, tn_test_daemon_teardown);
}
