/*
 * The form of a tenant's values, at each limit and one beyond.
 */
#include "store/tenant_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* `length` times 'x'. */
static const char *xs(size_t length)
{
    static char text[512];
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

static void accept_values(tn_tenant_values_t values)
{
    tn_err_t err = {0};
    if (tn_tenant_values_check(&values, &err) != TN_OK) {
        fail_msg("%s: %s", err.field, err.detail);
    }
}

static void refuse_values(tn_tenant_values_t values, const char *field)
{
    tn_err_t err = {0};
    assert_int_equal(tn_tenant_values_check(&values, &err), TN_EINVAL);
    assert_string_equal(err.field, field);
    assert_int_not_equal(strlen(err.detail), 0);
}

static void test_nothing_is_fine(void **state)
{
    accept_values((tn_tenant_values_t){0});
}

static void test_names(void **state)
{
    static const char *const bad[] = {
        "", " ", " a", "a\t", "a\nb", "a\x7f", "\xff", "\xed\xa0\x80", "\xc0\x80",
    };
    accept_values((tn_tenant_values_t){.name = "Société Générale & <Fils> \"x\""});
    accept_values((tn_tenant_values_t){.name = xs(TN_NAME_MAX)});
    refuse_values((tn_tenant_values_t){.name = xs(TN_NAME_MAX + 1)}, "name");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refuse_values((tn_tenant_values_t){.name = bad[i]}, "name");
    }
}

static void test_plans(void **state)
{
    static const char *const bad[] = {"", "1", "a b", "a\r\nX: y", "é", "-a"};
    accept_values((tn_tenant_values_t){.plan = "Pro_2.0-eu"});
    accept_values((tn_tenant_values_t){.plan = xs(TN_PLAN_MAX)});
    refuse_values((tn_tenant_values_t){.plan = xs(TN_PLAN_MAX + 1)}, "plan");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refuse_values((tn_tenant_values_t){.plan = bad[i]}, "plan");
    }
}

static void test_upstreams(void **state)
{
    static const char *const good[] = {
        "", "127.0.0.1:8080", "app.internal:80", "[::1]:3000", "unix:/run/app_1/x.sock",
    };
    static const char *const bad[] = {
        "app",      "app:",       "app:0",         "app:65536", ":80",       "http://app:80",
        "unix:",    "unix:/",     "unix:app.sock", "unix:/a;b", "unix:/a b", "unix:/a:/b",
        "unix:/$x", "unix:/a\nb", "a b:80",        "$host:80",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        accept_values((tn_tenant_values_t){.upstream = good[i]});
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refuse_values((tn_tenant_values_t){.upstream = bad[i]}, "upstream");
    }
    char path[TN_UPSTREAM_MAX + 2] = "unix:/";
    memset(path + 6, 'x', TN_UPSTREAM_MAX - 6);
    accept_values((tn_tenant_values_t){.upstream = path});
    path[TN_UPSTREAM_MAX] = 'x';
    refuse_values((tn_tenant_values_t){.upstream = path}, "upstream");
}

static void test_statuses_and_settings(void **state)
{
    for (int i = -1; i <= 6; i++) {
        const tn_tenant_status_t status = (tn_tenant_status_t)i;
        if (i >= 1 && i <= 4) {
            accept_values((tn_tenant_values_t){.status = &status});
        } else {
            refuse_values((tn_tenant_values_t){.status = &status}, "status");
        }
    }
    accept_values((tn_tenant_values_t){.settings = "{}"});
    refuse_values((tn_tenant_values_t){.settings = "[]"}, "settings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_fine),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_upstreams),
        cmocka_unit_test(test_statuses_and_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
