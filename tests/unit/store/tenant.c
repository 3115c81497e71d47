/*
 * Tenants: creating, updating, finding, listing; and the constraints of their table.
 */
#include "store/tenant.h"

#include "database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static tn_tenant_row_t find(tn_test_database_t *database, const char *reference)
{
    tn_tenant_row_t row = {0};
    tn_err_t err = {0};
    tn_tx_t *tx = tn_test_begin_read(database);
    if (tn_tenant_find(&row, tx, reference, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    tn_tx_abort(tx);
    return row;
}

/* Creates in a transaction of its own; the error of the creation. */
static int create(tn_test_database_t *database, const tn_tenant_values_t *values, tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_tenant_create(&row, tx, values, err);
    tn_tenant_row_deinit(&row);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static void test_create_with_defaults(void **state)
{
    char id[TN_UUID_LENGTH + 1];
    tn_test_create(*state, "acme", id);
    tn_tenant_row_t row = find(*state, "acme");
    assert_string_equal(row.id, id);
    assert_int_equal(row.id[14], '7');
    assert_string_equal(row.slug, "acme");
    assert_string_equal(row.name, "acme");
    assert_string_equal(row.plan, "standard");
    assert_string_equal(row.upstream, "");
    assert_string_equal(row.primary_host, "");
    assert_string_equal(row.settings, "{}");
    assert_int_equal(row.status, TN_STATUS_ACTIVE);
    assert_true(row.is_listed);
    assert_false(row.redirects_to_primary);
    assert_int_equal(row.version, 1);
    assert_true(row.created_at_ms > 1600000000000);
    assert_int_equal(row.updated_at_ms, row.created_at_ms);
    tn_tenant_row_deinit(&row);
}

static void test_create_with_everything(void **state)
{
    const bool yes = true, no = false;
    const tn_tenant_status_t status = TN_STATUS_MAINTENANCE;
    const tn_tenant_values_t values = {
        .slug = "big",
        .name = "Große Firma",
        .plan = "enterprise",
        .upstream = "unix:/run/big.sock",
        .settings = "{\"b\": 1.10, \"a\": [true]}",
        .status = &status,
        .is_listed = &no,
        .redirects_to_primary = &yes,
    };
    assert_int_equal(create(*state, &values, NULL), TN_OK);
    tn_tenant_row_t row = find(*state, "big");
    assert_string_equal(row.name, values.name);
    assert_string_equal(row.plan, values.plan);
    assert_string_equal(row.upstream, values.upstream);
    assert_string_equal(row.settings, values.settings);
    assert_int_equal(row.status, status);
    assert_false(row.is_listed);
    assert_true(row.redirects_to_primary);
    tn_tenant_row_deinit(&row);
}

static void refuse_creation(tn_test_database_t *database, tn_tenant_values_t values, int code,
                            const char *field)
{
    tn_err_t err = {0};
    uint64_t before = tn_test_generation(database);
    assert_int_equal(create(database, &values, &err), code);
    assert_string_equal(err.field, field);
    assert_int_equal(tn_test_generation(database), before);
}

static void test_creations_that_are_refused(void **state)
{
    char id[TN_UUID_LENGTH + 1];
    tn_test_create(*state, "acme", id);
    refuse_creation(*state, (tn_tenant_values_t){.name = "n"}, TN_EINVAL, "slug");
    refuse_creation(*state, (tn_tenant_values_t){.slug = "s"}, TN_EINVAL, "name");
    refuse_creation(*state, (tn_tenant_values_t){.slug = "Acme", .name = "n"}, TN_EINVAL, "slug");
    refuse_creation(*state, (tn_tenant_values_t){.slug = "s", .name = ""}, TN_EINVAL, "name");
    refuse_creation(*state, (tn_tenant_values_t){.slug = "acme", .name = "n"}, TN_ECONFLICT,
                    "slug");
    refuse_creation(*state, (tn_tenant_values_t){.slug = "www", .name = "n"}, TN_ECONFLICT, "slug");
    refuse_creation(*state, (tn_tenant_values_t){.slug = id, .name = "n"}, TN_EINVAL, "slug");
    refuse_creation(*state, (tn_tenant_values_t){.slug = "s", .name = "n", .settings = "[]"},
                    TN_EINVAL, "settings");
    assert_int_equal(
        tn_test_number(((tn_test_database_t *)*state)->path, "SELECT count(*) FROM tenants"), 1);
}

static void test_find(void **state)
{
    char id[TN_UUID_LENGTH + 1], upper[TN_UUID_LENGTH + 1];
    tn_tenant_row_t row = {0};
    tn_err_t err = {0};
    tn_test_create(*state, "acme", id);
    for (int i = 0; i <= TN_UUID_LENGTH; i++) {
        upper[i] = (char)(id[i] >= 'a' ? id[i] - 32 : id[i]);
    }
    row = find(*state, id);
    tn_tenant_row_deinit(&row);
    row = find(*state, upper);
    tn_tenant_row_deinit(&row);
    tn_tx_t *tx = tn_test_begin_read(*state);
    assert_int_equal(tn_tenant_find(&row, tx, "nobody", &err), TN_ENOTFOUND);
    assert_int_equal(tn_tenant_find(&row, tx, "", &err), TN_ENOTFOUND);
    assert_int_equal(tn_tenant_find(&row, tx, "Acme", &err), TN_ENOTFOUND);
    id[0] ^= 1;
    assert_int_equal(tn_tenant_find(&row, tx, id, &err), TN_ENOTFOUND);
    assert_null(row.settings);
    /* not finding is an answer, not a failure */
    assert_int_equal(tn_tx_commit(tx, NULL, &err), TN_OK);
}

static void test_update_changes_only_what_is_given(void **state)
{
    const bool no = false;
    char id[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(*state, "acme", id);
    tn_tenant_row_t before = find(*state, id);
    assert_int_equal(tn_test_update(*state, id, &(tn_tenant_values_t){.name = "New"}, &err), TN_OK);
    tn_tenant_row_t row = find(*state, id);
    assert_string_equal(row.name, "New");
    assert_string_equal(row.plan, before.plan);
    assert_int_equal(row.version, 2);
    assert_int_equal(row.created_at_ms, before.created_at_ms);
    assert_true(row.updated_at_ms >= before.updated_at_ms);
    tn_tenant_row_deinit(&row);
    const tn_tenant_values_t values = {
        .plan = "pro", .upstream = "a.b:1", .settings = "{\"x\":1}", .is_listed = &no};
    assert_int_equal(tn_test_update(*state, id, &values, &err), TN_OK);
    row = find(*state, id);
    assert_string_equal(row.name, "New");
    assert_string_equal(row.plan, "pro");
    assert_string_equal(row.upstream, "a.b:1");
    assert_string_equal(row.settings, "{\"x\":1}");
    assert_false(row.is_listed);
    assert_int_equal(row.version, 3);
    tn_tenant_row_deinit(&row);
    tn_tenant_row_deinit(&before);
}

static void test_update_that_changes_nothing(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(database, "acme", id);
    assert_int_equal(
        tn_test_update(database, id, &(tn_tenant_values_t){.settings = "{\"a\":1,\"b\":2}"}, &err),
        TN_OK);
    uint64_t generation = tn_test_generation(database);
    int64_t entries = tn_test_number(database->path, "SELECT count(*) FROM audit");
    const tn_tenant_values_t same = {
        .slug = "acme", .name = "acme", .settings = " {\"b\": 2, \"a\": 1}"};
    assert_int_equal(tn_test_update(database, id, &same, &err), TN_OK);
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){0}, &err), TN_OK);
    tn_tenant_row_t row = find(database, id);
    assert_int_equal(row.version, 2);
    assert_string_equal(row.settings, "{\"a\":1,\"b\":2}");
    tn_tenant_row_deinit(&row);
    assert_int_equal(tn_test_generation(database), generation);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM audit"), entries);
}

static void test_expected_version(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_tenant_row_t row = {0};
    tn_err_t err = {0};
    const tn_tenant_values_t values = {.name = "New"};
    tn_test_create(database, "acme", id);
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(tn_tenant_update(&row, tx, id, &values, 2, &err), TN_EPRECONDITION);
    assert_int_equal(tn_tx_commit(tx, NULL, &err), TN_EPRECONDITION);
    tx = tn_test_begin(database);
    assert_int_equal(tn_tenant_update(&row, tx, id, &values, 1, &err), TN_OK);
    assert_int_equal(row.version, 2);
    tn_tenant_row_deinit(&row);
    (void)tn_test_commit(tx);
    tx = tn_test_begin(database);
    assert_int_equal(tn_tenant_update(&row, tx, "nobody", &values, 0, &err), TN_ENOTFOUND);
    /* only the id will do */
    assert_int_equal(tn_tenant_update(&row, tx, "acme", &values, 0, &err), TN_ENOTFOUND);
    tn_tx_abort(tx);
}

static int set_status(tn_test_database_t *database, const char *id, tn_tenant_status_t status)
{
    return tn_test_update(database, id, &(tn_tenant_values_t){.status = &status}, NULL);
}

static void test_archived_can_only_be_restored(void **state)
{
    tn_test_database_t *database = *state;
    const tn_tenant_status_t active = TN_STATUS_ACTIVE;
    char id[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(database, "acme", id);
    assert_int_equal(set_status(database, id, TN_STATUS_ARCHIVED), TN_OK);
    assert_int_equal(set_status(database, id, TN_STATUS_SUSPENDED), TN_ECONFLICT);
    assert_int_equal(set_status(database, id, TN_STATUS_MAINTENANCE), TN_ECONFLICT);
    assert_int_equal(set_status(database, id, TN_STATUS_ARCHIVED), TN_OK); /* nothing changes */
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.name = "x"}, &err),
                     TN_ECONFLICT);
    assert_string_equal(err.field, "status");
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.slug = "x"}, &err),
                     TN_ECONFLICT);
    const tn_tenant_values_t back = {.name = "Back", .status = &active};
    assert_int_equal(tn_test_update(database, id, &back, &err), TN_OK);
    tn_tenant_row_t row = find(database, id);
    assert_int_equal(row.status, TN_STATUS_ACTIVE);
    assert_string_equal(row.name, "Back");
    tn_tenant_row_deinit(&row);
}

