/*
 * The demonstration's tenants; see demo.h.
 */
#include "cli/demo.h"

#include "base/buf.h"
#include "cli/output.h"
#include "cli/supervisor.h"

#include <stdio.h>

#define URLS_MAX "12"

static const struct {
    const char *slug, *name, *plan, *title, *color, *locale, *welcome;
} tenants[] = {
    {"demo", "Demo", "free", "Demo shop", "#2f5d8a", "en",
     "This is what a tenant of Tenantry sees: its own name, its own colours, its own address."},
    {"entreprise1", "Entreprise Un", "pro", "Entreprise Un", "#1f7a5c", "fr",
     "Bienvenue chez Entreprise Un, la première de nos deux boutiques."},
    {"entreprise2", "Entreprise Deux", "pro", "Entreprise Deux", "#a8471f", "fr",
     "Bienvenue chez Entreprise Deux, que rien ne relie à sa voisine."},
};

/* The JSON of a successful answer, NULL otherwise; what went wrong is said as part of `what`. */
static json_t *ask(tn_cli_t *cli, const tn_request_t *request, const char *what)
{
    tn_reply_t reply;
    tn_err_t err;
    if (tn_cli_ask(&reply, cli, request, &err) != TN_OK) {
        tn_supervisor_say("%s: %s", what, err.detail);
        return NULL;
    }
    if (reply.status / 100 != 2) {
        tn_supervisor_say("%s: %s", what, tn_output_text(reply.body, "detail"));
        json_decref(reply.body);
        return NULL;
    }
    return reply.body;
}

static bool has_tenants(tn_cli_t *cli)
{
    tn_request_t request = {
        .method = "GET", .segments = {"v1", "tenants", NULL}, .query = {{"limit", "1"}}};
    json_t *answer = ask(cli, &request, "cannot look for tenants");
    bool found = answer == NULL || json_array_size(json_object_get(answer, "tenants")) > 0;
    json_decref(answer);
    return found;
}

void tn_demo_fill(tn_cli_t *cli)
{
    if (has_tenants(cli)) {
        return;
    }
    for (size_t i = 0; i < sizeof(tenants) / sizeof(tenants[0]); i++) {
        tn_request_t request = {
            .method = "POST",
            .segments = {"v1", "tenants", NULL},
            .body = json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "slug", tenants[i].slug,
                              "name", tenants[i].name, "plan", tenants[i].plan, "settings", "title",
                              tenants[i].title, "color", tenants[i].color, "locale",
                              tenants[i].locale, "welcome", tenants[i].welcome)};
        json_decref(ask(cli, &request, "cannot create a tenant"));
    }
}

static void print_url(const char *url, const char *path, const char *name)
{
    char whole[400];
    tn_buf_t clean;
    tn_buf_init(&clean);
    tn_output_clean(&clean, name);
    (void)snprintf(whole, sizeof(whole), "%s%s", url, path);
    printf("  %-50s %s\n", whole, clean.data == NULL ? "" : clean.data);
    tn_buf_deinit(&clean);
}

void tn_demo_print_urls(tn_cli_t *cli)
{
    tn_request_t request = {.method = "GET",
                            .segments = {"v1", "tenants", NULL},
                            .query = {{"limit", URLS_MAX}, {"status", "active"}}};
    print_url(cli->conf.public_url, "/auth/tenant-selection", "all tenants");
    json_t *answer = ask(cli, &request, "cannot list the tenants");
    const json_t *list = json_object_get(answer, "tenants");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *tenant = json_array_get(list, i);
        print_url(tn_output_text(tenant, "url"), "/", tn_output_text(tenant, "name"));
    }
    if (answer != NULL && json_array_size(list) == 0) {
        printf("\nThere is no tenant yet: tenantry tenant create SLUG --name NAME makes one.\n");
    }
    json_decref(answer);
}
