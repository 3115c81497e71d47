/*
 * Unit tests of cli/supervisor.h: in order up, in reverse order down, and up again what ended.
 */
#include "cli/supervisor.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that writes `N` when it starts and `-N` when it is asked to stop. */
#define CHILD(letter)                                                                              \
    {                                                                                              \
        "/bin/sh", "-c",                                                                           \
            "trap 'printf -- -" letter "; exit 0' TERM; printf " letter                            \
            "; while :; do sleep 0.02; done",                                                      \
            NULL                                                                                   \
    }
static const char *const a_argv[] = CHILD("A");
static const char *const b_argv[] = CHILD("B");

static int collected[2];
static char text[256];

static const char *read_collected(void)
{
    size_t used = strlen(text);
    ssize_t got = read(collected[0], text + used, sizeof(text) - 1 - used);
    if (got > 0) {
        text[used + (size_t)got] = '\0';
    }
    return text;
}

static bool has_started(const void *context)
{
    return strstr(read_collected(), context) != NULL;
}

static bool never(const void *context)
{
    return false;
}

static int set_up(void **state)
{
    text[0] = '\0';
    return pipe2(collected, O_CLOEXEC | O_NONBLOCK);
}

static int tear_down(void **state)
{
    (void)close(collected[0]);
    (void)close(collected[1]);
    return waitpid(-1, NULL, WNOHANG) == -1 ? 0 : -1; /* no child is left */
}

static tn_process_t child(const char *name, const char *const *argv)
{
    return (tn_process_t){.name = name,
                          .argv = argv,
                          .stdout_fd = collected[1],
                          .stop_signal = SIGTERM,
                          .stop_ms = 5000};
}

static void test_order(void **state)
{
    tn_process_t processes[] = {child("a", a_argv), child("b", b_argv)};
    tn_supervisor_t supervisor;
    assert_int_equal(tn_supervisor_open(&supervisor, processes, 2, NULL), TN_OK);
    assert_int_equal(tn_supervisor_start(&supervisor, 0, has_started, "A", 10000, NULL), TN_OK);
    assert_int_equal(tn_supervisor_start(&supervisor, 1, has_started, "B", 10000, NULL), TN_OK);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    tn_supervisor_run(&supervisor); /* returns: stopping was asked for */
    tn_supervisor_stop(&supervisor);
    assert_string_equal(read_collected(), "AB-B-A");
    tn_supervisor_close(&supervisor);
}

static void test_starts_again(void **state)
{
    /* the second start tells the test's process to stop */
    const char *const argv[] = {"/bin/sh", "-c", "printf x; kill -TERM $PPID; exit 3", NULL};
    const char *const first[] = {"/bin/sh", "-c", "printf 1; exit 3", NULL};
    tn_process_t processes[] = {child("it", first)};
    tn_supervisor_t supervisor;
    assert_int_equal(tn_supervisor_open(&supervisor, processes, 1, NULL), TN_OK);
    assert_int_equal(tn_supervisor_start(&supervisor, 0, NULL, NULL, 0, NULL), TN_OK);
    processes[0].argv = argv;
    tn_supervisor_run(&supervisor);
    tn_supervisor_stop(&supervisor);
    assert_string_equal(read_collected(), "1x");
    tn_supervisor_close(&supervisor);
}

static void test_not_ready(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "exit 9", NULL};
    tn_process_t processes[] = {child("it", argv), child("a", a_argv)};
    tn_supervisor_t supervisor;
    tn_err_t err;
    assert_int_equal(tn_supervisor_open(&supervisor, processes, 2, NULL), TN_OK);
    assert_int_equal(tn_supervisor_start(&supervisor, 0, never, NULL, 10000, &err), TN_EIO);
    assert_string_equal(err.detail, "it ended with exit code 9 before it was ready");
    assert_int_equal(tn_supervisor_start(&supervisor, 1, never, NULL, 100, &err), TN_EUNAVAILABLE);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    tn_supervisor_stop(&supervisor);
    tn_supervisor_close(&supervisor);
}

/* One that does not heed its signal is killed when its time is over. */
static void test_deaf(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c",
                                "trap '' TERM; printf D; while :; do sleep 0.02; done", NULL};
    tn_process_t processes[] = {child("it", argv)};
    tn_supervisor_t supervisor;
    processes[0].stop_ms = 200;
    assert_int_equal(tn_supervisor_open(&supervisor, processes, 1, NULL), TN_OK);
    assert_int_equal(tn_supervisor_start(&supervisor, 0, has_started, "D", 10000, NULL), TN_OK);
    tn_supervisor_stop(&supervisor);
    assert_int_equal(processes[0].pid, 0);
    assert_true(WIFSIGNALED(processes[0].status) && WTERMSIG(processes[0].status) == SIGKILL);
    tn_supervisor_close(&supervisor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_starts_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deaf, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
