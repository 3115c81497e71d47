/*
 * The generated nginx configuration: a template whose @marks@ are replaced from the configuration.
 */
#include "cli/nginx_config.h"

#include "base/err.h"
#include "base/str.h"
#include "cli/command.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char main_part[] =
    "# nginx in front of Tenantry's daemon and the application.\n"
    "#\n"
    "# `tenantry run` writes this file at each start, from the configuration: what is changed "
    "here\n"
    "# is lost. `tenantry nginx-config` prints it, as the start of a configuration of your own.\n"
    "\n"
    "daemon off; # in the foreground, for whoever started it to stop it\n"
    "@user@"
    "worker_processes 2;\n"
    "worker_shutdown_timeout 5s; # for requests that are being answered\n"
    "pid @pid@;\n"
    "error_log @error_log@ warn;\n"
    "\n"
    "load_module @module@;\n"
    "\n"
    "events {\n"
    "    worker_connections 1024;\n"
    "}\n"
    "\n";

static const char http_part[] =
    "http {\n"
    "    # What the edge knows, and the key that it signs X-Tenant-Token with.\n"
    "    tenantry_directory @directory@;\n"
    "    tenantry_token_key @token_key@;\n"
    "\n"
    "    # A line for each request: who was asked for, whose it is, how that was told, what came.\n"
    "@access_log@"
    "\n"
    "    # nginx's scratch files, where this user may write.\n"
    "@scratch@"
    "\n"
    "    server_tokens off;\n"
    "    default_type text/plain;\n"
    "    client_max_body_size 10m;\n"
    "    client_header_timeout 15s;\n"
    "    client_body_timeout 30s;\n"
    "    send_timeout 30s;\n"
    "    keepalive_timeout 65s;\n"
    "    # Redirects carry the path only, so that they are right at any port and scheme.\n"
    "    absolute_redirect off;\n"
    "\n"
    "    # The daemon: its API and pages. No request to the application passes it.\n"
    "    upstream tenantry_control {\n"
    "        server @socket@;\n"
    "        keepalive 8;\n"
    "    }\n"
    "\n"
    "    # The application.\n"
    "    upstream tenantry_app {\n"
    "        server @upstream@;\n"
    "        keepalive 16;\n"
    "        # Node closes idle connections after 5 seconds: be earlier.\n"
    "        keepalive_timeout 4s;\n"
    "    }\n"
    "\n"
    "    # A tenant may have an application of its own (tenantry tenant set REF --upstream …). "
    "One\n"
    "    # that is a name and not an address needs a `resolver` here.\n"
    "    map $tenant_upstream $tenantry_target {\n"
    "        \"\"      tenantry_app;\n"
    "        default $tenant_upstream;\n"
    "    }\n"
    "\n"
    "    # WebSockets pass; no other protocol may be upgraded to.\n"
    "    map $http_upgrade $tenantry_upgrade {\n"
    "        default       \"\";\n"
    "        ~*^websocket$ websocket;\n"
    "    }\n"
    "    map $tenantry_upgrade $tenantry_connection {\n"
    "        default   \"\";\n"
    "        websocket upgrade;\n"
    "    }\n"
    "\n"
    "    # The edge itself adds X-Tenant-* and X-Forwarded-*, and removes what came from outside.\n"
    "    proxy_http_version 1.1;\n"
    "    proxy_set_header Host $http_host;\n"
    "    proxy_set_header Upgrade $tenantry_upgrade;\n"
    "    proxy_set_header Connection $tenantry_connection;\n"
    "    proxy_connect_timeout 5s;\n"
    "    proxy_read_timeout 60s;\n"
    "    proxy_send_timeout 60s;\n"
    "\n"
    "    # Programs get their errors as problem documents (RFC 9457) below these paths.\n"
    "    tenantry_problem_prefix /api/ /v1/;\n"
    "\n";

