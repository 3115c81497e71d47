/*
 * Unit tests of control/log.h, through a pipe.
 */
#include "control/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t now_ms;
static int pipe_fds[2];

static int64_t test_clock(void)
{
    return now_ms;
}

/* What was written since the last call. */
static const char *written(void)
{
    static char text[65536];
    ssize_t length = read(pipe_fds[0], text, sizeof(text) - 1);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static tn_log_t *new_log(tn_log_level_t level, bool is_journal)
{
    tn_log_t *log = NULL;
    tn_log_options_t options = {pipe_fds[1], level, is_journal, test_clock};
    now_ms = 1000000;
    assert_int_equal(tn_log_new(&log, &options, NULL), TN_OK);
    return log;
}

static int set_up(void **state)
{
    return pipe2(pipe_fds, O_NONBLOCK);
}

static int tear_down(void **state)
{
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
    return 0;
}

static void test_form(void **state)
{
    tn_log_t *log = new_log(TN_LOG_INFO, false);
    tn_log_write(log, TN_LOG_WARNING, "auth, refused '%s' (%d)", "x", 7);
    int year = 0, month, day, hour, minute, second, ms, end = 0;
    const char *line = written();
    int fields = sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ warning auth, refused 'x' (7)\n%n",
                        &year, &month, &day, &hour, &minute, &second, &ms, &end);
    assert_int_equal(fields, 7);
    assert_int_equal(end, strlen(line));
    tn_log_free(log);
}

static void test_journal(void **state)
{
    tn_log_t *log = new_log(TN_LOG_DEBUG, true);
    tn_log_write(log, TN_LOG_ERROR, "a");
    tn_log_write(log, TN_LOG_WARNING, "b");
    tn_log_write(log, TN_LOG_NOTICE, "c");
    tn_log_write(log, TN_LOG_INFO, "d");
    tn_log_write(log, TN_LOG_DEBUG, "e");
    assert_string_equal(written(), "<3>a\n<4>b\n<5>c\n<6>d\n<7>e\n");
    tn_log_free(log);
}

static void test_is_journal(void **state)
{
    struct stat info;
    char stream[64];
    assert_int_equal(fstat(pipe_fds[1], &info), 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)info.st_dev,
                   (unsigned long long)info.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    assert_true(tn_log_is_journal(pipe_fds[1]));
    assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    assert_false(tn_log_is_journal(pipe_fds[1]));
    assert_int_equal(setenv("JOURNAL_STREAM", "x", 1), 0);
    assert_false(tn_log_is_journal(pipe_fds[1]));
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    assert_false(tn_log_is_journal(pipe_fds[1]));
}

static void test_levels(void **state)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    for (size_t i = 0; i < 5; i++) {
        tn_log_level_t level;
        assert_int_equal(tn_log_level_parse(&level, names[i]), TN_OK);
        assert_int_equal(level, i);
    }
    tn_log_level_t level = TN_LOG_INFO;
    assert_int_equal(tn_log_level_parse(&level, "Error"), TN_EINVAL);
    assert_int_equal(tn_log_level_parse(&level, ""), TN_EINVAL);
    assert_int_equal(level, TN_LOG_INFO);

    tn_log_t *log = new_log(TN_LOG_NOTICE, true);
    tn_log_write(log, TN_LOG_INFO, "not this");
    tn_log_write(log, TN_LOG_NOTICE, "this");
    assert_string_equal(written(), "<5>this\n");
    tn_log_free(log);
    tn_log_write(NULL, TN_LOG_ERROR, "no log, no line");
    tn_log_flush(NULL);
    tn_log_free(NULL);
}

static void test_escaped(void **state)
{
    tn_log_t *log = new_log(TN_LOG_NOTICE, true);
    tn_log_write(log, TN_LOG_NOTICE, "%s", "a\nb\r\x1b[31m\x7f");
    tn_log_write(log, TN_LOG_NOTICE, "%s", "caf\xc3\xa9");
    tn_log_write(log, TN_LOG_NOTICE, "%s", "caf\xe9");
    assert_string_equal(written(), "<5>a\\x0ab\\x0d\\x1b[31m\\x7f\n<5>caf\xc3\xa9\n<5>caf\\xe9\n");
    tn_log_free(log);
}

static void test_long_line_stays_one(void **state)
{
    tn_log_t *log = new_log(TN_LOG_NOTICE, true);
    char text[3 * TN_LOG_LINE_MAX];
    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tn_log_write(log, TN_LOG_NOTICE, "%s", text);
    const char *line = written();
    assert_int_equal(count_lines(line), 1);
    assert_true(strlen(line) < TN_LOG_LINE_MAX + 16);
    tn_log_free(log);
}

static void write_times(tn_log_t *log, const char *text, int times)
{
    for (int i = 0; i < times; i++) {
        tn_log_write(log, TN_LOG_NOTICE, "%s", text);
    }
}

static void test_repeats(void **state)
{
    tn_log_t *log = new_log(TN_LOG_NOTICE, true);
    write_times(log, "again", 1000 + TN_LOG_BURST);
    write_times(log, "other", 1);
    assert_string_equal(written(), "<5>again\n<5>again\n<5>again\n<5>again\n<5>again\n<5>other\n");
    tn_log_flush(log);
    assert_string_equal(written(), "");
    /* the window's end brings the count, once; what was not held back has none */
    now_ms += TN_LOG_WINDOW_MS;
    tn_log_flush(log);
    tn_log_flush(log);
    assert_string_equal(written(), "<5>again (repeated 1000 times more)\n");
    /* and a new window: by the next line as well as by a flush */
    write_times(log, "again", TN_LOG_BURST + 1);
    assert_int_equal(count_lines(written()), TN_LOG_BURST);
    now_ms += TN_LOG_WINDOW_MS;
    write_times(log, "again", 1);
    assert_string_equal(written(), "<5>again (repeated 1 times more)\n<5>again\n");
    write_times(log, "again", TN_LOG_BURST);
    (void)written();
    tn_log_free(log);
    assert_string_equal(written(), "<5>again (repeated 1 times more)\n");
}

static void test_many_lines_lose_no_count(void **state)
{
    tn_log_t *log = new_log(TN_LOG_NOTICE, true);
    write_times(log, "first", TN_LOG_BURST + 1);
    (void)written();
    /* more different lines than are remembered: none is held back, and the count comes out */
    bool counted = false;
    for (int i = 0; i < 200; i++) {
        now_ms++;
        tn_log_write(log, TN_LOG_NOTICE, "line %d", i);
        const char *text = written();
        char line[32];
        (void)snprintf(line, sizeof(line), "<5>line %d\n", i);
        assert_non_null(strstr(text, line));
        counted |= strstr(text, "<5>first (repeated 1 times more)\n") != NULL;
    }
    assert_true(counted);
    tn_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_line_stays_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_lines_lose_no_count, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
