/*
 * Unit tests of cli/requests.h: a request's line for people, and the process that prints it.
 */
#include "cli/requests.h"

#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_line(const char *line, bool colour, const char *expected)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_requests_format(&buf, tn_str(line), colour);
    assert_string_equal(buf.data == NULL ? "" : buf.data, expected);
    tn_buf_deinit(&buf);
}

#define TIME "2026-01-31T12:00:01+01:00\t"

static void test_format(void **state)
{
    assert_line(TIME "demo.localhost\tdemo\tsubdomain\t200\tGET\t/path?a=b", false,
                "12:00:01 demo.localhost → demo subdomain 200 GET /path?a=b");
    assert_line(TIME "localhost\t\t\t404\tPOST\t/x", false, "12:00:01 localhost → - - 404 POST /x");
    assert_line(TIME "\t\t\t400\t\t", false, "12:00:01 - → - - 400 - -");
    assert_line(TIME "a\ta\tdomain\t503\tGET\t/", true,
                "12:00:01 a → a domain \033[31m503\033[0m GET /");
    assert_line(TIME "a\ta\tdomain\t308\tGET\t/", true,
                "12:00:01 a → a domain \033[36m308\033[0m GET /");
}

static void test_hostile(void **state)
{
    assert_line(TIME "a\033[2J\tx\ty\t200\tGET\t/\x9b\r", false,
                "12:00:01 a?[2J → x y 200 GET /??");
    assert_line("", false, "");
    assert_line("no tabs \033", false, "no tabs ?");
    assert_line("a\tb\tc", false, "a?b?c");
    assert_line("1\t2\t3\t4\t5\t6\t7\t8", false, "1?2?3?4?5?6?7?8");
    assert_line("short\ta\tb\tc\t200\tGET\t/", false, "short a → b c 200 GET /");
    char line[1200] = TIME "a\tb\tc\t200\tGET\t/";
    memset(line + strlen(line), 'x', 1000);
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_requests_format(&buf, tn_str(line), false);
    assert_true(buf.length < 500);
    assert_string_equal(buf.data + buf.length - 5, "xx…");
    tn_buf_deinit(&buf);
}

/* Runs the printer over what is written to its pipe; its standard output is read back. */
static void run_printer(char *out, size_t size, const char *const *pieces)
{
    int in[2];
    int printed[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(printed, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tn_requests_t requests = {.read_fd = in[0], .write_fd = in[1], .colour = false};
        (void)dup2(printed[1], STDOUT_FILENO);
        _exit(tn_requests_print(&requests));
    }
    (void)close(in[0]);
    (void)close(printed[1]);
    for (; *pieces != NULL; pieces++) {
        assert_int_equal(write(in[1], *pieces, strlen(*pieces)), strlen(*pieces));
    }
    (void)close(in[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(printed[0], out + length, size - 1 - length)) > 0) {
        length += (size_t)got;
    }
    out[length] = '\0';
    (void)close(printed[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_printer(void **state)
{
    char out[4096];
    run_printer(out, sizeof(out),
                (const char *const[]){TIME "a\tb\tc\t200\tGET\t/1\n" TIME "a\tb", "\tc\t200\tGET\t",
                                      "/2\n", NULL});
    assert_string_equal(out, "12:00:01 a → b c 200 GET /1\n12:00:01 a → b c 200 GET /2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_printer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
