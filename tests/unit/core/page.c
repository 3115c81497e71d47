/*
 * Unit tests of tn_page_serve, on the small directory.
 */
#include "tenantry.h"

#include "base/str.h"
#include "small_directory.h"

#include <setjmp.h>
#include <stdarg.h>

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

/* What the handler saw. */
typedef struct {
    int calls;
    int result; /* what it shall return */
    const tn_directory_t *directory;
    tn_domain_t domain;
    char tenant_id[TN_UUID_LENGTH + 1];
    char title[64];
    bool own;
} seen_t;

static int see(const tn_page_t *page, void *context)
{
    seen_t *seen = context;
    tn_str_t title;
    seen->calls++;
    seen->directory = page->directory;
    seen->domain = *page->domain;
    memcpy(seen->tenant_id, page->tenant->id, sizeof(seen->tenant_id));
    assert_int_equal(tn_tenant_setting(&title, page->tenant, "title"), TN_OK);
    assert_int_equal(tn_str_copy(seen->title, sizeof(seen->title), title), TN_OK);
    assert_int_equal(tn_flag_is_on(&seen->own, page->directory, page->tenant, "own"), TN_OK);
    return seen->result;
}

static int serve(seen_t *seen, const tn_directory_t *directory, const char *host)
{
    return tn_page_serve(directory, host, strlen(host), see, seen);
}

static void test_the_handler_gets_tenant_settings_and_domain(void **state)
{
    const small_directory_t *small = *state;
    static const struct {
        const char *host, *slug;
        tn_domain_kind_t kind;
    } cases[] = {
        {"acme.localhost:3000", "acme", TN_DOMAIN_SUBDOMAIN},
        {"ajax.localhost", "acme", TN_DOMAIN_SUBDOMAIN},
        {"App.Acme.Example", "acme", TN_DOMAIN_CUSTOM},
        {"beta.localhost", "beta", TN_DOMAIN_SUBDOMAIN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seen_t seen = {0};
        assert_int_equal(serve(&seen, small->directory, cases[i].host), TN_OK);
        assert_int_equal(seen.calls, 1);
        assert_ptr_equal(seen.directory, small->directory);
        assert_int_equal(seen.domain.kind, cases[i].kind);
        assert_string_equal(seen.tenant_id, small_tenant(cases[i].slug)->id);
        assert_string_equal(seen.tenant_id, seen.domain.tenant_id);
        assert_string_equal(seen.title, cases[i].slug);
        assert_true(seen.own);
    }
}

static void test_the_handlers_result_is_returned(void **state)
{
    const small_directory_t *small = *state;
    static const int results[] = {0, 1, 200, -1, -12345, TN_EPERM};
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        seen_t seen = {.result = results[i]};
        assert_int_equal(serve(&seen, small->directory, "acme.localhost"), results[i]);
        assert_int_equal(seen.calls, 1);
    }
}

static void test_otherwise_the_handler_is_not_called(void **state)
{
    const small_directory_t *small = *state;
    static const struct {
        const char *host;
        int code;
    } cases[] = {
        {"closed.localhost", TN_EPERM},
        {"closed.example", TN_EPERM},
        {"works.localhost", TN_EPERM},
        {"past.example", TN_EPERM},
        {"localhost", TN_ENOTFOUND},
        {"nobody.localhost", TN_ENOTFOUND},
        {"nobody.example", TN_ENOTFOUND},
        {"127.0.0.1", TN_ENOTFOUND},
        {"", TN_EHOST},
        {"acme localhost", TN_EHOST},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seen_t seen = {0};
        assert_int_equal(serve(&seen, small->directory, cases[i].host), cases[i].code);
        assert_int_equal(seen.calls, 0);
    }
    tn_directory_t *missing;
    seen_t seen = {0};
    assert_int_equal(tn_directory_open(&missing, "/nonexistent/directory", NULL), TN_OK);
    assert_int_equal(serve(&seen, missing, "acme.localhost"), TN_EUNAVAILABLE);
    assert_int_equal(seen.calls, 0);
    tn_directory_close(missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_handler_gets_tenant_settings_and_domain),
        cmocka_unit_test(test_the_handlers_result_is_returned),
        cmocka_unit_test(test_otherwise_the_handler_is_not_called),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
