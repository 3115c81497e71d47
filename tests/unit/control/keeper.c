/*
 * Unit tests of control/keeper.h, through a daemon whose database goes away, comes back, or is
 * another one.
 */
#include "daemon.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffixes[] = {"", "-wal", "-shm"};

/* Moves the database's files, those that there are. */
static void move_database(const char *from, const char *to)
{
    for (size_t i = 0; i < 3; i++) {
        char source[160], target[160];
        (void)snprintf(source, sizeof(source), "%s%s", from, suffixes[i]);
        (void)snprintf(target, sizeof(target), "%s%s", to, suffixes[i]);
        (void)unlink(target);
        int failed = rename(source, target);
        assert_true(failed == 0 || i > 0);
    }
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    tn_test_expect(*state, "POST", "/v1/tenants", "{\"slug\":\"demo\",\"name\":\"Demo\"}", 201, "");
    return code;
}

/* The directory as it was: nothing of an outage may touch it. */
static void assert_directory_untouched(const tn_test_daemon_t *daemon)
{
    tn_test_answer_t answer = tn_test_ask(daemon, "GET", "/api/tenant/cache", NULL);
    assert_int_equal(answer.status, 200);
    assert_int_equal(tn_test_number_of(&answer, "tenants"), 1);
    assert_string_equal(tn_test_text_of(&answer, "entries.0.slug"), "demo");
    tn_test_answer_deinit(&answer);
}

/* What is answered when there is no database to trust. */
static void assert_outage(const tn_test_daemon_t *daemon)
{
    tn_test_call_t current = {
        .method = "GET",
        .path = "/api/tenant/current",
        .is_anonymous = true,
        .headers = {"X-Tenant-Id: 00000000-0000-7000-8000-000000000000",
                    "X-Tenant-Domain: demo.localhost", "X-Tenant-Resolved-By: subdomain"},
    };
    /* an outage is never told as "no such tenant" */
    tn_test_answer_t answer = tn_test_call(daemon, &current);
    assert_int_equal(answer.status, 503);
    assert_string_equal(tn_test_text_of(&answer, "code"), "database_unavailable");
    assert_string_equal(tn_test_header_of(&answer, "Retry-After"), "5");
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(daemon, "GET", "/auth/tenant-selection", NULL);
    assert_int_equal(answer.status, 503);
    assert_string_equal(tn_test_header_of(&answer, "Content-Type"), "text/html; charset=utf-8");
    tn_test_answer_deinit(&answer);
    assert_directory_untouched(daemon);
}

static void test_database_moved_away_and_back(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char aside[128];
    (void)snprintf(aside, sizeof(aside), "%s/aside.db", daemon->folder);
    tn_test_log_begin(daemon);
    move_database(daemon->database, aside);
    /* at once, before the keeper has looked */
    tn_test_expect(daemon, "POST", "/v1/tenants", "{\"slug\":\"new\",\"name\":\"x\"}", 503,
                   "database_unavailable");
    tn_test_await_state(daemon, "unavailable");
    tn_test_expect(daemon, "POST", "/v1/tenants", "{\"slug\":\"new\",\"name\":\"x\"}", 503,
                   "database_unavailable");
    tn_test_expect(daemon, "POST", "/api/tenant/cache", NULL, 503, "database_unavailable");
    assert_outage(daemon);
    tn_test_answer_t answer = tn_test_ask(daemon, "GET", "/v1/status", NULL);
    assert_string_equal(tn_test_text_of(&answer, "database.state"), "unavailable");
    assert_true(json_is_null(tn_test_member(&answer, "database.generation")));
    assert_string_equal(tn_test_text_of(&answer, "publisher.state"), "unavailable");
    assert_true(tn_test_text_of(&answer, "publisher.reason")[0] != '\0');
    tn_test_answer_deinit(&answer);
    tn_test_log_await(daemon, "publisher, cannot publish");
    (void)sleep(2); /* some ticks, each of which could log */
    move_database(aside, daemon->database);
    tn_test_await_state(daemon, "ready");
    tn_test_expect(daemon, "POST", "/v1/tenants", "{\"slug\":\"new\",\"name\":\"x\"}", 201, "");
    tn_test_expect(daemon, "GET", "/auth/tenant-selection", NULL, 200, "");
    tn_test_log_await(daemon, "publisher, follows");
    char *log = tn_test_log_end(daemon);
    if (count(log, "publisher, cannot publish") != 1 || count(log, "publisher, follows") != 1 ||
        count(log, "database, opened") != 1) {
        fail_msg("not one line a change:\n%s", log);
    }
    free(log);
}

