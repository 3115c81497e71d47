/*
 * `tenantry run`: the daemon, nginx with a generated configuration, and where asked for the
 * application, in the foreground. This file prepares them (folder, lock, ports, files, command
 * lines) and tells a person what there is to open; supervisor.c keeps them running.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/demo.h"
#include "cli/nginx_config.h"
#include "cli/output.h"
#include "cli/reach.h"
#include "cli/requests.h"
#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVE_READY_MS 120000 /* a directory of millions may have to be built */
#define NGINX_READY_MS 15000
#define APP_READY_MS   20000
#define NGINX_STOP_MS  7000 /* its workers shut down within 5 s (worker_shutdown_timeout) */
#define STOP_MS        5000
#define EXECUTABLE     "/proc/self/exe" /* this program, even when its file was replaced */
#define EXAMPLE        "storefront"
#define CONFIG_MODE    0644

/* in the order of starting; the last is stopped first */
enum { REQUESTS, SERVE, APP, NGINX, PROCESSES };

typedef struct {
    tn_cli_t *cli;
    const tn_conf_t *conf;
    tn_nginx_machine_t machine;
    const char *app_command;
    bool is_demo;
    int lock; /* held while this run uses the state folder; -1: not yet */
    tn_requests_t requests;
    char nginx_config[PATH_MAX];
    char nginx_log[PATH_MAX];
    char example[PATH_MAX];
    const char *serve_argv[5];
    const char *app_argv[6];
    const char *nginx_argv[8];
    tn_process_t processes[PROCESSES];
    tn_supervisor_t supervisor;
} run_t;

/* ---- before anything is started ----------------------------------------------------------- */

static void add_to_detail(tn_err_t *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_to_detail(tn_err_t *err, const char *format, ...)
{
    size_t used = strlen(err->detail);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->detail + used, sizeof(err->detail) - used, format, args);
    va_end(args);
}

static int state_path(char out[PATH_MAX], const run_t *run, const char *name, tn_err_t *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", run->conf->state, name) >= PATH_MAX) {
        return tn_err_set(err, TN_EINVAL, "the path of the state folder is too long");
    }
    return TN_OK;
}

static int make_folder(const char *path, tn_err_t *err)
{
    if (mkdir(path, 0750) < 0 && errno != EEXIST) {
        (void)tn_err_errno(err, errno, "cannot create the state folder '%s'", path);
        add_to_detail(err, "; TENANTRY_STATE=FOLDER names another");
        return err->code;
    }
    return TN_OK;
}

/* A POSIX lock: it goes with the process, whatever that dies of, and names its holder. */
static int take_lock(run_t *run, tn_err_t *err)
{
    char path[PATH_MAX];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int code = state_path(path, run, "run.lock", err);
    if (code != TN_OK) {
        return code;
    }
    run->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (run->lock < 0) {
        return tn_err_errno(err, errno, "cannot open '%s'", path);
    }
    if (fcntl(run->lock, F_SETLK, &lock) == 0) {
        return TN_OK;
    }
    if (fcntl(run->lock, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK) {
        lock.l_pid = 0;
    }
    return tn_err_set(err, TN_EBUSY, "another 'tenantry run' (process %d) uses '%s'",
                      (int)lock.l_pid, run->conf->state);
}

static int check_programs(const tn_conf_t *conf, tn_err_t *err)
{
    if (access(conf->nginx, X_OK) < 0) {
        return tn_err_errno(err, errno, "nginx ('%s', key nginx)", conf->nginx);
    }
    if (access(conf->module, R_OK) < 0) {
        return tn_err_errno(err, errno, "nginx's module ('%s', key module)", conf->module);
    }
    return TN_OK;
}

static int check_socket_path(const char *path, tn_err_t *err)
{
    const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    return strlen(path) <= max
               ? TN_OK
               : tn_err_set(err, TN_EINVAL, "the socket's path '%s' is longer than %zu bytes", path,
                            max);
}

static int check_ports(const run_t *run, tn_err_t *err)
{
    char addresses[TN_NGINX_LISTEN_MAX][TN_NGINX_LISTEN_SIZE];
    size_t count = tn_nginx_listen(addresses, run->conf, &run->machine);
    for (size_t i = 0; i < count; i++) {
        int code = tn_reach_can_listen(addresses[i], err);
        if (code == TN_EBUSY) {
            add_to_detail(err,
                          "; TENANTRY_PORT=NUMBER (make run: PORT=NUMBER) chooses another port");
        }
        if (code != TN_OK) {
            return code;
        }
    }
    return TN_OK;
}

static int check_daemon(const tn_conf_t *conf, tn_err_t *err)
{
    char address[sizeof("unix:") + PATH_MAX];
    (void)snprintf(address, sizeof(address), "unix:%s", conf->socket);
    if (tn_reach_answers(address)) {
        return tn_err_set(err, TN_EBUSY, "a daemon answers at '%s' already", conf->socket);
    }
    return TN_OK;
}

static int write_nginx_config(run_t *run, tn_err_t *err)
{
    tn_buf_t text;
    char scratch[PATH_MAX];
    int code = state_path(run->nginx_config, run, "nginx.conf", err);
    if (code == TN_OK) {
        code = state_path(run->nginx_log, run, "nginx.log", err);
    }
    if (code == TN_OK) {
        code = state_path(scratch, run, "nginx", err);
    }
    if (code == TN_OK) {
        code = make_folder(scratch, err);
    }
    tn_buf_init(&text);
    if (code == TN_OK) {
        code = tn_nginx_config_write(&text, run->conf, &run->machine, err);
    }
    if (code == TN_OK && tn_buf_failed(&text)) {
        code = tn_err_set(err, TN_ENOMEM, "no memory for nginx's configuration");
    }
    if (code == TN_OK) {
        code = tn_file_write(run->nginx_config, text.data, text.length, CONFIG_MODE, err);
    }
    tn_buf_deinit(&text);
    return code;
}

/* Beside the command, as a build has it. It is an example, and not installed. */
static int find_example(run_t *run, tn_err_t *err)
{
    static const char *const places[] = {"examples/" EXAMPLE, EXAMPLE};
    char folder[PATH_MAX];
    ssize_t length = readlink(EXECUTABLE, folder, sizeof(folder) - 1);
    if (length <= 0) {
        return tn_err_errno(err, errno, "cannot tell where this program is");
    }
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int needed = snprintf(run->example, sizeof(run->example), "%s/%s", folder, places[i]);
        if (needed < (int)sizeof(run->example) && access(run->example, X_OK) == 0) {
            return TN_OK;
        }
    }
    return tn_err_set(err, TN_ENOTFOUND, "the example application '%s' is not beside '%s'", EXAMPLE,
                      folder);
}

