/*
 * Unit tests of /v1/tenants, against a daemon.
 */
#include "daemon.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static void create(const tn_test_daemon_t *daemon, const char *slug)
{
    char body[160];
    (void)snprintf(body, sizeof(body), "{\"slug\":\"%s\",\"name\":\"Name of %s\"}", slug, slug);
    tn_test_expect(daemon, "POST", "/v1/tenants", body, 201, "");
}

static void test_create(void **state)
{
    tn_test_answer_t answer = tn_test_ask(
        *state, "POST", "/v1/tenants",
        "{\"slug\":\"acme\",\"name\":\"Acm\xc3\xa9\",\"plan\":\"gold\",\"listed\":false,"
        "\"settings\":{\"color\":\"#123\",\"n\":[1,{}]},\"upstream\":\"127.0.0.1:81\"}");
    char location[128];
    assert_int_equal(answer.status, 201);
    assert_string_equal(tn_test_text_of(&answer, "tenant.slug"), "acme");
    assert_string_equal(tn_test_text_of(&answer, "tenant.name"), "Acm\xc3\xa9");
    assert_string_equal(tn_test_text_of(&answer, "tenant.plan"), "gold");
    assert_string_equal(tn_test_text_of(&answer, "tenant.status"), "active");
    assert_string_equal(tn_test_text_of(&answer, "tenant.upstream"), "127.0.0.1:81");
    assert_string_equal(tn_test_text_of(&answer, "tenant.url"), "http://acme.localhost:3000");
    assert_string_equal(tn_test_text_of(&answer, "tenant.settings.color"), "#123");
    assert_int_equal(tn_test_number_of(&answer, "tenant.settings.n.0"), 1);
    assert_false(tn_test_boolean_of(&answer, "tenant.listed"));
    assert_false(tn_test_boolean_of(&answer, "tenant.redirectToPrimary"));
    assert_true(json_is_null(tn_test_member(&answer, "tenant.primaryDomain")));
    assert_int_equal(tn_test_number_of(&answer, "tenant.version"), 1);
    assert_int_equal(json_object_size(tn_test_member(&answer, "tenant")), 14);
    assert_true(tn_test_boolean_of(&answer, "published"));
    (void)snprintf(location, sizeof(location), "/v1/tenants/%s",
                   tn_test_text_of(&answer, "tenant.id"));
    assert_string_equal(tn_test_header_of(&answer, "Location"), location);
    assert_string_equal(tn_test_header_of(&answer, "ETag"), "\"1\"");
    /* the directory stands where the answer says */
    int64_t generation = tn_test_number_of(&answer, "generation");
    assert_int_equal(strtoll(tn_test_header_of(&answer, "Tenantry-Generation"), NULL, 10),
                     generation);
    tn_test_answer_t cache = tn_test_ask(*state, "GET", "/api/tenant/cache", NULL);
    assert_int_equal(tn_test_number_of(&cache, "generation"), generation);
    assert_string_equal(tn_test_text_of(&cache, "entries.0.slug"), "acme");
    tn_test_answer_deinit(&cache);
    tn_test_answer_deinit(&answer);

    /* by id too */
    answer = tn_test_ask(*state, "GET", location, NULL);
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "tenant.slug"), "acme");
    assert_string_equal(tn_test_header_of(&answer, "ETag"), "\"1\"");
    tn_test_answer_deinit(&answer);
}

static void test_create_refused(void **state)
{
    static const struct {
        const char *body;
        long status;
        const char *code, *field;
    } cases[] = {
        {"{\"slug\":\"twice\",\"name\":\"x\"}", 409, "conflict", "slug"},
        {"{\"slug\":\"www\",\"name\":\"x\"}", 409, "conflict", "slug"},
        {"{\"name\":\"x\"}", 400, "invalid_value", "slug"},
        {"{\"slug\":\"a\"}", 400, "invalid_value", "name"},
        {"{\"slug\":\"Upper\",\"name\":\"x\"}", 400, "invalid_value", "slug"},
        {"{\"slug\":\"-a\",\"name\":\"x\"}", 400, "invalid_value", "slug"},
        {"{\"slug\":\"a.b\",\"name\":\"x\"}", 400, "invalid_value", "slug"},
        {"{\"slug\":\"\",\"name\":\"x\"}", 400, "invalid_value", "slug"},
        {"{\"slug\":\"a\",\"name\":\"\"}", 400, "invalid_value", "name"},
        {"{\"slug\":\"a\",\"name\":\"x\\ny\"}", 400, "invalid_value", "name"},
        {"{\"slug\":\"a\",\"name\":\"x\",\"status\":\"active\"}", 400, "invalid_value", "status"},
        {"{\"slug\":\"a\",\"name\":\"x\",\"listed\":\"yes\"}", 400, "invalid_value", "listed"},
        {"{\"slug\":\"a\",\"name\":\"x\",\"settings\":[]}", 400, "invalid_value", "settings"},
        {"[]", 400, "invalid_body", NULL},
        {"", 400, "invalid_body", NULL},
    };
    create(*state, "twice");
    tn_test_answer_t before = tn_test_ask(*state, "GET", "/v1/status", NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_test_answer_t answer = tn_test_ask(*state, "POST", "/v1/tenants", cases[i].body);
        if (answer.status != cases[i].status) {
            fail_msg("%s: %s", cases[i].body, answer.text);
        }
        assert_string_equal(tn_test_text_of(&answer, "code"), cases[i].code);
        if (cases[i].field != NULL) {
            assert_string_equal(tn_test_text_of(&answer, "field"), cases[i].field);
        }
        assert_string_equal(tn_test_text_of(&answer, "instance"), "/v1/tenants");
        tn_test_answer_deinit(&answer);
    }
    tn_test_answer_t after = tn_test_ask(*state, "GET", "/v1/status", NULL);
    assert_string_equal(before.text, after.text);
    tn_test_answer_deinit(&before);
    tn_test_answer_deinit(&after);
}