static void test_start_without_database(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char aside[128];
    struct stat info;
    (void)snprintf(aside, sizeof(aside), "%s/aside.db", daemon->folder);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    move_database(daemon->database, aside);
    tn_test_log_begin(daemon);
    tn_test_daemon_start(daemon);
    tn_test_await_state(daemon, "unavailable");
    assert_outage(daemon);
    (void)sleep(2);
    char *log = tn_test_log_end(daemon);
    assert_int_equal(count(log, "publisher, cannot publish"), 1);
    free(log);
    /* none was made in its place */
    assert_int_not_equal(stat(daemon->database, &info), 0);
    move_database(aside, daemon->database);
    tn_test_await_state(daemon, "ready");
    assert_directory_untouched(daemon);
}

/* Starts over what is at the database's place, which is not the directory's. */
static void start_refused(tn_test_daemon_t *daemon)
{
    tn_test_log_begin(daemon);
    tn_test_daemon_start(daemon);
    tn_test_await_state(daemon, "refused");
    (void)sleep(2);
    char *log = tn_test_log_end(daemon);
    if (count(log, "publisher, refused to publish") != 1) {
        fail_msg("not told once:\n%s", log);
    }
    free(log);
    assert_outage(daemon);
    tn_test_answer_t answer = tn_test_ask(daemon, "POST", "/api/tenant/cache", NULL);
    assert_int_equal(answer.status, 409);
    assert_string_equal(tn_test_text_of(&answer, "code"), "publish_refused");
    assert_true(strlen(tn_test_text_of(&answer, "detail")) > 36);
    tn_test_answer_deinit(&answer);
    tn_test_expect(daemon, "POST", "/api/tenant/cache", "{\"action\":\"init\"}", 409,
                   "publish_refused");
    assert_directory_untouched(daemon);
}

static void test_foreign_database(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char aside[128], directory[128];
    (void)snprintf(aside, sizeof(aside), "%s/aside.db", daemon->folder);
    (void)snprintf(directory, sizeof(directory), "%s/aside.directory", daemon->folder);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    move_database(daemon->database, aside);
    assert_int_equal(rename(daemon->conf.directory, directory), 0);
    tn_test_daemon_start(daemon); /* with nothing there: makes both anew */
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    assert_int_equal(rename(directory, daemon->conf.directory), 0);
    start_refused(daemon);

    /* a write goes into that database, and does not reach the edge */
    tn_test_answer_t answer =
        tn_test_ask(daemon, "POST", "/v1/tenants", "{\"slug\":\"lost\",\"name\":\"x\"}");
    assert_int_equal(answer.status, 201);
    assert_false(tn_test_boolean_of(&answer, "published"));
    assert_true(tn_test_text_of(&answer, "publishError")[0] != '\0');
    tn_test_answer_deinit(&answer);
    assert_directory_untouched(daemon);

    /* until the operator decides for it */
    answer =
        tn_test_ask(daemon, "POST", "/api/tenant/cache", "{\"action\":\"rebuild\",\"force\":true}");
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "state"), "ready");
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(daemon, "GET", "/api/tenant/cache", NULL);
    assert_string_equal(tn_test_text_of(&answer, "entries.0.slug"), "lost");
    tn_test_answer_deinit(&answer);
    tn_test_expect(daemon, "GET", "/auth/tenant-selection", NULL, 200, "");
}

/* An empty file, as a failed restore leaves it. */
static void test_empty_database(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char aside[128];
    (void)snprintf(aside, sizeof(aside), "%s/aside.db", daemon->folder);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    move_database(daemon->database, aside);
    assert_int_equal(tn_file_write(daemon->database, "", 0, 0600, NULL), TN_OK);
    start_refused(daemon);
    move_database(aside, daemon->database);
    tn_test_await_state(daemon, "ready");
}

