/*
 * Unit tests of core/resolve.h, on the small directory: strategies, statuses, redirects, and what a
 * missing or damaged directory may and may not lead to.
 */
#include "core/resolve.h"

#include "base/str.h"
#include "small_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL (TN_STRATEGY_HOST | TN_STRATEGY_PATH | TN_STRATEGY_HEADER)

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

/* A request and what must come of it. Members left out are 0 or NULL, for which "" is taken. */
typedef struct {
    unsigned strategies;
    const char *host, *path, *header;
    bool is_from_trusted;
    tn_answer_t answer;
    const char *resolved_by;
    const char *slug; /* of the tenant; NULL: none is known */
    const char *redirect_host;
    size_t path_consumed;
} case_t;

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static tn_resolution_t resolve(const tn_directory_t *directory, const case_t *c)
{
    const tn_resolve_policy_t policy = {.strategies = c->strategies, .path_prefix = TN_STR("/t/")};
    const tn_resolve_request_t request = {
        .host = tn_str(c->host),
        .path = tn_str(c->path == NULL ? "/" : c->path),
        .header = tn_str(or_empty(c->header)),
        .is_from_trusted = c->is_from_trusted,
    };
    tn_resolution_t out;
    memset(&out, 0x5a, sizeof(out));
    tn_resolve(&out, directory, &policy, &request);
    return out;
}

static void check(const small_directory_t *small, const case_t *c)
{
    tn_resolution_t out = resolve(small->directory, c);
    if (out.answer != c->answer) {
        fail_msg("'%s' '%s' '%s' answered %s", c->host, or_empty(c->path), or_empty(c->header),
                 tn_answer_name(out.answer));
    }
    assert_string_equal(out.resolved_by, or_empty(c->resolved_by));
    assert_string_equal(out.redirect_host, or_empty(c->redirect_host));
    assert_int_equal(out.path_consumed, c->path_consumed);
    if (c->slug == NULL) {
        assert_string_equal(out.domain.tenant_id, "");
        assert_string_equal(out.tenant.id, "");
    } else {
        assert_string_equal(out.domain.tenant_id, small_tenant(c->slug)->id);
        assert_string_equal(out.tenant.id, small_tenant(c->slug)->id);
        assert_string_equal(out.domain.slug, c->slug);
        assert_true(tn_str_equal(out.tenant.slug, tn_str(c->slug)));
        assert_string_equal(out.domain.host.name, out.host.name);
    }
}

static void check_all(const small_directory_t *small, const case_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(small, &cases[i]);
    }
}

#define CHECK_ALL(small, cases) check_all(small, cases, sizeof(cases) / sizeof((cases)[0]))

static void test_by_host(void **state)
{
    static const case_t cases[] = {
        {TN_STRATEGY_HOST, "acme.localhost:3000", .answer = TN_ANSWER_FOUND,
         .resolved_by = "subdomain", .slug = "acme"},
        {TN_STRATEGY_HOST, "ACME.Example.Com.", .answer = TN_ANSWER_FOUND,
         .resolved_by = "subdomain", .slug = "acme"},
        {TN_STRATEGY_HOST, "www.acme.example", .answer = TN_ANSWER_FOUND, .resolved_by = "domain",
         .slug = "acme"},
        {TN_STRATEGY_HOST, "localhost", .answer = TN_ANSWER_PLATFORM},
        {TN_STRATEGY_HOST, "eu.example.com", .answer = TN_ANSWER_PLATFORM},
        {TN_STRATEGY_HOST, "nobody.localhost", .answer = TN_ANSWER_UNKNOWN},
        {TN_STRATEGY_HOST, "www.acme.localhost", .answer = TN_ANSWER_UNKNOWN},
        {TN_STRATEGY_HOST, "nobody.example", .answer = TN_ANSWER_UNKNOWN},
        {TN_STRATEGY_HOST, "127.0.0.1", .answer = TN_ANSWER_UNKNOWN},
        {TN_STRATEGY_HOST, "[::1]:3000", .answer = TN_ANSWER_UNKNOWN},
        {TN_STRATEGY_HOST, "", .answer = TN_ANSWER_INVALID_HOST},
        {TN_STRATEGY_HOST, "acme.localhost:", .answer = TN_ANSWER_FOUND, .resolved_by = "subdomain",
         .slug = "acme"},
        {TN_STRATEGY_HOST, "acme.localhost:99999", .answer = TN_ANSWER_INVALID_HOST},
        {TN_STRATEGY_HOST, "acme.localhost,beta.localhost", .answer = TN_ANSWER_INVALID_HOST},
    };
    CHECK_ALL(*state, cases);
}

