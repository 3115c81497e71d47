/*
 * Unit tests of cli/client.h that need no daemon: paths and queries, and what is said when there is
 * none. Calls that are answered are tested end to end.
 */
#include "cli/client.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_paths(void **state)
{
    tn_buf_t path;
    tn_buf_init(&path);
    tn_client_add_segment(&path, "v1");
    tn_client_add_segment(&path, "a b/c?d#é");
    tn_client_add_segment(&path, "..");
    tn_client_add_query(&path, "limit", "10");
    tn_client_add_query(&path, "cursor", "a=b&c");
    assert_string_equal(path.data, "/v1/a%20b%2Fc%3Fd%23%C3%A9/..?limit=10&cursor=a%3Db%26c");
    tn_buf_deinit(&path);
}

static void test_no_daemon(void **state)
{
    char folder[] = "/tmp/tenantry-client-XXXXXX";
    char socket[64];
    char token[64];
    tn_client_t *client;
    tn_reply_t reply;
    tn_err_t err;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket, sizeof(socket), "%s/serve.sock", folder);
    (void)snprintf(token, sizeof(token), "%s/operator.token", folder);
    const tn_conf_t conf = {.socket = socket, .operator_token = token};

    assert_int_equal(tn_client_open(&client, &conf, NULL), TN_OK);
    const tn_call_t call = {.method = "GET", .path = "/v1/status"};
    assert_int_equal(tn_client_call(&reply, client, &call, &err), TN_EUNAVAILABLE);
    assert_non_null(strstr(err.detail, socket));
    assert_non_null(strstr(err.detail, "tenantry serve"));
    tn_client_close(client);

    assert_int_equal(tn_file_write(token, "\n", 1, 0600, NULL), TN_OK);
    assert_int_equal(tn_client_open(&client, &conf, &err), TN_EPERM);
    assert_non_null(strstr(err.detail, "holds no operator's token"));
    assert_int_equal(tn_file_write(token, "a\r\nX-Injected: 1\n", 17, 0600, NULL), TN_OK);
    assert_int_equal(tn_client_open(&client, &conf, NULL), TN_OK);
    tn_client_close(client);
    assert_int_equal(unlink(token), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_long_socket(void **state)
{
    char socket[200] = "/";
    char token[] = "/nowhere";
    tn_client_t *client;
    tn_err_t err;
    memset(socket + 1, 'x', sizeof(socket) - 2);
    const tn_conf_t conf = {.socket = socket, .operator_token = token};
    assert_int_equal(tn_client_open(&client, &conf, &err), TN_EINVAL);
    assert_non_null(strstr(err.detail, "longer than 107 bytes"));
    tn_client_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_no_daemon),
        cmocka_unit_test(test_long_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
