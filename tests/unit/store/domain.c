/*
 * Custom domains: whose they are, which is primary, and what is refused.
 */
#include "store/domain.h"

#include "core/directory_writer.h"
#include "database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const char *const bases[] = {"localhost", "saas.example"};

/* In a transaction of its own; what the call returned. */
static int add(tn_test_database_t *database, const char *id, const char *host, tn_err_t *err)
{
    tn_domain_row_t row;
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_domain_add(&row, tx, id, host, bases, 2, err);
    if (code == TN_OK) {
        assert_string_equal(row.host, host);
        assert_string_equal(row.tenant_id, id);
        assert_false(row.is_primary);
    }
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static int drop(tn_test_database_t *database, const char *id, const char *host)
{
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_domain_remove(tx, id, host, NULL);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static int set_primary(tn_test_database_t *database, const char *id, const char *host,
                       bool redirect)
{
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_domain_set_primary(tx, id, host, redirect, NULL);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

static int clear_primary(tn_test_database_t *database, const char *id)
{
    tn_tx_t *tx = tn_test_begin(database);
    int code = tn_domain_clear_primary(tx, id, NULL);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), code);
    return code;
}

/* "HOST redirects version" of the tenant. */
static void expect_primary(tn_test_database_t *database, const char *id, const char *host,
                           bool redirects, int64_t version)
{
    tn_tenant_row_t row = {0};
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_tenant_find(&row, tx, id, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_string_equal(row.primary_host, host);
    assert_int_equal(row.redirects_to_primary, redirects);
    assert_int_equal(row.version, version);
    tn_tenant_row_deinit(&row);
}

static void test_add_and_find(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_domain_row_t row;
    tn_test_create(database, "acme", id);
    uint64_t before = tn_test_generation(database);
    assert_int_equal(add(database, id, "app.acme.com", NULL), TN_OK);
    assert_int_equal(tn_test_generation(database), before + 1);
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_domain_find(&row, tx, "app.acme.com", NULL), TN_OK);
    assert_string_equal(row.tenant_id, id);
    assert_int_equal(strlen(row.id), TN_UUID_LENGTH);
    assert_true(row.created_at_ms > 1600000000000);
    assert_int_equal(tn_domain_find(&row, tx, "acme.com", NULL), TN_ENOTFOUND);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), TN_OK);
    expect_primary(database, id, "", false, 1);
}

static void test_what_is_refused(void **state)
{
    static const char *const no_hosts[] = {
        "",          "Acme.com", "acme.com.", "acme.com:80",  "-a.com",           "a_b.com",
        "127.0.0.1", "[::1]",    "a..b",      "exa mple.com", "\xc3\xbc.example",
    };
    static const char *const platform[] = {
        "localhost",
        "x.localhost",
        "a.b.saas.example",
        "saas.example",
    };
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(database, "acme", id);
    tn_test_create(database, "other", other);
    for (size_t i = 0; i < sizeof(no_hosts) / sizeof(no_hosts[0]); i++) {
        assert_int_equal(add(database, id, no_hosts[i], &err), TN_EINVAL);
        assert_string_equal(err.field, "host");
    }
    for (size_t i = 0; i < sizeof(platform) / sizeof(platform[0]); i++) {
        assert_int_equal(add(database, id, platform[i], &err), TN_ECONFLICT);
        assert_string_equal(err.field, "host");
    }
    assert_int_equal(add(database, id, "notlocalhost", &err), TN_OK);
    assert_int_equal(add(database, id, "mysaas.example", &err), TN_OK);
    assert_int_equal(add(database, id, "mysaas.example", &err), TN_ECONFLICT);
    assert_non_null(strstr(err.detail, "this tenant's"));
    assert_int_equal(add(database, other, "mysaas.example", &err), TN_ECONFLICT);
    assert_non_null(strstr(err.detail, "another tenant's"));
    assert_int_equal(add(database, "nobody", "x.example", &err), TN_ENOTFOUND);
}

static void test_remove(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1];
    tn_test_create(database, "acme", id);
    tn_test_create(database, "other", other);
    assert_int_equal(add(database, id, "a.example", NULL), TN_OK);
    assert_int_equal(drop(database, other, "a.example"), TN_ENOTFOUND);
    assert_int_equal(drop(database, id, "b.example"), TN_ENOTFOUND);
    assert_int_equal(drop(database, id, "a.example"), TN_OK);
    assert_int_equal(drop(database, id, "a.example"), TN_ENOTFOUND);
    /* free for somebody else, at once */
    assert_int_equal(add(database, other, "a.example", NULL), TN_OK);
}

