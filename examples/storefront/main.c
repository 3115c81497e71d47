/*
 * storefront: an example of an application behind Tenantry's edge, written as a user of libtenantry
 * would: include/tenantry.h, libmicrohttpd, no globals.
 *
 * One thread serves everything, so one handle of the directory is enough and refreshing it between
 * two requests needs no lock. An application with several threads opens one handle in each.
 */
#include "listen.h"
#include "visit.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_S         120 /* above nginx's keepalive_timeout, so that the edge hangs up first */
#define REQUEST_MEMORY (64 * 1024) /* for a request line and headers; nginx sends half at most */

/* What lives from a request's first line to its end. */
typedef struct {
    char *target;
    bool has_begun;
} request_t;

typedef struct {
    const char *directory;
    const char *listen;
} options_t;

static const char usage[] =
    "usage: storefront --directory PATH --listen unix:PATH|ADDRESS:PORT\n"
    "\n"
    "The example application: serves every tenant of the directory at PATH, to Tenantry's edge.\n";

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- libmicrohttpd's callbacks ------------------------------------------------------------ */

/* The request target before anything was decoded: what is compared is what was sent. */
static void *begin(void *context, const char *target, struct MHD_Connection *connection)
{
    request_t *request = calloc(1, sizeof(*request));
    if (request != NULL) {
        request->target = strdup(target);
    }
    return request;
}

static void end(void *context, struct MHD_Connection *connection, void **state,
                enum MHD_RequestTerminationCode code)
{
    request_t *request = *state;
    if (request != NULL) {
        free(request->target);
        free(request);
    }
    *state = NULL;
}

/* Called once with the headers, once for each piece of a body, and once when all is there. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **state)
{
    tn_directory_t *directory = context;
    request_t *request = *state;
    if (request == NULL || request->target == NULL) {
        return MHD_NO;
    }
    if (!request->has_begun || *data_size > 0) {
        request->has_begun = true;
        *data_size = 0; /* no page here reads a body */
        return MHD_YES;
    }
    answer_t answer = {0};
    visit_t visit = {
        .connection = connection, .method = method, .target = request->target, .answer = &answer};
    tn_directory_refresh(directory, steady_ms());
    visit_answer(&visit, directory);
    return answer_send(connection, &answer);
}

/* ---- the process -------------------------------------------------------------------------- */

/* 0; else the exit code, after saying why. */
static int parse_options(options_t *out, int argc, char **argv)
{
    static const struct option known[] = {
        {"directory", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "d:l:h", known, NULL)) != -1) {
        switch (option) {
        case 'd':
            out->directory = optarg;
            break;
        case 'l':
            out->listen = optarg;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            (void)fputs(usage, stderr);
            return 2;
        }
    }
    if (out->directory == NULL || out->listen == NULL || optind != argc) {
        (void)fputs(usage, stderr);
        return 2;
    }
    return 0;
}

/* Serves until SIGTERM or SIGINT, which are blocked and waited for here. */
static int serve(tn_directory_t *directory, int fd, const options_t *options,
                 const sigset_t *signals)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, directory, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_URI_LOG_CALLBACK, begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, end, NULL,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)REQUEST_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (daemon == NULL) {
        (void)fprintf(stderr, "storefront: cannot start the HTTP server\n");
        (void)close(fd);
        return EXIT_FAILURE;
    }
    (void)printf("storefront: listening at %s\n", options->listen);
    (void)fflush(stdout);
    int caught;
    while (sigwait(signals, &caught) != 0) {
    }
    MHD_stop_daemon(daemon); /* closes the socket */
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    options_t options = {0};
    int code = parse_options(&options, argc, argv);
    if (code != 0) {
        return code;
    }
    /* before any thread is there, so that all of them inherit it */
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    tn_directory_t *directory = NULL;
    tn_err_t err = {0};
    char error[256];
    if (tn_directory_open(&directory, options.directory, &err) != TN_OK) {
        (void)fprintf(stderr, "storefront: %s\n", err.detail);
        return EXIT_FAILURE;
    }
    int fd = listen_at(options.listen, error, sizeof(error));
    if (fd < 0) {
        (void)fprintf(stderr, "storefront: %s\n", error);
        code = EXIT_FAILURE;
    } else {
        code = serve(directory, fd, &options, &signals);
        listen_end(options.listen);
    }
    tn_directory_close(directory);
    return code;
}
