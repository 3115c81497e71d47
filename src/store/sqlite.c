/*
 * The SQLite engine behind driver.h: a database is one file in WAL mode, every commit is synced to
 * the disk before it returns. Nothing above this file knows of SQLite.
 *
 * A file is told by device and inode, taken when the place is opened. POSIX drops all of a
 * process's locks on a file when any descriptor of it is closed, so nothing here opens the database
 * by itself, except to create it.
 */
#include "store/driver.h"

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID   0x546e7479 /* "Tnty", in the file's header */
#define BUSY_TIMEOUT_MS  5000
#define NEW_FILE_MODE    0640
#define WAL_ATTEMPT_MS   20
#define WAL_ATTEMPTS_MAX (BUSY_TIMEOUT_MS / WAL_ATTEMPT_MS)

struct tn_place {
    char path[PATH_MAX]; /* absolute */
    dev_t device;
    ino_t inode;
};

struct tn_connection {
    sqlite3 *db;
    const tn_place_t *place;
};

struct tn_statement {
    tn_connection_t *connection;
    sqlite3_stmt *stmt;
    int index[TN_PARAMETERS_MAX + 1]; /* SQLite's index of $1, $2, …; 0: not in the text */
};

/* ---- errors ------------------------------------------------------------------------------- */

/*
 * What the operating system last said about the database file and its journal. SQLite has its own
 * code for ENOSPC only; a quota or a file size limit is "disk I/O error" to it.
 */
static bool lacks_room(sqlite3 *db)
{
    sqlite3_file *journal = NULL;
    int errors[2] = {0, 0};
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &errors[0]);
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
    if (journal != NULL && journal->pMethods != NULL) {
        (void)journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &errors[1]);
    }
    for (int i = 0; i < 2; i++) {
        if (errors[i] == ENOSPC || errors[i] == EDQUOT || errors[i] == EFBIG) {
            return true;
        }
    }
    return false;
}

static int code_of(sqlite3 *db, int extended)
{
    switch (extended) {
    case SQLITE_READONLY_DBMOVED:
        return TN_EUNAVAILABLE;
    case SQLITE_IOERR_NOMEM:
        return TN_ENOMEM;
    }
    switch (extended & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return TN_OK;
    case SQLITE_NOMEM:
        return TN_ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return TN_EBUSY;
    case SQLITE_FULL:
        return TN_EFULL;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return TN_EDAMAGED;
    case SQLITE_CONSTRAINT:
        return TN_ECONFLICT;
    case SQLITE_TOOBIG:
        return TN_ETOOBIG;
    case SQLITE_IOERR:
        return lacks_room(db) ? TN_EFULL : TN_EIO;
    default:
        return TN_EIO;
    }
}

/* What went wrong on this connection, with what was being done. */
static int fail(const tn_connection_t *connection, tn_err_t *err, const char *doing)
{
    int extended = sqlite3_extended_errcode(connection->db);
    int code = code_of(connection->db, extended);
    if (code == TN_OK) {
        code = TN_EIO; /* misuse leaves no code behind */
    }
    return tn_err_set(err, code, "%s in '%s': %s (%d)", doing, connection->place->path,
                      sqlite3_errmsg(connection->db), extended);
}

static int run(tn_connection_t *connection, const char *sql, tn_err_t *err)
{
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(connection, err, "the database refused");
    }
    return TN_OK;
}

/* The first column of the first row; -1 without a row. */
static int ask(int64_t *out, tn_connection_t *connection, const char *sql, const char *parameter,
               tn_err_t *err)
{
    sqlite3_stmt *stmt = NULL;
    int status = sqlite3_prepare_v2(connection->db, sql, -1, &stmt, NULL);
    if (status == SQLITE_OK && parameter != NULL) {
        status = sqlite3_bind_text(stmt, 1, parameter, -1, SQLITE_STATIC);
    }
    if (status == SQLITE_OK) {
        status = sqlite3_step(stmt);
    }
    int64_t value = status == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    int code = status == SQLITE_ROW || status == SQLITE_DONE ? TN_OK
                                                             : fail(connection, err, "cannot read");
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    if (code == TN_OK) {
        *out = value;
    }
    return code;
}

