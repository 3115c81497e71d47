/*
 * `tenantry audit …`: the trail of who changed what, and its verification.
 */
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_FALLBACK 50

/* "key: before → after" for what differs; the caller frees it, NULL without memory. */
static char *describe_change(const json_t *before, const json_t *after)
{
    const char *key;
    json_t *value;
    tn_buf_t out;
    tn_buf_init(&out);
    json_object_foreach((json_t *)(uintptr_t)after, key, value)
    {
        const json_t *old = json_object_get(before, key);
        if (json_equal(old, value)) {
            continue;
        }
        char *old_text = old == NULL ? NULL : json_dumps(old, JSON_ENCODE_ANY);
        char *new_text = json_dumps(value, JSON_ENCODE_ANY);
        tn_buf_add_format(&out, "%s%s: %s%s%s", out.length == 0 ? "" : ", ", key,
                          old_text == NULL ? "" : old_text, old_text == NULL ? "" : " → ",
                          new_text == NULL ? "?" : new_text);
        free(old_text);
        free(new_text);
    }
    return tn_buf_take(&out, NULL);
}

static void add_entry(tn_table_t *table, const json_t *entry)
{
    const json_t *actor = json_object_get(entry, "actor");
    char *change =
        describe_change(json_object_get(entry, "before"), json_object_get(entry, "after"));
    tn_table_add(table, tn_output_text(entry, "at"));
    tn_table_add(table, tn_output_text(actor, "name"));
    tn_table_add(table, tn_output_text(entry, "action"));
    tn_table_add(table, tn_output_text(entry, "target"));
    tn_table_add(table, change);
    free(change);
}

int tn_run_audit_list(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    static const char *const headings[] = {"TIME", "WHO", "ACTION", "TARGET", "CHANGE", NULL};
    size_t limit;
    int exit_code = tn_cli_number(&limit, cli, arguments, "limit", LIMIT_FALLBACK, 1000000);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    tn_request_t request = {.method = "GET", .segments = {"v1", "audit", NULL}};
    request.query[2].name = "tenant";
    request.query[2].value = tn_arguments_value(arguments, "tenant");
    request.query[3].name = "action";
    request.query[3].value = tn_arguments_value(arguments, "action");
    json_t *answer;
    exit_code = tn_cli_collect(&answer, cli, &request, "entries", limit);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (cli->is_json) {
        tn_output_json(stdout, answer);
    } else {
        tn_table_t table;
        const json_t *entries = json_object_get(answer, "entries");
        tn_table_init(&table, headings);
        for (size_t i = 0; i < json_array_size(entries); i++) {
            add_entry(&table, json_array_get(entries, i));
        }
        exit_code = tn_cli_print_table(cli, &table);
    }
    json_decref(answer);
    return exit_code;
}

int tn_run_audit_verify(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    json_t *answer;
    int exit_code =
        tn_cli_call(&answer, cli,
                    &(tn_request_t){.method = "POST", .segments = {"v1", "audit", "verify", NULL}});
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (!json_is_true(json_object_get(answer, "valid"))) {
        if (cli->is_json) {
            tn_output_json(stdout, answer);
        }
        exit_code = tn_cli_fail(cli, TN_EXIT_FAILED, "audit_fault", "the trail has a fault: %s",
                                tn_output_text(answer, "fault"));
        json_decref(answer);
        return exit_code;
    }
    char entries[TN_OUTPUT_SCALAR_SIZE];
    char chains[TN_OUTPUT_SCALAR_SIZE];
    (void)tn_output_scalar(entries, answer, "entries");
    (void)tn_output_scalar(chains, answer, "chains");
    return tn_cli_done(cli, answer, "the trail is whole: %s entries in %s chains", entries, chains);
}
