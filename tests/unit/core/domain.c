/*
 * Unit tests of core/domain.h, tn_domain_from_host and tn_tenant_from_domain, on the small
 * directory.
 */
#include "core/domain.h"

#include "base/str.h"
#include "small_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static small_directory_t small;
    *state = &small;
    return small_directory_open(&small);
}

static int tear_down(void **state)
{
    small_directory_close(*state);
    return 0;
}

static int ask(tn_domain_t *out, const small_directory_t *small, const char *host)
{
    return tn_domain_from_host(out, small->directory, host, strlen(host));
}

static void test_subdomains(void **state)
{
    static const struct {
        const char *host, *name, *slug, *base;
        bool is_former;
    } cases[] = {
        {"acme.localhost", "acme.localhost", "acme", "localhost", false},
        {"ACME.LocalHost.:3000", "acme.localhost", "acme", "localhost", false},
        {"acme.example.com", "acme.example.com", "acme", "example.com", false},
        {"acme.eu.example.com", "acme.eu.example.com", "acme", "eu.example.com", false},
        {"acme-inc.localhost", "acme-inc.localhost", "acme", "localhost", true},
        {"ajax.example.com", "ajax.example.com", "acme", "example.com", true},
        {"eu.localhost", "eu.localhost", "eu", "localhost", false},
        {"closed.localhost", "closed.localhost", "closed", "localhost", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_domain_t domain;
        assert_int_equal(ask(&domain, *state, cases[i].host), TN_OK);
        assert_int_equal(domain.kind, TN_DOMAIN_SUBDOMAIN);
        assert_string_equal(domain.host.name, cases[i].name);
        assert_string_equal(domain.slug, cases[i].slug);
        assert_string_equal(domain.tenant_id, small_tenant(cases[i].slug)->id);
        assert_int_equal(domain.is_former_slug, cases[i].is_former);
        assert_int_equal(domain.base_length, strlen(cases[i].base));
        assert_string_equal(domain.host.name + domain.host.length - domain.base_length,
                            cases[i].base);
    }
}

static void test_custom_domains(void **state)
{
    static const struct {
        const char *host, *slug;
    } cases[] = {
        {"app.acme.example", "acme"}, {"www.acme.example:443", "acme"},
        {"BETA.example.", "beta"},    {"www.beta.example", "beta"},
        {"past.example", "past"},     {"shadow.example", "shadow"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_domain_t domain;
        assert_int_equal(ask(&domain, *state, cases[i].host), TN_OK);
        assert_int_equal(domain.kind, TN_DOMAIN_CUSTOM);
        assert_string_equal(domain.slug, cases[i].slug);
        assert_string_equal(domain.tenant_id, small_tenant(cases[i].slug)->id);
        assert_false(domain.is_former_slug);
    }
}

static void test_the_platforms_own(void **state)
{
    static const char *const hosts[] = {"localhost", "LOCALHOST.:3000", "example.com",
                                        "eu.example.com"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        tn_domain_t domain;
        tn_tenant_t tenant;
        const small_directory_t *small = *state;
        assert_int_equal(ask(&domain, small, hosts[i]), TN_OK);
        assert_int_equal(domain.kind, TN_DOMAIN_PLATFORM);
        assert_string_equal(domain.tenant_id, "");
        assert_string_equal(domain.slug, "");
        assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_ENOTFOUND);
    }
}

static void test_nobodys(void **state)
{
    static const struct {
        const char *host;
        int code;
    } cases[] = {
        {"nobody.localhost", TN_ENOTFOUND},
        {"nobody.example", TN_ENOTFOUND},
        {"acme", TN_ENOTFOUND},
        {"acme.example", TN_ENOTFOUND},
        {"app.acme.example.org", TN_ENOTFOUND},
        {"x.app.acme.example", TN_ENOTFOUND},
        {"pp.acme.example", TN_ENOTFOUND},
        /* several labels before the base, one of them a slug */
        {"www.acme.localhost", TN_ENOTFOUND},
        {"acme.acme.localhost", TN_ENOTFOUND},
        {"acme.www.localhost", TN_ENOTFOUND},
        {"www.eu.localhost", TN_ENOTFOUND},
        /* the end of a base domain, without the dot before it */
        {"acmelocalhost", TN_ENOTFOUND},
        {"notexample.com", TN_ENOTFOUND},
        {"com", TN_ENOTFOUND},
        /* a custom domain below a base domain is not looked for */
        {"shop.localhost", TN_ENOTFOUND},
        /* an id is no name */
        {"0190a000-0000-7000-8000-000000000002.localhost", TN_ENOTFOUND},
        {"127.0.0.1", TN_ENOTFOUND},
        {"127.0.0.1:3000", TN_ENOTFOUND},
        {"[::1]:3000", TN_ENOTFOUND},
        {"", TN_EHOST},
        {"127.1", TN_EHOST},
        {"acme..localhost", TN_EHOST},
        {"acme_inc.localhost", TN_EHOST},
        {"acme.localhost:0", TN_EHOST},
        {"acme.localhost, beta.localhost", TN_EHOST},
        {"\xc3\xa9.localhost", TN_EHOST},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_domain_t domain;
        memset(&domain, 0x5a, sizeof(domain));
        tn_domain_t before;
        memcpy(&before, &domain, sizeof(before));
        if (ask(&domain, *state, cases[i].host) != cases[i].code) {
            fail_msg("'%s'", cases[i].host);
        }
        assert_memory_equal(&domain, &before, sizeof(domain));
    }
}

static void test_a_label_of_63_bytes_is_no_ones(void **state)
{
    char host[80];
    memset(host, 'a', sizeof(host));
    memcpy(host + 63, ".localhost", 11);
    tn_domain_t domain;
    assert_int_equal(ask(&domain, *state, host), TN_ENOTFOUND);
}

static void test_tenant_of_a_domain(void **state)
{
    const small_directory_t *small = *state;
    static const char *const hosts[] = {"acme.localhost", "ajax.localhost", "www.acme.example"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        tn_domain_t domain;
        tn_tenant_t tenant;
        assert_int_equal(ask(&domain, small, hosts[i]), TN_OK);
        assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_OK);
        assert_string_equal(tenant.id, small_tenant("acme")->id);
        assert_true(tn_str_equal(tenant.slug, TN_STR("acme")));
        assert_int_equal(tenant.status, TN_STATUS_ACTIVE);
    }
}