static void test_show_unknown(void **state)
{
    tn_test_expect(*state, "GET", "/v1/tenants/nobody", NULL, 404, "not_found");
    tn_test_expect(*state, "GET", "/v1/tenants/00000000-0000-7000-8000-000000000000", NULL, 404,
                   "not_found");
    tn_test_expect(*state, "GET", "/v1/tenants/a%00b", NULL, 400, "invalid_value");
    tn_test_expect(*state, "GET", "/v1/tenants/a%2Fb", NULL, 400, "invalid_value");
    tn_test_expect(*state, "PATCH", "/v1/tenants/nobody", "{}", 404, "not_found");
}

static void test_update(void **state)
{
    create(*state, "changing");
    tn_test_answer_t answer =
        tn_test_ask(*state, "PATCH", "/v1/tenants/changing",
                    "{\"name\":\"New\",\"plan\":\"p2\",\"listed\":false,\"settings\":{\"a\":1}}");
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "tenant.name"), "New");
    assert_string_equal(tn_test_text_of(&answer, "tenant.plan"), "p2");
    assert_int_equal(tn_test_number_of(&answer, "tenant.settings.a"), 1);
    assert_false(tn_test_boolean_of(&answer, "tenant.listed"));
    assert_int_equal(tn_test_number_of(&answer, "tenant.version"), 2);
    assert_string_equal(tn_test_header_of(&answer, "ETag"), "\"2\"");
    int64_t generation = tn_test_number_of(&answer, "generation");
    tn_test_answer_deinit(&answer);
    /* what changes nothing writes nothing */
    answer = tn_test_ask(*state, "PATCH", "/v1/tenants/changing", "{\"name\":\"New\"}");
    assert_int_equal(answer.status, 200);
    assert_int_equal(tn_test_number_of(&answer, "tenant.version"), 2);
    assert_int_equal(tn_test_number_of(&answer, "generation"), generation);
    tn_test_answer_deinit(&answer);
    /* a rename: found by the new slug, not by the old one */
    answer = tn_test_ask(*state, "PATCH", "/v1/tenants/changing", "{\"slug\":\"changed\"}");
    assert_int_equal(answer.status, 200);
    assert_string_equal(tn_test_text_of(&answer, "tenant.url"), "http://changed.localhost:3000");
    tn_test_answer_deinit(&answer);
    tn_test_expect(*state, "GET", "/v1/tenants/changing", NULL, 404, "not_found");
    tn_test_expect(*state, "GET", "/v1/tenants/changed", NULL, 200, "");
    tn_test_expect(*state, "PATCH", "/v1/tenants/changed", "{\"slug\":\"x.y\"}", 400,
                   "invalid_value");
    tn_test_expect(*state, "PATCH", "/v1/tenants/changed", "{\"name\":null}", 400, "invalid_value");
    tn_test_expect(*state, "PATCH", "/v1/tenants/changed", "{\"id\":\"x\"}", 400, "invalid_value");
}

static void test_status(void **state)
{
    static const struct {
        const char *status;
        long code;
    } steps[] = {
        {"suspended", 200}, {"active", 200},   {"maintenance", 200},
        {"suspended", 200}, {"archived", 200}, {"suspended", 409},
        {"active", 200},    {"closed", 400},   {"Active", 400},
    };
    create(*state, "moody");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char body[64];
        (void)snprintf(body, sizeof(body), "{\"status\":\"%s\"}", steps[i].status);
        tn_test_answer_t answer = tn_test_ask(*state, "PATCH", "/v1/tenants/moody", body);
        if (answer.status != steps[i].code) {
            fail_msg("step %zu: %s", i, answer.text);
        }
        if (answer.status == 200) {
            assert_string_equal(tn_test_text_of(&answer, "tenant.status"), steps[i].status);
        }
        tn_test_answer_deinit(&answer);
    }
}