static int prepare(run_t *run, tn_err_t *err)
{
    const tn_conf_t *conf = run->conf;
    run->machine = tn_nginx_machine();
    int code = check_programs(conf, err);
    if (code == TN_OK) {
        code = check_socket_path(conf->socket, err);
    }
    if (code == TN_OK && strncmp(conf->upstream, "unix:", 5) == 0) {
        code = check_socket_path(conf->upstream + 5, err);
    }
    if (code == TN_OK && run->is_demo && run->app_command == NULL) {
        code = find_example(run, err);
    }
    if (code == TN_OK) {
        code = make_folder(conf->state, err);
    }
    if (code == TN_OK) {
        code = take_lock(run, err);
    }
    if (code == TN_OK) {
        code = check_ports(run, err);
    }
    if (code == TN_OK) {
        code = check_daemon(conf, err);
    }
    return code == TN_OK ? write_nginx_config(run, err) : code;
}

/* ---- the processes ------------------------------------------------------------------------ */

static void describe_serve(run_t *run)
{
    size_t n = 0;
    run->serve_argv[n++] = EXECUTABLE;
    if (run->cli->conf_path != NULL) {
        run->serve_argv[n++] = "--config";
        run->serve_argv[n++] = run->cli->conf_path;
    }
    run->serve_argv[n] = "serve";
    run->processes[SERVE] = (tn_process_t){.name = "the daemon",
                                           .argv = run->serve_argv,
                                           .stdout_fd = -1,
                                           .stop_signal = SIGTERM,
                                           .stop_ms = 2 * STOP_MS};
}

static void describe_app(run_t *run)
{
    size_t n = 0;
    if (run->app_command != NULL) {
        run->app_argv[n++] = "/bin/sh";
        run->app_argv[n++] = "-c";
        run->app_argv[n] = run->app_command;
    } else if (run->is_demo) {
        run->app_argv[n++] = run->example;
        run->app_argv[n++] = "--directory";
        run->app_argv[n++] = run->conf->directory;
        run->app_argv[n++] = "--listen";
        run->app_argv[n] = run->conf->upstream;
    }
    run->processes[APP] = (tn_process_t){.name = "the application",
                                         .argv = run->app_argv,
                                         .stdout_fd = -1,
                                         .stop_signal = SIGTERM,
                                         .stop_ms = STOP_MS};
}

static void describe_nginx(run_t *run)
{
    const char *const argv[] = {run->conf->nginx, "-p", run->conf->state, "-e",
                                run->nginx_log,   "-c", run->nginx_config};
    memcpy(run->nginx_argv, argv, sizeof(argv));
    run->processes[NGINX] = (tn_process_t){.name = "nginx",
                                           .argv = run->nginx_argv,
                                           .stdout_fd = run->requests.write_fd,
                                           .stop_signal = SIGQUIT,
                                           .stop_ms = NGINX_STOP_MS};
}