typedef struct {
    char slugs[32][TN_SLUG_MAX + 1];
    size_t count, stop_at;
} seen_t;

static int see(const tn_tenant_row_t *row, void *context)
{
    seen_t *seen = context;
    (void)snprintf(seen->slugs[seen->count++], TN_SLUG_MAX + 1, "%s", row->slug);
    return seen->count == seen->stop_at ? 77 : 0;
}

static seen_t list(tn_test_database_t *database, tn_tenant_filter_t filter)
{
    seen_t seen = {0};
    tn_err_t err = {0};
    tn_tx_t *tx = tn_test_begin_read(database);
    if (tn_tenant_list(tx, &filter, see, &seen, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    tn_tx_abort(tx);
    return seen;
}

static void test_list(void **state)
{
    tn_test_database_t *database = *state;
    const bool no = false;
    char slug[8], id[TN_UUID_LENGTH + 1];
    for (int i = 9; i >= 0; i--) {
        (void)snprintf(slug, sizeof(slug), "t%d", i);
        tn_test_create(database, slug, id);
        if (i == 3) {
            assert_int_equal(set_status(database, id, TN_STATUS_SUSPENDED), TN_OK);
        } else if (i == 4) {
            assert_int_equal(
                tn_test_update(database, id, &(tn_tenant_values_t){.is_listed = &no}, NULL), TN_OK);
        }
    }
    /* a former slug is no entry */
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.slug = "zz"}, NULL),
                     TN_OK);
    seen_t seen = list(database, (tn_tenant_filter_t){.limit = 1000});
    assert_int_equal(seen.count, 10);
    assert_string_equal(seen.slugs[0], "t1");
    assert_string_equal(seen.slugs[9], "zz");
    seen = list(database, (tn_tenant_filter_t){.limit = 3, .after_slug = "t1"});
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.slugs[0], "t2");
    assert_string_equal(seen.slugs[2], "t4");
    seen = list(database, (tn_tenant_filter_t){.limit = 9, .status = TN_STATUS_SUSPENDED});
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.slugs[0], "t3");
    seen = list(database, (tn_tenant_filter_t){.limit = 100, .only_listed = true});
    assert_int_equal(seen.count, 9);

    tn_tx_t *tx = tn_test_begin_read(database);
    tn_err_t err = {0};
    uint64_t count = 0;
    seen = (seen_t){.stop_at = 2};
    assert_int_equal(tn_tenant_list(tx, &(tn_tenant_filter_t){.limit = 5}, see, &seen, &err), 77);
    assert_int_equal(seen.count, 2);
    assert_int_equal(tn_tenant_list(tx, &(tn_tenant_filter_t){.limit = 0}, see, &seen, &err),
                     TN_EINVAL);
    assert_int_equal(tn_tenant_list(tx, &(tn_tenant_filter_t){.limit = 1001}, see, &seen, &err),
                     TN_EINVAL);
    assert_int_equal(tn_tenant_count(&count, tx, &err), TN_OK);
    assert_int_equal(count, 10);
    tn_tx_abort(tx);
}

