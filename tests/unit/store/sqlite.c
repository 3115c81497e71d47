/*
 * The SQLite engine: files that are and are not there, errors, and what a connection guarantees.
 */
#include "store/driver.h"

#include "base/str.h"
#include "database.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const tn_driver_t *const driver = &tn_sqlite_driver;

typedef struct {
    tn_place_t *place;
    tn_connection_t *connection;
} link_t;

static link_t link_to(const char *path)
{
    link_t link = {0};
    tn_err_t err = {0};
    if (driver->open(&link.place, path, true, &err) != TN_OK ||
        driver->connect(&link.connection, link.place, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    return link;
}

static void unlink_from(link_t link)
{
    driver->disconnect(link.connection);
    driver->close(link.place);
}

static int execute(tn_connection_t *connection, const char *sql, tn_err_t *err)
{
    tn_statement_t *statement = NULL;
    bool has_row;
    int code = driver->prepare(&statement, connection, sql, err);
    if (code == TN_OK) {
        code = driver->step(&has_row, statement, err);
    }
    driver->finalize(statement);
    return code;
}

static int64_t ask(tn_connection_t *connection, const char *sql)
{
    tn_statement_t *statement = NULL;
    bool has_row = false;
    assert_int_equal(driver->prepare(&statement, connection, sql, NULL), TN_OK);
    assert_int_equal(driver->step(&has_row, statement, NULL), TN_OK);
    assert_true(has_row);
    int64_t value = driver->column_int(statement, 0);
    driver->finalize(statement);
    return value;
}

static void join(char path[256], const tn_test_database_t *database, const char *name)
{
    (void)snprintf(path, 256, "%s/%s", database->folder, name);
}

static void write_file(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), (ssize_t)length);
    assert_int_equal(close(fd), 0);
}

static void test_missing_file_is_not_made(void **state)
{
    char path[256];
    tn_place_t *place = NULL;
    tn_err_t err = {0};
    join(path, *state, "nothing");
    assert_int_equal(driver->open(&place, path, false, &err), TN_ENOTFOUND);
    assert_null(place);
    assert_int_equal(access(path, F_OK), -1);
    join(path, *state, "no-folder/nothing");
    assert_int_equal(driver->open(&place, path, false, &err), TN_ENOTFOUND);
    assert_int_equal(driver->open(&place, path, true, &err), TN_EIO);
    assert_int_equal(driver->open(&place, "", true, &err), TN_EINVAL);
    assert_int_equal(driver->open(&place, ((tn_test_database_t *)*state)->folder, true, &err),
                     TN_EDAMAGED);
}

static void test_new_file_has_its_mode(void **state)
{
    static const char *const names[] = {"new", "new-wal", "new-shm"};
    char path[256];
    join(path, *state, "new");
    mode_t before = umask(0);
    link_t link = link_to(path);
    assert_int_equal(execute(link.connection, "CREATE TABLE t (a)", NULL), TN_OK);
    for (size_t i = 0; i < 3; i++) {
        struct stat status;
        join(path, *state, names[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0640);
    }
    unlink_from(link);
    umask(before);
}

static void test_relative_and_odd_paths(void **state)
{
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a b'c%41"};
    const tn_test_database_t *database = *state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(database->folder), 0);
    for (size_t i = 0; i < 3; i++) {
        link_t link = link_to(names[i]);
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(execute(link.connection, "CREATE TABLE t (a)", NULL), TN_OK);
        assert_int_equal(driver->check(link.place, NULL), TN_OK);
        unlink_from(link);
        assert_int_equal(chdir(database->folder), 0);
        assert_int_equal(access(names[i], F_OK), 0);
    }
    assert_int_equal(chdir(before), 0);
}

static void test_what_is_no_database(void **state)
{
    static char noise[8192];
    char path[256];
    tn_place_t *place = NULL;
    tn_connection_t *connection = NULL;
    tn_err_t err = {0};
    memset(noise, 'x', sizeof(noise));
    join(path, *state, "noise");
    write_file(path, noise, sizeof(noise));
    assert_int_equal(driver->open(&place, path, true, &err), TN_OK);
    assert_int_equal(driver->connect(&connection, place, &err), TN_EDAMAGED);
    driver->close(place);
    /* somebody else's database is left as it is */
    join(path, *state, "other");
    write_file(path, "", 0);
    tn_test_sql(path, "CREATE TABLE theirs (a)");
    assert_int_equal(driver->open(&place, path, true, &err), TN_OK);
    assert_int_equal(driver->connect(&connection, place, &err), TN_EDAMAGED);
    driver->close(place);
    char mode[16];
    tn_test_text(mode, sizeof(mode), path, "PRAGMA journal_mode");
    assert_string_equal(mode, "delete");
    assert_null(connection);
}

