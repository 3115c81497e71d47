/*
 * `tenantry cache …`: the directory, as the daemon sees it, or read from its file when there is no
 * daemon to ask.
 */
#include "base/err.h"
#include "base/uuid.h"
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

#define CACHE                                                                                      \
    {                                                                                              \
        "api", "tenant", "cache", NULL                                                             \
    }

static const char *state_name(tn_directory_state_t state)
{
    switch (state) {
    case TN_DIRECTORY_READY:
        return "ready";
    case TN_DIRECTORY_MISSING:
        return "missing";
    case TN_DIRECTORY_DAMAGED:
        return "damaged";
    case TN_DIRECTORY_FOREIGN_VERSION:
        return "foreign_version";
    }
    return "unknown";
}

/* What the file itself says, in the API's form; the caller decrefs it, NULL without memory. */
static json_t *read_file(const tn_conf_t *conf, tn_err_t *err)
{
    tn_directory_t *directory;
    if (tn_directory_open(&directory, conf->directory, err) != TN_OK) {
        return NULL;
    }
    tn_directory_info_t info;
    char id[TN_UUID_LENGTH + 1];
    tn_directory_info(&info, directory);
    bool is_ready = info.state == TN_DIRECTORY_READY;
    tn_directory_close(directory);
    json_t *document =
        json_pack("{s:s, s:I, s:n, s:I, s:I, s:I, s:I, s:I, s:s?, s:s, s:s}", "state",
                  state_name(info.state), "generation", (json_int_t)info.generation,
                  "databaseGeneration", "tenants", (json_int_t)info.tenants, "domains",
                  (json_int_t)info.domains, "flags", (json_int_t)info.flags, "sizeBytes",
                  (json_int_t)info.size_bytes, "usedBytes", (json_int_t)info.used_bytes,
                  "databaseId", is_ready ? tn_uuid_format(id, info.database_id) : NULL, "path",
                  conf->directory, "source", "file");
    if (document == NULL) {
        (void)tn_err_set(err, TN_ENOMEM, "no memory for the answer");
    }
    return document;
}

static void print_cache(const json_t *cache)
{
    static const char *const keys[][2] = {
        {"state", "state"},
        {"reason", "reason"},
        {"generation", "generation"},
        {"databaseGeneration", "of the database"},
        {"tenants", "tenants"},
        {"domains", "domains"},
        {"flags", "flags"},
        {"sizeBytes", "size in bytes"},
        {"usedBytes", "used bytes"},
        {"databaseId", "database"},
        {"path", "file"},
    };
    char buffer[TN_OUTPUT_SCALAR_SIZE];
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *value = tn_output_scalar(buffer, cache, keys[i][0]);
        if (value[0] != '\0' || json_object_get(cache, keys[i][0]) != NULL) {
            tn_output_pair(stdout, keys[i][1], value);
        }
    }
}

int tn_run_cache_show(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    tn_reply_t reply = {0};
    tn_err_t err;
    tn_request_t request = {.method = "GET", .segments = CACHE};
    request.query[0].name = "limit";
    request.query[0].value = "1"; /* the entries are not shown here */
    int code = tn_cli_ask(&reply, cli, &request, &err);
    if (code == TN_OK && reply.status != 200) {
        int exit_code = tn_cli_fail_reply(cli, &reply);
        json_decref(reply.body);
        return exit_code;
    }
    if (code == TN_EUNAVAILABLE) {
        fprintf(stderr,
                "tenantry: cache show: no daemon answers at '%s'; this is what the file "
                "itself says\n",
                cli->conf.socket);
        reply.body = read_file(&cli->conf, &err);
        code = reply.body == NULL ? err.code : TN_OK;
    }
    if (code != TN_OK) {
        return tn_cli_fail_err(cli, &err);
    }
    (void)json_object_del(reply.body, "entries");
    (void)json_object_del(reply.body, "nextCursor");
    if (cli->is_json) {
        tn_output_json(stdout, reply.body);
    } else {
        print_cache(reply.body);
    }
    const char *state = tn_output_text(reply.body, "state");
    int exit_code = strcmp(state, "ready") == 0 ? TN_EXIT_OK : TN_EXIT_FAILED;
    json_decref(reply.body);
    return exit_code;
}

static int act(tn_cli_t *cli, const char *action, bool force)
{
    json_t *body = json_pack("{s:s, s:b}", "action", action, "force", force);
    json_t *answer;
    int exit_code = tn_cli_call(&answer, cli,
                                &(tn_request_t){.method = "POST", .segments = CACHE, .body = body});
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    char buffer[TN_OUTPUT_SCALAR_SIZE];
    char state[32];
    (void)snprintf(state, sizeof(state), "%s", tn_output_text(answer, "state"));
    return tn_cli_done(cli, answer, "the directory is %s, at generation %s", state,
                       tn_output_scalar(buffer, answer, "generation"));
}

int tn_run_cache_init(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    return act(cli, "init", false);
}

int tn_run_cache_rebuild(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    return act(cli, "rebuild", tn_arguments_has(arguments, "force"));
}