/* What the engine itself refuses, whoever writes. */
static void test_constraints(void **state)
{
    static const char *const updates[] = {
        "id = 'short'",
        "name = ''",
        "settings = ''",
        "status = 0",
        "status = 5",
        "is_listed = 2",
        "redirects_to_primary = -1",
        "version = 0",
        "name = NULL",
    };
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], sql[128];
    tn_test_create(database, "acme", id);
    for (size_t i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        (void)snprintf(sql, sizeof(sql), "UPDATE tenants SET %s", updates[i]);
        assert_int_equal(tn_test_sql_code(database->path, sql) & 0xff, SQLITE_CONSTRAINT);
    }
    /* a tenant on which something hangs does not go */
    assert_int_equal(tn_test_sql_code(database->path, "DELETE FROM tenants"),
                     SQLITE_CONSTRAINT_FOREIGNKEY);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_create_with_defaults),
        WITH_DATABASE(test_create_with_everything),
        WITH_DATABASE(test_creations_that_are_refused),
        WITH_DATABASE(test_find),
        WITH_DATABASE(test_update_changes_only_what_is_given),
        WITH_DATABASE(test_update_that_changes_nothing),
        WITH_DATABASE(test_expected_version),
        WITH_DATABASE(test_archived_can_only_be_restored),
        WITH_DATABASE(test_list),
        WITH_DATABASE(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
