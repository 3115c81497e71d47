/*
 * What of a tenant's settings reaches the directory, and the largest tenant there can be.
 */
#include "sync/loader.h"

#include "base/buf.h"
#include "base/str.h"
#include "published.h"
#include "store/flag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const wanted[] = {"title",  "n",    "real", "on",   "off",    "missing",
                                     "nested", "list", "nil",  "long", "longer", "lines"};

/* Publishes the tenant's settings, and gives them back as "key=value|". */
static void published(tn_buf_t *out, tn_test_database_t *database, const char *settings)
{
    char path[256], id[TN_UUID_LENGTH + 1];
    tn_directory_t *directory = NULL;
    tn_publisher_t *publisher = NULL;
    tn_tenant_t tenant;
    tn_str_t key, value;
    tn_err_t err = {0};
    (void)snprintf(path, sizeof(path), "%s/directory", database->folder);
    tn_publisher_options_t options = tn_test_options;
    options.path = path;
    options.edge_settings = wanted;
    options.edge_setting_count = sizeof(wanted) / sizeof(wanted[0]);
    tn_test_create(database, "acme", id);
    if (tn_test_update(database, id, &(tn_tenant_values_t){.settings = settings}, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    assert_int_equal(tn_publisher_open(&publisher, &options, &err), TN_OK);
    assert_int_equal(tn_publisher_sync(NULL, publisher, database->store, &err), TN_OK);
    tn_publisher_close(publisher);
    assert_int_equal(tn_directory_open(&directory, path, NULL), TN_OK);
    assert_int_equal(tn_directory_by_slug(&tenant, directory, TN_STR("acme")), TN_OK);
    for (size_t i = 0; tn_tenant_setting_at(&key, &value, &tenant, i); i++) {
        tn_buf_add_str(out, key);
        tn_buf_add_text(out, "=");
        tn_buf_add_str(out, value);
        tn_buf_add_text(out, "|");
    }
    tn_directory_close(directory);
}

static void expect_published(tn_test_database_t *database, const char *settings,
                             const char *expected)
{
    tn_buf_t text;
    tn_buf_init(&text);
    published(&text, database, settings);
    assert_string_equal(text.length > 0 ? text.data : "", expected);
    tn_buf_deinit(&text);
}

static void test_scalars(void **state)
{
    expect_published(*state,
                     "{\"off\":false,\"on\":true,\"real\":0.1,\"n\":-9223372036854775808,"
                     "\"title\":\"Caf\\u00e9 \\\"x\\\"\",\"secret\":\"s\"}",
                     "title=Caf\xc3\xa9 \"x\"|n=-9223372036854775808|real=0.1|on=true|off=false|");
}

static void test_reals(void **state)
{
    expect_published(*state, "{\"real\":1e20,\"title\":\"\"}", "title=|real=1e+20|");
}

static void test_reals_to_the_last_digit(void **state)
{
    expect_published(*state, "{\"real\":0.30000000000000004}", "real=0.30000000000000004|");
}

static void test_what_is_left_out(void **state)
{
    expect_published(*state,
                     "{\"nested\":{\"title\":\"x\"},\"list\":[1],\"nil\":null,"
                     "\"lines\":\"a\\r\\nX-Evil: 1\"}",
                     "");
}

static void test_no_settings(void **state)
{
    expect_published(*state, "{}", "");
}

static void test_longest_text(void **state)
{
    tn_buf_t settings, expected;
    tn_buf_init(&settings);
    tn_buf_init(&expected);
    tn_buf_add_text(&settings, "{\"long\":\"");
    tn_buf_add_text(&expected, "long=");
    for (int i = 0; i < TN_TEXT_MAX; i++) {
        tn_buf_add_text(&settings, "x");
        tn_buf_add_text(&expected, "x");
    }
    tn_buf_add_text(&settings, "\",\"longer\":\"");
    tn_buf_add_text(&expected, "|");
    for (int i = 0; i < TN_TEXT_MAX + 1; i++) {
        tn_buf_add_text(&settings, "y");
    }
    tn_buf_add_text(&settings, "\"}");
    expect_published(*state, settings.data, expected.data);
    tn_buf_deinit(&settings);
    tn_buf_deinit(&expected);
}

static void rename_often(tn_test_database_t *database, const char *id)
{
    char slug[TN_SLUG_MAX + 1];
    for (int i = 0; i < TN_TENANT_FORMER_SLUGS_MAX; i++) {
        (void)snprintf(slug, sizeof(slug), "s%060d", i);
        assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.slug = slug}, NULL),
                         TN_OK);
    }
}

/* As many of everything as the database takes: the directory takes them too. */
static void test_largest_tenant(void **state)
{
    tn_test_database_t *database = *state;
    char path[256], id[TN_UUID_LENGTH + 1], text[TN_KEY_MAX + 1];
    tn_err_t err = {0};
    (void)snprintf(path, sizeof(path), "%s/directory", database->folder);
    tn_test_create(database, "acme", id);
    rename_often(database, id);
    tn_test_sql(database->path,
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4096)"
                " INSERT INTO domains SELECT printf('%s.%s.%s.%056d.example', l.t, l.t, l.t, i),"
                " printf('%036d', i), t.id, 0, 0 FROM n, tenants t,"
                " (SELECT printf('%061d', 0) || 'x' AS t) l");
    assert_int_equal(tn_test_number(database->path, "SELECT max(length(host)) FROM domains"),
                     TN_HOST_MAX);
    tn_tx_t *tx = tn_test_begin(database);
    for (int i = 0; i < TN_TENANT_FLAGS_MAX; i++) {
        (void)snprintf(text, sizeof(text), "f%062d", i);
        assert_int_equal(tn_flag_set_tenant(tx, text, id, i % 2 == 0, &err), TN_OK);
    }
    (void)tn_test_commit(tx);
    tn_publisher_t *publisher = tn_test_publisher(path);
    tn_test_sync(publisher, database, path);
    /* and once more as a change */
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.name = "x"}, NULL), TN_OK);
    tn_test_sync(publisher, database, path);
    tn_publisher_close(publisher);
}

/* More tenants than one change takes, in a database of one version and of many. */
static void test_many_tenants(void **state)
{
    tn_test_database_t *database = *state;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/directory", database->folder);
    tn_test_sql(database->path,
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 17000)"
                " INSERT INTO tenants SELECT printf('%08x-0000-7000-8000-%012x', i, i), 'n' || i,"
                " 'p', '', '{}', 1, 1, 0, 1, 0, 0 FROM n;"
                "INSERT INTO tenant_slugs SELECT name, id, 0 FROM tenants;"
                "INSERT INTO domains SELECT name || '.example', id, id, 0, 0 FROM tenants");
    for (int versions = 1; versions < 1000; versions *= 30) {
        char sql[64];
        tn_publisher_t *publisher = tn_test_publisher(path);
        (void)snprintf(sql, sizeof(sql), "UPDATE change_counter SET version = %d", versions);
        tn_test_sql(database->path, sql);
        assert_int_equal(tn_publisher_rebuild(NULL, publisher, database->store, false, NULL),
                         TN_OK);
        tn_test_sync(publisher, database, path);
        tn_publisher_close(publisher);
    }
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_scalars),
        WITH_DATABASE(test_reals),
        WITH_DATABASE(test_reals_to_the_last_digit),
        WITH_DATABASE(test_what_is_left_out),
        WITH_DATABASE(test_no_settings),
        WITH_DATABASE(test_longest_text),
        WITH_DATABASE(test_largest_tenant),
        WITH_DATABASE(test_many_tenants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