static const char platform_part[] =
    "    # The platform's own names: nobody's tenant.\n"
    "    server {\n"
    "@listen@"
    "        server_name @base_domains@;\n"
    "        tenantry on;\n"
    "\n"
    "        location = / {\n"
    "            return 302 /auth/tenant-selection;\n"
    "        }\n"
    "        location /api/ {\n"
    "            proxy_pass http://tenantry_control;\n"
    "            error_page 502 504 = @control_down;\n"
    "        }\n"
    "        location /v1/ {\n"
    "            proxy_pass http://tenantry_control;\n"
    "            proxy_read_timeout 600s; # a rebuild of millions of tenants takes some\n"
    "            error_page 502 504 = @control_down;\n"
    "        }\n"
    "        # The page that lists the tenants, and a page that says so for what is not there.\n"
    "        location / {\n"
    "            proxy_pass http://tenantry_control;\n"
    "            error_page 502 504 = @pages_down;\n"
    "        }\n";

static const char tenants_part[] =
    "    # Every other name: a tenant's sub-domain or own domain, or one that nobody has here.\n"
    "    server {\n"
    "@listen_default@"
    "        server_name _;\n"
    "        tenantry on;\n"
    "\n"
    "        location / {\n"
    "@rewrite@"
    "            proxy_pass http://$tenantry_target;\n"
    "        }\n"
    "        location /api/tenant/ {\n"
    "            proxy_pass http://tenantry_control;\n"
    "            error_page 502 504 = @control_down;\n"
    "        }\n"
    "        location = /auth/tenant-selection {\n"
    "            proxy_pass http://tenantry_control;\n"
    "            error_page 502 504 = @pages_down;\n"
    "        }\n";
/* The end of both servers. */
static const char common_part[] =
    "        location = /.well-known/tenantry/jwks.json {\n"
    "            tenantry_jwks;\n"
    "        }\n"
    "\n"
    "        # The daemon is away. The application is not: it goes on being served.\n"
    "        location @control_down {\n"
    "            default_type application/problem+json;\n"
    "            add_header Retry-After 5 always;\n"
    "            add_header Cache-Control no-store always;\n"
    "            return 502 '{\"type\":\"urn:tenantry:problem:control_unavailable\","
    "\"title\":\"The control plane is not available\",\"status\":502,"
    "\"detail\":\"the daemon does not answer; the edge serves on\","
    "\"code\":\"control_unavailable\"}';\n"
    "        }\n"
    "        location @pages_down {\n"
    "            add_header Retry-After 5 always;\n"
    "            add_header Cache-Control no-store always;\n"
    "            charset utf-8;\n"
    "            return 502 \"This page is not available at the moment. Try again in a few "
    "seconds.\\n"
    "Cette page n'est pas disponible pour le moment. Réessayez dans quelques secondes.\\n\";\n"
    "        }\n"
    "    }\n";

/* ---- what the marks stand for ------------------------------------------------------------- */

enum mark {
    USER,
    PID,
    ERROR_LOG,
    MODULE,
    DIRECTORY,
    TOKEN_KEY,
    ACCESS_LOG,
    SCRATCH,
    SOCKET,
    UPSTREAM,
    LISTEN,
    LISTEN_DEFAULT,
    BASE_DOMAINS,
    REWRITE,
    MARKS
};

static const char *const mark_names[MARKS] = {
    [USER] = "@user@",
    [PID] = "@pid@",
    [ERROR_LOG] = "@error_log@",
    [MODULE] = "@module@",
    [DIRECTORY] = "@directory@",
    [TOKEN_KEY] = "@token_key@",
    [ACCESS_LOG] = "@access_log@",
    [SCRATCH] = "@scratch@",
    [SOCKET] = "@socket@",
    [UPSTREAM] = "@upstream@",
    [LISTEN] = "@listen@",
    [LISTEN_DEFAULT] = "@listen_default@",
    [BASE_DOMAINS] = "@base_domains@",
    [REWRITE] = "@rewrite@",
};

