/*
 * Unit tests of the routes of the audit trail, against a daemon.
 */
#include "daemon.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    tn_test_expect(*state, "POST", "/v1/tenants", "{\"slug\":\"acme\",\"name\":\"Acme\"}", 201, "");
    tn_test_expect(*state, "POST", "/v1/tenants", "{\"slug\":\"other\",\"name\":\"O\"}", 201, "");
    tn_test_expect(*state, "PATCH", "/v1/tenants/acme", "{\"status\":\"suspended\"}", 200, "");
    tn_test_expect(*state, "PUT", "/v1/flags/beta", "{\"default\":true}", 200, "");
    return code;
}

static void test_entry(void **state)
{
    tn_test_answer_t answer = tn_test_call(*state, &(tn_test_call_t){
                                                       .method = "PATCH",
                                                       .path = "/v1/tenants/acme",
                                                       .body = "{\"status\":\"active\"}",
                                                       .headers = {"X-Forwarded-For: 192.0.2.7"},
                                                   });
    int64_t generation = tn_test_number_of(&answer, "generation");
    tn_test_answer_deinit(&answer);
    answer = tn_test_ask(*state, "GET", "/v1/audit?limit=1", NULL);
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "entries.0.action"), "tenant.resume");
    assert_string_equal(tn_test_text_of(&answer, "entries.0.target"), "acme");
    assert_string_equal(tn_test_text_of(&answer, "entries.0.actor.kind"), "operator");
    assert_string_equal(tn_test_text_of(&answer, "entries.0.actor.address"), "192.0.2.7");
    assert_string_equal(tn_test_text_of(&answer, "entries.0.before.status"), "suspended");
    assert_string_equal(tn_test_text_of(&answer, "entries.0.after.status"), "active");
    assert_int_equal(tn_test_number_of(&answer, "entries.0.generation"), generation);
    assert_int_equal(strlen(tn_test_text_of(&answer, "entries.0.hash")), 64);
    assert_int_equal(strlen(tn_test_text_of(&answer, "entries.0.at")), 24);
    tn_test_text_of(&answer, "nextCursor");
    tn_test_answer_deinit(&answer);
}

/* How many entries a query gives, page by page of two, newest first. */
static size_t count(const tn_test_daemon_t *daemon, const char *query)
{
    char path[512];
    size_t total = 0;
    int64_t last = INT64_MAX;
    (void)snprintf(path, sizeof(path), "/v1/audit?limit=2&%s", query);
    for (int page = 0; page < 100; page++) {
        tn_test_answer_t answer = tn_test_ask(daemon, "GET", path, NULL);
        assert_int_equal(answer.status, 200);
        const json_t *entries = tn_test_member(&answer, "entries");
        size_t i;
        json_t *entry;
        json_array_foreach((json_t *)entries, i, entry)
        {
            int64_t id = json_integer_value(json_object_get(entry, "id"));
            assert_true(id < last);
            last = id;
        }
        total += json_array_size(entries);
        const json_t *cursor = tn_test_member(&answer, "nextCursor");
        bool is_last = json_is_null(cursor);
        if (!is_last) {
            (void)snprintf(path, sizeof(path), "/v1/audit?limit=2&%s&cursor=%s", query,
                           json_string_value(cursor));
        }
        tn_test_answer_deinit(&answer);
        if (is_last) {
            return total;
        }
    }
    fail_msg("the pages do not end");
    return 0;
}

static void test_filters(void **state)
{
    size_t all = count(*state, "");
    size_t acme = count(*state, "tenant=acme");
    size_t other = count(*state, "tenant=other");
    size_t platform = count(*state, "tenant=platform");
    assert_true(acme >= 2 && other == 1 && platform >= 1);
    assert_int_equal(all, acme + other + platform);
    assert_int_equal(count(*state, "action=tenant.suspend"), 1);
    assert_int_equal(count(*state, "action=tenant.create"), 2);
    assert_int_equal(count(*state, "action=tenant.*"), acme + other);
    assert_int_equal(count(*state, "action=tenant.suspend&tenant=other"), 0);
    assert_int_equal(count(*state, "action=none"), 0);
    tn_test_expect(*state, "GET", "/v1/audit?tenant=nobody", NULL, 404, "not_found");
    tn_test_expect(*state, "GET", "/v1/audit?limit=0", NULL, 400, "invalid_value");
    tn_test_expect(*state, "GET", "/v1/audit?cursor=dGFjbWU", NULL, 400, "invalid_value");
    tn_test_expect(*state, "GET", "/v1/audit?cursor=YXg", NULL, 400, "invalid_value");
}

static void test_verify(void **state)
{
    const tn_test_daemon_t *daemon = *state;
    size_t all = count(*state, "");
    tn_test_answer_t answer = tn_test_ask(*state, "POST", "/v1/audit/verify", NULL);
    assert_int_equal(answer.status, 200);
    assert_true(tn_test_boolean_of(&answer, "valid"));
    assert_int_equal(tn_test_number_of(&answer, "entries"), all);
    assert_int_equal(tn_test_number_of(&answer, "chains"), 3);
    tn_test_answer_deinit(&answer);
    tn_test_expect(*state, "POST", "/v1/audit/verify", "{}", 200, "");
    tn_test_expect(*state, "POST", "/v1/audit/verify", "{\"x\":1}", 400, "invalid_value");

    /* somebody changes an entry behind the daemon's back */
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(daemon->database, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 5000);
    char *message = NULL;
    int code = sqlite3_exec(database,
                            "UPDATE audit SET action = 'tenant.update' WHERE action = "
                            "'tenant.suspend'",
                            NULL, NULL, &message);
    if (code != SQLITE_OK || sqlite3_changes(database) != 1) {
        fail_msg("cannot tamper with the trail: %s", message == NULL ? "no entry" : message);
    }
    sqlite3_free(message);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    answer = tn_test_ask(*state, "POST", "/v1/audit/verify", NULL);
    assert_int_equal(answer.status, 200);
    assert_false(tn_test_boolean_of(&answer, "valid"));
    assert_true(tn_test_text_of(&answer, "fault")[0] != '\0');
    tn_test_answer_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_verify),
    };
    return cmocka_run_group_tests(tests, set_up, tn_test_daemon_teardown);
}
