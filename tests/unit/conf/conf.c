/*
 * Unit tests of conf/conf.h: which file is read, what wins, and that every wrong key or value is
 * named with its place.
 */
#include "conf/conf.h"

#include "base/file.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tenantry-conf-XXXXXX";
static char file[64];

static void clear_environment(void)
{
    static const char *const variables[] = {
        "TENANTRY_CONFIG",    "TENANTRY_STATE",         "TENANTRY_DATABASE",
        "TENANTRY_DIRECTORY", "TENANTRY_SOCKET",        "TENANTRY_OPERATOR_TOKEN",
        "TENANTRY_TOKEN_KEY", "TENANTRY_PID_FILE",      "TENANTRY_BASE_DOMAINS",
        "TENANTRY_THREADS",   "TENANTRY_EDGE_SETTINGS", "TENANTRY_LOG_LEVEL",
        "TENANTRY_LISTEN",    "TENANTRY_PORT",          "TENANTRY_PUBLIC_URL",
        "TENANTRY_UPSTREAM",  "TENANTRY_REWRITE",       "TENANTRY_NGINX",
        "TENANTRY_MODULE",    "TENANTRY_REQUEST_LOG",
    };
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        unsetenv(variables[i]);
    }
}

static int set_up_group(void **state)
{
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return -1;
    }
    (void)snprintf(file, sizeof(file), "%s/tenantry.conf", folder);
    return 0;
}

