/*
 * The daemon's life; see serve.h. Everything is brought up in one order and torn down in its
 * reverse, by one path whatever failed.
 */
#include "control/serve.h"

#include "control/http.h"
#include "control/keeper.h"
#include "control/listener.h"
#include "control/origin.h"
#include "control/pidfile.h"
#include "control/routes.h"

#include "base/err.h"
#include "base/file.h"
#include "core/token.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GRACE_MS = 5000,      /* for requests in flight when it is told to stop */
    IDLE_TIMEOUT_S = 75,  /* above nginx's keepalive_timeout to upstreams, so that nginx closes */
    KEY_FILE_MAX = 65536, /* bytes of the signing keys */
};

typedef struct {
    tn_control_t control;
    tn_pidfile_t pidfile;
    tn_signer_t *signer;
    tn_keeper_t *keeper;
    tn_listener_t listener;
    tn_http_t *http;
} tn_server_t;

/* ---- files -------------------------------------------------------------------------------- */

/* Makes the folder that a file will be in, and those above it. */
static int make_folder_of(const char *path, tn_err_t *err)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof(copy)) {
        return tn_err_set(err, TN_ETOOBIG, "the path '%s' is too long", path);
    }
    memcpy(copy, path, strlen(path) + 1);
    char *folder = dirname(copy);
    for (char *at = folder + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(folder, 0755); /* the last one tells */
            *at = '/';
        }
    }
    if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
        return tn_err_errno(err, errno, "cannot make the folder '%s'", folder);
    }
    return TN_OK;
}

static int make_folders(const tn_conf_t *conf, tn_err_t *err)
{
    const char *const paths[] = {conf->pid_file, conf->operator_token, conf->token_key,
                                 conf->directory, conf->socket};
    int code = TN_OK;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && code == TN_OK; i++) {
        code = make_folder_of(paths[i], err);
    }
    if (code == TN_OK && strncmp(conf->database, "sqlite:", 7) == 0) {
        code = make_folder_of(conf->database + 7, err);
    }
    return code;
}

static int load_operator(tn_control_t *control, tn_err_t *err)
{
    bool is_new = false;
    const char *path = control->conf->operator_token;
    int code = tn_operator_load(&control->operator_token, &is_new, path, err);
    if (code == TN_OK && is_new) {
        tn_log_write(control->log, TN_LOG_NOTICE, "auth, made the operator's token '%s'", path);
    }
    return code;
}

