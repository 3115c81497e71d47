/*
 * The audit entries of tenants: their names, what they show, and what they hide.
 */
#include "store/tenant_diff.h"

#include "database.h"
#include "store/audit.h"

#include <stdio.h>
#include <string.h>

/* All entries of a chain, oldest first: "action target before after\n". */
static void dump(char *out, size_t size, tn_test_database_t *database, const char *chain)
{
    char sql[320];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT group_concat(line, '') FROM (SELECT action || ' ' || target || ' ' ||"
                   " before_json || ' ' || after_json || char(10) AS line FROM audit"
                   " WHERE chain = '%s' ORDER BY id)",
                   chain);
    tn_test_text(out, size, database->path, sql);
}

static void test_creation(void **state)
{
    char id[TN_UUID_LENGTH + 1], text[1024];
    tn_test_create(*state, "acme", id);
    dump(text, sizeof(text), *state, id);
    assert_string_equal(text, "tenant.create acme  {\"slug\":\"acme\",\"status\":\"active\","
                              "\"name\":\"acme\",\"plan\":\"standard\",\"listed\":true,"
                              "\"upstream\":\"\",\"redirectToPrimary\":false,\"settings\":{}}\n");
}

static void test_each_status_has_its_name(void **state)
{
    static const struct {
        tn_tenant_status_t status;
        const char *expected;
    } steps[] = {
        {TN_STATUS_SUSPENDED, "tenant.suspend active suspended"},
        {TN_STATUS_MAINTENANCE, "tenant.maintenance suspended maintenance"},
        {TN_STATUS_ACTIVE, "tenant.resume maintenance active"},
        {TN_STATUS_ARCHIVED, "tenant.archive active archived"},
        {TN_STATUS_ACTIVE, "tenant.restore archived active"},
        {TN_STATUS_SUSPENDED, "tenant.suspend active suspended"},
        {TN_STATUS_ACTIVE, "tenant.resume suspended active"},
    };
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], text[128];
    tn_test_create(database, "acme", id);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const tn_tenant_values_t values = {.status = &steps[i].status};
        assert_int_equal(tn_test_update(database, id, &values, NULL), TN_OK);
        tn_test_text(text, sizeof(text), database->path,
                     "SELECT action || ' ' || json_extract(before_json, '$.status') || ' ' ||"
                     " json_extract(after_json, '$.status') FROM audit ORDER BY id DESC LIMIT 1");
        assert_string_equal(text, steps[i].expected);
    }
}

static void test_one_update_several_entries(void **state)
{
    const tn_tenant_status_t status = TN_STATUS_SUSPENDED;
    const bool no = false;
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], text[2048];
    tn_test_create(database, "acme", id);
    const tn_tenant_values_t values = {
        .slug = "new", .name = "New", .status = &status, .is_listed = &no, .plan = "standard"};
    assert_int_equal(tn_test_update(database, id, &values, NULL), TN_OK);
    dump(text, sizeof(text), database, id);
    const char *rest = strchr(text, '\n') + 1;
    assert_string_equal(rest,
                        "tenant.rename acme {\"slug\":\"acme\"} {\"slug\":\"new\"}\n"
                        "tenant.suspend new {\"status\":\"active\"} {\"status\":\"suspended\"}\n"
                        "tenant.update new {\"name\":\"acme\",\"listed\":true}"
                        " {\"name\":\"New\",\"listed\":false}\n");
    assert_int_equal(tn_test_number(database->path,
                                    "SELECT count(DISTINCT generation) FROM audit"
                                    " WHERE action <> 'tenant.create' AND chain <> 'platform'"),
                     1);
}

static void test_secrets_are_masked(void **state)
{
    tn_test_database_t *database = *state;
    char id[TN_UUID_LENGTH + 1], text[2048];
    tn_test_create(database, "acme", id);
    const char *first = "{\"title\":\"A\",\"smtp\":{\"password\":\"hunter2\"}}";
    const char *second = "{\"title\":\"A\",\"smtp\":{\"password\":\"hunter3\"}}";
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.settings = first}, NULL),
                     TN_OK);
    assert_int_equal(tn_test_update(database, id, &(tn_tenant_values_t){.settings = second}, NULL),
                     TN_OK);
    dump(text, sizeof(text), database, id);
    const char *rest = strchr(text, '\n') + 1;
    assert_string_equal(
        rest, "tenant.update acme {\"settings\":{}}"
              " {\"settings\":{\"title\":\"A\",\"smtp\":{\"password\":\"***\"}}}\n"
              "tenant.update acme {\"settings\":{\"title\":\"A\",\"smtp\":{\"password\":\"***\"}}}"
              " {\"settings\":{\"title\":\"A\",\"smtp\":{\"password\":\"***\"}}}\n");
    /* but the tenant has its own */
    tn_test_text(text, sizeof(text), database->path, "SELECT settings FROM tenants");
    assert_string_equal(text, second);
}

static void test_who_and_when(void **state)
{
    tn_test_database_t *database = *state;
    static const tn_actor_t actor = {"system", "a name", "192.0.2.7"};
    tn_tenant_row_t row = {0};
    tn_tx_t *tx = NULL;
    char text[128];
    assert_int_equal(tn_tx_begin(&tx, database->store, TN_TX_WRITE, &actor, NULL), TN_OK);
    const tn_tenant_values_t values = {.slug = "acme", .name = "n"};
    assert_int_equal(tn_tenant_create(&row, tx, &values, NULL), TN_OK);
    (void)tn_test_commit(tx);
    tn_test_text(text, sizeof(text), database->path,
                 "SELECT actor_kind || '|' || actor_name || '|' || address FROM audit"
                 " WHERE action = 'tenant.create'");
    assert_string_equal(text, "system|a name|192.0.2.7");
    assert_int_equal(
        tn_test_number(database->path, "SELECT at_ms FROM audit WHERE action = 'tenant.create'"),
        row.created_at_ms);
    tn_tenant_row_deinit(&row);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_creation),
        WITH_DATABASE(test_each_status_has_its_name),
        WITH_DATABASE(test_one_update_several_entries),
        WITH_DATABASE(test_secrets_are_masked),
        WITH_DATABASE(test_who_and_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
