/*
 * Unit tests of control/pidfile.h.
 */
#include "control/pidfile.h"

#include "base/file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
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
    (void)snprintf(folder, sizeof(folder), "/tmp/tenantry-pidfile-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/serve.pid", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(path);
    return rmdir(folder);
}

static void test_holds_and_removes(void **state)
{
    tn_pidfile_t first, second;
    tn_err_t err = {0};
    char *text = NULL;
    char pid[32];
    assert_int_equal(tn_pidfile_open(&first, path, NULL), TN_OK);
    assert_int_equal(tn_file_read(&text, NULL, path, 64, NULL), TN_OK);
    (void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    assert_string_equal(text, pid);
    free(text);
    /* another opening of the file is another holder, in this process too */
    assert_int_equal(tn_pidfile_open(&second, path, &err), TN_EBUSY);
    (void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_non_null(strstr(err.detail, pid));
    tn_pidfile_close(&first);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(tn_pidfile_open(&second, path, NULL), TN_OK);
    tn_pidfile_close(&second);
    tn_pidfile_close(&second);
}

/* A killed daemon's file holds nobody up, whatever is in it. */
static void test_left_by_a_killed_process(void **state)
{
    tn_pidfile_t pidfile;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        tn_pidfile_t held;
        if (tn_pidfile_open(&held, path, NULL) == TN_OK) {
            (void)!write(ready[1], "x", 1);
        }
        for (;;) {
            (void)pause();
        }
    }
    assert_true(child > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(tn_pidfile_open(&pidfile, path, NULL), TN_EBUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(tn_pidfile_open(&pidfile, path, NULL), TN_OK);
    tn_pidfile_close(&pidfile);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void test_what_is_not_ours_any_more_stays(void **state)
{
    tn_pidfile_t pidfile;
    assert_int_equal(tn_pidfile_open(&pidfile, path, NULL), TN_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tn_file_write(path, "1\n", 2, 0644, NULL), TN_OK);
    tn_pidfile_close(&pidfile);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_refused(void **state)
{
    tn_pidfile_t pidfile;
    tn_err_t err = {0};
    char text[128];
    (void)snprintf(text, sizeof(text), "%s/none/serve.pid", folder);
    assert_int_equal(tn_pidfile_open(&pidfile, text, &err), TN_EIO);
    /* a link could lead the process id into somebody else's file */
    (void)snprintf(text, sizeof(text), "%s/other", folder);
    assert_int_equal(symlink(text, path), 0);
    assert_int_equal(tn_pidfile_open(&pidfile, path, &err), TN_EIO);
    assert_int_not_equal(access(text, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_holds_and_removes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_left_by_a_killed_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours_any_more_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