static void test_damaged_page(void **state)
{
    static char noise[4096];
    char path[256];
    tn_err_t err = {0};
    join(path, *state, "torn");
    link_t link = link_to(path);
    assert_int_equal(execute(link.connection, "CREATE TABLE t (a TEXT)", NULL), TN_OK);
    assert_int_equal(execute(link.connection, "INSERT INTO t VALUES ('x')", NULL), TN_OK);
    unlink_from(link);
    memset(noise, 0xff, sizeof(noise));
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, noise, sizeof(noise), 4096), (ssize_t)sizeof(noise));
    assert_int_equal(close(fd), 0);
    link = link_to(path);
    assert_int_equal(execute(link.connection, "SELECT * FROM t", &err), TN_EDAMAGED);
    assert_non_null(strstr(err.detail, path));
    unlink_from(link);
}

static void test_pragmas_hold(void **state)
{
    char path[256], mode[16];
    tn_err_t err = {0};
    join(path, *state, "p");
    link_t link = link_to(path);
    tn_connection_t *connection = link.connection;
    assert_int_equal(ask(connection, "PRAGMA foreign_keys"), 1);
    assert_int_equal(ask(connection, "PRAGMA synchronous"), 2);
    assert_int_equal(ask(connection, "PRAGMA trusted_schema"), 0);
    assert_int_equal(ask(connection, "PRAGMA cell_size_check"), 1);
    assert_int_equal(ask(connection, "PRAGMA busy_timeout"), 5000);
    tn_test_text(mode, sizeof(mode), path, "PRAGMA journal_mode");
    assert_string_equal(mode, "wal");
    assert_int_equal(execute(connection, "CREATE TABLE a (i INTEGER PRIMARY KEY)", NULL), TN_OK);
    assert_int_equal(execute(connection, "CREATE TABLE b (i REFERENCES a (i))", NULL), TN_OK);
    assert_int_equal(execute(connection, "INSERT INTO b VALUES (1)", &err), TN_ECONFLICT);
    /* "nobody" is no text */
    assert_int_equal(execute(connection, "SELECT \"nobody\"", &err), TN_EIO);
    unlink_from(link);
}

static void test_parameters_by_number(void **state)
{
    char path[256];
    tn_statement_t *statement = NULL;
    bool has_row = false;
    join(path, *state, "n");
    link_t link = link_to(path);
    assert_int_equal(
        driver->prepare(&statement, link.connection, "SELECT $2 || $1, $3 + $3, NULL", NULL),
        TN_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(driver->bind_text(statement, 1, TN_STR("one"), NULL), TN_OK);
        assert_int_equal(driver->bind_text(statement, 2, TN_STR("two"), NULL), TN_OK);
        assert_int_equal(driver->bind_int(statement, 3, INT64_C(1) << 40, NULL), TN_OK);
        assert_int_equal(driver->bind_int(statement, 4, 1, NULL), TN_EIO);
        assert_int_equal(driver->step(&has_row, statement, NULL), TN_OK);
        assert_true(has_row);
        assert_string_equal(driver->column_text(statement, 0).data, "twoone");
        assert_int_equal(driver->column_int(statement, 1), INT64_C(1) << 41);
        assert_int_equal(driver->column_text(statement, 2).length, 0);
        assert_non_null(driver->column_text(statement, 2).data);
        assert_int_equal(driver->step(&has_row, statement, NULL), TN_OK);
        assert_false(has_row);
        driver->reset(statement);
    }
    driver->finalize(statement);
    unlink_from(link);
}

