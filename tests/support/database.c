/*
 * The database of record for unit tests; see database.h.
 */
#include "database.h"

#include "base/str.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

const tn_actor_t tn_test_actor = {"operator", "the test", "local"};

static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[512];
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            assert_int_equal(unlink(path), 0);
        }
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

int tn_test_database_setup(void **state)
{
    tn_err_t err = {0};
    tn_test_database_t *database = calloc(1, sizeof(*database));
    assert_non_null(database);
    const char *parent = getenv("TMPDIR");
    (void)snprintf(database->folder, sizeof(database->folder), "%.160s/tenantry-test-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(database->folder));
    (void)snprintf(database->path, sizeof(database->path), "%s/db", database->folder);
    (void)snprintf(database->url, sizeof(database->url), "sqlite:%s", database->path);
    if (tn_store_open(&database->store, database->url, true, &err) != TN_OK) {
        fail_msg("cannot open: %s", err.detail);
    }
    *state = database;
    return 0;
}

int tn_test_database_teardown(void **state)
{
    tn_test_database_t *database = *state;
    tn_store_close(database->store);
    remove_folder(database->folder);
    free(database);
    return 0;
}

void tn_test_reopen(tn_test_database_t *database)
{
    tn_err_t err = {0};
    tn_store_close(database->store);
    database->store = NULL;
    if (tn_store_open(&database->store, database->url, false, &err) != TN_OK) {
        fail_msg("cannot open again: %s", err.detail);
    }
}

static tn_tx_t *begin(tn_test_database_t *database, tn_tx_mode_t mode)
{
    tn_tx_t *tx = NULL;
    tn_err_t err = {0};
    if (tn_tx_begin(&tx, database->store, mode, &tn_test_actor, &err) != TN_OK) {
        fail_msg("cannot begin: %s", err.detail);
    }
    return tx;
}

tn_tx_t *tn_test_begin(tn_test_database_t *database)
{
    return begin(database, TN_TX_WRITE);
}

tn_tx_t *tn_test_begin_read(tn_test_database_t *database)
{
    return begin(database, TN_TX_READ);
}

uint64_t tn_test_commit(tn_tx_t *tx)
{
    tn_err_t err = {0};
    uint64_t generation = 0;
    if (tn_tx_commit(tx, &generation, &err) != TN_OK) {
        fail_msg("cannot commit: %s", err.detail);
    }
    return generation;
}

uint64_t tn_test_generation(tn_test_database_t *database)
{
    uint64_t generation = 0;
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_tx_generation(&generation, tx, NULL), TN_OK);
    tn_tx_abort(tx);
    return generation;
}

void tn_test_create(tn_test_database_t *database, const char *slug, char id[TN_UUID_LENGTH + 1])
{
    tn_err_t err = {0};
    tn_tenant_row_t row = {0};
    tn_tx_t *tx = tn_test_begin(database);
    const tn_tenant_values_t values = {.slug = slug, .name = slug};
    if (tn_tenant_create(&row, tx, &values, &err) != TN_OK) {
        fail_msg("cannot create '%s': %s", slug, err.detail);
    }
    memcpy(id, row.id, sizeof(row.id));
    tn_tenant_row_deinit(&row);
    (void)tn_test_commit(tx);
}

int tn_test_update(tn_test_database_t *database, const char *id, const tn_tenant_values_t *values,
                   tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_tenant_update(&row, tx, id, values, 0, err);
    tn_tenant_row_deinit(&row);
    int committed = tn_tx_commit(tx, NULL, code == TN_OK ? err : NULL);
    assert_int_equal(code == TN_OK ? TN_OK : committed, code);
    return committed;
}

/* ---- past the store ----------------------------------------------------------------------- */

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    return db;
}

int tn_test_sql_code(const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    assert_int_equal(sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
    int code = sqlite3_extended_errcode(db);
    (void)sqlite3_close(db);
    return code;
}

void tn_test_sql(const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
    (void)sqlite3_close(db);
}

void tn_test_text(char *buffer, size_t size, const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    buffer[0] = '\0';
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(stmt, 0);
        (void)snprintf(buffer, size, "%s", text == NULL ? "" : (const char *)text);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

int64_t tn_test_number(const char *path, const char *sql)
{
    char text[64];
    tn_test_text(text, sizeof(text), path, sql);
    return strtoll(text, NULL, 10);
}

void tn_test_wait(int child)
{
    int status = -1;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
