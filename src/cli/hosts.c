/*
 * `tenantry hosts`: the lines of a hosts file that lead every active tenant's sub-domain to this
 * machine. Read from the directory, so that it needs no daemon.
 */
#include "base/err.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"
#include "core/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char **slugs;
    size_t count;
    size_t capacity;
} slugs_t;

static int take_slug(const tn_tenant_t *tenant, void *context)
{
    slugs_t *slugs = context;
    if (tenant->status != TN_STATUS_ACTIVE) {
        return 0;
    }
    if (slugs->count == slugs->capacity) {
        size_t capacity = slugs->capacity == 0 ? 64 : slugs->capacity * 2;
        char **more = realloc(slugs->slugs, capacity * sizeof(*more));
        if (more == NULL) {
            return TN_ENOMEM;
        }
        slugs->slugs = more;
        slugs->capacity = capacity;
    }
    slugs->slugs[slugs->count] = tn_str_dup(tenant->slug);
    return slugs->slugs[slugs->count++] == NULL ? TN_ENOMEM : 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_local(tn_str_t base)
{
    return tn_str_equal(base, TN_STR("localhost")) || tn_str_ends(base, TN_STR(".localhost"));
}

static int add_host(json_t *hosts, const char *slug, tn_str_t base)
{
    return json_array_append_new(
        hosts, slug == NULL ? json_sprintf("%.*s", (int)base.length, base.data)
                            : json_sprintf("%s.%.*s", slug, (int)base.length, base.data));
}

/* The base domains that end in localhost; where none does, all of them. `localhost` itself is in
 * every hosts file. */
static int name_hosts(json_t *hosts, const slugs_t *slugs, const tn_platform_t *platform)
{
    bool any_local = false;
    int failed = 0;
    for (size_t i = 0; i < platform->base_domain_count; i++) {
        any_local = any_local || is_local(platform->base_domains[i]);
    }
    for (size_t i = 0; i < platform->base_domain_count; i++) {
        tn_str_t base = platform->base_domains[i];
        if (any_local && !is_local(base)) {
            continue;
        }
        if (!tn_str_equal(base, TN_STR("localhost"))) {
            failed |= add_host(hosts, NULL, base);
        }
        for (size_t j = 0; j < slugs->count; j++) {
            failed |= add_host(hosts, slugs->slugs[j], base);
        }
    }
    return failed == 0 ? TN_OK : TN_ENOMEM;
}

static int collect(json_t *hosts, const tn_conf_t *conf, tn_err_t *err)
{
    slugs_t slugs = {0};
    tn_platform_t platform;
    tn_directory_t *directory;
    int code = tn_directory_open(&directory, conf->directory, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_directory_platform(&platform, directory);
    if (code == TN_OK) {
        code = tn_directory_each_tenant(directory, take_slug, &slugs);
    }
    if (code == TN_OK) {
        qsort(slugs.slugs, slugs.count, sizeof(*slugs.slugs), compare);
        code = name_hosts(hosts, &slugs, &platform);
    }
    if (code != TN_OK) {
        (void)tn_err_set(err, code == TN_ENOMEM ? code : TN_EIO,
                         "the directory '%s' cannot be read (%s)", conf->directory,
                         tn_error_text(code));
    }
    for (size_t i = 0; i < slugs.count; i++) {
        free(slugs.slugs[i]);
    }
    free(slugs.slugs);
    tn_directory_close(directory);
    return code;
}

int tn_run_hosts(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    tn_err_t err;
    json_t *hosts = json_array();
    if (collect(hosts, &cli->conf, &err) != TN_OK) {
        json_decref(hosts);
        return tn_cli_fail_err(cli, &err);
    }
    if (cli->is_json) {
        json_t *document = json_pack("{s:s, s:O}", "address", "127.0.0.1", "hosts", hosts);
        tn_output_json(stdout, document);
        json_decref(document);
    }
    for (size_t i = 0; i < json_array_size(hosts) && !cli->is_json; i++) {
        printf("127.0.0.1 %s\n", json_string_value(json_array_get(hosts, i)));
    }
    json_decref(hosts);
    return TN_EXIT_OK;
}