static void test_a_second_writer_is_busy(void **state)
{
    char path[256];
    tn_err_t err = {0};
    join(path, *state, "w");
    link_t first = link_to(path), second = link_to(path);
    assert_int_equal(driver->begin(first.connection, true, 100, &err), TN_OK);
    assert_int_equal(driver->begin(second.connection, true, 50, &err), TN_EBUSY);
    assert_int_equal(driver->begin(second.connection, false, 50, &err), TN_OK);
    driver->rollback(second.connection);
    driver->rollback(first.connection);
    driver->rollback(first.connection); /* none is open */
    assert_int_equal(driver->begin(second.connection, true, 50, &err), TN_OK);
    assert_int_equal(driver->commit(second.connection, &err), TN_OK);
    unlink_from(first);
    unlink_from(second);
}

static void test_moved_file(void **state)
{
    char path[256], away[256];
    tn_connection_t *late = NULL;
    tn_err_t err = {0};
    join(path, *state, "m");
    join(away, *state, "m.away");
    link_t link = link_to(path);
    assert_int_equal(driver->check(link.place, &err), TN_OK);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(driver->check(link.place, &err), TN_EUNAVAILABLE);
    /* nothing is made where it was */
    assert_int_not_equal(driver->connect(&late, link.place, &err), TN_OK);
    assert_int_equal(access(path, F_OK), -1);
    write_file(path, "", 0);
    assert_int_equal(driver->check(link.place, &err), TN_EUNAVAILABLE);
    assert_int_equal(driver->connect(&late, link.place, &err), TN_EUNAVAILABLE);
    assert_null(late);
    assert_int_equal(rename(away, path), 0);
    assert_int_equal(driver->check(link.place, &err), TN_OK);
    unlink_from(link);
}

/* In a child, whose files may not grow beyond a limit: exits with the first unexpected line. */
static void fill_up(const char *path)
{
    tn_err_t err = {0};
    link_t link = {0};
    const struct rlimit limit = {256 * 1024, 256 * 1024};
    bool is_full = false;
    if (driver->open(&link.place, path, true, &err) != TN_OK ||
        driver->connect(&link.connection, link.place, &err) != TN_OK ||
        execute(link.connection, "CREATE TABLE t (a)", &err) != TN_OK) {
        _exit(__LINE__ % 256);
    }
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        _exit(__LINE__ % 256);
    }
    for (int i = 0; i < 1000 && !is_full; i++) {
        int code = execute(link.connection, "INSERT INTO t VALUES (zeroblob(4000))", &err);
        if (code != TN_OK && code != TN_EFULL) {
            _exit(__LINE__ % 256);
        }
        is_full = code == TN_EFULL;
    }
    if (!is_full || execute(link.connection, "SELECT count(*) FROM t", &err) != TN_OK) {
        _exit(__LINE__ % 256);
    }
    unlink_from(link);
    _exit(0);
}

static void test_full_disk_is_told_as_such(void **state)
{
    char path[256];
    join(path, *state, "full");
    pid_t child = fork();
    if (child == 0) {
        fill_up(path);
    }
    tn_test_wait(child);
}

/* A file that this process may not write, which root may. */
static void open_read_only(const char *path)
{
    tn_place_t *place = NULL;
    tn_connection_t *connection = NULL;
    if (seteuid(65534) != 0) {
        _exit(1);
    }
    if (driver->open(&place, path, false, NULL) != TN_OK) {
        _exit(2);
    }
    _exit(driver->connect(&connection, place, NULL) == TN_EIO ? 0 : 3);
}

static void test_read_only_file(void **state)
{
    const tn_test_database_t *database = *state;
    char path[256];
    if (geteuid() != 0) {
        skip();
    }
    join(path, database, "ro");
    unlink_from(link_to(path));
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(database->folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        open_read_only(path);
    }
    tn_test_wait(child);
}

int main(void)
{
#define WITH_FOLDER(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_missing_file_is_not_made),
        WITH_FOLDER(test_new_file_has_its_mode),
        WITH_FOLDER(test_relative_and_odd_paths),
        WITH_FOLDER(test_what_is_no_database),
        WITH_FOLDER(test_damaged_page),
        WITH_FOLDER(test_pragmas_hold),
        WITH_FOLDER(test_parameters_by_number),
        WITH_FOLDER(test_a_second_writer_is_busy),
        WITH_FOLDER(test_moved_file),
        WITH_FOLDER(test_full_disk_is_told_as_such),
        WITH_FOLDER(test_read_only_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