/* Copies the database as it is, with the daemon stopped. */
static void copy_file(const char *from, const char *to)
{
    char *data = NULL;
    size_t length = 0;
    assert_int_equal(tn_file_read(&data, &length, from, 64 << 20, NULL), TN_OK);
    assert_int_equal(tn_file_write(to, data, length, 0600, NULL), TN_OK);
    free(data);
}

/* A backup put back: what the edge knows is newer. */
static void test_older_database(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char backup[128];
    (void)snprintf(backup, sizeof(backup), "%s/backup.db", daemon->folder);
    tn_test_expect(daemon, "POST", "/v1/tenants/demo/domains", "{\"host\":\"old.example\"}", 201,
                   "");
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    copy_file(daemon->database, backup);
    tn_test_daemon_start(daemon);
    tn_test_expect(daemon, "POST", "/v1/tenants/demo/domains", "{\"host\":\"new.example\"}", 201,
                   "");
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    copy_file(backup, daemon->database);
    start_refused(daemon);
    tn_test_answer_t answer = tn_test_ask(daemon, "GET", "/api/tenant/cache", NULL);
    assert_true(tn_test_number_of(&answer, "databaseGeneration") <
                tn_test_number_of(&answer, "generation"));
    assert_string_equal(tn_test_text_of(&answer, "entries.0.hosts.1"), "new.example");
    tn_test_answer_deinit(&answer);
}

static void test_damaged_database(void **state)
{
    tn_test_daemon_t *daemon = *state;
    char aside[128];
    (void)snprintf(aside, sizeof(aside), "%s/aside.db", daemon->folder);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    move_database(daemon->database, aside);
    char noise[8192];
    memset(noise, 'x', sizeof(noise));
    assert_int_equal(tn_file_write(daemon->database, noise, sizeof(noise), 0600, NULL), TN_OK);
    tn_test_daemon_start(daemon);
    tn_test_await_state(daemon, "unavailable");
    assert_outage(daemon);
    move_database(aside, daemon->database);
    tn_test_await_state(daemon, "ready");
    assert_directory_untouched(daemon);
}

/* The directory is removed, or overwritten: made anew from the database, and said so once. */
static void test_directory_lost(void **state)
{
    tn_test_daemon_t *daemon = *state;
    tn_test_log_begin(daemon);
    assert_int_equal(unlink(daemon->conf.directory), 0);
    tn_test_await_state(daemon, "ready");
    assert_directory_untouched(daemon);
    (void)sleep(2);
    assert_int_equal(tn_test_daemon_stop(daemon), 0);
    char *log = tn_test_log_end(daemon);
    assert_int_equal(count(log, "directory, lost"), 1);
    free(log);

    char noise[8192];
    memset(noise, 'x', sizeof(noise));
    assert_int_equal(tn_file_write(daemon->conf.directory, noise, sizeof(noise), 0640, NULL),
                     TN_OK);
    tn_test_log_begin(daemon);
    tn_test_daemon_start(daemon);
    tn_test_await_state(daemon, "ready");
    assert_directory_untouched(daemon);
    log = tn_test_log_end(daemon);
    assert_int_equal(count(log, "directory, lost"), 1);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_database_moved_away_and_back, set_up,
                                        tn_test_daemon_teardown),
        cmocka_unit_test_setup_teardown(test_start_without_database, set_up,
                                        tn_test_daemon_teardown),
        cmocka_unit_test_setup_teardown(test_foreign_database, set_up, tn_test_daemon_teardown),
        cmocka_unit_test_setup_teardown(test_empty_database, set_up, tn_test_daemon_teardown),
        cmocka_unit_test_setup_teardown(test_older_database, set_up, tn_test_daemon_teardown),
        cmocka_unit_test_setup_teardown(test_damaged_database, set_up, tn_test_daemon_teardown),
        cmocka_unit_test_setup_teardown(test_directory_lost, set_up, tn_test_daemon_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
