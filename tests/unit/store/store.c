/*
 * The store: opening, identity, transactions and their first error, and databases that go away.
 */
#include "store/store.h"

#include "base/str.h"
#include "database.h"
#include "store/flag.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 6

static void url_of(char url[256], const tn_test_database_t *database, const char *name)
{
    (void)snprintf(url, 256, "sqlite:%s/%s", database->folder, name);
}

static void test_urls(void **state)
{
    static const char *const bad[] = {"",        "sqlite",    "sqlite:", "postgresql://u:pw@h/d",
                                      "/a/path", "sqlitex:/a"};
    tn_store_t *store = NULL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tn_err_t err = {0};
        assert_int_equal(tn_store_open(&store, bad[i], true, &err), TN_EINVAL);
        assert_null(strstr(err.detail, "pw"));
        assert_string_equal(err.field, "database");
    }
    assert_null(store);
    tn_store_close(NULL);
    tn_tx_abort(NULL);
}

static void test_missing(void **state)
{
    const tn_test_database_t *database = *state;
    char url[256];
    tn_store_t *store = NULL;
    tn_err_t err = {0};
    url_of(url, database, "missing");
    assert_int_equal(tn_store_open(&store, url, false, &err), TN_ENOTFOUND);
    assert_int_equal(access(strchr(url, '/'), F_OK), -1);
    assert_int_equal(tn_store_open(&store, url, true, &err), TN_OK);
    tn_store_close(store);
    assert_int_equal(tn_store_open(&store, url, false, &err), TN_OK);
    tn_store_close(store);
}

static void test_identity(void **state)
{
    tn_test_database_t *database = *state;
    char url[256];
    tn_store_t *other = NULL;
    tn_uuid_t first = tn_store_identity(database->store);
    tn_test_reopen(database);
    tn_uuid_t again = tn_store_identity(database->store);
    assert_memory_equal(&first, &again, sizeof(first));
    url_of(url, database, "other");
    assert_int_equal(tn_store_open(&other, url, true, NULL), TN_OK);
    tn_uuid_t different = tn_store_identity(other);
    assert_memory_not_equal(&first, &different, sizeof(first));
    tn_store_close(other);
    /* its creation is the first change and the first entry */
    char target[TN_UUID_LENGTH + 1], text[TN_UUID_LENGTH + 1];
    tn_test_text(target, sizeof(target), database->path,
                 "SELECT target FROM audit WHERE id = 1 AND action = 'database.create'"
                 " AND chain = 'platform' AND generation = 1");
    assert_string_equal(target, tn_uuid_format(text, first.bytes));
}

/* All processes find the new file at once; one gives it its identity. */
static void test_created_by_many_at_once(void **state)
{
    const tn_test_database_t *database = *state;
    char url[256], path[256];
    int gate[2];
    pid_t children[PROCESSES];
    url_of(url, database, "at-once");
    (void)snprintf(path, sizeof(path), "%s", strchr(url, '/'));
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char byte;
            tn_store_t *store = NULL;
            (void)close(gate[1]);
            if (read(gate[0], &byte, 1) != 0 || tn_store_open(&store, url, true, NULL) != TN_OK) {
                _exit(1);
            }
            tn_store_close(store);
            _exit(0);
        }
    }
    assert_int_equal(close(gate[1]), 0);
    assert_int_equal(close(gate[0]), 0);
    for (int i = 0; i < PROCESSES; i++) {
        tn_test_wait(children[i]);
    }
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM meta"), 1);
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM audit"), 1);
    assert_int_equal(tn_test_number(path, "SELECT version FROM change_counter"), 1);
}

static void test_newer_schema(void **state)
{
    tn_test_database_t *database = *state;
    tn_store_t *store = NULL;
    tn_err_t err = {0};
    tn_test_sql(database->path, "INSERT INTO schema_version VALUES (99, 1, 'later')");
    assert_int_equal(tn_store_open(&store, database->url, true, &err), TN_EVERSION);
    assert_null(store);
}

static void test_first_error_is_the_commits(void **state)
{
    tn_test_database_t *database = *state;
    tn_err_t err = {0};
    tn_tenant_row_t row = {0};
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(tn_flag_set_default(tx, "good", true, NULL, NULL), TN_OK);
    /* the caller takes no notice, and gives no room for the reason */
    assert_int_equal(tn_flag_set_default(tx, "not good", true, NULL, NULL), TN_EINVAL);
    assert_int_equal(tn_flag_remove(tx, "unknown", NULL), TN_EINVAL); /* not run any more */
    const tn_tenant_values_t values = {.slug = "a", .name = "A"};
    assert_int_not_equal(tn_tenant_create(&row, tx, &values, NULL), TN_OK);
    uint64_t generation = 77;
    assert_int_equal(tn_tx_generation(&generation, tx, &err), TN_EINVAL);
    assert_int_equal(tn_tx_commit(tx, &generation, &err), TN_EINVAL);
    assert_string_equal(err.field, "key");
    assert_int_equal(generation, 77);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM flags"), 0);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM tenants"), 0);
}