static void test_if_match(void **state)
{
    static const struct {
        const char *header;
        long status;
    } cases[] = {
        {"If-Match: \"1\"", 200}, /* now at 2 */
        {"If-Match: \"1\"", 412},
        {"If-Match: \"3\"", 412},
        {"If-Match: W/\"2\"", 412}, /* strong comparison */
        {"If-Match: 2", 412},
        {"If-Match: \"22\"", 412},
        {"If-Match: \"1\", \"7\"", 412},
        {"If-Match: \"1\" , \"2\"", 200}, /* now at 3 */
        {"If-Match: *", 200},
        {"X-Other: 1", 200},
    };
    create(*state, "matched");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[64];
        (void)snprintf(body, sizeof(body), "{\"name\":\"n%zu\"}", i);
        tn_test_answer_t answer = tn_test_call(*state, &(tn_test_call_t){
                                                           .method = "PATCH",
                                                           .path = "/v1/tenants/matched",
                                                           .body = body,
                                                           .headers = {cases[i].header},
                                                       });
        if (answer.status != cases[i].status) {
            fail_msg("%s: %ld %s", cases[i].header, answer.status, answer.text);
        }
        if (answer.status == 412) {
            assert_string_equal(tn_test_text_of(&answer, "code"), "precondition_failed");
        }
        tn_test_answer_deinit(&answer);
    }
}

/* Walks all pages of `limit`, and gives the slugs joined. */
static char *walk(const tn_test_daemon_t *daemon, const char *query)
{
    static char slugs[4096];
    char path[1024];
    size_t used = 0;
    slugs[0] = '\0';
    (void)snprintf(path, sizeof(path), "/v1/tenants?%s", query);
    for (int page = 0; page < 100; page++) {
        tn_test_answer_t answer = tn_test_ask(daemon, "GET", path, NULL);
        assert_int_equal(answer.status, 200);
        const json_t *tenants = tn_test_member(&answer, "tenants");
        size_t i;
        json_t *tenant;
        json_array_foreach((json_t *)tenants, i, tenant)
        {
            used += (size_t)snprintf(slugs + used, sizeof(slugs) - used, "%s ",
                                     json_string_value(json_object_get(tenant, "slug")));
        }
        const json_t *cursor = tn_test_member(&answer, "nextCursor");
        assert_non_null(cursor);
        bool is_last = json_is_null(cursor);
        if (!is_last) {
            (void)snprintf(path, sizeof(path), "/v1/tenants?%s&cursor=%s", query,
                           json_string_value(cursor));
        }
        tn_test_answer_deinit(&answer);
        if (is_last) {
            return slugs;
        }
    }
    fail_msg("the pages do not end");
    return NULL;
}

static void test_list(void **state)
{
    static const char *const names[] = {"l1", "l2", "l3", "l4"};
    for (size_t i = 0; i < 4; i++) {
        create(*state, names[i]);
    }
    tn_test_expect(*state, "PATCH", "/v1/tenants/l2", "{\"status\":\"maintenance\"}", 200, "");
    tn_test_expect(*state, "PATCH", "/v1/tenants/l3",
                   "{\"status\":\"maintenance\",\"listed\":false}", 200, "");
    char *all = strdup(walk(*state, "limit=1000"));
    assert_non_null(strstr(all, "l1 l2 l3 l4 "));
    /* pages of any size are the same list */
    assert_string_equal(walk(*state, "limit=1"), all);
    assert_string_equal(walk(*state, "limit=2"), all);
    assert_string_equal(walk(*state, "limit=3"), all);
    assert_string_equal(walk(*state, ""), all);
    free(all);
    assert_string_equal(walk(*state, "status=maintenance&limit=1"), "l2 l3 ");
    assert_string_equal(walk(*state, "status=maintenance&listed=true"), "l2 ");
    assert_string_equal(walk(*state, "status=maintenance&listed=false"), "l2 l3 ");
}

static void test_list_refused(void **state)
{
    static const struct {
        const char *query, *field;
    } cases[] = {
        {"limit=0", "limit"},
        {"limit=1001", "limit"},
        {"limit=-1", "limit"},
        {"limit=1e2", "limit"},
        {"limit=", "limit"},
        {"limit=1&limit=2", "limit"},
        {"cursor=x", "cursor"},
        {"cursor=", "cursor"},
        {"cursor=ZGw0", "cursor"},
        {"status=closed", "status"},
        {"status=", "status"},
        {"listed=yes", "listed"},
        {"listed=1", "listed"},
        {"status=%00", "status"},
        {"limit=99999999999999999999", "limit"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "/v1/tenants?%s", cases[i].query);
        tn_test_answer_t answer = tn_test_ask(*state, "GET", path, NULL);
        if (answer.status != 400) {
            fail_msg("%s: %ld %s", path, answer.status, answer.text);
        }
        assert_string_equal(tn_test_text_of(&answer, "field"), cases[i].field);
        tn_test_answer_deinit(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),       cmocka_unit_test(test_create_refused),
        cmocka_unit_test(test_show_unknown), cmocka_unit_test(test_update),
        cmocka_unit_test(test_status),       cmocka_unit_test(test_if_match),
        cmocka_unit_test(test_list),         cmocka_unit_test(test_list_refused),
    };
    return cmocka_run_group_tests(tests, tn_test_daemon_setup, tn_test_daemon_teardown);
}