static int describe_requests(run_t *run, tn_err_t *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return tn_err_errno(err, errno, "cannot make a pipe");
    }
    run->requests =
        (tn_requests_t){.read_fd = ends[0], .write_fd = ends[1], .colour = run->cli->has_colour};
    run->processes[REQUESTS] = (tn_process_t){.name = "the printer of request lines",
                                              .body = tn_requests_print,
                                              .context = &run->requests,
                                              .stdout_fd = -1,
                                              .stop_ms = STOP_MS};
    return TN_OK;
}

static bool daemon_is_ready(const void *context)
{
    const run_t *run = context;
    char address[sizeof("unix:") + PATH_MAX];
    (void)snprintf(address, sizeof(address), "unix:%s", run->conf->socket);
    return tn_reach_answers(address);
}

static bool app_is_ready(const void *context)
{
    const run_t *run = context;
    return tn_reach_answers(run->conf->upstream);
}

static bool nginx_is_ready(const void *context)
{
    const run_t *run = context;
    char addresses[TN_NGINX_LISTEN_MAX][TN_NGINX_LISTEN_SIZE];
    (void)tn_nginx_listen(addresses, run->conf, &run->machine);
    return tn_reach_answers(addresses[0]);
}

static int start_all(run_t *run, tn_err_t *err)
{
    tn_supervisor_t *supervisor = &run->supervisor;
    int code = tn_supervisor_start(supervisor, REQUESTS, NULL, NULL, 0, err);
    if (code == TN_OK) {
        code = tn_supervisor_start(supervisor, SERVE, daemon_is_ready, run, SERVE_READY_MS, err);
    }
    if (code == TN_OK && run->app_argv[0] != NULL) {
        code = tn_supervisor_start(supervisor, APP, app_is_ready, run, APP_READY_MS, err);
        if (code == TN_EUNAVAILABLE) {
            /* it may take its time, or listen elsewhere: nginx answers 502 until it is there */
            tn_supervisor_say("%s: nothing answers at %s yet", err->detail, run->conf->upstream);
            code = TN_OK;
        }
    }
    if (code == TN_OK) {
        code = tn_supervisor_start(supervisor, NGINX, nginx_is_ready, run, NGINX_READY_MS, err);
        if (code == TN_EIO) {
            add_to_detail(err, "; its log is '%s'", run->nginx_log);
        }
    }
    return code;
}

static void greet(const run_t *run)
{
    printf("\nTenantry is running. Open\n\n");
    tn_demo_print_urls(run->cli);
    if (run->app_argv[0] == NULL) {
        printf("\nThe application is expected at %s.\n", run->conf->upstream);
    }
    printf("\nIts state is in %s; the command finds it with\n  TENANTRY_STATE=%s\n",
           run->conf->state, run->conf->state);
    if (run->conf->request_log) {
        printf("A line for each request follows: time, host → tenant, how it was told, status.\n"
               "request_log = off, or TENANTRY_REQUEST_LOG=off, switches these lines off.\n");
    }
    printf("Ctrl-C stops everything.\n\n");
    (void)fflush(stdout);
}

static int run_all(run_t *run, tn_err_t *err)
{
    int code = describe_requests(run, err);
    if (code != TN_OK) {
        return code;
    }
    describe_serve(run);
    describe_app(run);
    describe_nginx(run);
    code = tn_supervisor_open(&run->supervisor, run->processes, PROCESSES, err);
    if (code == TN_OK) {
        code = start_all(run, err);
        if (code == TN_OK) {
            if (run->is_demo) {
                tn_demo_fill(run->cli);
            }
            greet(run);
            tn_supervisor_run(&run->supervisor);
        }
        (void)close(run->requests.write_fd); /* with nginx's copies gone, its reader ends */
        run->requests.write_fd = -1;
        tn_supervisor_stop(&run->supervisor);
        tn_supervisor_close(&run->supervisor);
    }
    if (run->requests.write_fd >= 0) {
        (void)close(run->requests.write_fd);
    }
    (void)close(run->requests.read_fd);
    return code == TN_EBUSY && run->supervisor.stops_asked > 0 ? TN_OK : code;
}

int tn_run_run(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    tn_err_t err = {0};
    run_t run = {.cli = cli,
                 .conf = &cli->conf,
                 .app_command = tn_arguments_value(arguments, "app"),
                 .is_demo = tn_arguments_has(arguments, "demo"),
                 .lock = -1};
    int code = prepare(&run, &err);
    if (code == TN_OK) {
        code = run_all(&run, &err);
    }
    if (run.lock >= 0) {
        (void)close(run.lock);
    }
    return code == TN_OK ? TN_EXIT_OK
                         : tn_cli_fail(cli, TN_EXIT_FAILED, "run_failed", "%s", err.detail);
}