static void test_not_found_is_no_error(void **state)
{
    tn_test_database_t *database = *state;
    tn_flag_row_t row;
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(tn_flag_find(&row, tx, "beta", NULL), TN_ENOTFOUND);
    assert_int_equal(tn_flag_set_default(tx, "beta", true, NULL, NULL), TN_OK);
    (void)tn_test_commit(tx);
    /* but a write that did not find its thing is */
    tx = tn_test_begin(database);
    assert_int_equal(tn_flag_remove(tx, "gamma", NULL), TN_ENOTFOUND);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), TN_ENOTFOUND);
}

static void test_a_reader_has_one_snapshot(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    uint64_t count = 99, generation = 0;
    tn_tx_t *reader = tn_test_begin_read(database);
    tn_test_create(database, "a", id);
    assert_int_equal(tn_tenant_count(&count, reader, NULL), TN_OK);
    assert_int_equal(count, 0);
    assert_int_equal(tn_tx_commit(reader, &generation, NULL), TN_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(tn_test_generation(database), 2);
}

static void test_a_writer_needs_an_actor(void **state)
{
    tn_test_database_t *database = *state;
    static const tn_actor_t half = {.kind = "operator", .name = "x"};
    tn_tx_t *tx = NULL;
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_WRITE, NULL, NULL), TN_EINVAL);
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_WRITE, &half, NULL), TN_EINVAL);
    assert_null(tx);
}

/* The file goes away, another comes, and the first one comes back. */
static void test_moved_database(void **state)
{
    tn_test_database_t *database = *state;
    char away[256], id[TN_UUID_LENGTH + 1];
    tn_tx_t *tx = NULL;
    tn_err_t err = {0};
    (void)snprintf(away, sizeof(away), "%s/away", database->folder);
    tn_test_create(database, "a", id);
    assert_int_equal(tn_store_check(database->store, NULL), TN_OK);
    tn_tx_t *open = tn_test_begin(database);
    assert_int_equal(tn_flag_set_default(open, "beta", true, NULL, NULL), TN_OK);

    assert_int_equal(rename(database->path, away), 0);
    assert_int_equal(tn_store_check(database->store, &err), TN_EUNAVAILABLE);
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_READ, NULL, &err), TN_EUNAVAILABLE);
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_WRITE, &tn_test_actor, &err),
                     TN_EUNAVAILABLE);
    /* one that was open already does not get into the moved file either */
    assert_int_equal(tn_tx_commit(open, NULL, &err), TN_EUNAVAILABLE);
    assert_int_equal(access(database->path, F_OK), -1);

    int fd = creat(database->path, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(tn_store_check(database->store, &err), TN_EUNAVAILABLE);
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_READ, NULL, &err), TN_EUNAVAILABLE);

    assert_int_equal(rename(away, database->path), 0);
    assert_int_equal(tn_store_check(database->store, &err), TN_OK);
    tx = tn_test_begin(database);
    tn_flag_row_t row;
    assert_int_equal(tn_flag_find(&row, tx, "beta", NULL), TN_ENOTFOUND);
    assert_int_equal(tn_flag_set_default(tx, "beta", true, NULL, NULL), TN_OK);
    (void)tn_test_commit(tx);
}

/* A database that is the same file but has another identity, seen by a connection made later. */
static void test_identity_changed_underneath(void **state)
{
    tn_test_database_t *database = *state;
    tn_tx_t *tx = NULL;
    tn_err_t err = {0};
    tn_tx_t *first = tn_test_begin_read(database);
    tn_test_sql(database->path, "UPDATE meta SET value = '00000000-0000-7000-8000-000000000000'");
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_READ, NULL, &err), TN_EUNAVAILABLE);
    tn_tx_abort(first);
}

/* Creates tenants of 60 kB until one is refused; what it was refused with. *last is the generation
 * of the last that was not. */
static int write_until_refused(tn_store_t *store, uint64_t *last)
{
    static char settings[60000];
    memset(settings, 'x', sizeof(settings));
    memcpy(settings, "{\"a\":\"", 6);
    memcpy(settings + sizeof(settings) - 3, "\"}", 3);
    int code = TN_OK;
    for (int i = 0; i < 100 && code == TN_OK; i++) {
        char slug[16];
        tn_tx_t *tx = NULL;
        tn_tenant_row_t row = {0};
        (void)snprintf(slug, sizeof(slug), "t%d", i);
        const tn_tenant_values_t values = {.slug = slug, .name = slug, .settings = settings};
        if (tn_tx_begin(&tx, store, TN_TX_WRITE, &tn_test_actor, NULL) != TN_OK) {
            return TN_EBUSY;
        }
        int created = tn_tenant_create(&row, tx, &values, NULL);
        tn_tenant_row_deinit(&row);
        code = tn_tx_commit(tx, last, NULL);
        if (created != TN_OK && created != code) {
            return TN_EINVAL;
        }
    }
    return code;
}

