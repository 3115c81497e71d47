/*
 * Unit tests of cli/nginx_config.h: what the configuration's values become. That nginx takes it,
 * and what it then does, is tested end to end.
 */
#include "cli/nginx_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const tn_nginx_machine_t user_machine = {.is_root = false, .has_ipv6 = true};

static int load(void **state)
{
    static tn_conf_t conf;
    unsetenv("TENANTRY_CONFIG");
    setenv("TENANTRY_STATE", "/srv/state", 1);
    *state = &conf;
    return tn_conf_load(&conf, NULL, NULL) == TN_OK ? 0 : -1;
}

static int unload(void **state)
{
    tn_conf_deinit(*state);
    return 0;
}

static char *generate(const tn_conf_t *conf, const tn_nginx_machine_t *machine)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    assert_int_equal(tn_nginx_config_write(&buf, conf, machine, NULL), TN_OK);
    char *text = tn_buf_take(&buf, NULL);
    assert_non_null(text);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what)) {
        found++;
    }
    return found;
}

static void set(char **field, const char *value)
{
    free(*field);
    *field = strdup(value);
}

static void test_values(void **state)
{
    char *text = generate(*state, &user_machine);
    assert_int_equal(count(text, "tenantry_directory /srv/state/directory;"), 1);
    assert_int_equal(count(text, "tenantry_token_key /srv/state/token.jwks;"), 1);
    assert_int_equal(count(text, "server unix:/srv/state/serve.sock;"), 1);
    assert_int_equal(count(text, "server unix:/srv/state/app.sock;"), 1);
    assert_int_equal(count(text, "pid /srv/state/nginx.pid;"), 1);
    assert_int_equal(count(text, "error_log /srv/state/nginx.log warn;"), 1);
    assert_int_equal(count(text, "_temp_path /srv/state/nginx/"), 5);
    assert_int_equal(count(text, "listen 127.0.0.1:3000;"), 1);
    assert_int_equal(count(text, "listen [::1]:3000;"), 1);
    assert_int_equal(count(text, "listen 127.0.0.1:3000 default_server;"), 1);
    assert_int_equal(count(text, "listen [::1]:3000 default_server;"), 1);
    assert_int_equal(count(text, "server_name localhost;"), 1);
    assert_int_equal(count(text, "tenantry_rewrite \"/$tenant_domain$uri\";"), 1);
    assert_int_equal(count(text, "access_log /dev/stdout"), 1);
    assert_int_equal(count(text, "user root;"), 0);
    /* the daemon's operator routes are not at the tenants' names */
    assert_int_equal(count(text, "location /v1/"), 1);
    /* a mark that was left over */
    assert_null(strstr(text, "@user@"));
    assert_int_equal(count(text, "@"), 8 + 1); /* two named locations a server, used, and a path */
    free(text);
}

static void test_choices(void **state)
{
    tn_conf_t *conf = *state;
    const tn_nginx_machine_t machine = {.is_root = true, .has_ipv6 = false};
    conf->request_log = false;
    conf->port = 8080;
    set(&conf->rewrite, "off");
    set(&conf->upstream, "127.0.0.1:9000");
    char *text = generate(conf, &machine);
    assert_int_equal(count(text, "\nuser root;"), 1);
    assert_int_equal(count(text, "access_log off;"), 1);
    assert_int_equal(count(text, "/dev/stdout"), 0);
    assert_int_equal(count(text, "tenantry_rewrite"), 0);
    assert_int_equal(count(text, "server 127.0.0.1:9000;"), 1);
    assert_int_equal(count(text, "listen 127.0.0.1:8080"), 2);
    assert_int_equal(count(text, "[::1]"), 0);
    free(text);
}

static void test_listen(void **state)
{
    static const char *const cases[][2] = {
        {"0.0.0.0", "0.0.0.0:3000"}, {"::", "[::]:3000"}, {"10.1.2.3", "10.1.2.3:3000"}};
    tn_conf_t *conf = *state;
    char addresses[TN_NGINX_LISTEN_MAX][TN_NGINX_LISTEN_SIZE];
    assert_int_equal(tn_nginx_listen(addresses, conf, &user_machine), 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set(&conf->listen, cases[i][0]);
        assert_int_equal(tn_nginx_listen(addresses, conf, &user_machine), 1);
        assert_string_equal(addresses[0], cases[i][1]);
    }
}

static void test_quoting(void **state)
{
    tn_conf_t *conf = *state;
    set(&conf->directory, "/a b/\"c\";\\d");
    set(&conf->socket, "/with space");
    char *text = generate(conf, &user_machine);
    assert_int_equal(count(text, "tenantry_directory \"/a b/\\\"c\\\";\\\\d\";"), 1);
    assert_int_equal(count(text, "server \"unix:/with space\";"), 1);
    free(text);

    tn_buf_t buf;
    tn_err_t err;
    tn_buf_init(&buf);
    set(&conf->directory, "/a$b");
    assert_int_equal(tn_nginx_config_write(&buf, conf, &user_machine, &err), TN_EINVAL);
    assert_string_equal(err.detail, "nginx cannot take '/a$b', which has a '$'");
    tn_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, load, unload),
        cmocka_unit_test_setup_teardown(test_choices, load, unload),
        cmocka_unit_test_setup_teardown(test_listen, load, unload),
        cmocka_unit_test_setup_teardown(test_quoting, load, unload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
