/*
 * Tenantry's configuration: one file of `key = value` lines (libinih), each key also from the
 * environment as TENANTRY_KEY in upper case, the environment before the file. A wrong key or value
 * is refused with the file and line, or the variable's name. The same table makes `tenantry config`
 * and the table of settings in docs/configuration.md.
 */
#pragma once

#include "tenantry.h"

#define TN_CONF_LIST_MAX 32

typedef struct {
    char *items[TN_CONF_LIST_MAX];
    size_t count;
} tn_conf_list_t;

/* All strings are owned by the configuration; paths are absolute. */
typedef struct {
    char *file;           /* the file that was read, NULL when there was none */
    char *state;          /* folder of everything below unless set otherwise: /var/lib/tenantry */
    char *database;       /* sqlite:STATE/tenantry.db */
    char *directory;      /* STATE/directory */
    char *socket;         /* STATE/serve.sock: the daemon's */
    char *operator_token; /* STATE/operator.token: path of the file */
    char *token_key;      /* STATE/token.jwks: path of the signing keys */
    char *pid_file;       /* STATE/serve.pid */
    tn_conf_list_t base_domains;  /* localhost */
    tn_conf_list_t edge_settings; /* title, color, locale, welcome */
    uint16_t threads;             /* of the daemon's HTTP: 2 */
    char *log_level;              /* error, warning, notice, info, debug: notice */
    /* for `tenantry run` and the generated nginx configuration */
    char *listen;     /* the address: localhost (127.0.0.1 and, where there is one, [::1]) */
    uint16_t port;    /* 3000 */
    char *public_url; /* http://localhost:3000: scheme and port of links; by default from base
                         domain and port */
    char *upstream;   /* the application: unix:PATH or HOST:PORT; STATE/app.sock */
    char *rewrite;    /* /$tenant_domain$uri, or off */
    char *nginx;      /* /usr/sbin/nginx */
    char *module;     /* ngx_http_tenantry_module.so: beside the command, else nginx's folder */
    bool request_log; /* a line a request in the foreground: on */

    char **origins; /* for tn_conf_each: where each key's value came from, in the table's order */
} tn_conf_t;

/*
 * Reads `path`, or when NULL the first of $TENANTRY_CONFIG, $TENANTRY_STATE/tenantry.conf and
 * /etc/tenantry/tenantry.conf that exists (none need; a path that was named must). TN_EINVAL:
 * the detail has file, line and key, or the variable. out is deinit'ed by the caller.
 */
TN_CHECK int tn_conf_load(tn_conf_t *out, const char *path, tn_err_t *err);
void tn_conf_deinit(tn_conf_t *conf);

/* Each key with its present value and where it came from ("default", "file:LINE", "environment").
 */
typedef void (*tn_conf_fn)(const char *key, const char *value, const char *origin, const char *help,
                           void *context);
void tn_conf_each(const tn_conf_t *conf, tn_conf_fn call, void *context);