static int tear_down_group(void **state)
{
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static int set_up(void **state)
{
    clear_environment();
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(file);
    return 0;
}

static void write_text(const char *text)
{
    assert_int_equal(tn_file_write(file, text, strlen(text), 0600, NULL), TN_OK);
}

static void assert_refused(const char *text, const char *complaint)
{
    tn_conf_t conf;
    tn_err_t err;
    char expected[400];
    write_text(text);
    assert_int_equal(tn_conf_load(&conf, file, &err), TN_EINVAL);
    (void)snprintf(expected, sizeof(expected), "%s:%s", file, complaint);
    assert_string_equal(err.detail, expected);
}

static void test_defaults(void **state)
{
    tn_conf_t conf;
    assert_int_equal(setenv("TENANTRY_STATE", "/srv/t", 1), 0);
    assert_int_equal(tn_conf_load(&conf, NULL, NULL), TN_OK);
    assert_string_equal(conf.state, "/srv/t");
    assert_string_equal(conf.database, "sqlite:/srv/t/tenantry.db");
    assert_string_equal(conf.directory, "/srv/t/directory");
    assert_string_equal(conf.socket, "/srv/t/serve.sock");
    assert_string_equal(conf.operator_token, "/srv/t/operator.token");
    assert_string_equal(conf.token_key, "/srv/t/token.jwks");
    assert_string_equal(conf.pid_file, "/srv/t/serve.pid");
    assert_int_equal(conf.base_domains.count, 1);
    assert_string_equal(conf.base_domains.items[0], "localhost");
    assert_int_equal(conf.edge_settings.count, 4);
    assert_string_equal(conf.edge_settings.items[3], "welcome");
    assert_int_equal(conf.threads, 2);
    assert_string_equal(conf.log_level, "notice");
    assert_string_equal(conf.listen, "localhost");
    assert_int_equal(conf.port, 3000);
    assert_string_equal(conf.public_url, "http://localhost:3000");
    assert_string_equal(conf.upstream, "unix:/srv/t/app.sock");
    assert_string_equal(conf.rewrite, "/$tenant_domain$uri");
    assert_string_equal(conf.nginx, "/usr/sbin/nginx");
    assert_true(tn_str_ends(tn_str(conf.module), TN_STR("/ngx_http_tenantry_module.so")));
    assert_true(conf.request_log);
    tn_conf_deinit(&conf);
}

static void test_file(void **state)
{
    tn_conf_t conf;
    write_text("# a comment\n"
               "state = data/\n"
               "  \n"
               "base_domains = Example.COM,\n"
               "    apps.example.org\n"
               "    example.net ; and another\n"
               "edge_settings =\n"
               "port = 80\n"
               "request_log = off\n"
               "database = sqlite:./db/main.db\n"
               "upstream = 127.0.0.1:8080\n"
               "listen = [::1]\n");
    assert_int_equal(tn_conf_load(&conf, file, NULL), TN_OK);
    assert_string_equal(conf.file, file);
    char expected[128];
    (void)snprintf(expected, sizeof(expected), "%s/data", folder);
    assert_string_equal(conf.state, expected);
    (void)snprintf(expected, sizeof(expected), "sqlite:%s/db/main.db", folder);
    assert_string_equal(conf.database, expected);
    (void)snprintf(expected, sizeof(expected), "%s/data/serve.sock", folder);
    assert_string_equal(conf.socket, expected);
    assert_int_equal(conf.base_domains.count, 3);
    assert_string_equal(conf.base_domains.items[0], "example.com");
    assert_string_equal(conf.base_domains.items[1], "apps.example.org");
    assert_string_equal(conf.base_domains.items[2], "example.net");
    assert_int_equal(conf.edge_settings.count, 0);
    assert_string_equal(conf.public_url, "http://example.com");
    assert_string_equal(conf.upstream, "127.0.0.1:8080");
    assert_string_equal(conf.listen, "::1");
    assert_false(conf.request_log);
    tn_conf_deinit(&conf);
}

static void test_wrong_lines(void **state)
{
    assert_refused("prt = 3000\n", "1: key 'prt' is unknown (did you mean 'port'?)");
    assert_refused("\n\nbase_domain = x\n",
                   "3: key 'base_domain' is unknown (did you mean 'base_domains'?)");
    assert_refused("colour_scheme = x\n", "1: key 'colour_scheme' is unknown");
    assert_refused("port = 3000\nport = 3001\n", "2: key 'port' is there twice");
    assert_refused("port = 3000\n  3001\n", "2: key 'port' takes one line");
    assert_refused("port\n", "1: the line is not of the form 'key = value'");
    assert_refused("[server]\nport = 3000\n", "2: the file has keys and no [sections]");
    assert_refused("base_domains =\n", "1: key 'base_domains': needs a value");
    assert_refused("state =\n", "1: key 'state': '' is not allowed here: a value is needed");
    assert_refused("base_domains = a.example,\n   port = 3\n",
                   "2: key 'base_domains': '=' is not a host name");
    char text[400] = "state = /";
    memset(text + strlen(text), 'x', 300);
    assert_refused(text, "1: the line is longer than 198 bytes");
}

static void test_wrong_values(void **state)
{
    assert_refused("port = 0\n", "1: key 'port': '0' is not a number from 1 to 65535");
    assert_refused("port = 70000\n", "1: key 'port': '70000' is not a number from 1 to 65535");
    assert_refused("threads = two\n", "1: key 'threads': 'two' is not a number from 1 to 64");
    assert_refused("request_log = maybe\n", "1: key 'request_log': 'maybe' is not on or off");
    assert_refused("log_level = loud\n", "1: key 'log_level': 'loud' is not one of error, "
                                         "warning, notice, info, debug");
    assert_refused("database = postgresql://x\n",
                   "1: key 'database': 'postgresql://x' is not of the form sqlite:PATH");
    assert_refused("base_domains = a b a\n", "1: key 'base_domains': 'a' is there twice");
    assert_refused("base_domains = 127.0.0.1\n",
                   "1: key 'base_domains': '127.0.0.1' is not a host name");
    assert_refused("base_domains = a b c d e f g h i j k l m n o p q\n",
                   "1: key 'base_domains': there are more than 16 values");
}

static void test_environment(void **state)
{
    tn_conf_t conf;
    tn_err_t err;
    write_text("port = 4000\nthreads = 3\n");
    assert_int_equal(setenv("TENANTRY_CONFIG", "tenantry.conf", 1), 0);
    assert_int_equal(setenv("TENANTRY_PORT", "5000", 1), 0);
    assert_int_equal(setenv("TENANTRY_LISTEN", "", 1), 0);
    assert_int_equal(setenv("TENANTRY_SOCKET", "run/s", 1), 0);
    assert_int_equal(tn_conf_load(&conf, NULL, NULL), TN_OK);
    assert_int_equal(conf.port, 5000);
    assert_int_equal(conf.threads, 3);
    assert_string_equal(conf.listen, "localhost");
    char expected[128];
    (void)snprintf(expected, sizeof(expected), "%s/run/s", folder);
    assert_string_equal(conf.socket, expected);
    tn_conf_deinit(&conf);

    assert_int_equal(setenv("TENANTRY_PORT", "x", 1), 0);
    assert_int_equal(tn_conf_load(&conf, NULL, &err), TN_EINVAL);
    assert_string_equal(err.detail, "TENANTRY_PORT: 'x' is not a number from 1 to 65535");
    assert_string_equal(err.field, "port");
}

static void test_which_file(void **state)
{
    tn_conf_t conf;
    tn_err_t err;
    char missing[80];
    write_text("threads = 9\n");
    assert_int_equal(setenv("TENANTRY_STATE", ".", 1), 0);
    assert_int_equal(tn_conf_load(&conf, NULL, NULL), TN_OK);
    assert_int_equal(conf.threads, 9);
    assert_string_equal(conf.state, folder);
    tn_conf_deinit(&conf);

    (void)snprintf(missing, sizeof(missing), "%s/missing.conf", folder);
    assert_int_equal(tn_conf_load(&conf, missing, &err), TN_EIO);
    assert_non_null(strstr(err.detail, missing));
    assert_int_equal(setenv("TENANTRY_CONFIG", missing, 1), 0);
    assert_int_equal(tn_conf_load(&conf, NULL, &err), TN_EIO);
}

/* Each key once; the three origins; and what is printed can be read back. */
static void collect(const char *key, const char *value, const char *origin, const char *help,
                    void *context)
{
    size_t *seen = context;
    assert_true(help[0] != '\0');
    if (strcmp(key, "port") == 0) {
        assert_string_equal(value, "4000");
        assert_non_null(strstr(origin, "/tenantry.conf:2"));
    } else if (strcmp(key, "threads") == 0) {
        assert_string_equal(value, "7");
        assert_string_equal(origin, "environment");
    } else if (strcmp(key, "base_domains") == 0) {
        assert_string_equal(value, "localhost, b.example");
    } else if (strcmp(key, "request_log") == 0) {
        assert_string_equal(value, "on");
        assert_string_equal(origin, "default");
    }
    (*seen)++;
}

static void test_each(void **state)
{
    tn_conf_t conf;
    size_t seen = 0;
    write_text("base_domains = localhost b.example\nport = 4000\n");
    assert_int_equal(setenv("TENANTRY_THREADS", "7", 1), 0);
    assert_int_equal(tn_conf_load(&conf, file, NULL), TN_OK);
    tn_conf_each(&conf, collect, &seen);
    assert_int_equal(seen, 19);
    tn_conf_deinit(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_which_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