/* ---- places ------------------------------------------------------------------------------- */

static void sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        /* some file systems cannot sync a folder; the file is synced at each commit anyway */
        (void)fsync(fd);
        (void)close(fd);
    }
}

/* SQLite's journals take their mode from the database file. */
static int create_file(const char *path, tn_err_t *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, NEW_FILE_MODE);
    if (fd < 0) {
        return errno == EEXIST ? TN_OK
                               : tn_err_errno(err, errno, "cannot create the database '%s'", path);
    }
    int code = TN_OK;
    if (fchmod(fd, NEW_FILE_MODE) < 0) {
        code = tn_err_errno(err, errno, "cannot set the mode of '%s'", path);
    }
    (void)close(fd); /* nothing was written to it */
    sync_folder_of(path);
    return code;
}

/* Absolute, so that a later chdir changes nothing and SQLite reads no "file:" URI out of it. */
static int absolute_path(char out[PATH_MAX], const char *address, tn_err_t *err)
{
    char folder[PATH_MAX] = "";
    if (address[0] == '\0') {
        return tn_err_field(err, TN_EINVAL, "database", "the URL names no file");
    }
    if (address[0] != '/' && getcwd(folder, sizeof(folder)) == NULL) {
        return tn_err_errno(err, errno, "cannot tell the working directory");
    }
    const char *between = address[0] == '/' || strcmp(folder, "/") == 0 ? "" : "/";
    if (snprintf(out, PATH_MAX, "%s%s%s", folder, between, address) >= PATH_MAX) {
        return tn_err_field(err, TN_EINVAL, "database", "the path is too long");
    }
    return TN_OK;
}

static int sqlite_open(tn_place_t **out, const char *address, bool may_create, tn_err_t *err)
{
    tn_place_t *place = calloc(1, sizeof(*place));
    if (place == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a database");
    }
    struct stat status;
    int code = absolute_path(place->path, address, err);
    if (code == TN_OK && may_create) {
        code = create_file(place->path, err);
    }
    if (code == TN_OK && stat(place->path, &status) < 0) {
        code = errno == ENOENT || errno == ENOTDIR
                   ? tn_err_set(err, TN_ENOTFOUND, "there is no database at '%s'", place->path)
                   : tn_err_errno(err, errno, "cannot look at the database '%s'", place->path);
    } else if (code == TN_OK && !S_ISREG(status.st_mode)) {
        code = tn_err_set(err, TN_EDAMAGED, "'%s' is no database but something else", place->path);
    }
    if (code != TN_OK) {
        free(place);
        return code;
    }
    place->device = status.st_dev;
    place->inode = status.st_ino;
    *out = place;
    return TN_OK;
}

static void sqlite_close(tn_place_t *place)
{
    free(place);
}

static int sqlite_check(const tn_place_t *place, tn_err_t *err)
{
    struct stat status;
    if (stat(place->path, &status) < 0) {
        return tn_err_set(err, TN_EUNAVAILABLE, "the database '%s' is gone", place->path);
    }
    if (status.st_dev != place->device || status.st_ino != place->inode) {
        return tn_err_set(err, TN_EUNAVAILABLE, "another file took the place of the database '%s'",
                          place->path);
    }
    return TN_OK;
}

/* ---- connections -------------------------------------------------------------------------- */

/*
 * A file that holds tables and lacks our mark is somebody else's; an empty one becomes ours. The
 * mark is set before the first table, so it is asked for after them: another process may be at it.
 */