static void test_status_decides_before_anything_else(void **state)
{
    static const case_t cases[] = {
        {ALL, "works.localhost", .answer = TN_ANSWER_MAINTENANCE, .resolved_by = "subdomain",
         .slug = "works"},
        {ALL, "works.example", .answer = TN_ANSWER_MAINTENANCE, .resolved_by = "domain",
         .slug = "works"},
        {ALL, "past.example", .answer = TN_ANSWER_ARCHIVED, .resolved_by = "domain",
         .slug = "past"},
        {ALL, "past.localhost", .answer = TN_ANSWER_ARCHIVED, .resolved_by = "subdomain",
         .slug = "past"},
        /* redirects to its primary domain, has a former slug, and is suspended at all its names */
        {ALL, "closed.localhost", .answer = TN_ANSWER_SUSPENDED, .resolved_by = "subdomain",
         .slug = "closed"},
        {ALL, "open.localhost", .answer = TN_ANSWER_SUSPENDED, .resolved_by = "subdomain",
         .slug = "closed"},
        {ALL, "closed.example", .answer = TN_ANSWER_SUSPENDED, .resolved_by = "domain",
         .slug = "closed"},
        {ALL, "www.closed.example", .answer = TN_ANSWER_SUSPENDED, .resolved_by = "domain",
         .slug = "closed"},
        {ALL, "localhost", .path = "/t/closed/x", .answer = TN_ANSWER_SUSPENDED,
         .resolved_by = "path", .slug = "closed", .path_consumed = 9},
        {ALL, "localhost", .header = "past", .is_from_trusted = true, .answer = TN_ANSWER_ARCHIVED,
         .resolved_by = "header", .slug = "past"},
    };
    CHECK_ALL(*state, cases);
}

static void test_redirects(void **state)
{
    static const case_t cases[] = {
        /* a former slug: to the current one, at the same base domain */
        {TN_STRATEGY_HOST, "ajax.localhost:3000", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "acme", .redirect_host = "acme.localhost"},
        {TN_STRATEGY_HOST, "ACME-INC.example.com", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "acme", .redirect_host = "acme.example.com"},
        {TN_STRATEGY_HOST, "ajax.eu.example.com", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "acme", .redirect_host = "acme.eu.example.com"},
        /* the primary domain: from everywhere else, the former slug included, in one step */
        {TN_STRATEGY_HOST, "beta.localhost", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "beta", .redirect_host = "beta.example"},
        {TN_STRATEGY_HOST, "www.beta.example", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "domain", .slug = "beta", .redirect_host = "beta.example"},
        {TN_STRATEGY_HOST, "gamma.localhost", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "beta", .redirect_host = "beta.example"},
        {TN_STRATEGY_HOST, "BETA.example.:443", .answer = TN_ANSWER_FOUND, .resolved_by = "domain",
         .slug = "beta"},
        /* the slug of another tenant's subdomain decides nothing about the base below it */
        {TN_STRATEGY_HOST, "europe.localhost", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "eu", .redirect_host = "eu.localhost"},
    };
    CHECK_ALL(*state, cases);
}

