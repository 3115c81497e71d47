/*
 * The audit trail: appending in the transaction of the change, and listing.
 */
#include "store/audit.h"

#include "database.h"
#include "store/audit_append.h"
#include "store/flag.h"

#include <stdio.h>
#include <string.h>

static int append(tn_tx_t *tx, const char *chain, const char *action, const char *target)
{
    return tn_audit_append(
        tx, &(tn_audit_event_t){.chain = chain, .action = action, .target = target}, NULL);
}

static int add_line(uint64_t id, const tn_audit_entry_t *entry, void *context)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "%d:%s/%d:%s ", (int)id, entry->chain, (int)entry->sequence,
                   entry->action);
    (void)strcat(context, line);
    return strcmp(entry->action, "stop") == 0 ? 9 : 0;
}

static void expect_list(tn_test_database_t *database, tn_audit_filter_t filter,
                        const char *expected)
{
    char text[1024] = "";
    tn_err_t err = {0};
    tn_tx_t *tx = tn_test_begin_read(database);
    if (tn_audit_list(tx, &filter, add_line, text, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    tn_tx_abort(tx);
    assert_string_equal(text, expected);
}

/* Entry 1 is the database's creation. */
static void append_some(tn_test_database_t *database)
{
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(append(tx, "a", "x.one", "t"), TN_OK);
    assert_int_equal(append(tx, "b", "x.two", "t"), TN_OK);
    assert_int_equal(append(tx, "a", "y.one", "t"), TN_OK);
    assert_int_equal(append(tx, "a", "x", "t"), TN_OK);
    (void)tn_test_commit(tx);
}

static void test_chains_count_by_themselves(void **state)
{
    append_some(*state);
    expect_list(*state, (tn_audit_filter_t){.limit = 10},
                "5:a/3:x 4:a/2:y.one 3:b/1:x.two 2:a/1:x.one 1:platform/1:database.create ");
}

static void test_filters_and_pages(void **state)
{
    append_some(*state);
    expect_list(*state, (tn_audit_filter_t){.limit = 2}, "5:a/3:x 4:a/2:y.one ");
    expect_list(*state, (tn_audit_filter_t){.limit = 2, .before_id = 4},
                "3:b/1:x.two 2:a/1:x.one ");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .chain = "a"},
                "5:a/3:x 4:a/2:y.one 2:a/1:x.one ");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .chain = "a", .before_id = 4},
                "2:a/1:x.one ");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .chain = "nobody"}, "");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .action = "x"}, "5:a/3:x ");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .action = "x*"},
                "5:a/3:x 3:b/1:x.two 2:a/1:x.one ");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .action = "x.*", .chain = "a"},
                "2:a/1:x.one ");
    expect_list(*state, (tn_audit_filter_t){.limit = 1, .action = "*"}, "5:a/3:x ");
    expect_list(*state, (tn_audit_filter_t){.limit = 9, .action = "%"}, "");
}

static void test_limits_and_stopping(void **state)
{
    char text[256] = "";
    tn_err_t err = {0};
    tn_tx_t *tx = tn_test_begin(*state);
    assert_int_equal(append(tx, "a", "stop", "t"), TN_OK);
    assert_int_equal(append(tx, "a", "go", "t"), TN_OK);
    (void)tn_test_commit(tx);
    tx = tn_test_begin_read(*state);
    const tn_audit_filter_t all = {.limit = 10};
    assert_int_equal(tn_audit_list(tx, &all, add_line, text, &err), 9);
    assert_string_equal(text, "3:a/2:go 2:a/1:stop ");
    assert_int_equal(tn_audit_list(tx, &(tn_audit_filter_t){.limit = 0}, add_line, text, &err),
                     TN_EINVAL);
    assert_int_equal(tn_audit_list(tx, &(tn_audit_filter_t){.limit = 1001}, add_line, text, &err),
                     TN_EINVAL);
    assert_string_equal(err.field, "limit");
    tn_tx_abort(tx);
}

static void test_not_in_a_transaction_that_reads(void **state)
{
    tn_test_database_t *database = *state;
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(append(tx, "a", "x", "t"), TN_EINVAL);
    /* nor does any writing function get through in one */
    assert_int_equal(tn_flag_set_default(tx, "beta", true, NULL, NULL), TN_EINVAL);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), TN_EINVAL);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM flags"), 0);
}

static void test_gone_with_the_transaction(void **state)
{
    tn_test_database_t *database = *state;
    tn_tx_t *tx = tn_test_begin(database);
    assert_int_equal(append(tx, "a", "x", "t"), TN_OK);
    tn_tx_abort(tx);
    append_some(database);
    /* no id and no sequence was used up */
    expect_list(database, (tn_audit_filter_t){.limit = 1, .before_id = 3}, "2:a/1:x.one ");
}

static void test_what_an_entry_says(void **state)
{
    tn_test_database_t *database = *state;
    char text[512], id[TN_UUID_LENGTH + 1];
    tn_test_create(database, "acme", id);
    tn_test_text(text, sizeof(text), database->path,
                 "SELECT chain = (SELECT id FROM tenants), sequence, at_ms =(SELECT created_at_ms"
                 " FROM tenants), length(hash), previous_hash = printf('%064d', 0), generation"
                 " FROM audit WHERE id = 2");
    assert_string_equal(text, "1");
    assert_int_equal(tn_test_number(database->path,
                                    "SELECT sequence = 1 AND length(hash) = 64 AND"
                                    " previous_hash = printf('%064d', 0) AND generation = 2 AND"
                                    " at_ms = (SELECT created_at_ms FROM tenants)"
                                    " FROM audit WHERE id = 2"),
                     1);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_chains_count_by_themselves),
        WITH_DATABASE(test_filters_and_pages),
        WITH_DATABASE(test_limits_and_stopping),
        WITH_DATABASE(test_not_in_a_transaction_that_reads),
        WITH_DATABASE(test_gone_with_the_transaction),
        WITH_DATABASE(test_what_an_entry_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
