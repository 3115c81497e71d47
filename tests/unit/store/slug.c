/*
 * Renames: redirects, the hold, its end, and the way back.
 */
#include "store/slug.h"

#include "core/directory_writer.h"
#include "database.h"
#include "store/change.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int try_rename(tn_test_database_t *database, const char *id, const char *slug, tn_err_t *err)
{
    return tn_test_update(database, id, &(tn_tenant_values_t){.slug = slug}, err);
}

static void rename_to(tn_test_database_t *database, const char *id, const char *slug)
{
    tn_err_t err = {0};
    if (try_rename(database, id, slug, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
}

static int add_slug(const char *slug, void *context)
{
    char *list = context;
    (void)strcat(strcat(list, slug), " ");
    return 0;
}

/* The former slugs of a tenant, each with a space behind it. */
static void expect_former(tn_test_database_t *database, const char *id, const char *expected)
{
    char list[(TN_SLUG_MAX + 1) * (TN_TENANT_FORMER_SLUGS_MAX + 2)] = "";
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_tenant_former_slugs(tx, id, add_slug, list, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_string_equal(list, expected);
}

static void test_rename_leaves_a_redirect(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_tenant_row_t row = {0};
    tn_test_create(database, "one", id);
    rename_to(database, id, "two");
    rename_to(database, id, "three");
    expect_former(database, id, "one two ");
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_tenant_find(&row, tx, "three", NULL), TN_OK);
    tn_tenant_row_deinit(&row);
    assert_int_equal(tn_tenant_find(&row, tx, "one", NULL), TN_ENOTFOUND);
    tn_tx_abort(tx);
}

static void test_the_way_back(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_test_create(database, "one", id);
    rename_to(database, id, "two");
    rename_to(database, id, "one");
    expect_former(database, id, "two ");
    rename_to(database, id, "two");
    expect_former(database, id, "one ");
}

static void test_hold(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1], year[8];
    tn_tenant_row_t row = {0};
    tn_err_t err = {0};
    tn_test_create(database, "one", id);
    tn_test_create(database, "other", other);
    rename_to(database, id, "two");
    /* as renaming */
    assert_int_equal(try_rename(database, other, "one", &err), TN_ECONFLICT);
    assert_string_equal(err.field, "slug");
    tn_test_text(year, 6, database->path,
                 "SELECT strftime('%Y-', held_until_ms / 1000, 'unixepoch') FROM tenant_slugs"
                 " WHERE slug = 'one'");
    assert_non_null(strstr(err.detail, "held back until"));
    assert_non_null(strstr(err.detail, year));
    /* and as creating */
    tn_tx_t *tx = tn_test_begin(database);
    const tn_tenant_values_t values = {.slug = "one", .name = "n"};
    assert_int_equal(tn_tenant_create(&row, tx, &values, &err), TN_ECONFLICT);
    tn_tx_abort(tx);
    int64_t days =
        tn_test_number(database->path, "SELECT (held_until_ms - t.updated_at_ms) / 86400000"
                                       " FROM tenant_slugs s JOIN tenants t ON t.id = s.tenant_id"
                                       " WHERE slug = 'one'");
    assert_int_equal(days, 90);
}

typedef struct {
    char keys[8][TN_UUID_LENGTH + 1];
    int count;
} changed_t;

static int note_change(uint64_t version, tn_change_kind_t kind, const char *key, void *context)
{
    changed_t *changed = context;
    assert_int_equal(kind, TN_CHANGE_TENANT);
    (void)snprintf(changed->keys[changed->count++], TN_UUID_LENGTH + 1, "%s", key);
    return 0;
}

static void test_after_the_hold(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1], action[32];
    changed_t changed = {0};
    tn_test_create(database, "one", id);
    tn_test_create(database, "other", other);
    rename_to(database, id, "two");
    tn_test_sql(database->path, "UPDATE tenant_slugs SET held_until_ms = 1000 WHERE slug = 'one'");
    expect_former(database, id, "one "); /* it still leads there: nobody has taken it */
    uint64_t before = tn_test_generation(database);
    rename_to(database, other, "one");
    expect_former(database, id, "");
    expect_former(database, other, "other ");
    /* both tenants have changed, in one version */
    assert_int_equal(tn_test_generation(database), before + 1);
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_change_each(tx, before, note_change, &changed, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_int_equal(changed.count, 2);
    bool has_both = (strcmp(changed.keys[0], id) == 0 && strcmp(changed.keys[1], other) == 0) ||
                    (strcmp(changed.keys[1], id) == 0 && strcmp(changed.keys[0], other) == 0);
    assert_true(has_both);
    char sql[160];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT action || ' ' || target FROM audit WHERE chain = '%s'"
                   " ORDER BY id DESC LIMIT 1",
                   id);
    tn_test_text(action, sizeof(action), database->path, sql);
    assert_string_equal(action, "tenant.release one");
}

