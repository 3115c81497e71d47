/*
 * Tenants whole: all of them side by side give the same as each by itself.
 */
#include "store/export.h"

#include "base/buf.h"
#include "base/str.h"
#include "database.h"
#include "store/domain.h"
#include "store/flag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int describe(const tn_tenant_spec_t *spec, const char *settings, void *context)
{
    tn_buf_t *out = context;
    char id[TN_UUID_LENGTH + 1];
    tn_buf_add_format(out, "%s %.*s '%.*s' %.*s [%.*s] %d%d%d %s hosts:",
                      tn_uuid_format(id, spec->id) + TN_UUID_LENGTH, (int)spec->slug.length,
                      spec->slug.data, (int)spec->name.length, spec->name.data,
                      (int)spec->plan.length, spec->plan.data, (int)spec->upstream.length,
                      spec->upstream.data, (int)spec->status, spec->is_listed,
                      spec->redirects_to_primary, settings);
    for (size_t i = 0; i < spec->host_count; i++) {
        tn_buf_add_format(out, " %.*s%s", (int)spec->hosts[i].length, spec->hosts[i].data,
                          i == spec->primary_host ? "*" : "");
    }
    tn_buf_add_text(out, " former:");
    for (size_t i = 0; i < spec->former_slug_count; i++) {
        tn_buf_add_format(out, " %.*s", (int)spec->former_slugs[i].length,
                          spec->former_slugs[i].data);
    }
    tn_buf_add_text(out, " flags:");
    for (size_t i = 0; i < spec->flag_count; i++) {
        tn_buf_add_format(out, " %.*s=%d", (int)spec->flags[i].key.length, spec->flags[i].key.data,
                          spec->flags[i].is_on);
    }
    assert_int_equal(spec->setting_count, 0);
    tn_buf_add_text(out, "\n");
    return 0;
}

static int stop_at_once(const tn_tenant_spec_t *spec, const char *settings, void *context)
{
    return 42;
}

static void fill(tn_test_database_t *database, char ids[4][TN_UUID_LENGTH + 1])
{
    tn_domain_row_t row;
    tn_test_create(database, "a", ids[0]);
    tn_test_create(database, "b", ids[1]);
    tn_test_create(database, "c", ids[2]);
    tn_test_create(database, "d", ids[3]);
    const tn_tenant_status_t status = TN_STATUS_MAINTENANCE;
    const tn_tenant_values_t values = {
        .slug = "b2", .plan = "pro", .upstream = "x:1", .settings = "{\"k\":1}", .status = &status};
    assert_int_equal(tn_test_update(database, ids[1], &values, NULL), TN_OK);
    assert_int_equal(tn_test_update(database, ids[1], &(tn_tenant_values_t){.slug = "b3"}, NULL),
                     TN_OK);
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(tn_domain_add(&row, tx, ids[1], "z.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_domain_add(&row, tx, ids[1], "y.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_domain_set_primary(tx, ids[1], "z.example", true, NULL), TN_OK);
    assert_int_equal(tn_domain_add(&row, tx, ids[3], "d.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_flag_set_tenant(tx, "beta", ids[0], true, NULL), TN_OK);
    assert_int_equal(tn_flag_set_tenant(tx, "beta", ids[3], false, NULL), TN_OK);
    assert_int_equal(tn_flag_set_tenant(tx, "alpha", ids[3], true, NULL), TN_OK);
    (void)tn_test_commit(tx);
}

static const char *const of_b = " b3 'b' pro [x:1] 211 {\"k\":1} hosts: y.example z.example*"
                                " former: b b2 flags:\n";
static const char *const of_d = " d 'd' standard [] 110 {} hosts: d.example former:"
                                " flags: alpha=1 beta=0\n";

static void test_one(void **state)
{
    char ids[4][TN_UUID_LENGTH + 1];
    tn_buf_t text;
    tn_err_t err = {0};
    fill(*state, ids);
    tn_buf_init(&text);
    tn_tx_t *tx = tn_test_begin_read(*state);
    assert_int_equal(tn_export_one(tx, ids[1], describe, &text, &err), TN_OK);
    assert_string_equal(text.data, of_b);
    text.length = 0;
    assert_int_equal(tn_export_one(tx, ids[3], describe, &text, &err), TN_OK);
    assert_string_equal(text.data, of_d);
    assert_int_equal(tn_export_one(tx, "nobody", describe, &text, &err), TN_ENOTFOUND);
    assert_int_equal(tn_export_one(tx, ids[0], stop_at_once, NULL, &err), 42);
    tn_tx_abort(tx);
    tn_buf_deinit(&text);
}

static void test_all_is_each(void **state)
{
    char ids[4][TN_UUID_LENGTH + 1];
    tn_buf_t all, each;
    fill(*state, ids);
    tn_buf_init(&all);
    tn_buf_init(&each);
    tn_tx_t *tx = tn_test_begin_read(*state);
    assert_int_equal(tn_export_all(tx, describe, &all, NULL), TN_OK);
    qsort(ids, 4, sizeof(ids[0]), (int (*)(const void *, const void *))strcmp);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tn_export_one(tx, ids[i], describe, &each, NULL), TN_OK);
    }
    assert_string_equal(all.data, each.data);
    assert_non_null(strstr(all.data, of_b));
    assert_non_null(strstr(all.data, of_d));
    assert_int_equal(tn_export_all(tx, stop_at_once, NULL, NULL), 42);
    tn_tx_abort(tx);
    tn_buf_deinit(&all);
    tn_buf_deinit(&each);
}

static void test_of_none(void **state)
{
    tn_buf_t text;
    tn_buf_init(&text);
    tn_tx_t *tx = tn_test_begin_read(*state);
    assert_int_equal(tn_export_all(tx, describe, &text, NULL), TN_OK);
    assert_int_equal(text.length, 0);
    tn_tx_abort(tx);
}

/* Rows that this program never writes are not passed on. */
static void test_damaged_rows(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_buf_t text;
    tn_err_t err = {0};
    tn_test_create(database, "a", id);
    tn_test_sql(
        database->path,
        "PRAGMA ignore_check_constraints = 1; UPDATE tenants SET name = printf('%201d', 1)");
    tn_buf_init(&text);
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_export_all(tx, describe, &text, &err), TN_EDAMAGED);
    tn_tx_abort(tx);
    tn_buf_deinit(&text);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_one),
        WITH_DATABASE(test_all_is_each),
        WITH_DATABASE(test_of_none),
        WITH_DATABASE(test_damaged_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