/* In a child whose files may grow by little: the write is refused whole, reading goes on, and with
 * room again it succeeds. */
static void write_without_room(const tn_test_database_t *database)
{
    const struct rlimit limit = {512 * 1024, RLIM_INFINITY};
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    tn_store_t *store = NULL;
    tn_tx_t *tx = NULL;
    uint64_t last = 0, tenants = 0, generation = 0;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (tn_store_open(&store, database->url, false, NULL) != TN_OK ||
        setrlimit(RLIMIT_FSIZE, &limit) != 0 || write_until_refused(store, &last) != TN_EFULL) {
        _exit(1);
    }
    if (tn_tx_begin(&tx, store, TN_TX_READ, NULL, NULL) != TN_OK ||
        tn_tenant_count(&tenants, tx, NULL) != TN_OK ||
        tn_tx_commit(tx, &generation, NULL) != TN_OK || generation != last || tenants != last - 1) {
        _exit(2);
    }
    if (setrlimit(RLIMIT_FSIZE, &unlimited) != 0 ||
        tn_tx_begin(&tx, store, TN_TX_WRITE, &tn_test_actor, NULL) != TN_OK ||
        tn_flag_set_default(tx, "beta", true, NULL, NULL) != TN_OK ||
        tn_tx_commit(tx, &generation, NULL) != TN_OK || generation != last + 1) {
        _exit(3);
    }
    tn_store_close(store);
    _exit(0);
}

static void test_full_disk(void **state)
{
    tn_test_database_t *database = *state;
    tn_store_close(database->store);
    database->store = NULL;
    pid_t child = fork();
    if (child == 0) {
        write_without_room(database);
    }
    tn_test_wait(child);
    char check[16];
    tn_test_text(check, sizeof(check), database->path, "PRAGMA integrity_check");
    assert_string_equal(check, "ok");
    tn_test_reopen(database);
}

/* A process that holds the write lock makes others wait, and then fail. */
static void test_locked_by_another_process(void **state)
{
    tn_test_database_t *database = *state;
    int ready[2], done[2];
    char byte = 'x';
    tn_err_t err = {0};
    tn_tx_t *tx = NULL;
    tn_store_close(database->store);
    database->store = NULL;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        tn_store_t *store = NULL;
        if (tn_store_open(&store, database->url, false, NULL) != TN_OK ||
            tn_tx_begin(&tx, store, TN_TX_WRITE, &tn_test_actor, NULL) != TN_OK ||
            write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1) {
            _exit(1);
        }
        tn_tx_abort(tx);
        tn_store_close(store);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(tn_store_open(&database->store, database->url, false, &err), TN_OK);
    tn_tx_abort(tn_test_begin_read(database)); /* reading needs no lock */
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_WRITE, &tn_test_actor, &err),
                     TN_EBUSY);
    assert_int_equal(write(done[1], &byte, 1), 1);
    tn_test_wait(child);
    tn_tx_abort(tn_test_begin(database));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(close(ready[i]), 0);
        assert_int_equal(close(done[i]), 0);
    }
}

/* Killed in the middle of a transaction: nothing of it is there. Killed after: all of it is. */
static void test_killed_writer(void **state)
{
    tn_test_database_t *database = *state;
    tn_store_close(database->store);
    database->store = NULL;
    for (int commits = 0; commits < 2; commits++) {
        pid_t child = fork();
        if (child == 0) {
            tn_store_t *store = NULL;
            tn_tx_t *tx = NULL;
            if (tn_store_open(&store, database->url, false, NULL) == TN_OK &&
                tn_tx_begin(&tx, store, TN_TX_WRITE, &tn_test_actor, NULL) == TN_OK &&
                tn_flag_set_default(tx, "beta", true, NULL, NULL) == TN_OK &&
                (commits == 0 || tn_tx_commit(tx, NULL, NULL) == TN_OK)) {
                (void)kill(getpid(), SIGKILL);
            }
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        tn_test_reopen(database);
        assert_int_equal(tn_test_generation(database), 1 + (uint64_t)commits);
        tn_store_close(database->store);
        database->store = NULL;
        assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM flags"), commits);
    }
    tn_test_reopen(database);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_urls),
        WITH_DATABASE(test_missing),
        WITH_DATABASE(test_identity),
        WITH_DATABASE(test_created_by_many_at_once),
        WITH_DATABASE(test_newer_schema),
        WITH_DATABASE(test_first_error_is_the_commits),
        WITH_DATABASE(test_not_found_is_no_error),
        WITH_DATABASE(test_a_reader_has_one_snapshot),
        WITH_DATABASE(test_a_writer_needs_an_actor),
        WITH_DATABASE(test_moved_database),
        WITH_DATABASE(test_identity_changed_underneath),
        WITH_DATABASE(test_full_disk),
        WITH_DATABASE(test_locked_by_another_process),
        WITH_DATABASE(test_killed_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
