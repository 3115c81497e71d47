/*
 * Statements in a transaction: preparing once, nesting, and errors that stay.
 */
#include "store/query.h"

#include "database.h"

static const char *const two_rows = "SELECT $1 UNION SELECT $2 ORDER BY 1";

static tn_query_t ask(tn_tx_t *tx, const char *first, const char *second)
{
    tn_query_t query = tn_query(tx, two_rows, NULL);
    tn_query_add_text(&query, first);
    tn_query_add_text(&query, second);
    return query;
}

static void test_statement_is_prepared_once(void **state)
{
    tn_tx_t *tx = tn_test_begin_read(*state);
    size_t before = tx->session->prepared_count;
    for (int i = 0; i < 5; i++) {
        tn_query_t query = ask(tx, "a", "b");
        assert_true(tn_query_next(&query));
        assert_string_equal(tn_query_text(&query, 0).data, "a");
        assert_int_equal(tn_query_end(&query), TN_OK);
    }
    assert_int_equal(tx->session->prepared_count, before + 1);
    tn_tx_abort(tx);
}

static void test_same_statement_inside_itself(void **state)
{
    tn_tx_t *tx = tn_test_begin_read(*state);
    tn_query_t outer = ask(tx, "a", "b");
    assert_true(tn_query_next(&outer));
    tn_query_t inner = ask(tx, "c", "d");
    assert_true(tn_query_next(&inner));
    assert_string_equal(tn_query_text(&inner, 0).data, "c");
    assert_true(tn_query_next(&outer));
    assert_string_equal(tn_query_text(&outer, 0).data, "b");
    assert_true(tn_query_next(&inner));
    assert_string_equal(tn_query_text(&inner, 0).data, "d");
    assert_false(tn_query_next(&inner));
    assert_int_equal(tn_query_end(&inner), TN_OK);
    assert_false(tn_query_next(&outer));
    assert_int_equal(tn_query_end(&outer), TN_OK);
    tn_tx_abort(tx);
}

static void test_an_error_stays(void **state)
{
    tn_err_t err = {0};
    tn_test_database_t *database = *state;
    tn_tx_t *tx = tn_test_begin(database);
    tn_query_t query = tn_query(tx, "INSERT INTO change_counter VALUES (1, 2, '')", &err);
    assert_int_equal(tn_query_run(&query), TN_ECONFLICT);
    assert_int_equal(err.code, TN_ECONFLICT);
    /* a good statement is not run any more, and tells the same error */
    tn_err_t later = {0};
    query = tn_query(tx, "INSERT INTO meta VALUES ('a', 'b')", &later);
    assert_int_equal(tn_query_run(&query), TN_ECONFLICT);
    assert_string_equal(later.detail, err.detail);
    tn_err_t last = {0};
    assert_int_equal(tn_tx_commit(tx, NULL, &last), TN_ECONFLICT);
    assert_string_equal(last.detail, err.detail);
    assert_int_equal(tn_test_number(database->path, "SELECT count(*) FROM meta"), 1);
}

static void test_statement_that_is_none(void **state)
{
    tn_err_t err = {0};
    tn_tx_t *tx = tn_test_begin_read(*state);
    tn_query_t query = tn_query(tx, "SELEKT $1", &err);
    tn_query_add_text(&query, "x");
    tn_query_add_int(&query, 1);
    assert_false(tn_query_next(&query));
    assert_int_equal(tn_query_end(&query), TN_EIO);
    assert_int_equal(tn_query_end(&query), TN_EIO);
    assert_int_equal(tn_tx_commit(tx, NULL, &err), TN_EIO);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_statement_is_prepared_once),
        WITH_DATABASE(test_same_statement_inside_itself),
        WITH_DATABASE(test_an_error_stays),
        WITH_DATABASE(test_statement_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
