/*
 * Unit tests of control/origin.h.
 */
#include "control/origin.h"

#include "base/str.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A configuration with one base domain or two; nothing frees or writes its strings. */
static tn_conf_t conf_with(const char *public_url, size_t base_count)
{
    static char first[] = "localhost", second[] = "example.com";
    static char url[64];
    (void)snprintf(url, sizeof(url), "%s", public_url);
    tn_conf_t conf = {.public_url = url};
    conf.base_domains.items[0] = first;
    conf.base_domains.items[1] = second;
    conf.base_domains.count = base_count;
    return conf;
}

static void assert_link(const tn_origin_t *origin, const char *slug, const char *expected)
{
    tn_buf_t out;
    tn_buf_init(&out);
    tn_origin_link(&out, origin, slug);
    assert_string_equal(out.data, expected);
    tn_buf_deinit(&out);
}

static void test_of_conf(void **state)
{
    static const struct {
        const char *url, *link;
    } cases[] = {
        {"http://localhost:3000", "http://acme.localhost:3000"},
        {"http://localhost", "http://acme.localhost"},
        {"http://localhost:80", "http://acme.localhost"},
        {"https://localhost:443", "https://acme.localhost"},
        {"https://localhost:80", "https://acme.localhost:80"},
        {"https://localhost:8443/path", "https://acme.localhost:8443"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_conf_t conf = conf_with(cases[i].url, 1);
        tn_origin_t origin;
        tn_origin_of_conf(&origin, &conf);
        assert_link(&origin, "acme", cases[i].link);
    }
}

static void test_of_request(void **state)
{
    static const struct {
        const char *host, *proto, *link;
    } cases[] = {
        {"localhost:3000", "http", "http://acme.localhost:3000"},
        {"localhost", "http", "http://acme.localhost"},
        {"LOCALHOST.:3000", "http", "http://acme.localhost:3000"},
        {"demo.localhost:3000", "http", "http://acme.localhost:3000"},
        {"example.com", "https", "https://acme.example.com"},
        {"x.example.com:8443", "https", "https://acme.example.com:8443"},
        {"example.com:443", "https", "https://acme.example.com"},
        /* another's host, or a name that only looks like it: our own base domain */
        {"tenant.example", "https", "https://acme.localhost"},
        {"notlocalhost:81", "http", "http://acme.localhost:81"},
        /* nothing to go by */
        {"", "", "http://acme.localhost:3000"},
        {"a b", "https", "http://acme.localhost:3000"},
        {"localhost:3000", "javascript", "http://acme.localhost:3000"},
    };
    tn_conf_t conf = conf_with("http://localhost:3000", 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tn_header_t headers[] = {
            {TN_STR("X-Forwarded-Host"), tn_str(cases[i].host)},
            {TN_STR("x-forwarded-proto"), tn_str(cases[i].proto)},
        };
        tn_request_t request = {.headers = headers, .header_count = 2};
        tn_origin_t origin;
        tn_origin_of_request(&origin, &conf, false, &request);
        assert_link(&origin, "acme", cases[i].link);
    }
}

static void test_configured(void **state)
{
    tn_conf_t conf = conf_with("https://localhost:8443", 2);
    const tn_header_t headers[] = {
        {TN_STR("X-Forwarded-Host"), TN_STR("example.com:3000")},
        {TN_STR("X-Forwarded-Proto"), TN_STR("http")},
    };
    tn_request_t request = {.headers = headers, .header_count = 2};
    tn_origin_t origin;
    tn_origin_of_request(&origin, &conf, true, &request);
    assert_link(&origin, "acme", "https://acme.example.com:8443");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_conf),
        cmocka_unit_test(test_of_request),
        cmocka_unit_test(test_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
