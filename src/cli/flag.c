/*
 * `tenantry flag …`: feature flags through the API: a definition with its default, and values of
 * single tenants.
 */
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static const char *on_or_off(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key)) ? "on" : "off";
}

int tn_run_flag_set(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *key = arguments->words[0];
    const char *word = arguments->words[1];
    const char *tenant = tn_arguments_value(arguments, "tenant");
    const char *description = tn_arguments_value(arguments, "description");
    bool is_on = strcmp(word, "on") == 0;
    if (!is_on && strcmp(word, "off") != 0) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "'%s' is not on or off", word);
    }
    if (tenant != NULL && description != NULL) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                           "the description belongs to the flag, not to a tenant's value");
    }
    tn_request_t request = {.method = "PUT", .segments = {"v1", "flags", key, NULL}};
    if (tenant == NULL) {
        request.body = json_pack("{s:b, s:s*}", "default", is_on, "description", description);
    } else {
        request = (tn_request_t){.method = "PUT",
                                 .segments = {"v1", "tenants", tenant, "flags", key, NULL},
                                 .body = json_pack("{s:b}", "value", is_on)};
    }
    json_t *answer;
    int exit_code = tn_cli_call(&answer, cli, &request);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    return tenant == NULL ? tn_cli_done(cli, answer, "flag %s is %s by default", key, word)
                          : tn_cli_done(cli, answer, "flag %s is %s for %s", key, word, tenant);
}

int tn_run_flag_unset(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *key = arguments->words[0];
    const char *tenant = tn_arguments_value(arguments, "tenant");
    if (tenant == NULL) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                           "option '--tenant' is missing ('tenantry flag remove' removes a flag)");
    }
    json_t *answer;
    int exit_code =
        tn_cli_call(&answer, cli,
                    &(tn_request_t){.method = "DELETE",
                                    .segments = {"v1", "tenants", tenant, "flags", key, NULL}});
    return exit_code != TN_EXIT_OK
               ? exit_code
               : tn_cli_done(cli, answer, "flag %s follows its default for %s", key, tenant);
}

int tn_run_flag_remove(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *key = arguments->words[0];
    json_t *answer;
    int exit_code = tn_cli_call(
        &answer, cli, &(tn_request_t){.method = "DELETE", .segments = {"v1", "flags", key, NULL}});
    return exit_code != TN_EXIT_OK ? exit_code : tn_cli_done(cli, answer, "flag %s removed", key);
}

static int print_flags(const tn_cli_t *cli, const json_t *flags, bool of_tenant)
{
    static const char *const of_tenant_headings[] = {"KEY", "VALUE", "OWN", NULL};
    static const char *const headings[] = {"KEY", "DEFAULT", "DESCRIPTION", NULL};
    tn_table_t table;
    tn_table_init(&table, of_tenant ? of_tenant_headings : headings);
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const json_t *flag = json_array_get(flags, i);
        tn_table_add(&table, tn_output_text(flag, "key"));
        tn_table_add(&table, on_or_off(flag, of_tenant ? "value" : "default"));
        if (of_tenant) {
            tn_table_add(&table, json_is_true(json_object_get(flag, "own")) ? "yes" : "no");
        } else {
            tn_table_add(&table, tn_output_text(flag, "description"));
        }
    }
    return tn_cli_print_table(cli, &table);
}

int tn_run_flag_list(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *tenant = tn_arguments_value(arguments, "tenant");
    tn_request_t of_all = {.method = "GET", .segments = {"v1", "flags", NULL}};
    tn_request_t of_tenant = {.method = "GET",
                              .segments = {"v1", "tenants", tenant, "flags", NULL}};
    json_t *answer;
    int exit_code = tn_cli_call(&answer, cli, tenant == NULL ? &of_all : &of_tenant);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (cli->is_json) {
        tn_output_json(stdout, answer);
    } else {
        exit_code = print_flags(cli, json_object_get(answer, "flags"), tenant != NULL);
    }
    json_decref(answer);
    return exit_code;
}