static int claim_file(tn_connection_t *connection, tn_err_t *err)
{
    int64_t id, tables;
    int code = ask(&tables, connection, "SELECT count(*) FROM sqlite_schema", NULL, err);
    if (code == TN_OK) {
        code = ask(&id, connection, "PRAGMA application_id", NULL, err);
    }
    if (code != TN_OK || id == APPLICATION_ID) {
        return code;
    }
    if (id != 0 || tables > 0) {
        return tn_err_set(err, TN_EDAMAGED, "'%s' is a database of another program",
                          connection->place->path);
    }
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", APPLICATION_ID);
    return run(connection, sql, err);
}

/* Two processes that do this to a new file at once get SQLITE_BUSY without any waiting. */
static int use_wal(tn_connection_t *connection, tn_err_t *err)
{
    const struct timespec pause = {.tv_nsec = WAL_ATTEMPT_MS * 1000000L};
    int code = TN_EBUSY;
    for (int attempt = 0; attempt < WAL_ATTEMPTS_MAX && code == TN_EBUSY; attempt++) {
        if (attempt > 0) {
            (void)nanosleep(&pause, NULL);
        }
        code = run(connection, "PRAGMA journal_mode = WAL", err);
    }
    return code;
}

static int configure(tn_connection_t *connection, tn_err_t *err)
{
    sqlite3 *db = connection->db;
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    if (sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK) {
        return fail(connection, err, "cannot configure the connection");
    }
    int code = run(connection,
                   "PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;"
                   " PRAGMA cache_size = -16384", /* KiB */
                   err);
    if (code == TN_OK) {
        code = claim_file(connection, err);
    }
    if (code == TN_OK) {
        code = use_wal(connection, err);
    }
    return code;
}

/* Whether the file that SQLite opened is the place's own: it may have been swapped in between. */
static int check_file(const tn_connection_t *connection, tn_err_t *err)
{
    int has_moved = 0;
    if (sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) !=
        SQLITE_OK) {
        return fail(connection, err, "cannot tell whether the file was moved");
    }
    if (has_moved) {
        return tn_err_set(err, TN_EUNAVAILABLE, "the database '%s' was moved away",
                          connection->place->path);
    }
    return sqlite_check(connection->place, err);
}

static void sqlite_disconnect(tn_connection_t *connection)
{
    if (connection != NULL) {
        (void)sqlite3_close_v2(connection->db); /* cannot fail */
        free(connection);
    }
}

static int sqlite_connect(tn_connection_t **out, const tn_place_t *place, tn_err_t *err)
{
    tn_connection_t *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a database connection");
    }
    connection->place = place;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = TN_OK;
    if (sqlite3_open_v2(place->path, &connection->db, flags, NULL) != SQLITE_OK) {
        code = connection->db == NULL ? tn_err_set(err, TN_ENOMEM, "no memory for a database")
                                      : fail(connection, err, "cannot open the database");
    }
    if (code == TN_OK && sqlite3_db_readonly(connection->db, "main") == 1) {
        code = tn_err_set(err, TN_EIO, "the database '%s' may not be written to", place->path);
    }
    if (code == TN_OK) {
        code = check_file(connection, err);
    }
    if (code == TN_OK) {
        code = configure(connection, err);
    }
    if (code != TN_OK) {
        sqlite_disconnect(connection);
        return code;
    }
    *out = connection;
    return TN_OK;
}

