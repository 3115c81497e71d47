/*
 * Unit tests of /api/tenant/cache, /v1/status and /healthz, against a daemon.
 */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    /* neither in the order of their slugs nor of their ids */
    static const char *const slugs[] = {"cc", "aa", "ee", "bb", "dd"};
    for (size_t i = 0; i < 5; i++) {
        char body[64];
        (void)snprintf(body, sizeof(body), "{\"slug\":\"%s\",\"name\":\"x\"}", slugs[i]);
        tn_test_expect(*state, "POST", "/v1/tenants", body, 201, "");
    }
    tn_test_expect(*state, "POST", "/v1/tenants/bb/domains", "{\"host\":\"b.example\"}", 201, "");
    tn_test_expect(*state, "PUT", "/v1/flags/beta", "{\"default\":true}", 200, "");
    return code;
}

static void test_health(void **state)
{
    tn_test_answer_t answer = tn_test_call(
        *state, &(tn_test_call_t){.method = "GET", .path = "/healthz", .is_anonymous = true});
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.text, "{\"status\":\"ok\"}\n");
    tn_test_answer_deinit(&answer);
}

static void test_public_view(void **state)
{
    const tn_test_daemon_t *daemon = *state;
    tn_test_answer_t answer = tn_test_call(
        *state, &(tn_test_call_t){
                    .method = "GET", .path = "/api/tenant/cache?limit=0", .is_anonymous = true});
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "state"), "ready");
    assert_int_equal(tn_test_number_of(&answer, "tenants"), 5);
    assert_int_equal(tn_test_number_of(&answer, "domains"), 1);
    assert_int_equal(tn_test_number_of(&answer, "flags"), 1);
    assert_int_equal(tn_test_number_of(&answer, "generation"),
                     tn_test_number_of(&answer, "databaseGeneration"));
    assert_true(tn_test_number_of(&answer, "sizeBytes") > tn_test_number_of(&answer, "usedBytes"));
    assert_int_equal(strlen(tn_test_text_of(&answer, "databaseId")), 36);
    /* and no more: no entries, no paths of this machine */
    assert_int_equal(json_object_size(answer.body), 9);
    assert_null(strstr(answer.text, daemon->folder));
    tn_test_answer_deinit(&answer);
}

static void test_entries(void **state)
{
    const tn_test_daemon_t *daemon = *state;
    char path[256] = "/api/tenant/cache?limit=2";
    char slugs[64] = "";
    int pages = 0;
    for (bool is_last = false; !is_last && pages < 10; pages++) {
        tn_test_answer_t answer = tn_test_ask(daemon, "GET", path, NULL);
        assert_int_equal(answer.status, 200);
        const json_t *entries = tn_test_member(&answer, "entries");
        assert_in_range(json_array_size(entries), 1, 2);
        size_t i;
        json_t *entry;
        json_array_foreach((json_t *)entries, i, entry)
        {
            (void)strcat(slugs, json_string_value(json_object_get(entry, "slug")));
        }
        assert_string_equal(tn_test_text_of(&answer, "path"), daemon->conf.directory);
        is_last = json_is_null(tn_test_member(&answer, "nextCursor"));
        if (!is_last) {
            (void)snprintf(path, sizeof(path), "/api/tenant/cache?limit=2&cursor=%s",
                           tn_test_text_of(&answer, "nextCursor"));
        }
        tn_test_answer_deinit(&answer);
    }
    assert_string_equal(slugs, "aabbccddee");
    assert_int_equal(pages, 3);

    tn_test_answer_t answer = tn_test_ask(daemon, "GET", "/api/tenant/cache", NULL);
    assert_string_equal(tn_test_text_of(&answer, "entries.1.slug"), "bb");
    assert_string_equal(tn_test_text_of(&answer, "entries.1.status"), "active");
    assert_string_equal(tn_test_text_of(&answer, "entries.1.hosts.0"), "bb.localhost");
    assert_string_equal(tn_test_text_of(&answer, "entries.1.hosts.1"), "b.example");
    assert_int_equal(json_array_size(tn_test_member(&answer, "entries.0.hosts")), 1);
    tn_test_answer_deinit(&answer);
    tn_test_expect(daemon, "GET", "/api/tenant/cache?limit=0", NULL, 400, "invalid_value");
    tn_test_expect(daemon, "GET", "/api/tenant/cache?cursor=x", NULL, 400, "invalid_value");
}

