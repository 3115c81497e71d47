/*
 * What the subcommands share: the command's context, the table's entry, exit codes, calling the
 * API, and failing in one voice. The handlers are declared at the end; the table is in commands.c.
 */
#pragma once

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/options.h"
#include "cli/output.h"

#include <jansson.h>

enum tn_exit {
    TN_EXIT_OK = 0,
    TN_EXIT_FAILED = 1,      /* the operation failed: a conflict, not found, refused … */
    TN_EXIT_USAGE = 2,       /* wrong arguments or configuration */
    TN_EXIT_UNREACHABLE = 3, /* no daemon answers */
    TN_EXIT_DENIED = 4,      /* not permitted */
    TN_EXIT_UNPUBLISHED = 5, /* stored in the database, and not at the edge yet */
};

typedef struct tn_cli tn_cli_t;

typedef struct {
    const char *words;     /* "tenant create" */
    const char *arguments; /* "SLUG", "REF [HOST]", "" */
    const tn_option_t *options;
    int (*run)(tn_cli_t *cli, const tn_arguments_t *arguments); /* returns an exit code */
    bool needs_no_configuration;
    const char *summary; /* one line */
    const char *details; /* more for its own help, or NULL */
} tn_command_t;

struct tn_cli {
    const tn_command_t *command; /* NULL before one is known */
    tn_conf_t conf;              /* zeroed when the command needs none */
    const char *conf_path;       /* --config, or NULL */
    tn_cli_serve_fn serve;
    tn_client_t *client; /* opened by the first call */
    bool is_json;
    bool has_colour; /* on stdout */
};

extern const tn_command_t tn_commands[];
extern const size_t tn_command_count;
extern const tn_option_t tn_common_options[];

/*
 * Says what is wrong on stderr as "tenantry: COMMAND: TEXT", or with --json as a problem document
 * with this code, and returns exit_code.
 */
int tn_cli_fail(const tn_cli_t *cli, int exit_code, const char *problem_code, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* The same for an error of this library's functions: its detail, and the exit code that fits. */
int tn_cli_fail_err(const tn_cli_t *cli, const tn_err_t *err);

#define TN_REQUEST_SEGMENTS_MAX 8

/* What to ask of the API; the path is made of segments, which are escaped. */
typedef struct {
    const char *method;
    const char *segments[TN_REQUEST_SEGMENTS_MAX]; /* NULL-terminated */
    struct {
        const char *name, *value; /* left out when value is NULL */
    } query[6];
    json_t *body; /* the request takes this reference; NULL: none */
    const char *if_match;
} tn_request_t;

/*
 * Does it. TN_EXIT_OK: *out (may be NULL to drop it) holds the answer, which the caller decrefs.
 * Otherwise what is wrong has been said, and the exit code is returned.
 */
int tn_cli_call(json_t **out, tn_cli_t *cli, const tn_request_t *request);

/* The same without saying anything: TN_OK with any status, or the client's error. */
TN_CHECK int tn_cli_ask(tn_reply_t *out, tn_cli_t *cli, const tn_request_t *request, tn_err_t *err);

/* Says what a reply with a status of 400 and above says, and returns the exit code for it. */
int tn_cli_fail_reply(const tn_cli_t *cli, const tn_reply_t *reply);

/*
 * A list, page by page, up to limit items (0: all): one document {KEY: […], "nextCursor": …}. Exit
 * codes as tn_cli_call.
 */
int tn_cli_collect(json_t **out, tn_cli_t *cli, const tn_request_t *request, const char *key,
                   size_t limit);

/*
 * Ends a write: with --json prints the document, else the formatted sentence; takes the reference.
 * TN_EXIT_UNPUBLISHED, with a warning, when the answer says that the edge does not know yet.
 */
int tn_cli_done(tn_cli_t *cli, json_t *answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints a table and deinits it; the exit code. */
int tn_cli_print_table(const tn_cli_t *cli, tn_table_t *table);

/* A number given to an option; exit code TN_EXIT_USAGE (said) when it is not one of 1 to max. */
int tn_cli_number(size_t *out, const tn_cli_t *cli, const tn_arguments_t *arguments,
                  const char *option, size_t fallback, size_t max);

int tn_run_tenant_create(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_tenant_list(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_tenant_show(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_tenant_status(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_tenant_rename(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_tenant_set(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_domain_add(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_domain_remove(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_domain_list(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_domain_primary(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_flag_set(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_flag_unset(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_flag_list(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_flag_remove(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_cache_show(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_cache_init(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_cache_rebuild(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_hosts(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_audit_list(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_audit_verify(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_status(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_config(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_serve(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_run(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_nginx_config(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_version(tn_cli_t *cli, const tn_arguments_t *arguments);
int tn_run_help(tn_cli_t *cli, const tn_arguments_t *arguments);