/* A target that would not be answered by the same tenant is no target. */
static void test_no_redirect_into_nothing(void **state)
{
    static const case_t cases[] = {
        /* the primary host lies below a base domain, where it is not found */
        {TN_STRATEGY_HOST, "shadow.localhost", .answer = TN_ANSWER_FOUND,
         .resolved_by = "subdomain", .slug = "shadow"},
        {TN_STRATEGY_HOST, "shadow.example", .answer = TN_ANSWER_FOUND, .resolved_by = "domain",
         .slug = "shadow"},
        {TN_STRATEGY_HOST, "shade.localhost", .answer = TN_ANSWER_REDIRECT,
         .resolved_by = "subdomain", .slug = "shadow", .redirect_host = "shadow.localhost"},
        /* there is no primary host */
        {TN_STRATEGY_HOST, "single.localhost", .answer = TN_ANSWER_FOUND,
         .resolved_by = "subdomain", .slug = "single"},
        /* eu.example.com is the platform's own */
        {TN_STRATEGY_HOST, "europe.example.com", .answer = TN_ANSWER_UNKNOWN,
         .resolved_by = "subdomain", .slug = "eu"},
    };
    CHECK_ALL(*state, cases);
}

/* From every host of every tenant, a redirect ends after one step at the same tenant. */
static void test_no_redirect_leads_to_a_redirect(void **state)
{
    const small_directory_t *small = *state;
    static const char *const bases[] = {"localhost", "example.com", "eu.example.com"};
    int redirects = 0;
    for (const small_tenant_t *tenant = small_tenants; tenant->id != NULL; tenant++) {
        char hosts[15][TN_HOST_MAX + 1];
        int count = 0;
        for (int i = 0; i < 3; i++) {
            const char *slugs[] = {tenant->slug, tenant->former_slugs[0], tenant->former_slugs[1]};
            for (int j = 0; j < 3; j++) {
                if (slugs[j] != NULL) {
                    (void)snprintf(hosts[count++], sizeof(hosts[0]), "%s.%s", slugs[j], bases[i]);
                }
            }
            if (tenant->hosts[i] != NULL) {
                (void)snprintf(hosts[count++], sizeof(hosts[0]), "%s", tenant->hosts[i]);
            }
        }
        for (int i = 0; i < count; i++) {
            case_t c = {.strategies = TN_STRATEGY_HOST, .host = hosts[i]};
            tn_resolution_t first = resolve(small->directory, &c);
            if (first.answer == TN_ANSWER_REDIRECT) {
                redirects++;
                c.host = first.redirect_host;
                tn_resolution_t second = resolve(small->directory, &c);
                assert_int_equal(second.answer, TN_ANSWER_FOUND);
                assert_string_equal(second.domain.tenant_id, tenant->id);
            }
        }
    }
    assert_true(redirects >= 10);
}

