/*
 * `tenantry domain …`: custom domains through the API.
 */
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

#define DOMAINS(...)                                                                               \
    {                                                                                              \
        "v1", "tenants", __VA_ARGS__                                                               \
    }

int tn_run_domain_add(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *reference = arguments->words[0];
    json_t *body = json_pack("{s:s}", "host", arguments->words[1]);
    if (body == NULL) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "the host is not UTF-8");
    }
    json_t *answer;
    int exit_code = tn_cli_call(&answer, cli,
                                &(tn_request_t){.method = "POST",
                                                .segments = DOMAINS(reference, "domains", NULL),
                                                .body = body});
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    const json_t *domain = json_object_get(answer, "domain");
    return tn_cli_done(cli, answer, "domain %s leads to %s", tn_output_text(domain, "host"),
                       tn_output_text(domain, "tenant"));
}

int tn_run_domain_remove(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *reference = arguments->words[0];
    const char *host = arguments->words[1];
    json_t *answer;
    int exit_code = tn_cli_call(
        &answer, cli,
        &(tn_request_t){.method = "DELETE", .segments = DOMAINS(reference, "domains", host, NULL)});
    return exit_code != TN_EXIT_OK
               ? exit_code
               : tn_cli_done(cli, answer, "domain %s removed from %s", host, reference);
}

int tn_run_domain_list(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    static const char *const headings[] = {"HOST", "TENANT", "PRIMARY", "CREATED", NULL};
    tn_request_t all = {.method = "GET", .segments = {"v1", "domains", NULL}};
    tn_request_t of_one = {.method = "GET",
                           .segments = DOMAINS(arguments->words[0], "domains", NULL)};
    json_t *answer;
    int exit_code = arguments->word_count == 0 ? tn_cli_collect(&answer, cli, &all, "domains", 0)
                                               : tn_cli_call(&answer, cli, &of_one);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (cli->is_json) {
        tn_output_json(stdout, answer);
        json_decref(answer);
        return TN_EXIT_OK;
    }
    tn_table_t table;
    tn_table_init(&table, headings);
    const json_t *domains = json_object_get(answer, "domains");
    for (size_t i = 0; i < json_array_size(domains); i++) {
        const json_t *domain = json_array_get(domains, i);
        tn_table_add(&table, tn_output_text(domain, "host"));
        tn_table_add(&table, tn_output_text(domain, "tenant"));
        tn_table_add(&table, json_is_true(json_object_get(domain, "primary")) ? "yes" : "no");
        tn_table_add(&table, tn_output_text(domain, "createdAt"));
    }
    exit_code = tn_cli_print_table(cli, &table);
    json_decref(answer);
    return exit_code;
}

int tn_run_domain_primary(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *reference = arguments->words[0];
    bool none = tn_arguments_has(arguments, "none");
    bool no_redirect = tn_arguments_has(arguments, "no-redirect");
    if (none == (arguments->word_count == 2) || (none && no_redirect)) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "either HOST or '--none' is needed");
    }
    tn_request_t request = {.method = none ? "DELETE" : "PUT",
                            .segments = DOMAINS(reference, "primary-domain", NULL)};
    if (!none) {
        request.body =
            json_pack("{s:s, s:b}", "host", arguments->words[1], "redirect", no_redirect ? 0 : 1);
        if (request.body == NULL) {
            return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "the host is not UTF-8");
        }
    }
    json_t *answer;
    int exit_code = tn_cli_call(&answer, cli, &request);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (none) {
        return tn_cli_done(cli, answer, "tenant %s has no primary domain", reference);
    }
    return tn_cli_done(cli, answer, "domain %s is the primary one of %s%s", arguments->words[1],
                       reference,
                       no_redirect ? "" : "; requests at its other domains are redirected to it");
}