static void test_tenant_that_is_gone(void **state)
{
    const small_directory_t *small = *state;
    tn_domain_t domain;
    tn_tenant_t tenant;
    assert_int_equal(ask(&domain, small, "acme.localhost"), TN_OK);
    memcpy(domain.tenant_id, "0190a000-0000-7000-8000-00000000ffff", TN_UUID_LENGTH);
    assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_ENOTFOUND);
}

static void test_domain_and_tenant_in_one(void **state)
{
    const small_directory_t *small = *state;
    tn_host_t host;
    tn_domain_t domain;
    tn_tenant_t tenant;
    assert_int_equal(tn_host_parse(&host, "beta.example", 12), TN_OK);
    assert_int_equal(tn_domain_lookup(&domain, &tenant, small->directory, &host), TN_OK);
    assert_string_equal(tenant.id, domain.tenant_id);
    assert_string_equal(tenant.id, small_tenant("beta")->id);
}

static void test_without_a_directory(void **state)
{
    tn_directory_t *missing;
    tn_domain_t domain;
    tn_tenant_t tenant;
    assert_int_equal(tn_directory_open(&missing, "/nonexistent/directory", NULL), TN_OK);
    static const char *const hosts[] = {"acme.localhost", "localhost", "nobody.example"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        assert_int_equal(tn_domain_from_host(&domain, missing, hosts[i], strlen(hosts[i])),
                         TN_EUNAVAILABLE);
    }
    /* what needs no directory to know */
    assert_int_equal(tn_domain_from_host(&domain, missing, "a..b", 4), TN_EHOST);
    assert_int_equal(tn_domain_from_host(&domain, missing, "[::1]", 5), TN_ENOTFOUND);
    assert_int_equal(ask(&domain, *state, "acme.localhost"), TN_OK);
    assert_int_equal(tn_tenant_from_domain(&tenant, missing, &domain), TN_EUNAVAILABLE);
    tn_directory_close(missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subdomains),
        cmocka_unit_test(test_custom_domains),
        cmocka_unit_test(test_the_platforms_own),
        cmocka_unit_test(test_nobodys),
        cmocka_unit_test(test_a_label_of_63_bytes_is_no_ones),
        cmocka_unit_test(test_tenant_of_a_domain),
        cmocka_unit_test(test_tenant_that_is_gone),
        cmocka_unit_test(test_domain_and_tenant_in_one),
        cmocka_unit_test(test_without_a_directory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
