/*
 * Unit tests of conf/checks.h: what each kind of value may be, and its normal form.
 */
#include "conf/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef const char *(*check_fn)(tn_buf_t *out, tn_str_t value, const char *folder);

static void accepts(check_fn check, const char *value, const char *normal)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    assert_null(check(&buf, (tn_str_t){value, strlen(value)}, "/here"));
    assert_string_equal(buf.data, normal);
    tn_buf_deinit(&buf);
}

static void refuses(check_fn check, const char *value)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    assert_non_null(check(&buf, (tn_str_t){value, strlen(value)}, "/here"));
    tn_buf_deinit(&buf);
}

static void test_path(void **state)
{
    accepts(tn_conf_check_path, "/a/b", "/a/b");
    accepts(tn_conf_check_path, "/a/b//", "/a/b");
    accepts(tn_conf_check_path, "/", "/");
    accepts(tn_conf_check_path, "var", "/here/var");
    accepts(tn_conf_check_path, "./././var/", "/here/var");
    accepts(tn_conf_check_path, "../var", "/here/../var");
    accepts(tn_conf_check_path, ".", "/here");
    accepts(tn_conf_check_path, "./", "/here");
    accepts(tn_conf_check_path, "données", "/here/données");
    refuses(tn_conf_check_path, "a\nb");
    refuses(tn_conf_check_path, "\xff");
}

static void test_database(void **state)
{
    accepts(tn_conf_check_database, "sqlite:/a.db", "sqlite:/a.db");
    accepts(tn_conf_check_database, "sqlite:a.db", "sqlite:/here/a.db");
    refuses(tn_conf_check_database, "sqlite:");
    refuses(tn_conf_check_database, "/a.db");
    refuses(tn_conf_check_database, "postgresql://localhost/x");
}

static void test_host(void **state)
{
    accepts(tn_conf_check_host, "Apps.Example.", "apps.example");
    accepts(tn_conf_check_host, "localhost", "localhost");
    refuses(tn_conf_check_host, "10.0.0.1");
    refuses(tn_conf_check_host, "[::1]");
    refuses(tn_conf_check_host, "localhost:3000");
    refuses(tn_conf_check_host, "a..b");
    refuses(tn_conf_check_host, "caf\xc3\xa9.example");
}

static void test_setting_key(void **state)
{
    accepts(tn_conf_check_setting_key, "title", "title");
    accepts(tn_conf_check_setting_key, "brand.color-2", "brand.color-2");
    refuses(tn_conf_check_setting_key, "2nd");
    refuses(tn_conf_check_setting_key, "a$b");
}

static void test_listen(void **state)
{
    accepts(tn_conf_check_listen, "localhost", "localhost");
    accepts(tn_conf_check_listen, "0.0.0.0", "0.0.0.0");
    accepts(tn_conf_check_listen, "::", "::");
    accepts(tn_conf_check_listen, "[::1]", "::1");
    refuses(tn_conf_check_listen, "example.com");
    refuses(tn_conf_check_listen, "127.0.0.1:80");
    refuses(tn_conf_check_listen, "1.2.3");
    refuses(tn_conf_check_listen, "[]");
}

static void test_url(void **state)
{
    accepts(tn_conf_check_url, "https://example.com", "https://example.com");
    accepts(tn_conf_check_url, "http://localhost:3000/", "http://localhost:3000");
    refuses(tn_conf_check_url, "example.com");
    refuses(tn_conf_check_url, "ftp://example.com");
    refuses(tn_conf_check_url, "http://example.com/path");
    refuses(tn_conf_check_url, "http://");
    refuses(tn_conf_check_url, "http://user@example.com");
}

static void test_upstream(void **state)
{
    accepts(tn_conf_check_upstream, "unix:app.sock", "unix:/here/app.sock");
    accepts(tn_conf_check_upstream, "unix:/run/app.sock", "unix:/run/app.sock");
    accepts(tn_conf_check_upstream, "127.0.0.1:8080", "127.0.0.1:8080");
    accepts(tn_conf_check_upstream, "[::1]:8080", "[::1]:8080");
    accepts(tn_conf_check_upstream, "app.internal:80", "app.internal:80");
    refuses(tn_conf_check_upstream, "unix:");
    refuses(tn_conf_check_upstream, "app.internal");
    refuses(tn_conf_check_upstream, "app.internal:0");
    refuses(tn_conf_check_upstream, "http://app.internal:80");
    refuses(tn_conf_check_upstream, "a:80; return 200");
}

static void test_rewrite(void **state)
{
    accepts(tn_conf_check_rewrite, "off", "off");
    accepts(tn_conf_check_rewrite, "/$tenant_domain$uri", "/$tenant_domain$uri");
    accepts(tn_conf_check_rewrite, "/t/${tenant_slug}_x$uri", "/t/${tenant_slug}_x$uri");
    refuses(tn_conf_check_rewrite, "on");
    refuses(tn_conf_check_rewrite, "$uri");
    refuses(tn_conf_check_rewrite, "/a b");
    refuses(tn_conf_check_rewrite, "/a\";return 200;#");
    refuses(tn_conf_check_rewrite, "/a\\b");
    refuses(tn_conf_check_rewrite, "/a?b");
}

static void test_log_level(void **state)
{
    accepts(tn_conf_check_log_level, "debug", "debug");
    refuses(tn_conf_check_log_level, "Debug");
    refuses(tn_conf_check_log_level, "error,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),      cmocka_unit_test(test_database),
        cmocka_unit_test(test_host),      cmocka_unit_test(test_setting_key),
        cmocka_unit_test(test_listen),    cmocka_unit_test(test_url),
        cmocka_unit_test(test_upstream),  cmocka_unit_test(test_rewrite),
        cmocka_unit_test(test_log_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