/* Makes a key file where there is none: mode 0600, for the daemon and the edge's master. */
static int make_key_file(const tn_control_t *control, tn_err_t *err)
{
    char *text = NULL;
    size_t length = 0;
    int code = tn_signer_generate(&text, &length, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_file_write(control->conf->token_key, text, length, 0600, err);
    sodium_memzero(text, length);
    free(text);
    if (code == TN_OK) {
        tn_log_write(control->log, TN_LOG_NOTICE, "token, made the signing keys '%s'",
                     control->conf->token_key);
    }
    return code;
}

static int load_signer(tn_server_t *server, tn_err_t *err)
{
    const char *path = server->control.conf->token_key;
    char *text = NULL;
    size_t length = 0;
    int code = tn_file_read(&text, &length, path, KEY_FILE_MAX, err);
    if (code == TN_ENOTFOUND) {
        code = make_key_file(&server->control, err);
        if (code == TN_OK) {
            code = tn_file_read(&text, &length, path, KEY_FILE_MAX, err);
        }
    }
    if (code != TN_OK) {
        return code;
    }
    code = tn_signer_parse(&server->signer, text, length, err);
    sodium_memzero(text, length);
    free(text);
    return code;
}

/* ---- parts -------------------------------------------------------------------------------- */

static int open_publisher(tn_server_t *server, tn_err_t *err)
{
    const tn_conf_t *conf = server->control.conf;
    tn_public_key_t keys[TN_PUBLIC_KEYS_MAX];
    tn_publisher_options_t options = {
        .path = conf->directory,
        .base_domains = (const char *const *)conf->base_domains.items,
        .base_domain_count = conf->base_domains.count,
        .edge_settings = (const char *const *)conf->edge_settings.items,
        .edge_setting_count = conf->edge_settings.count,
        .keys = keys,
        .key_count = tn_signer_public_keys(keys, server->signer),
    };
    return tn_publisher_open(&server->control.publisher, &options, err);
}

static void on_http(const tn_request_t *request, tn_response_t *response, void *context)
{
    tn_route_dispatch(context, tn_routes, request, response);
}

static int start_http(tn_server_t *server, tn_err_t *err)
{
    int code = tn_listener_open(&server->listener, server->control.conf->socket, err);
    if (code != TN_OK) {
        return code;
    }
    tn_http_options_t options = {
        .listen_fd = server->listener.fd,
        .threads = server->control.conf->threads,
        .timeout_s = IDLE_TIMEOUT_S,
        .handler = on_http,
        .context = &server->control,
        .log = server->control.log,
    };
    server->listener.fd = -1;
    return tn_http_start(&server->http, &options, err);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

static int bring_up(tn_server_t *server, tn_err_t *err)
{
    tn_control_t *control = &server->control;
    const tn_conf_t *conf = control->conf;
    int code = make_folders(conf, err);
    if (code == TN_OK) {
        code = tn_pidfile_open(&server->pidfile, conf->pid_file, err);
    }
    if (code == TN_OK) {
        code = load_operator(control, err);
    }
    if (code == TN_OK) {
        code = load_signer(server, err);
    }
    if (code == TN_OK) {
        code = tn_database_new(&control->database, err);
    }
    /* a database is made at the first start only: where a directory is, there was one before */
    bool may_create = !is_there(conf->directory);
    if (code == TN_OK) {
        code = open_publisher(server, err);
    }
    if (code == TN_OK) {
        code = tn_keeper_start(&server->keeper, control, may_create, err);
    }
    if (code == TN_OK) {
        code = start_http(server, err);
    }
    return code;
}

static void tear_down(tn_server_t *server)
{
    tn_http_stop(server->http, GRACE_MS);
    tn_listener_close(&server->listener);
    tn_keeper_stop(server->keeper);
    tn_publisher_close(server->control.publisher);
    tn_database_free(server->control.database);
    tn_signer_free(server->signer);
    tn_pidfile_close(&server->pidfile);
    sodium_memzero(&server->control.operator_token, sizeof(server->control.operator_token));
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int open_log(tn_log_t **out, const tn_conf_t *conf, tn_err_t *err)
{
    tn_log_options_t options = {
        .fd = STDERR_FILENO,
        .level = TN_LOG_NOTICE,
        .is_journal = tn_log_is_journal(STDERR_FILENO),
    };
    int code = tn_log_level_parse(&options.level, conf->log_level);
    return code == TN_OK ? tn_log_new(out, &options, err) : code;
}

/* Blocks the signals that end the daemon, before threads inherit the mask. */
static void block_signals(sigset_t *stopping)
{
    (void)sigemptyset(stopping);
    (void)sigaddset(stopping, SIGTERM);
    (void)sigaddset(stopping, SIGINT);
    (void)sigaddset(stopping, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, stopping, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* a gone peer is an error of its write */
}

int tn_serve(const tn_conf_t *conf)
{
    tn_server_t server = {
        .control = {.conf = conf, .has_public_url = tn_origin_is_configured(conf)},
        .pidfile = {.fd = -1},
        .listener = {.fd = -1},
    };
    tn_err_t err = {0};
    sigset_t stopping;
    int number = 0;
    block_signals(&stopping);
    if (sodium_init() < 0 || open_log(&server.control.log, conf, &err) != TN_OK) {
        (void)fprintf(stderr, "tenantry: serve: cannot start\n");
        return 1;
    }
    int code = bring_up(&server, &err);
    if (code == TN_OK) {
        tn_log_write(server.control.log, TN_LOG_NOTICE, "daemon, serves at '%s' (version %s)",
                     conf->socket, TN_VERSION);
        (void)sigwait(&stopping, &number);
        tn_log_write(server.control.log, TN_LOG_NOTICE, "daemon, stops (%s)", strsignal(number));
    } else {
        tn_log_write(server.control.log, TN_LOG_ERROR, "daemon, cannot start (%s)",
                     err.detail[0] == '\0' ? tn_error_text(code) : err.detail);
    }
    tear_down(&server);
    tn_log_free(server.control.log);
    return code == TN_OK ? 0 : 1;
}
