/*
 * Feature flags: definitions, tenants' own values, and removal.
 */
#include "store/flag.h"

#include "core/directory_writer.h"
#include "database.h"
#include "store/change.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static void set_default(tn_test_database_t *database, const char *key, bool on,
                        const char *description)
{
    tn_err_t err = {0};
    tn_tx_t *tx = tn_test_begin(database);
    if (tn_flag_set_default(tx, key, on, description, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    (void)tn_test_commit(tx);
}

static int set_tenant(tn_test_database_t *database, const char *key, const char *id, bool on,
                      tn_err_t *err)
{
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_flag_set_tenant(tx, key, id, on, err);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static int unset(tn_test_database_t *database, const char *key, const char *id)
{
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_flag_unset_tenant(tx, key, id, NULL);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static int drop(tn_test_database_t *database, const char *key)
{
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_flag_remove(tx, key, NULL);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static int add_value(const char *key, bool is_on, bool is_own, void *context)
{
    char line[80];
    (void)snprintf(line, sizeof(line), "%s=%s%s ", key, is_on ? "on" : "off", is_own ? "!" : "");
    (void)strcat(context, line);
    return 0;
}

static void expect_values(tn_test_database_t *database, const char *id, const char *expected)
{
    char text[512] = "";
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_flag_values(tx, id, add_value, text, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_string_equal(text, expected);
}

static void test_definitions(void **state)
{
    tn_test_database_t *database = *state;
    tn_flag_row_t row;
    set_default(database, "beta", true, "Beta things");
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_flag_find(&row, tx, "beta", NULL), TN_OK);
    assert_string_equal(row.description, "Beta things");
    assert_true(row.default_on);
    assert_int_equal(tn_flag_find(&row, tx, "gamma", NULL), TN_ENOTFOUND);
    tn_tx_abort(tx);
    set_default(database, "beta", false, NULL);
    tx = tn_test_begin_read(database);
    assert_int_equal(tn_flag_find(&row, tx, "beta", NULL), TN_OK);
    assert_string_equal(row.description, "Beta things");
    assert_false(row.default_on);
    tn_tx_abort(tx);
}

static void test_what_the_edge_need_not_know(void **state)
{
    tn_test_database_t *database = *state;
    set_default(database, "beta", true, "one");
    uint64_t generation = tn_test_generation(database);
    int64_t entries = tn_test_number(database->path, "SELECT count(*) FROM audit");
    set_default(database, "beta", true, NULL); /* nothing */
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM audit"), entries);
    set_default(database, "beta", true, "two"); /* an entry, and no version */
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM audit"), entries + 1);
    assert_int_equal(
        tn_test_number(database->path, "SELECT generation FROM audit ORDER BY id DESC LIMIT 1"), 0);
    assert_int_equal(tn_test_generation(database), generation);
    set_default(database, "beta", false, NULL);
    assert_int_equal(tn_test_generation(database), generation + 1);
}

static void test_values_of_tenants(void **state)
{
    tn_test_database_t *database = *state;
    char a[TN_UUID_LENGTH + 1], b[TN_UUID_LENGTH + 1];
    tn_test_create(database, "a", a);
    tn_test_create(database, "b", b);
    set_default(database, "alpha", true, NULL);
    assert_int_equal(set_tenant(database, "beta", a, true, NULL), TN_OK); /* defines it, off */
    assert_int_equal(set_tenant(database, "alpha", b, false, NULL), TN_OK);
    expect_values(database, a, "alpha=on beta=on! ");
    expect_values(database, b, "alpha=off! beta=off ");
    assert_int_equal(unset(database, "alpha", a), TN_ENOTFOUND);
    assert_int_equal(unset(database, "alpha", b), TN_OK);
    assert_int_equal(unset(database, "alpha", b), TN_ENOTFOUND);
    expect_values(database, b, "alpha=on beta=off ");
    uint64_t generation = tn_test_generation(database);
    assert_int_equal(set_tenant(database, "beta", a, true, NULL), TN_OK); /* nothing changes */
    assert_int_equal(tn_test_generation(database), generation);
    assert_int_equal(set_tenant(database, "beta", a, false, NULL), TN_OK);
    expect_values(database, a, "alpha=on beta=off! ");
    assert_int_equal(tn_test_generation(database), generation + 1);
}

static void test_what_is_refused(void **state)
{
    static const char *const bad[] = {"", "1a", "a b", "a=b", "-", "é"};
    static char long_text[202];
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(database, "a", id);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tn_tx_t *tx = tn_test_begin(database);
        assert_int_equal(tn_flag_set_default(tx, bad[i], true, NULL, &err), TN_EINVAL);
        tn_tx_abort(tx);
        assert_string_equal(err.field, "key");
        assert_int_equal(set_tenant(database, bad[i], id, true, &err), TN_EINVAL);
    }
    assert_int_equal(set_tenant(database, "beta", "nobody", true, &err), TN_ENOTFOUND);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM flags"), 0);
    memset(long_text, 'x', 201);
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(tn_flag_set_default(tx, "beta", true, long_text, &err), TN_EINVAL);
    tn_tx_abort(tx);
    assert_string_equal(err.field, "description");
    long_text[200] = '\0';
    set_default(database, "beta", true, long_text);
    assert_int_equal(drop(database, "gamma"), TN_ENOTFOUND);
}

static int count_change(uint64_t version, tn_change_kind_t kind, const char *key, void *context)
{
    int *counts = context;
    counts[kind]++;
    return 0;
}

/* Tenants with a value of their own change with the flag, or it would come back with a new one. */
static void test_removal_takes_the_values_along(void **state)
{
    tn_test_database_t *database = *state;
    char a[TN_UUID_LENGTH + 1], b[TN_UUID_LENGTH + 1], c[TN_UUID_LENGTH + 1], text[256];
    int counts[3] = {0};
    tn_test_create(database, "a", a);
    tn_test_create(database, "b", b);
    tn_test_create(database, "c", c);
    assert_int_equal(set_tenant(database, "beta", a, true, NULL), TN_OK);
    assert_int_equal(set_tenant(database, "beta", b, false, NULL), TN_OK);
    uint64_t before = tn_test_generation(database);
    assert_int_equal(drop(database, "beta"), TN_OK);
    assert_int_equal(tn_test_generation(database), before + 1);
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_change_each(tx, before, count_change, counts, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_int_equal(counts[TN_CHANGE_FLAG], 1);
    assert_int_equal(counts[TN_CHANGE_TENANT], 2);
    expect_values(database, a, "");
    set_default(database, "beta", false, NULL);
    expect_values(database, a, "beta=off ");
    tn_test_text(text, sizeof(text), database->path,
                 "SELECT chain || before_json FROM audit WHERE action = 'flag.remove'");
    assert_string_equal(text,
                        "platform{\"default\":false,\"description\":\"\",\"tenantValues\":2}");
}

static int add_key(const tn_flag_row_t *row, void *context)
{
    (void)strcat(strcat(context, row->key), " ");
    return strcmp(row->key, "stop") == 0 ? 5 : 0;
}

static void test_list(void **state)
{
    tn_test_database_t *database = *state;
    char text[64] = "";
    set_default(database, "zeta", false, NULL);
    set_default(database, "alpha", false, NULL);
    set_default(database, "stop", false, NULL);
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_flag_list(tx, add_key, text, NULL), 5);
    tn_tx_abort(tx);
    assert_string_equal(text, "alpha stop ");
}

static void test_limit(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], key[32];
    tn_err_t err = {0};
    tn_test_create(database, "a", id);
    tn_tx_t *tx = tn_test_begin(database);
    for (int i = 0; i < TN_TENANT_FLAGS_MAX; i++) {
        (void)snprintf(key, sizeof(key), "f%d", i);
        assert_int_equal(tn_flag_set_tenant(tx, key, id, true, &err), TN_OK);
    }
    (void)tn_test_commit(tx);
    assert_int_equal(set_tenant(database, "more", id, true, &err), TN_EFULL);
    assert_int_equal(set_tenant(database, "f7", id, false, &err), TN_OK);
}

static void test_constraints(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_test_create(database, "a", id);
    assert_int_equal(set_tenant(database, "beta", id, true, NULL), TN_OK);
    assert_int_equal(tn_test_sql_code(database->path, "DELETE FROM flags"),
                     SQLITE_CONSTRAINT_FOREIGNKEY);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE tenant_flags SET tenant_id = 'x'"),
                     SQLITE_CONSTRAINT_FOREIGNKEY);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE tenant_flags SET is_on = 2"),
                     SQLITE_CONSTRAINT_CHECK);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE flags SET default_on = 7"),
                     SQLITE_CONSTRAINT_CHECK);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_definitions),
        WITH_DATABASE(test_what_the_edge_need_not_know),
        WITH_DATABASE(test_values_of_tenants),
        WITH_DATABASE(test_what_is_refused),
        WITH_DATABASE(test_removal_takes_the_values_along),
        WITH_DATABASE(test_list),
        WITH_DATABASE(test_limit),
        WITH_DATABASE(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