static void test_primary(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1], text[256];
    tn_test_create(database, "acme", id);
    tn_test_create(database, "other", other);
    assert_int_equal(add(database, id, "a.example", NULL), TN_OK);
    assert_int_equal(add(database, id, "b.example", NULL), TN_OK);
    assert_int_equal(set_primary(database, other, "a.example", true), TN_ENOTFOUND);
    assert_int_equal(set_primary(database, id, "a.example", true), TN_OK);
    expect_primary(database, id, "a.example", true, 2);
    assert_int_equal(set_primary(database, id, "b.example", false), TN_OK);
    expect_primary(database, id, "b.example", false, 3);
    tn_test_text(text, sizeof(text), database->path,
                 "SELECT action || ' ' || target || ' ' || before_json || after_json FROM audit"
                 " ORDER BY id DESC LIMIT 1");
    assert_string_equal(text, "domain.primary b.example {\"primaryDomain\":\"a.example\","
                              "\"redirectToPrimary\":true}{\"primaryDomain\":\"b.example\","
                              "\"redirectToPrimary\":false}");
    uint64_t generation = tn_test_generation(database);
    assert_int_equal(set_primary(database, id, "b.example", false), TN_OK); /* nothing changes */
    assert_int_equal(tn_test_generation(database), generation);
    assert_int_equal(drop(database, id, "b.example"), TN_OK);
    expect_primary(database, id, "", false, 4);
    assert_int_equal(set_primary(database, id, "a.example", true), TN_OK);
    assert_int_equal(clear_primary(database, id), TN_OK);
    expect_primary(database, id, "", true, 6);
    assert_int_equal(clear_primary(database, id), TN_OK);
    expect_primary(database, id, "", true, 6);
    assert_int_equal(clear_primary(database, "nobody"), TN_ENOTFOUND);
}

static int add_host(const tn_domain_row_t *row, void *context)
{
    char *list = context;
    (void)strcat(strcat(list, row->host), row->is_primary ? "* " : " ");
    return 0;
}

static void expect_list(tn_test_database_t *database, const char *id, const char *after,
                        size_t limit, const char *expected)
{
    char list[512] = "";
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_domain_list(tx, id, after, limit, add_host, list, NULL), TN_OK);
    tn_tx_abort(tx);
    assert_string_equal(list, expected);
}

static void test_list(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], other[TN_UUID_LENGTH + 1];
    tn_test_create(database, "acme", id);
    tn_test_create(database, "other", other);
    assert_int_equal(add(database, id, "c.example", NULL), TN_OK);
    assert_int_equal(add(database, other, "b.example", NULL), TN_OK);
    assert_int_equal(add(database, id, "a.example", NULL), TN_OK);
    assert_int_equal(set_primary(database, id, "c.example", true), TN_OK);
    expect_list(database, NULL, NULL, 10, "a.example b.example c.example* ");
    expect_list(database, NULL, "a.example", 1, "b.example ");
    expect_list(database, id, NULL, 10, "a.example c.example* ");
    expect_list(database, id, "a.example", 10, "c.example* ");
    expect_list(database, "nobody", NULL, 10, "");
}

static void test_limit(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_err_t err = {0};
    tn_test_create(database, "acme", id);
    /* all but one; the limit is the same for a domain that was added otherwise */
    tn_test_sql(database->path,
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4095)"
                " INSERT INTO domains SELECT 'h' || i || '.example', printf('%036d', i), t.id, 0, 0"
                " FROM n, tenants t");
    assert_int_equal(add(database, id, "last.example", &err), TN_OK);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM domains"),
                     TN_TENANT_HOSTS_MAX);
    assert_int_equal(add(database, id, "one-more.example", &err), TN_EFULL);
    assert_string_equal(err.field, "host");
    assert_int_equal(drop(database, id, "h7.example"), TN_OK);
    assert_int_equal(add(database, id, "one-more.example", &err), TN_OK);
}

static void test_constraints(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1];
    tn_test_create(database, "acme", id);
    assert_int_equal(add(database, id, "a.example", NULL), TN_OK);
    assert_int_equal(add(database, id, "b.example", NULL), TN_OK);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE domains SET host = 'a.example'"),
                     SQLITE_CONSTRAINT_PRIMARYKEY);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE domains SET is_primary = 1"),
                     SQLITE_CONSTRAINT_UNIQUE);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE domains SET is_primary = 2"),
                     SQLITE_CONSTRAINT_CHECK);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE domains SET tenant_id = 'x'"),
                     SQLITE_CONSTRAINT_FOREIGNKEY);
    assert_int_equal(tn_test_sql_code(database->path, "UPDATE domains SET host = ''"),
                     SQLITE_CONSTRAINT_CHECK);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_add_and_find), WITH_DATABASE(test_what_is_refused),
        WITH_DATABASE(test_remove),       WITH_DATABASE(test_primary),
        WITH_DATABASE(test_list),         WITH_DATABASE(test_limit),
        WITH_DATABASE(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
