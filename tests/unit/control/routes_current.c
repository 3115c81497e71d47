/*
 * Unit tests of /api/tenant/current, against a daemon: the headers are what the edge would send.
 */
#include "daemon.h"

#include <stdio.h>
#include <string.h>

static char id[40];
static char other_id[40];

static void create(const tn_test_daemon_t *daemon, const char *body, char out[40])
{
    tn_test_answer_t answer = tn_test_ask(daemon, "POST", "/v1/tenants", body);
    assert_int_equal(answer.status, 201);
    (void)snprintf(out, 40, "%s", tn_test_text_of(&answer, "tenant.id"));
    tn_test_answer_deinit(&answer);
}

static int set_up(void **state)
{
    int code = tn_test_daemon_setup(state);
    create(*state, "{\"slug\":\"demo\",\"name\":\"Demo\",\"settings\":{\"title\":\"T\"}}", id);
    create(*state, "{\"slug\":\"other\",\"name\":\"Other\"}", other_id);
    tn_test_expect(*state, "POST", "/v1/tenants/demo/domains", "{\"host\":\"d.example\"}", 201, "");
    tn_test_expect(*state, "PUT", "/v1/flags/beta", "{\"default\":true}", 200, "");
    tn_test_expect(*state, "PUT", "/v1/tenants/demo/flags/gamma", "{\"value\":true}", 200, "");
    return code;
}

/* As the edge asks. NULL leaves a header away. */
static tn_test_answer_t ask(const tn_test_daemon_t *daemon, const char *tenant, const char *host,
                            const char *resolved_by)
{
    char headers[3][320] = {"X-Unused: 1", "X-Unused: 2", "X-Unused: 3"};
    if (tenant != NULL) {
        (void)snprintf(headers[0], sizeof(headers[0]), "X-Tenant-Id: %s", tenant);
    }
    if (host != NULL) {
        (void)snprintf(headers[1], sizeof(headers[1]), "X-Tenant-Domain: %s", host);
    }
    if (resolved_by != NULL) {
        (void)snprintf(headers[2], sizeof(headers[2]), "X-Tenant-Resolved-By: %s", resolved_by);
    }
    tn_test_call_t call = {
        .method = "GET",
        .path = "/api/tenant/current",
        .is_anonymous = true,
        .headers = {headers[0], headers[1], headers[2]},
    };
    return tn_test_call(daemon, &call);
}

static void expect(const tn_test_daemon_t *daemon, const char *tenant, const char *host,
                   const char *resolved_by, long status, const char *code)
{
    tn_test_answer_t answer = ask(daemon, tenant, host, resolved_by);
    if (answer.status != status) {
        fail_msg("%s at %s by %s: %ld %s", tenant, host, resolved_by, answer.status, answer.text);
    }
    if (status != 200) {
        assert_string_equal(tn_test_text_of(&answer, "code"), code);
    }
    tn_test_answer_deinit(&answer);
}

static void test_found(void **state)
{
    tn_test_answer_t answer = ask(*state, id, "demo.localhost", "subdomain");
    char expected[512];
    (void)snprintf(expected, sizeof(expected),
                   "{\"tenant\":{\"id\":\"%s\",\"slug\":\"demo\",\"name\":\"Demo\",\"status\":"
                   "\"active\",\"plan\":\"%s\",\"settings\":{\"title\":\"T\"},\"flags\":{\"beta\":"
                   "true,\"gamma\":true}},\"domain\":\"demo.localhost\",\"resolvedBy\":"
                   "\"subdomain\",\"source\":\"database\"}\n",
                   id, tn_test_text_of(&answer, "tenant.plan"));
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.text, expected);
    tn_test_answer_deinit(&answer);
    expect(*state, id, "d.example", "domain", 200, "");
    expect(*state, id, "localhost", "path", 200, "");
    expect(*state, id, "localhost", "header", 200, "");
}

static void test_no_tenant(void **state)
{
    expect(*state, NULL, NULL, NULL, 404, "no_tenant");
    expect(*state, "", "localhost", "", 404, "no_tenant");
}

static void test_unknown(void **state)
{
    /* a tenant that the database does not have */
    expect(*state, "00000000-0000-7000-8000-000000000000", "demo.localhost", "subdomain", 404,
           "unknown_tenant");
    /* a host that is not this tenant's */
    expect(*state, id, "other.localhost", "subdomain", 404, "unknown_tenant");
    expect(*state, other_id, "demo.localhost", "subdomain", 404, "unknown_tenant");
    expect(*state, id, "demo.elsewhere", "subdomain", 404, "unknown_tenant");
    expect(*state, id, "x.demo.localhost", "subdomain", 404, "unknown_tenant");
    expect(*state, id, "localhost", "subdomain", 404, "unknown_tenant");
    expect(*state, id, "demo", "subdomain", 404, "unknown_tenant");
    expect(*state, other_id, "d.example", "domain", 404, "unknown_tenant");
    expect(*state, id, "e.example", "domain", 404, "unknown_tenant");
    expect(*state, id, "demo.localhost", "domain", 404, "unknown_tenant");
}

static void test_what_the_edge_does_not_write(void **state)
{
    expect(*state, "demo", "demo.localhost", "subdomain", 400, "bad_request");
    expect(*state, "x", "demo.localhost", "subdomain", 400, "bad_request");
    expect(*state, id, NULL, "subdomain", 400, "bad_request");
    expect(*state, id, "a b", "subdomain", 400, "bad_request");
    expect(*state, id, "demo.localhost", NULL, 400, "bad_request");
    expect(*state, id, "demo.localhost", "guess", 400, "bad_request");
}

static void test_what_changed_since(void **state)
{
    tn_test_expect(*state, "PATCH", "/v1/tenants/other", "{\"slug\":\"renamed\"}", 200, "");
    expect(*state, other_id, "other.localhost", "subdomain", 404, "unknown_tenant");
    expect(*state, other_id, "renamed.localhost", "subdomain", 200, "");
    tn_test_expect(*state, "POST", "/v1/tenants/renamed/domains", "{\"host\":\"o.example\"}", 201,
                   "");
    expect(*state, other_id, "o.example", "domain", 200, "");
    tn_test_expect(*state, "DELETE", "/v1/tenants/renamed/domains/o.example", NULL, 200, "");
    expect(*state, other_id, "o.example", "domain", 404, "unknown_tenant");
}

static void test_status(void **state)
{
    static const struct {
        const char *body;
        long status;
        const char *code, *retry_after;
    } cases[] = {
        {"{\"status\":\"maintenance\"}", 503, "tenant_maintenance", "30"},
        {"{\"status\":\"suspended\"}", 403, "tenant_suspended", ""},
        {"{\"status\":\"archived\"}", 410, "tenant_archived", ""},
        {"{\"status\":\"active\"}", 200, NULL, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_test_expect(*state, "PATCH", "/v1/tenants/demo", cases[i].body, 200, "");
        tn_test_answer_t answer = ask(*state, id, "demo.localhost", "subdomain");
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(tn_test_header_of(&answer, "Retry-After"), cases[i].retry_after);
        if (cases[i].code != NULL) {
            assert_string_equal(tn_test_text_of(&answer, "code"), cases[i].code);
        }
        tn_test_answer_deinit(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_no_tenant),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_what_the_edge_does_not_write),
        cmocka_unit_test(test_what_changed_since),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, set_up, tn_test_daemon_teardown);
}
