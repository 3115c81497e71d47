/*
 * Unit tests of control/listener.h.
 */
#include "control/listener.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char folder[64];
static char path[96];

static int set_up(void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tenantry-listener-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/serve.sock", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(path);
    return rmdir(folder);
}

static bool exists(void)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

/* A connection to the socket, -1 when nobody answers. */
static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void test_mode_and_removal(void **state)
{
    tn_listener_t listener;
    struct stat info;
    mode_t before = umask(022);
    assert_int_equal(tn_listener_open(&listener, path, NULL), TN_OK);
    assert_int_equal(umask(before), 022);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 07777, 0660);
    assert_int_not_equal(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC, 0);
    int client = dial();
    assert_true(client >= 0);
    (void)close(client);
    tn_listener_close(&listener);
    assert_false(exists());
    tn_listener_close(&listener);
}

static void test_answered_socket_is_left_alone(void **state)
{
    tn_listener_t first, second = {.fd = -1};
    tn_err_t err = {0};
    assert_int_equal(tn_listener_open(&first, path, NULL), TN_OK);
    assert_int_equal(tn_listener_open(&second, path, &err), TN_EBUSY);
    assert_non_null(strstr(err.detail, path));
    int client = dial();
    assert_true(client >= 0);
    (void)close(client);
    tn_listener_close(&second);
    assert_true(exists());
    tn_listener_close(&first);
}

static void test_stale_socket_is_replaced(void **state)
{
    tn_listener_t listener;
    assert_int_equal(tn_listener_open(&listener, path, NULL), TN_OK);
    (void)close(listener.fd); /* as a killed daemon leaves it */
    assert_true(exists());
    assert_int_equal(dial(), -1);
    assert_int_equal(tn_listener_open(&listener, path, NULL), TN_OK);
    int client = dial();
    assert_true(client >= 0);
    (void)close(client);
    tn_listener_close(&listener);
}

static void test_other_files_are_left_alone(void **state)
{
    tn_listener_t listener;
    tn_err_t err = {0};
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(tn_listener_open(&listener, path, &err), TN_ECONFLICT);
    assert_true(exists());
}

static void test_what_is_not_ours_any_more_stays(void **state)
{
    tn_listener_t first, second;
    assert_int_equal(tn_listener_open(&first, path, NULL), TN_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tn_listener_open(&second, path, NULL), TN_OK);
    tn_listener_close(&first);
    assert_true(exists());
    tn_listener_close(&second);
    assert_false(exists());
}

static void test_refused_paths(void **state)
{
    tn_listener_t listener;
    char text[256];
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[108] = '\0';
    assert_int_equal(tn_listener_open(&listener, text, NULL), TN_ETOOBIG);
    (void)snprintf(text, sizeof(text), "%s/none/serve.sock", folder);
    assert_int_equal(tn_listener_open(&listener, text, NULL), TN_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mode_and_removal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answered_socket_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_socket_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files_are_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours_any_more_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_paths, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
