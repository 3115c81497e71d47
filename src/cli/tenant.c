/*
 * `tenantry tenant …`: tenants through the API.
 */
#include "base/err.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

#define TENANT(...)                                                                                \
    {                                                                                              \
        "v1", "tenants", __VA_ARGS__                                                               \
    }

/* Adds the --setting K=V to settings. TN_EXIT_USAGE, said, when one is not of that form. */
static int take_settings(const tn_cli_t *cli, json_t *settings, const tn_arguments_t *arguments)
{
    for (size_t i = 0; i < arguments->given_count; i++) {
        const char *option = arguments->given[i].option->name;
        const char *value = arguments->given[i].value;
        if (strcmp(option, "remove-setting") == 0) {
            (void)json_object_del(settings, value); /* gone is gone, whether or not it was there */
        }
        if (strcmp(option, "setting") != 0) {
            continue;
        }
        const char *equals = strchr(value, '=');
        char key[64];
        if (equals == NULL || equals == value ||
            tn_str_copy(key, sizeof(key), (tn_str_t){value, (size_t)(equals - value)}) != TN_OK ||
            json_object_set_new(settings, key, json_string(equals + 1)) != 0) {
            return tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                               "option '--setting': '%s' is not of the form KEY=VALUE", value);
        }
    }
    return TN_EXIT_OK;
}

/* The options that create and set share, as fields of the request; settings apart. */
static int take_fields(const tn_cli_t *cli, json_t *body, const tn_arguments_t *arguments)
{
    static const char *const names[] = {"name", "plan", "upstream"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = tn_arguments_value(arguments, names[i]);
        if (value != NULL && json_object_set_new(body, names[i], json_string(value)) != 0) {
            return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "option '--%s' is not UTF-8", names[i]);
        }
    }
    bool listed = tn_arguments_has(arguments, "listed");
    bool unlisted = tn_arguments_has(arguments, "unlisted");
    if (listed && unlisted) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                           "options '--listed' and '--unlisted' exclude each other");
    }
    if (listed || unlisted) {
        (void)json_object_set_new(body, "listed", json_boolean(listed));
    }
    return TN_EXIT_OK;
}

int tn_run_tenant_create(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    if (!tn_arguments_has(arguments, "name")) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "option '--name' is missing");
    }
    json_t *settings = json_object();
    json_t *body = json_pack("{s:s}", "slug", arguments->words[0]);
    int exit_code = body == NULL ? tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "the slug is not UTF-8")
                                 : take_fields(cli, body, arguments);
    if (exit_code == TN_EXIT_OK) {
        exit_code = take_settings(cli, settings, arguments);
    }
    if (exit_code != TN_EXIT_OK) {
        json_decref(settings);
        json_decref(body);
        return exit_code;
    }
    if (json_object_size(settings) > 0) {
        (void)json_object_set(body, "settings", settings);
    }
    json_decref(settings);
    json_t *answer;
    exit_code = tn_cli_call(
        &answer, cli, &(tn_request_t){.method = "POST", .segments = TENANT(NULL), .body = body});
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    const json_t *tenant = json_object_get(answer, "tenant");
    return tn_cli_done(cli, answer, "tenant %s created: %s", tn_output_text(tenant, "slug"),
                       tn_output_text(tenant, "url"));
}

static int print_list(const tn_cli_t *cli, const json_t *tenants)
{
    static const char *const headings[] = {"SLUG", "NAME", "STATUS", "PLAN", "LISTED", "URL", NULL};
    tn_table_t table;
    tn_table_init(&table, headings);
    for (size_t i = 0; i < json_array_size(tenants); i++) {
        const json_t *tenant = json_array_get(tenants, i);
        tn_table_add(&table, tn_output_text(tenant, "slug"));
        tn_table_add(&table, tn_output_text(tenant, "name"));
        tn_table_add(&table, tn_output_text(tenant, "status"));
        tn_table_add(&table, tn_output_text(tenant, "plan"));
        tn_table_add(&table, json_is_true(json_object_get(tenant, "listed")) ? "yes" : "no");
        tn_table_add(&table, tn_output_text(tenant, "url"));
    }
    return tn_cli_print_table(cli, &table);
}

int tn_run_tenant_list(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    size_t limit;
    int exit_code = tn_cli_number(&limit, cli, arguments, "limit", 0, 1000000);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    tn_request_t request = {.method = "GET", .segments = TENANT(NULL)};
    request.query[2].name = "status";
    request.query[2].value = tn_arguments_value(arguments, "status");
    request.query[3].name = "listed";
    request.query[3].value = tn_arguments_has(arguments, "listed") ? "true" : NULL;
    json_t *answer;
    exit_code = tn_cli_collect(&answer, cli, &request, "tenants", limit);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (cli->is_json) {
        tn_output_json(stdout, answer);
    } else {
        exit_code = print_list(cli, json_object_get(answer, "tenants"));
    }
    json_decref(answer);
    return exit_code;
}

static void print_tenant(const json_t *tenant)
{
    static const char *const keys[][2] = {
        {"slug", "slug"},
        {"name", "name"},
        {"status", "status"},
        {"plan", "plan"},
        {"url", "url"},
        {"listed", "listed"},
        {"primaryDomain", "primary domain"},
        {"redirectToPrimary", "redirects to it"},
        {"upstream", "upstream"},
        {"id", "id"},
        {"version", "version"},
        {"createdAt", "created"},
        {"updatedAt", "updated"},
    };
    char buffer[TN_OUTPUT_SCALAR_SIZE];
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        tn_output_pair(stdout, keys[i][1], tn_output_scalar(buffer, tenant, keys[i][0]));
    }
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(tenant, "settings"), key, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
        char name[80];
        (void)snprintf(name, sizeof(name), "setting %s", key);
        tn_output_pair(stdout, name, text != NULL ? text : json_string_value(value));
        free(text);
    }
}

