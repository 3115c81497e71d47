/*
 * Migrations: twice, at once, ahead of the program, and on a full disk.
 */
#include "store/schema.h"

#include "database.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROCESSES 6

static const char *const count_tables =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

static int migrate(const char *path, tn_err_t *err)
{
    tn_place_t *place = NULL;
    tn_connection_t *connection = NULL;
    int code = tn_sqlite_driver.open(&place, path, true, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_sqlite_driver.connect(&connection, place, err);
    if (code == TN_OK) {
        code = tn_schema_migrate(&tn_sqlite_driver, connection, err);
    }
    tn_sqlite_driver.disconnect(connection);
    tn_sqlite_driver.close(place);
    return code;
}

static void join(char path[256], const tn_test_database_t *database, const char *name)
{
    (void)snprintf(path, 256, "%s/%s", database->folder, name);
}

static void test_twice(void **state)
{
    char path[256];
    tn_err_t err = {0};
    join(path, *state, "twice");
    assert_int_equal(migrate(path, &err), TN_OK);
    int64_t tables = tn_test_number(path, count_tables);
    int64_t changes = tn_test_number(path, "PRAGMA schema_version");
    assert_true(tables >= 12);
    assert_int_equal(migrate(path, &err), TN_OK);
    assert_int_equal(tn_test_number(path, count_tables), tables);
    assert_int_equal(tn_test_number(path, "PRAGMA schema_version"), changes);
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM schema_version"), 1);
    assert_int_equal(tn_test_number(path, "SELECT version FROM schema_version"), 1);
    assert_true(tn_test_number(path, "SELECT applied_at_ms FROM schema_version") > 1600000000000);
}

/* Every process opens the new database at the same moment, told by the end of a pipe. */
static void test_at_once(void **state)
{
    char path[256];
    int gate[2];
    pid_t children[PROCESSES];
    join(path, *state, "at-once");
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char byte;
            tn_err_t err = {0};
            (void)close(gate[1]);
            _exit(read(gate[0], &byte, 1) == 0 && migrate(path, &err) == TN_OK ? 0 : 1);
        }
    }
    assert_int_equal(close(gate[1]), 0);
    assert_int_equal(close(gate[0]), 0);
    for (int i = 0; i < PROCESSES; i++) {
        tn_test_wait(children[i]);
    }
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM schema_version"), 1);
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM change_counter"), 1);
}

static void test_ahead_of_the_program(void **state)
{
    char path[256];
    tn_err_t err = {0};
    join(path, *state, "ahead");
    assert_int_equal(migrate(path, &err), TN_OK);
    tn_test_sql(path, "INSERT INTO schema_version VALUES (1000, 1, 'later')");
    assert_int_equal(migrate(path, &err), TN_EVERSION);
    assert_non_null(strstr(err.detail, "1000"));
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM schema_version"), 2);
}

/* The step fails in the middle; nothing of it is left, and it succeeds when there is room. */
static void migrate_without_room(const char *path)
{
    tn_err_t err = {0};
    const struct rlimit limit = {64 * 1024, RLIM_INFINITY};
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || migrate(path, &err) != TN_EFULL) {
        _exit(1);
    }
    if (tn_test_number(path, count_tables) != 0) {
        _exit(2);
    }
    if (setrlimit(RLIMIT_FSIZE, &unlimited) != 0 || migrate(path, &err) != TN_OK) {
        _exit(3);
    }
    _exit(0);
}

static void test_full_disk(void **state)
{
    char path[256];
    join(path, *state, "full");
    pid_t child = fork();
    if (child == 0) {
        migrate_without_room(path);
    }
    tn_test_wait(child);
    assert_true(tn_test_number(path, count_tables) >= 12);
}

int main(void)
{
#define WITH_FOLDER(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_twice),
        WITH_FOLDER(test_at_once),
        WITH_FOLDER(test_ahead_of_the_program),
        WITH_FOLDER(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
