/*
 * Unit tests of cli/process.h with real children.
 */
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void pause_ms(long milliseconds)
{
    const struct timespec time = {.tv_nsec = milliseconds * 1000000};
    (void)nanosleep(&time, NULL);
}

/* Reaps until the process has ended; at most 10 s. */
static void await(tn_process_t *process)
{
    size_t which;
    for (int i = 0; i < 1000 && process->pid != 0; i++) {
        if (!tn_process_reap(&which, process, 1)) {
            pause_ms(10);
        }
    }
    assert_int_equal(process->pid, 0);
}

static void test_exit_code(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "exit 7", NULL};
    tn_process_t process = {.name = "it", .argv = argv, .stdout_fd = -1};
    char text[80];
    assert_int_equal(tn_process_start(&process, NULL), TN_OK);
    assert_true(process.pid > 0);
    await(&process);
    assert_string_equal(tn_process_describe_end(text, sizeof(text), process.status),
                        "ended with exit code 7");
}

static void test_not_executable(void **state)
{
    const char *const argv[] = {"/no/such/program", NULL};
    tn_process_t process = {.name = "it", .argv = argv, .stdout_fd = -1};
    tn_err_t err;
    assert_int_equal(tn_process_start(&process, &err), TN_EIO);
    assert_string_equal(err.detail,
                        "cannot start it (/no/such/program): No such file or directory");
    assert_int_equal(process.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
    assert_int_equal(errno, ECHILD);
}

static void test_environment_of_the_child(void **state)
{
    /* no input, a group of its own, no signal blocked or ignored */
    const char *const argv[] = {"/bin/sh", "-c",
                                "read -r line && exit 1\n"
                                "[ \"$(ps -o pgid= -p $$ | tr -d ' ')\" = $$ ] || exit 2\n"
                                "grep -q '^SigBlk:[[:space:]]*0*$' /proc/$$/status || exit 3\n"
                                "echo out\n",
                                NULL};
    int ends[2];
    char out[16] = "";
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGINT);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    tn_process_t process = {.name = "it", .argv = argv, .stdout_fd = ends[1]};
    assert_int_equal(tn_process_start(&process, NULL), TN_OK);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], out, sizeof(out) - 1), 4);
    assert_string_equal(out, "out\n");
    (void)close(ends[0]);
    await(&process);
    assert_int_equal(process.status, 0);
}

static int say_and_wait(void *context)
{
    const int *fd = context;
    (void)!write(*fd, "x", 1);
    (void)pause();
    return 0;
}

static void test_body_and_signal(void **state)
{
    int ends[2];
    char text[80];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    tn_process_t process = {
        .name = "it", .body = say_and_wait, .context = &ends[1], .stdout_fd = -1};
    assert_int_equal(tn_process_start(&process, NULL), TN_OK);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    tn_process_signal(&process, SIGTERM);
    await(&process);
    assert_string_equal(tn_process_describe_end(text, sizeof(text), process.status),
                        "was killed by signal 15 (Terminated)");
    tn_process_signal(&process, SIGTERM); /* of a process that does not run: nothing */
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* What the process leaves of its group, as nginx's master its workers, goes with it. */
static void test_group_goes_too(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "sleep 300 & echo $!; exit 0", NULL};
    int ends[2];
    char out[16] = "";
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    tn_process_t process = {.name = "it", .argv = argv, .stdout_fd = ends[1]};
    assert_int_equal(tn_process_start(&process, NULL), TN_OK);
    (void)close(ends[1]);
    assert_true(read(ends[0], out, sizeof(out) - 1) > 1);
    (void)close(ends[0]);
    pid_t orphan = (pid_t)atoi(out);
    assert_true(orphan > 1);
    await(&process);
    for (int i = 0; i < 1000 && kill(orphan, 0) == 0; i++) {
        (void)waitpid(orphan, NULL, WNOHANG);
        pause_ms(10);
    }
    assert_int_equal(kill(orphan, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* Killing the parent, which cannot do anything about it, ends the child. */
static void test_dies_with_its_parent(void **state)
{
    int ends[2];
    pid_t child = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) {
        const char *const argv[] = {"/bin/sleep", "300", NULL};
        tn_process_t process = {.name = "it", .argv = argv, .stdout_fd = -1};
        if (tn_process_start(&process, NULL) == TN_OK) {
            (void)!write(ends[1], &process.pid, sizeof(process.pid));
        }
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
    assert_int_equal(kill(child, 0), 0);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    for (int i = 0; i < 1000 && kill(child, 0) == 0; i++) {
        (void)waitpid(child, NULL, WNOHANG); /* it is this process's orphan now */
        pause_ms(10);
    }
    assert_int_equal(kill(child, 0), -1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A child of a child, in a session of its own: it comes to the subreaper, and is swept. */
static void test_sweep(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "setsid sleep 300 & exec sleep 300", NULL};
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    tn_process_t process = {.name = "it", .argv = argv, .stdout_fd = -1};
    assert_int_equal(tn_process_start(&process, NULL), TN_OK);
    pause_ms(50); /* either way it must be gone */
    tn_process_sweep();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(kill(process.pid, 0), -1);
}

static void test_pauses(void **state)
{
    tn_process_t process = {.started_ms = 0};
    const int64_t expected[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        tn_process_plan_restart(&process, 500);
        assert_int_equal(process.pause_ms, expected[i]);
        assert_int_equal(process.restart_ms, 500 + expected[i]);
    }
    tn_process_plan_restart(&process, 60000); /* it ran for a minute */
    assert_int_equal(process.pause_ms, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_code),
        cmocka_unit_test(test_not_executable),
        cmocka_unit_test(test_environment_of_the_child),
        cmocka_unit_test(test_body_and_signal),
        cmocka_unit_test(test_group_goes_too),
        cmocka_unit_test(test_dies_with_its_parent),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