static void test_a_present_slug_is_never_taken(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(database, "one", id);
    tn_test_create(database, "other", other);
    assert_int_equal(try_rename(database, other, "one", &err), TN_ECONFLICT);
    assert_string_equal(err.detail, "slug 'one' is taken");
    assert_int_equal(try_rename(database, other, "admin", &err), TN_ECONFLICT);
    assert_non_null(strstr(err.detail, "reserved"));
    assert_int_equal(try_rename(database, other, "a_b", &err), TN_EINVAL);
    assert_int_equal(try_rename(database, other, "", &err), TN_EINVAL);
    assert_int_equal(try_rename(database, other,
                                "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaa",
                                &err),
                     TN_EINVAL);
    assert_string_equal(err.field, "slug");
    expect_former(database, other, "");
}

static void test_only_so_many_former_slugs(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], slug[TN_SLUG_MAX + 1], sql[128];
    tn_test_create(database, "s0", id);
    for (int i = 1; i <= TN_TENANT_FORMER_SLUGS_MAX + 1; i++) {
        (void)snprintf(slug, sizeof(slug), "s%d", i);
        rename_to(database, id, slug);
        /* the clock is too coarse to tell one rename from the next */
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE tenant_slugs SET held_until_ms = held_until_ms + %d"
                       " WHERE slug = 's%d'",
                       i, i - 1);
        tn_test_sql(database->path, sql);
    }
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM tenant_slugs"),
                     TN_TENANT_FORMER_SLUGS_MAX + 1);
    assert_int_equal(
        tn_test_number(database->path, "SELECT count(*) FROM tenant_slugs WHERE slug = 's0'"), 0);
    assert_int_equal(
        tn_test_number(database->path, "SELECT count(*) FROM tenant_slugs WHERE slug = 's1'"), 1);
}

static void test_constraints(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1], sql[200];
    tn_test_create(database, "one", id);
    tn_test_create(database, "two", other);
    /* a slug leads to one tenant, a tenant has one present slug, and exists */
    (void)snprintf(sql, sizeof(sql), "INSERT INTO tenant_slugs VALUES ('one', '%s', 5)", other);
    assert_int_equal(tn_test_sql_code(database->path, sql), SQLITE_CONSTRAINT_PRIMARYKEY);
    (void)snprintf(sql, sizeof(sql), "INSERT INTO tenant_slugs VALUES ('three', '%s', 0)", other);
    assert_int_equal(tn_test_sql_code(database->path, sql), SQLITE_CONSTRAINT_UNIQUE);
    assert_int_equal(
        tn_test_sql_code(database->path, "INSERT INTO tenant_slugs VALUES ('three', 'x', 5)"),
        SQLITE_CONSTRAINT_FOREIGNKEY);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE tenant_slugs SET held_until_ms = -1"),
                     SQLITE_CONSTRAINT_CHECK);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_rename_leaves_a_redirect),
        WITH_DATABASE(test_the_way_back),
        WITH_DATABASE(test_hold),
        WITH_DATABASE(test_after_the_hold),
        WITH_DATABASE(test_a_present_slug_is_never_taken),
        WITH_DATABASE(test_only_so_many_former_slugs),
        WITH_DATABASE(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
