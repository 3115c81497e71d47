/*
 * Unit tests of cli/reach.h against real sockets.
 */
#include "cli/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* Listens at a free port of the loopback; "127.0.0.1:PORT" into text. */
static int listen_somewhere(char *text, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(text, size, "127.0.0.1:%u", ntohs(address.sin_port));
    return fd;
}

static void test_tcp(void **state)
{
    char text[64];
    tn_err_t err;
    int fd = listen_somewhere(text, sizeof(text));
    assert_true(tn_reach_answers(text));
    assert_int_equal(tn_reach_can_listen(text, &err), TN_EBUSY);
    assert_non_null(strstr(err.detail, text));
    (void)close(fd);
    assert_false(tn_reach_answers(text));
    assert_int_equal(tn_reach_can_listen(text, &err), TN_OK);
}

static void test_unix(void **state)
{
    char folder[] = "/tmp/tenantry-reach-XXXXXX";
    char text[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
    (void)snprintf(text, sizeof(text), "unix:%s/s", folder);
    assert_false(tn_reach_answers(text));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_false(tn_reach_answers(text));
    assert_int_equal(listen(fd, 4), 0);
    assert_true(tn_reach_answers(text));
    (void)close(fd);
    assert_false(tn_reach_answers(text)); /* the file of a dead daemon is still there */
    (void)unlink(address.sun_path);
    (void)rmdir(folder);
}

static void test_nonsense(void **state)
{
    char long_path[300] = "unix:/";
    memset(long_path + 6, 'x', 290);
    assert_false(tn_reach_answers(long_path));
    assert_false(tn_reach_answers("nonsense"));
    assert_int_equal(tn_reach_can_listen("nonsense", NULL), TN_EIO);
    assert_int_equal(tn_reach_can_listen("name.example:80", NULL), TN_EIO);
    assert_int_equal(tn_reach_can_listen("192.0.2.1:8080", NULL), TN_EIO); /* not of this machine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