/* Text as one word of nginx's syntax. '$' would begin a variable, and has no escape. */
static int add_quoted(tn_buf_t *out, const char *prefix, const char *text, tn_err_t *err)
{
    if (strchr(text, '$') != NULL) {
        return tn_err_set(err, TN_EINVAL, "nginx cannot take '%s', which has a '$'", text);
    }
    bool is_plain = text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789/._-:[]@+,~=")] == '\0';
    tn_buf_add_text(out, is_plain ? prefix : "\"");
    tn_buf_add_text(out, is_plain ? "" : prefix);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            tn_buf_add_text(out, "\\");
        }
        tn_buf_add(out, at, 1);
    }
    tn_buf_add_text(out, is_plain ? "" : "\"");
    return TN_OK;
}

static int add_state_path(tn_buf_t *out, const tn_conf_t *conf, const char *name, tn_err_t *err)
{
    tn_buf_t path;
    tn_buf_init(&path);
    tn_buf_add_format(&path, "%s/%s", conf->state, name);
    int code = tn_buf_failed(&path) ? tn_err_set(err, TN_ENOMEM, "no memory for a path")
                                    : add_quoted(out, "", path.data, err);
    tn_buf_deinit(&path);
    return code;
}

size_t tn_nginx_listen(char out[TN_NGINX_LISTEN_MAX][TN_NGINX_LISTEN_SIZE], const tn_conf_t *conf,
                       const tn_nginx_machine_t *machine)
{
    if (strcmp(conf->listen, "localhost") != 0) {
        bool is_ipv6 = strchr(conf->listen, ':') != NULL;
        (void)snprintf(out[0], TN_NGINX_LISTEN_SIZE, "%s%s%s:%u", is_ipv6 ? "[" : "", conf->listen,
                       is_ipv6 ? "]" : "", conf->port);
        return 1;
    }
    (void)snprintf(out[0], TN_NGINX_LISTEN_SIZE, "127.0.0.1:%u", conf->port);
    (void)snprintf(out[1], TN_NGINX_LISTEN_SIZE, "[::1]:%u", conf->port);
    return machine->has_ipv6 ? 2 : 1;
}

static void add_listen(tn_buf_t *out, const tn_conf_t *conf, const tn_nginx_machine_t *machine,
                       const char *flags)
{
    char addresses[TN_NGINX_LISTEN_MAX][TN_NGINX_LISTEN_SIZE];
    size_t count = tn_nginx_listen(addresses, conf, machine);
    for (size_t i = 0; i < count; i++) {
        tn_buf_add_format(out, "        listen %s%s;\n", addresses[i], flags);
    }
}

static void add_user(tn_buf_t *out, const tn_nginx_machine_t *machine)
{
    if (machine->is_root) {
        tn_buf_add_text(out,
                        "# Started as root, nginx's workers would become another user, who could\n"
                        "# reach neither the sockets nor the files below. A service has a user of\n"
                        "# its own instead (deploy/).\n"
                        "user root;\n");
    }
}

static void add_access_log(tn_buf_t *out, const tn_conf_t *conf)
{
    tn_buf_add_text(out, "    log_format tenantry_requests escape=json\n"
                         "        '$time_iso8601\\t$host\\t$tenant_slug\\t$tenant_resolved_by\\t'\n"
                         "        '$status\\t$request_method\\t$request_uri';\n");
    tn_buf_add_text(out, conf->request_log
                             ? "    access_log /dev/stdout tenantry_requests; # `tenantry run` "
                               "reads them there\n"
                             : "    access_log off;\n");
}

static void add_rewrite(tn_buf_t *out, const tn_conf_t *conf)
{
    if (strcmp(conf->rewrite, "off") != 0) {
        tn_buf_add_format(out,
                          "            # The path as the application sees it; the visitor's URL "
                          "does not change.\n"
                          "            tenantry_rewrite \"%s\";\n",
                          conf->rewrite);
    }
}

static int add_scratch(tn_buf_t *out, const tn_conf_t *conf, tn_err_t *err)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    int code = TN_OK;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && code == TN_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "nginx/%s", kinds[i]);
        tn_buf_add_format(out, "    %s_temp_path ", kinds[i]);
        code = add_state_path(out, conf, name, err);
        tn_buf_add_text(out, ";\n");
    }
    return code;
}