int tn_run_tenant_show(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    json_t *answer;
    int exit_code = tn_cli_call(
        &answer, cli,
        &(tn_request_t){.method = "GET", .segments = TENANT(arguments->words[0], NULL)});
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    if (cli->is_json) {
        tn_output_json(stdout, answer);
    } else {
        print_tenant(json_object_get(answer, "tenant"));
    }
    json_decref(answer);
    return TN_EXIT_OK;
}

/* Reads a tenant, so that what is decided from it can be made conditional on it. */
static int find_tenant(json_t **answer, char *etag, size_t etag_size, tn_cli_t *cli,
                       const char *reference)
{
    tn_reply_t reply;
    tn_err_t err;
    tn_request_t request = {.method = "GET", .segments = TENANT(reference, NULL)};
    if (tn_cli_ask(&reply, cli, &request, &err) != TN_OK) {
        return tn_cli_fail_err(cli, &err);
    }
    if (reply.status != 200) {
        int exit_code = tn_cli_fail_reply(cli, &reply);
        json_decref(reply.body);
        return exit_code;
    }
    (void)snprintf(etag, etag_size, "%s", reply.etag);
    *answer = reply.body;
    return TN_EXIT_OK;
}

static int patch(json_t **answer, tn_cli_t *cli, const char *reference, json_t *body,
                 const char *etag)
{
    return tn_cli_call(answer, cli,
                       &(tn_request_t){.method = "PATCH",
                                       .segments = TENANT(reference, NULL),
                                       .body = body,
                                       .if_match = etag[0] == '\0' ? NULL : etag});
}

static const struct {
    const char *words;
    const char *status;
    const char *not_from; /* the status from which this is not the word for it */
    const char *only_from;
    const char *hint;
} transitions[] = {
    {"tenant suspend", "suspended", NULL, NULL, ""},
    {"tenant resume", "active", "archived", NULL, "; 'tenantry tenant restore' brings it back"},
    {"tenant maintenance", "maintenance", NULL, NULL, ""},
    {"tenant archive", "archived", NULL, NULL, ""},
    {"tenant restore", "active", NULL, "archived", "; 'tenantry tenant resume' makes it active"},
};

/* suspend, resume, maintenance, archive, restore: which one is told by the command's own words. */
int tn_run_tenant_status(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    const char *reference = arguments->words[0];
    size_t i = 0;
    while (strcmp(transitions[i].words, cli->command->words) != 0) {
        i++;
    }
    json_t *found;
    char etag[64];
    int exit_code = find_tenant(&found, etag, sizeof(etag), cli, reference);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    const char *status = tn_output_text(json_object_get(found, "tenant"), "status");
    bool is_wrong_word =
        (transitions[i].not_from != NULL && strcmp(status, transitions[i].not_from) == 0) ||
        (transitions[i].only_from != NULL && strcmp(status, transitions[i].only_from) != 0);
    if (is_wrong_word) {
        exit_code = tn_cli_fail(cli, TN_EXIT_FAILED, "conflict", "tenant '%s' is %s%s", reference,
                                status, transitions[i].hint);
    }
    json_decref(found);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    json_t *answer;
    exit_code =
        patch(&answer, cli, reference, json_pack("{s:s}", "status", transitions[i].status), etag);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    const json_t *tenant = json_object_get(answer, "tenant");
    return tn_cli_done(cli, answer, "tenant %s is %s", tn_output_text(tenant, "slug"),
                       tn_output_text(tenant, "status"));
}

int tn_run_tenant_rename(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    json_t *body = json_pack("{s:s}", "slug", arguments->words[1]);
    if (body == NULL) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "the slug is not UTF-8");
    }
    json_t *answer;
    int exit_code = patch(&answer, cli, arguments->words[0], body, "");
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    const json_t *tenant = json_object_get(answer, "tenant");
    return tn_cli_done(cli, answer, "tenant %s is now %s: %s", arguments->words[0],
                       tn_output_text(tenant, "slug"), tn_output_text(tenant, "url"));
}

/* The API replaces all settings at once: the new ones are made from what is there, and written only
 * if nobody else wrote in between. */
static int add_settings(json_t *body, char *etag, size_t etag_size, tn_cli_t *cli,
                        const tn_arguments_t *arguments)
{
    if (!tn_arguments_has(arguments, "setting") && !tn_arguments_has(arguments, "remove-setting")) {
        return TN_EXIT_OK;
    }
    json_t *found;
    int exit_code = find_tenant(&found, etag, etag_size, cli, arguments->words[0]);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    json_t *settings = json_object_get(json_object_get(found, "tenant"), "settings");
    exit_code = take_settings(cli, settings, arguments);
    if (exit_code == TN_EXIT_OK) {
        (void)json_object_set(body, "settings", settings);
    }
    json_decref(found);
    return exit_code;
}

int tn_run_tenant_set(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    json_t *body = json_object();
    char etag[64] = "";
    int exit_code = take_fields(cli, body, arguments);
    if (exit_code == TN_EXIT_OK) {
        exit_code = add_settings(body, etag, sizeof(etag), cli, arguments);
    }
    if (exit_code == TN_EXIT_OK && json_object_size(body) == 0) {
        exit_code = tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "there is nothing to set");
    }
    if (exit_code != TN_EXIT_OK) {
        json_decref(body);
        return exit_code;
    }
    json_t *answer;
    exit_code = patch(&answer, cli, arguments->words[0], body, etag);
    if (exit_code != TN_EXIT_OK) {
        return exit_code;
    }
    return tn_cli_done(cli, answer, "tenant %s updated",
                       tn_output_text(json_object_get(answer, "tenant"), "slug"));
}
