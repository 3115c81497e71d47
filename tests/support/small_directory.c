/*
 * The small directory; see small_directory.h.
 */
#include "small_directory.h"

#include "base/file.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/directory_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *const small_directory_jwks = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                         "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
                                         "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static const char *const base_domains[] = {"localhost", "example.com", "eu.example.com"};

#define ID(digit) "0190a000-0000-7000-8000-00000000000" digit

const small_tenant_t small_tenants[] = {
    {.id = ID("1"),
     .slug = "acme",
     .status = TN_STATUS_ACTIVE,
     .former_slugs = {"acme-inc", "ajax"},
     .hosts = {"app.acme.example", "www.acme.example"},
     .primary_host = 0},
    {.id = ID("2"),
     .slug = "beta",
     .status = TN_STATUS_ACTIVE,
     .former_slugs = {"gamma"},
     .hosts = {"beta.example", "www.beta.example"},
     .primary_host = 0,
     .redirects_to_primary = true},
    {.id = ID("3"),
     .slug = "closed",
     .status = TN_STATUS_SUSPENDED,
     .former_slugs = {"open"},
     .hosts = {"closed.example", "www.closed.example"},
     .primary_host = 0,
     .redirects_to_primary = true},
    {.id = ID("4"),
     .slug = "works",
     .status = TN_STATUS_MAINTENANCE,
     .hosts = {"works.example"},
     .primary_host = -1},
    {.id = ID("5"),
     .slug = "past",
     .status = TN_STATUS_ARCHIVED,
     .hosts = {"past.example"},
     .primary_host = -1},
    /* its primary host lies below a base domain, where custom domains are not looked for */
    {.id = ID("6"),
     .slug = "shadow",
     .status = TN_STATUS_ACTIVE,
     .former_slugs = {"shade"},
     .hosts = {"shop.localhost", "shadow.example"},
     .primary_host = 0,
     .redirects_to_primary = true},
    /* SLUG.example.com is a base domain of its own */
    {.id = ID("7"),
     .slug = "eu",
     .status = TN_STATUS_ACTIVE,
     .former_slugs = {"europe"},
     .primary_host = -1},
    {.id = ID("8"),
     .slug = "0190a000-0000-7000-8000-000000000001",
     .status = TN_STATUS_ACTIVE,
     .primary_host = -1},
    /* asks for a redirect to a primary domain that it has not */
    {.id = ID("9"),
     .slug = "single",
     .status = TN_STATUS_ACTIVE,
     .primary_host = -1,
     .redirects_to_primary = true},
    {.id = NULL},
};

const small_tenant_t *small_tenant(const char *slug)
{
    for (const small_tenant_t *tenant = small_tenants; tenant->id != NULL; tenant++) {
        if (strcmp(tenant->slug, slug) == 0) {
            return tenant;
        }
    }
    abort();
}

/* The strings of a table up to its first NULL. */
static size_t strings(tn_str_t out[3], const char *const texts[3])
{
    size_t count = 0;
    while (count < 3 && texts[count] != NULL) {
        out[count] = tn_str(texts[count]);
        count++;
    }
    return count;
}

static int put(tn_directory_writer_t *writer, const small_tenant_t *tenant, tn_err_t *err)
{
    tn_uuid_t id;
    tn_str_t hosts[3], former_slugs[3];
    const struct tn_tenant_spec_setting settings[] = {{TN_STR("title"), tn_str(tenant->slug)}};
    const struct tn_tenant_spec_flag flags[] = {{TN_STR("own"), true}};
    int code = tn_uuid_parse(&id, tn_str(tenant->id));
    if (code != TN_OK) {
        return code;
    }
    tn_tenant_spec_t spec = {
        .slug = tn_str(tenant->slug),
        .name = tn_str(tenant->slug),
        .plan = TN_STR("free"),
        .upstream = TN_STR(""),
        .status = tenant->status,
        .redirects_to_primary = tenant->redirects_to_primary,
        .hosts = hosts,
        .host_count = strings(hosts, tenant->hosts),
        .former_slugs = former_slugs,
        .former_slug_count = strings(former_slugs, tenant->former_slugs),
        .flags = flags,
        .flag_count = 1,
        .settings = settings,
        .setting_count = 1,
    };
    spec.primary_host = tenant->primary_host < 0 ? spec.host_count : (size_t)tenant->primary_host;
    memcpy(spec.id, id.bytes, sizeof(spec.id));
    return tn_directory_put_tenant(writer, &spec, err);
}

static int put_all(tn_directory_writer_t *writer, const tn_signer_t *signer, tn_err_t *err)
{
    tn_platform_t platform = {.base_domain_count = sizeof(base_domains) / sizeof(base_domains[0])};
    for (size_t i = 0; i < platform.base_domain_count; i++) {
        platform.base_domains[i] = tn_str(base_domains[i]);
    }
    platform.key_count = tn_signer_public_keys(platform.keys, signer);
    int code = tn_directory_begin(writer, 1, err);
    if (code == TN_OK) {
        code = tn_directory_put_platform(writer, &platform, err);
    }
    if (code == TN_OK) {
        code = tn_directory_put_flag(writer, TN_STR("own"), false, err);
    }
    for (const small_tenant_t *tenant = small_tenants; code == TN_OK && tenant->id != NULL;
         tenant++) {
        code = put(writer, tenant, err);
    }
    return code == TN_OK ? tn_directory_commit(writer, err) : code;
}

static int build(small_directory_t *small, tn_err_t *err)
{
    static const uint8_t database_id[16] = {1};
    tn_directory_writer_t *writer = NULL;
    int code =
        tn_signer_parse(&small->signer, small_directory_jwks, strlen(small_directory_jwks), err);
    if (code == TN_OK) {
        code = tn_directory_writer_create(&writer, small->path, database_id, 16, err);
    }
    if (code == TN_OK) {
        code = put_all(writer, small->signer, err);
    }
    if (code == TN_OK) {
        code = tn_directory_writer_install(writer, NULL, err);
    }
    tn_directory_writer_close(writer);
    return code == TN_OK ? tn_directory_open(&small->directory, small->path, err) : code;
}

int small_directory_open(small_directory_t *out)
{
    *out = (small_directory_t){0};
    (void)snprintf(out->folder, sizeof(out->folder), "%s", "/tmp/tenantry-test-XXXXXX");
    if (mkdtemp(out->folder) == NULL) {
        perror("mkdtemp");
        return -1;
    }
    (void)snprintf(out->path, sizeof(out->path), "%s/directory", out->folder);
    tn_err_t err = {0};
    if (build(out, &err) != TN_OK) {
        (void)fprintf(stderr, "small directory: %s: %s\n", tn_error_text(err.code), err.detail);
        small_directory_close(out);
        return -1;
    }
    return 0;
}

void small_directory_close(small_directory_t *small)
{
    char lock[sizeof(small->path) + 8];
    tn_directory_close(small->directory);
    tn_signer_free(small->signer);
    (void)snprintf(lock, sizeof(lock), "%s.lock", small->path);
    /* what the writer did not come to make is not there */
    (void)unlink(lock);
    (void)unlink(small->path);
    if (rmdir(small->folder) < 0) {
        perror(small->folder);
    }
    *small = (small_directory_t){0};
}

void *small_directory_bytes(size_t *size, const small_directory_t *small)
{
    char *bytes; /* from malloc, so aligned for anything */
    return tn_file_read(&bytes, size, small->path, 1 << 24, NULL) == TN_OK ? bytes : NULL;
}