static int fill_paths(tn_buf_t values[MARKS], const tn_conf_t *conf, tn_err_t *err)
{
    int codes[] = {
        add_state_path(&values[PID], conf, "nginx.pid", err),
        add_state_path(&values[ERROR_LOG], conf, "nginx.log", err),
        add_scratch(&values[SCRATCH], conf, err),
        add_quoted(&values[MODULE], "", conf->module, err),
        add_quoted(&values[DIRECTORY], "", conf->directory, err),
        add_quoted(&values[TOKEN_KEY], "", conf->token_key, err),
        add_quoted(&values[SOCKET], "unix:", conf->socket, err),
        add_quoted(&values[UPSTREAM], "", conf->upstream, err),
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] != TN_OK) {
            return codes[i];
        }
    }
    return TN_OK;
}

static void fill_lines(tn_buf_t values[MARKS], const tn_conf_t *conf,
                       const tn_nginx_machine_t *machine)
{
    add_user(&values[USER], machine);
    add_access_log(&values[ACCESS_LOG], conf);
    add_listen(&values[LISTEN], conf, machine, "");
    add_listen(&values[LISTEN_DEFAULT], conf, machine, " default_server");
    add_rewrite(&values[REWRITE], conf);
    for (size_t i = 0; i < conf->base_domains.count; i++) {
        tn_buf_add_format(&values[BASE_DOMAINS], "%s%s", i == 0 ? "" : " ",
                          conf->base_domains.items[i]);
    }
}

/* Appends a part with its marks replaced; an '@' that begins none stands for itself. */
static void expand(tn_buf_t *out, const char *part, const tn_buf_t values[MARKS])
{
    while (*part != '\0') {
        size_t length = strcspn(part, "@");
        tn_buf_add(out, part, length);
        part += length;
        size_t mark = 0;
        while (mark < MARKS && strncmp(part, mark_names[mark], strlen(mark_names[mark])) != 0) {
            mark++;
        }
        if (mark < MARKS) {
            tn_buf_add(out, values[mark].data, values[mark].length);
            part += strlen(mark_names[mark]);
        } else if (*part != '\0') {
            tn_buf_add(out, part++, 1);
        }
    }
}

/* ---- outside ------------------------------------------------------------------------------ */

tn_nginx_machine_t tn_nginx_machine(void)
{
    tn_nginx_machine_t machine = {.is_root = geteuid() == 0};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        machine.has_ipv6 = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        (void)close(fd);
    }
    return machine;
}

int tn_nginx_config_write(tn_buf_t *out, const tn_conf_t *conf, const tn_nginx_machine_t *machine,
                          tn_err_t *err)
{
    tn_buf_t values[MARKS] = {0};
    int code = fill_paths(values, conf, err);
    fill_lines(values, conf, machine);
    if (code == TN_OK) {
        expand(out, main_part, values);
        expand(out, http_part, values);
        expand(out, platform_part, values);
        expand(out, common_part, values);
        tn_buf_add_text(out, "\n");
        expand(out, tenants_part, values);
        expand(out, common_part, values);
        tn_buf_add_text(out, "}\n");
    }
    for (size_t i = 0; i < MARKS; i++) {
        if (tn_buf_failed(&values[i]) && code == TN_OK) {
            code = tn_err_set(err, TN_ENOMEM, "no memory for nginx's configuration");
        }
        tn_buf_deinit(&values[i]);
    }
    return code;
}

int tn_run_nginx_config(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    tn_err_t err;
    tn_buf_t text;
    tn_nginx_machine_t machine = tn_nginx_machine();
    tn_buf_init(&text);
    int code = tn_nginx_config_write(&text, &cli->conf, &machine, &err);
    if (code == TN_OK) {
        (void)fwrite(text.data, 1, text.length, stdout); /* main asks ferror(stdout) at the end */
    }
    tn_buf_deinit(&text);
    return code == TN_OK ? TN_EXIT_OK : tn_cli_fail_err(cli, &err);
}