static void test_by_path(void **state)
{
    static const case_t cases[] = {
        {TN_STRATEGY_PATH, "localhost", "/t/acme/rest", .answer = TN_ANSWER_FOUND,
         .resolved_by = "path", .slug = "acme", .path_consumed = 7},
        {TN_STRATEGY_PATH, "localhost", "/t/acme/", .answer = TN_ANSWER_FOUND,
         .resolved_by = "path", .slug = "acme", .path_consumed = 7},
        {TN_STRATEGY_PATH, "localhost", "/t/acme", .answer = TN_ANSWER_FOUND, .resolved_by = "path",
         .slug = "acme", .path_consumed = 7},
        {ALL, "example.com:80", "/t/acme//x", .answer = TN_ANSWER_FOUND, .resolved_by = "path",
         .slug = "acme", .path_consumed = 7},
        /* no redirects by path: the primary domain and the current slug are other names only */
        {ALL, "localhost", "/t/beta/x", .answer = TN_ANSWER_FOUND, .resolved_by = "path",
         .slug = "beta", .path_consumed = 7},
        {ALL, "localhost", "/t/ajax/x", .answer = TN_ANSWER_FOUND, .resolved_by = "path",
         .slug = "acme", .path_consumed = 7},
        /* nothing is named */
        {ALL, "localhost", "/", .answer = TN_ANSWER_PLATFORM},
        {ALL, "localhost", "/t", .answer = TN_ANSWER_PLATFORM},
        {ALL, "localhost", "/t/", .answer = TN_ANSWER_PLATFORM},
        {ALL, "localhost", "/T/acme", .answer = TN_ANSWER_PLATFORM},
        {ALL, "localhost", "/x/t/acme", .answer = TN_ANSWER_PLATFORM},
        {ALL, "localhost", "", .answer = TN_ANSWER_PLATFORM},
        /* something is named that does not exist */
        {ALL, "localhost", "/t/nobody", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", "/t/nobody/x", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", "/t//acme", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", "/t/ACME/", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", "/t/acme.localhost/", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", "/t/ acme/", .answer = TN_ANSWER_UNKNOWN},
        /* it is not passed over for a header that names one */
        {ALL, "localhost", "/t/nobody/", "acme", true, .answer = TN_ANSWER_UNKNOWN},
        /* off */
        {TN_STRATEGY_HOST | TN_STRATEGY_HEADER, "localhost", "/t/acme/",
         .answer = TN_ANSWER_PLATFORM},
        /* not at a tenant's host, nor at one that nobody has */
        {ALL, "beta.example", "/t/acme/", .answer = TN_ANSWER_FOUND, .resolved_by = "domain",
         .slug = "beta"},
        {ALL, "nobody.localhost", "/t/acme/", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "nobody.example", "/t/acme/", .answer = TN_ANSWER_UNKNOWN},
        {ALL, "127.0.0.1", "/t/acme/", .answer = TN_ANSWER_UNKNOWN},
    };
    CHECK_ALL(*state, cases);
}

static void test_path_prefixes(void **state)
{
    const small_directory_t *small = *state;
    static const struct {
        const char *prefix, *path;
        tn_answer_t answer;
        size_t consumed;
    } cases[] = {
        {"/", "/acme/x", TN_ANSWER_FOUND, 5},
        {"/", "/", TN_ANSWER_PLATFORM, 0},
        {"/", "/x", TN_ANSWER_UNKNOWN, 0},
        {"/of/tenant/", "/of/tenant/acme", TN_ANSWER_FOUND, 15},
        {"/of/tenant/", "/of/acme", TN_ANSWER_PLATFORM, 0},
        {"", "/acme", TN_ANSWER_PLATFORM, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tn_resolve_policy_t policy = {ALL, tn_str(cases[i].prefix)};
        const tn_resolve_request_t request = {TN_STR("localhost"), tn_str(cases[i].path),
                                              TN_STR(""), false};
        tn_resolution_t out;
        tn_resolve(&out, small->directory, &policy, &request);
        assert_int_equal(out.answer, cases[i].answer);
        assert_int_equal(out.path_consumed, cases[i].consumed);
    }
}

static void test_by_header(void **state)
{
    static const case_t cases[] = {
        {TN_STRATEGY_HEADER, "localhost", .header = "acme", .is_from_trusted = true,
         .answer = TN_ANSWER_FOUND, .resolved_by = "header", .slug = "acme"},
        {ALL, "localhost", .header = "ajax", .is_from_trusted = true, .answer = TN_ANSWER_FOUND,
         .resolved_by = "header", .slug = "acme"},
        {ALL, "localhost", .header = "beta", .is_from_trusted = true, .answer = TN_ANSWER_FOUND,
         .resolved_by = "header", .slug = "beta"},
        {ALL, "localhost", .header = "0190a000-0000-7000-8000-000000000002",
         .is_from_trusted = true, .answer = TN_ANSWER_FOUND, .resolved_by = "header",
         .slug = "beta"},
        {ALL, "localhost", .header = "0190A000-0000-7000-8000-000000000002",
         .is_from_trusted = true, .answer = TN_ANSWER_FOUND, .resolved_by = "header",
         .slug = "beta"},
        /* the eighth tenant's slug reads like the first one's id, and does not take its place */
        {ALL, "localhost", .header = "0190a000-0000-7000-8000-000000000001",
         .is_from_trusted = true, .answer = TN_ANSWER_FOUND, .resolved_by = "header",
         .slug = "acme"},
        {ALL, "localhost", .header = "0190a000-0000-7000-8000-00000000ffff",
         .is_from_trusted = true, .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", .header = "nobody", .is_from_trusted = true,
         .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", .header = "ACME", .is_from_trusted = true, .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", .header = "acme, beta", .is_from_trusted = true,
         .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", .header = "", .is_from_trusted = true, .answer = TN_ANSWER_PLATFORM},
        /* from anybody else it is as if absent, whatever it says */
        {ALL, "localhost", .header = "acme", .answer = TN_ANSWER_PLATFORM},
        {ALL, "localhost", .header = "nobody", .answer = TN_ANSWER_PLATFORM},
        /* off */
        {TN_STRATEGY_HOST | TN_STRATEGY_PATH, "localhost", .header = "acme",
         .is_from_trusted = true, .answer = TN_ANSWER_PLATFORM},
        /* host and path come first */
        {ALL, "beta.example", .header = "acme", .is_from_trusted = true, .answer = TN_ANSWER_FOUND,
         .resolved_by = "domain", .slug = "beta"},
        {ALL, "nobody.localhost", .header = "acme", .is_from_trusted = true,
         .answer = TN_ANSWER_UNKNOWN},
        {ALL, "localhost", "/t/beta/", "acme", true, .answer = TN_ANSWER_FOUND,
         .resolved_by = "path", .slug = "beta", .path_consumed = 7},
    };
    CHECK_ALL(*state, cases);
}

static void test_without_the_host_strategy(void **state)
{
    enum { others = TN_STRATEGY_PATH | TN_STRATEGY_HEADER };
    static const case_t cases[] = {
        {others, "acme.localhost", "/t/acme/", "acme", true, .answer = TN_ANSWER_UNKNOWN},
        {others, "ajax.localhost", .answer = TN_ANSWER_UNKNOWN},
        {others, "www.acme.example", "/t/acme/", .answer = TN_ANSWER_UNKNOWN},
        {others, "nobody.example", .answer = TN_ANSWER_UNKNOWN},
        {others, "127.0.0.1", "/t/acme/", .answer = TN_ANSWER_UNKNOWN},
        {others, "localhost", .answer = TN_ANSWER_PLATFORM},
        {others, "localhost", "/t/acme/", .answer = TN_ANSWER_FOUND, .resolved_by = "path",
         .slug = "acme", .path_consumed = 7},
        {0, "localhost", "/t/acme/", "acme", true, .answer = TN_ANSWER_PLATFORM},
        {0, "acme.localhost", .answer = TN_ANSWER_UNKNOWN},
        {0, "", .answer = TN_ANSWER_INVALID_HOST},
    };
    CHECK_ALL(*state, cases);
}

static void test_former_slugs_are_marked_by_path_and_header(void **state)
{
    const small_directory_t *small = *state;
    case_t c = {.strategies = ALL, .host = "localhost", .path = "/t/ajax/"};
    tn_resolution_t out = resolve(small->directory, &c);
    assert_true(out.domain.is_former_slug);
    assert_int_equal(out.domain.kind, TN_DOMAIN_PLATFORM);
    c.path = "/t/acme/";
    out = resolve(small->directory, &c);
    assert_false(out.domain.is_former_slug);
    c = (case_t){.strategies = ALL,
                 .host = "localhost",
                 .is_from_trusted = true,
                 .header = "0190a000-0000-7000-8000-000000000001"};
    out = resolve(small->directory, &c);
    assert_false(out.domain.is_former_slug);
}

static void test_without_a_directory(void **state)
{
    static const case_t cases[] = {
        {ALL, "acme.localhost", .answer = TN_ANSWER_UNAVAILABLE},
        {ALL, "localhost", .answer = TN_ANSWER_UNAVAILABLE},
        {ALL, "nobody.example", .answer = TN_ANSWER_UNAVAILABLE},
        {0, "acme.localhost", .answer = TN_ANSWER_UNAVAILABLE},
        {TN_STRATEGY_PATH, "localhost", "/t/acme/", .answer = TN_ANSWER_UNAVAILABLE},
        {ALL, "a..b", .answer = TN_ANSWER_INVALID_HOST},
    };
    small_directory_t missing = {0};
    assert_int_equal(tn_directory_open(&missing.directory, "/nonexistent/directory", NULL), TN_OK);
    CHECK_ALL(&missing, cases);
    tn_directory_close(missing.directory);
}

/*
 * Every bit of the file that says something, and one of each byte of its empty parts, flipped one
 * at a time: a host of a tenant is answered by that tenant or by UNAVAILABLE. UNKNOWN would be an
 * outage told as "no such tenant"; anybody else's content, worse.
 */
static void test_no_flipped_bit_leads_to_another_answer(void **state)
{
    static const case_t cases[] = {
        {ALL, "acme.localhost", .answer = TN_ANSWER_FOUND, .slug = "acme"},
        {ALL, "www.acme.example", .answer = TN_ANSWER_FOUND, .slug = "acme"},
        {ALL, "gamma.localhost", .answer = TN_ANSWER_REDIRECT, .slug = "beta",
         .redirect_host = "beta.example"},
        {ALL, "localhost", "/t/acme/", .answer = TN_ANSWER_FOUND, .slug = "acme"},
        {ALL, "closed.example", .answer = TN_ANSWER_SUSPENDED, .slug = "closed"},
    };
    size_t size;
    uint8_t *bytes = small_directory_bytes(&size, *state);
    assert_non_null(bytes);
    int unavailable = 0;
    for (size_t bit = 0; bit < size * 8; bit++) {
        size_t byte = bit / 8;
        if (bytes[byte] == 0 && bit % 8 != (byte + byte / 8) % 8) {
            continue;
        }
        bytes[byte] ^= (uint8_t)(1 << bit % 8);
        tn_directory_t *directory;
        assert_int_equal(tn_directory_open_buffer(&directory, bytes, size, NULL), TN_OK);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            tn_resolution_t out = resolve(directory, &cases[i]);
            if (out.answer == TN_ANSWER_UNAVAILABLE) {
                unavailable++;
            } else if (out.answer != cases[i].answer ||
                       strcmp(out.tenant.id, small_tenant(cases[i].slug)->id) != 0 ||
                       strcmp(out.redirect_host, or_empty(cases[i].redirect_host)) != 0) {
                fail_msg("bit %zu of byte %zu: '%s' answered %s", bit % 8, byte, cases[i].host,
                         tn_answer_name(out.answer));
            }
        }
        tn_directory_close(directory);
        bytes[byte] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
    assert_true(unavailable > 0);
}

static void test_names(void **state)
{
    static const struct {
        tn_answer_t answer;
        const char *name;
    } cases[] = {
        {TN_ANSWER_FOUND, "found"},
        {TN_ANSWER_PLATFORM, "platform"},
        {TN_ANSWER_UNKNOWN, "unknown"},
        {TN_ANSWER_UNAVAILABLE, "unavailable"},
        {TN_ANSWER_INVALID_HOST, "invalid_host"},
        {TN_ANSWER_REDIRECT, "redirect"},
        {TN_ANSWER_MAINTENANCE, "maintenance"},
        {TN_ANSWER_SUSPENDED, "suspended"},
        {TN_ANSWER_ARCHIVED, "archived"},
        {(tn_answer_t)0, "unknown"},
        {(tn_answer_t)99, "unknown"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(tn_answer_name(cases[i].answer), cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_host),
        cmocka_unit_test(test_status_decides_before_anything_else),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_no_redirect_into_nothing),
        cmocka_unit_test(test_no_redirect_leads_to_a_redirect),
        cmocka_unit_test(test_by_path),
        cmocka_unit_test(test_path_prefixes),
        cmocka_unit_test(test_by_header),
        cmocka_unit_test(test_without_the_host_strategy),
        cmocka_unit_test(test_former_slugs_are_marked_by_path_and_header),
        cmocka_unit_test(test_without_a_directory),
        cmocka_unit_test(test_no_flipped_bit_leads_to_another_answer),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