/* A wrong token is not an operator's, and a public route is still public. */
static void test_wrong_token_sees_the_public_view(void **state)
{
    tn_test_answer_t answer = tn_test_call(
        *state, &(tn_test_call_t){.method = "GET",
                                  .path = "/api/tenant/cache",
                                  .is_anonymous = true,
                                  .headers = {"Authorization: Bearer "
                                              "tno_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}});
    assert_int_equal(answer.status, 200);
    assert_null(tn_test_member(&answer, "entries"));
    assert_null(tn_test_member(&answer, "path"));
    tn_test_answer_deinit(&answer);
}

static void test_build(void **state)
{
    static const struct {
        const char *body;
        long status;
        const char *code;
    } cases[] = {
        {NULL, 200, ""},
        {"{}", 200, ""},
        {"{\"action\":\"rebuild\"}", 200, ""},
        {"{\"action\":\"rebuild\",\"force\":true}", 200, ""},
        {"{\"action\":\"init\"}", 200, ""},
        {"{\"action\":\"init\",\"force\":true}", 200, ""},
        {"{\"action\":\"\"}", 400, "invalid_value"},
        {"{\"action\":\"wipe\"}", 400, "invalid_value"},
        {"{\"force\":1}", 400, "invalid_value"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_test_answer_t answer = tn_test_ask(*state, "POST", "/api/tenant/cache", cases[i].body);
        if (answer.status != cases[i].status) {
            fail_msg("case %zu: %ld %s", i, answer.status, answer.text);
        }
        if (answer.status == 200) {
            assert_string_equal(tn_test_text_of(&answer, "state"), "ready");
            assert_int_equal(tn_test_number_of(&answer, "tenants"), 5);
            assert_int_equal(strtoll(tn_test_header_of(&answer, "Tenantry-Generation"), NULL, 10),
                             tn_test_number_of(&answer, "generation"));
        } else {
            assert_string_equal(tn_test_text_of(&answer, "code"), cases[i].code);
        }
        tn_test_answer_deinit(&answer);
    }
    tn_test_answer_t answer = tn_test_call(
        *state,
        &(tn_test_call_t){.method = "POST", .path = "/api/tenant/cache", .is_anonymous = true});
    assert_int_equal(answer.status, 401);
    assert_string_equal(tn_test_text_of(&answer, "code"), "unauthenticated");
    tn_test_answer_deinit(&answer);
}

static void test_status(void **state)
{
    const tn_test_daemon_t *daemon = *state;
    tn_test_answer_t answer = tn_test_ask(*state, "GET", "/v1/status", NULL);
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "version"), TN_VERSION);
    assert_string_equal(tn_test_text_of(&answer, "database.state"), "open");
    assert_string_equal(tn_test_text_of(&answer, "directory.state"), "ready");
    assert_string_equal(tn_test_text_of(&answer, "publisher.state"), "ready");
    assert_string_equal(tn_test_text_of(&answer, "directory.path"), daemon->conf.directory);
    assert_true(json_is_null(tn_test_member(&answer, "publisher.reason")));
    assert_string_equal(tn_test_text_of(&answer, "database.id"),
                        tn_test_text_of(&answer, "directory.databaseId"));
    assert_int_equal(tn_test_number_of(&answer, "database.generation"),
                     tn_test_number_of(&answer, "directory.generation"));
    tn_test_answer_deinit(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health),  cmocka_unit_test(test_public_view),
        cmocka_unit_test(test_entries), cmocka_unit_test(test_wrong_token_sees_the_public_view),
        cmocka_unit_test(test_build),   cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, set_up, tn_test_daemon_teardown);
}
