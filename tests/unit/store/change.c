/*
 * The change log: one version a transaction, gapless whoever writes at once, and each thing once.
 */
#include "store/change.h"

#include "database.h"
#include "store/change_append.h"
#include "store/domain.h"
#include "store/flag.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES 5
#define ROUNDS    30

static int add_line(uint64_t version, tn_change_kind_t kind, const char *key, void *context)
{
    char line[96];
    (void)snprintf(line, sizeof(line), "%d:%d:%s ", (int)version, (int)kind, key);
    (void)strcat(context, line);
    return strcmp(key, "stop") == 0 ? 3 : 0;
}

static void expect_changes(tn_test_database_t *database, uint64_t after, const char *expected)
{
    char text[1024] = "";
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_change_each(tx, after, add_line, text, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_string_equal(text, expected);
}

static void test_one_version_a_transaction(void **state)
{
    tn_test_database_t *database = *state;
    tn_tenant_row_t row = {0};
    tn_domain_row_t domain;
    char expected[128];
    assert_int_equal(tn_test_generation(database), 1); /* its creation */
    tn_tx_t *tx = tn_test_begin(database);
    const tn_tenant_values_t values = {.slug = "a", .name = "A"};
    assert_int_equal(tn_tenant_create(&row, tx, &values, NULL), TN_OK);
    assert_int_equal(tn_domain_add(&domain, tx, row.id, "a.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_flag_set_tenant(tx, "beta", row.id, true, NULL), TN_OK);
    uint64_t inside = 0;
    assert_int_equal(tn_tx_generation(&inside, tx, NULL), TN_OK);
    assert_int_equal(inside, 2);
    assert_int_equal(tn_test_commit(tx), 2);
    (void)snprintf(expected, sizeof(expected), "2:1:%s 2:2:beta ", row.id);
    expect_changes(database, 0, expected);
    expect_changes(database, 1, expected);
    expect_changes(database, 2, "");
    assert_int_equal(
        tn_test_number(database->path, "SELECT count(*) FROM audit WHERE generation = 2"), 4);
    tn_tenant_row_deinit(&row);
}

static void test_each_thing_once_with_its_last_version(void **state)
{
    tn_test_database_t *database = *state;
    char a[TN_UUID_LENGTH + 1], b[TN_UUID_LENGTH + 1], expected[256];
    tn_test_create(database, "a", a);
    tn_test_create(database, "b", b);
    assert_int_equal(tn_test_update(database, a, &(tn_tenant_values_t){.name = "x"}, NULL), TN_OK);
    (void)snprintf(expected, sizeof(expected), "3:1:%s 4:1:%s ", b, a);
    expect_changes(database, 0, expected);
    (void)snprintf(expected, sizeof(expected), "4:1:%s ", a);
    expect_changes(database, 3, expected);
}

static void test_no_change_no_version(void **state)
{
    tn_test_database_t *database = *state;
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(tn_test_commit(tx), 1);
    tx = tn_test_begin(database);
    assert_int_equal(tn_change_add(tx, TN_CHANGE_FLAG, "x", NULL), TN_OK);
    tn_tx_abort(tx);
    assert_int_equal(tn_test_generation(database), 1);
    expect_changes(database, 0, "");
    /* a version without an audit entry is none */
    tx = tn_test_begin(database);
    assert_int_equal(tn_change_add(tx, TN_CHANGE_FLAG, "x", NULL), TN_OK);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), TN_ECONFLICT);
    assert_int_equal(tn_test_generation(database), 1);
}

static void test_stopping(void **state)
{
    char text[128] = "";
    tn_tx_t *tx = tn_test_begin(*state);
    assert_int_equal(tn_flag_set_default(tx, "stop", true, NULL, NULL), TN_OK);
    assert_int_equal(tn_flag_set_default(tx, "zeta", true, NULL, NULL), TN_OK);
    (void)tn_test_commit(tx);
    tx = tn_test_begin_read(*state);
    assert_int_equal(tn_change_each(tx, 0, add_line, text, NULL), 3);
    assert_string_equal(text, "2:2:stop ");
    tn_tx_abort(tx);
}

/* Creates tenants, and gives up some of the transactions. */
static void write_at_once(const char *url, int process)
{
    tn_store_t *store = NULL;
    tn_err_t err = {0};
    if (tn_store_open(&store, url, false, &err) != TN_OK) {
        _exit(1);
    }
    for (int i = 0; i < ROUNDS; i++) {
        char slug[32];
        tn_tx_t *tx = NULL;
        tn_tenant_row_t row = {0};
        (void)snprintf(slug, sizeof(slug), "p%d-%d", process, i);
        const tn_tenant_values_t values = {.slug = slug, .name = slug};
        if (tn_tx_begin(&tx, store, TN_TX_WRITE, &tn_test_actor, &err) != TN_OK ||
            tn_tenant_create(&row, tx, &values, &err) != TN_OK) {
            _exit(2);
        }
        tn_tenant_row_deinit(&row);
        if (i % 3 == 2) {
            tn_tx_abort(tx);
        } else if (tn_tx_commit(tx, NULL, &err) != TN_OK) {
            _exit(3);
        }
    }
    tn_store_close(store);
    _exit(0);
}

static void test_gapless_with_many_writers(void **state)
{
    tn_test_database_t *database = *state;
    pid_t children[PROCESSES];
    /* SQLite must not be carried over a fork */
    tn_store_close(database->store);
    database->store = NULL;
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            write_at_once(database->url, i);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        tn_test_wait(children[i]);
    }
    const int64_t expected = PROCESSES * ROUNDS * 2 / 3;
    const char *path = database->path;
    assert_int_equal(tn_test_number(path, "SELECT version FROM change_counter"), expected + 1);
    assert_int_equal(tn_test_number(path, "SELECT count(DISTINCT version) FROM changes"), expected);
    assert_int_equal(tn_test_number(path, "SELECT max(version) - min(version) FROM changes"),
                     expected - 1);
    assert_int_equal(tn_test_number(path, "SELECT max(id) FROM audit"), expected + 1);
    /* in commit order: who came later has the later version and id */
    assert_int_equal(tn_test_number(path, "SELECT count(*) FROM audit WHERE generation <> id"), 0);
    tn_test_reopen(database);
}

static void test_constraints(void **state)
{
    tn_test_database_t *database = *state;
    static const char *const statements[] = {
        "INSERT INTO change_counter VALUES (2, 0, printf('%064d', 0))",
        "UPDATE change_counter SET version = -1",
        "INSERT INTO changes VALUES (0, 1, 'x')",
        "INSERT INTO changes VALUES (1, 3, 'x')",
        "INSERT INTO changes VALUES (1, 1, '')",
        "INSERT INTO change_seals VALUES (1, 1, printf('%064d', 0))",
        "INSERT INTO change_seals VALUES (2, 0, printf('%064d', 0))",
        "INSERT INTO audit_heads VALUES ('x', 0, printf('%064d', 0))",
        "UPDATE audit SET generation = -1",
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if ((tn_test_sql_code(database->path, statements[i]) & 0xff) != SQLITE_CONSTRAINT) {
            fail_msg("not refused: %s", statements[i]);
        }
    }
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_one_version_a_transaction),
        WITH_DATABASE(test_each_thing_once_with_its_last_version),
        WITH_DATABASE(test_no_change_no_version),
        WITH_DATABASE(test_stopping),
        WITH_DATABASE(test_gapless_with_many_writers),
        WITH_DATABASE(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
