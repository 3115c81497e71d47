/*
 * `tenantry status`: the daemon, its database, the directory and the publisher between them.
 */
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

int tn_run_status(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    static const char *const rows[][3] = {
        {"database", "state", "database"},
        {"database", "id", "  identity"},
        {"database", "generation", "  generation"},
        {"directory", "state", "directory"},
        {"directory", "databaseId", "  of database"},
        {"directory", "generation", "  generation"},
        {"publisher", "state", "publisher"},
        {"publisher", "reason", "  reason"},
    };
    json_t *answer;
    int exit_code = tn_cli_call(
        &answer, cli, &(tn_request_t){.method = "GET", .segments = {"v1", "status", NULL}});
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (cli->is_json) {
        tn_output_json(stdout, answer);
        json_decref(answer);
        return TN_EXIT_OK;
    }
    char buffer[TN_OUTPUT_SCALAR_SIZE];
    tn_output_pair(stdout, "daemon", tn_output_scalar(buffer, answer, "version"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const json_t *part = json_object_get(answer, rows[i][0]);
        const char *value = tn_output_scalar(buffer, part, rows[i][1]);
        if (value[0] != '\0' || strcmp(rows[i][1], "state") == 0) {
            tn_output_pair(stdout, rows[i][2], value);
        }
    }
    json_decref(answer);
    return TN_EXIT_OK;
}