static int sqlite_has_table(bool *out, tn_connection_t *connection, const char *name, tn_err_t *err)
{
    int64_t count;
    int code =
        ask(&count, connection,
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", name, err);
    if (code == TN_OK) {
        *out = count > 0;
    }
    return code;
}

/* ---- transactions ------------------------------------------------------------------------- */

static int sqlite_begin(tn_connection_t *connection, bool writes, int wait_ms, tn_err_t *err)
{
    (void)sqlite3_busy_timeout(connection->db, wait_ms);
    int code = run(connection, writes ? "BEGIN IMMEDIATE" : "BEGIN", err);
    (void)sqlite3_busy_timeout(connection->db, BUSY_TIMEOUT_MS);
    return code;
}

static int sqlite_commit(tn_connection_t *connection, tn_err_t *err)
{
    return run(connection, "COMMIT", err);
}

/* SQLite ends a transaction by itself on some errors, such as a full disk. */
static void sqlite_rollback(tn_connection_t *connection)
{
    if (sqlite3_get_autocommit(connection->db) == 0) {
        /* a rollback that fails is one that the next open of the file makes good */
        (void)run(connection, "ROLLBACK", NULL);
    }
}

/* ---- statements --------------------------------------------------------------------------- */

/* To SQLite "$1" is a name like any other: the order of appearance gives the index. */
static void find_parameters(tn_statement_t *statement)
{
    for (int i = 1; i <= TN_PARAMETERS_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "$%d", i);
        statement->index[i] = sqlite3_bind_parameter_index(statement->stmt, name);
    }
}

static int sqlite_prepare(tn_statement_t **out, tn_connection_t *connection, const char *sql,
                          tn_err_t *err)
{
    tn_statement_t *statement = calloc(1, sizeof(*statement));
    if (statement == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a statement");
    }
    statement->connection = connection;
    if (sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->stmt,
                           NULL) != SQLITE_OK) {
        int code = fail(connection, err, "cannot prepare a statement");
        free(statement);
        return code;
    }
    find_parameters(statement);
    *out = statement;
    return TN_OK;
}

static void sqlite_finalize(tn_statement_t *statement)
{
    if (statement != NULL) {
        (void)sqlite3_finalize(statement->stmt); /* repeats the error of the last step */
        free(statement);
    }
}

static int sqlite_bind_int(tn_statement_t *statement, int parameter, int64_t value, tn_err_t *err)
{
    if (sqlite3_bind_int64(statement->stmt, statement->index[parameter], value) != SQLITE_OK) {
        return fail(statement->connection, err, "cannot bind a number");
    }
    return TN_OK;
}

static int sqlite_bind_text(tn_statement_t *statement, int parameter, tn_str_t value, tn_err_t *err)
{
    if (sqlite3_bind_text64(statement->stmt, statement->index[parameter], value.data, value.length,
                            SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) {
        return fail(statement->connection, err, "cannot bind a text");
    }
    return TN_OK;
}

static int sqlite_step_once(bool *has_row, tn_statement_t *statement, tn_err_t *err)
{
    int status = sqlite3_step(statement->stmt);
    if (status != SQLITE_ROW && status != SQLITE_DONE) {
        return fail(statement->connection, err, "a statement failed");
    }
    *has_row = status == SQLITE_ROW;
    return TN_OK;
}

static void sqlite_reset(tn_statement_t *statement)
{
    (void)sqlite3_reset(statement->stmt); /* repeats the error of the last step */
    (void)sqlite3_clear_bindings(statement->stmt);
}

static int64_t sqlite_column_int(tn_statement_t *statement, int column)
{
    return sqlite3_column_int64(statement->stmt, column);
}

static tn_str_t sqlite_column_text(tn_statement_t *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement->stmt, column);
    int length = sqlite3_column_bytes(statement->stmt, column);
    return text == NULL ? TN_STR("") : (tn_str_t){text, (size_t)length};
}

const tn_driver_t tn_sqlite_driver = {
    .scheme = "sqlite",
    .serial_type = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .is_serial_gapless = true,
    .has_one_writer = true,
    .open = sqlite_open,
    .close = sqlite_close,
    .check = sqlite_check,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .has_table = sqlite_has_table,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .prepare = sqlite_prepare,
    .finalize = sqlite_finalize,
    .bind_int = sqlite_bind_int,
    .bind_text = sqlite_bind_text,
    .step = sqlite_step_once,
    .reset = sqlite_reset,
    .column_int = sqlite_column_int,
    .column_text = sqlite_column_text,
};
