/*
 * From a host to its domain and tenant; see domain.h and include/tenantry.h.
 *
 * A base domain takes precedence over custom domains: what lies under one is a slug or nothing, so
 * that nobody can claim a name below the platform's own as theirs.
 */
#include "core/domain.h"

#include "base/str.h"
#include "core/directory.h"

int tn_domain_set_tenant(tn_domain_t *domain, const tn_tenant_t *tenant, tn_str_t slug)
{
    if (tn_str_copy(domain->slug, sizeof(domain->slug), tenant->slug) != TN_OK) {
        return TN_EUNAVAILABLE; /* no slug is that long: the record cannot be right */
    }
    memcpy(domain->tenant_id, tenant->id, sizeof(domain->tenant_id));
    domain->is_former_slug = slug.length > 0 && !tn_str_equal(slug, tenant->slug);
    return TN_OK;
}

/* A copy of what is there, not of the 253 bytes that could be. */
static void copy_host(tn_host_t *out, const tn_host_t *host)
{
    memcpy(out->name, host->name, host->length + 1);
    out->length = host->length;
    out->is_ip = host->is_ip;
    out->has_port = host->has_port;
    out->port = host->port;
}

void tn_domain_set_platform(tn_domain_t *out, const tn_host_t *host)
{
    copy_host(&out->host, host);
    out->kind = TN_DOMAIN_PLATFORM;
    out->tenant_id[0] = '\0';
    out->slug[0] = '\0';
    out->is_former_slug = false;
    out->base_length = 0;
}

static int find_subdomain(tn_domain_t *out, tn_tenant_t *tenant, const tn_directory_t *directory,
                          const tn_host_t *host, size_t base_length, size_t label_length)
{
    tn_str_t slug = {host->name, label_length};
    if (memchr(slug.data, '.', slug.length) != NULL) {
        return TN_ENOTFOUND; /* several labels before the base: a slug is one */
    }
    int code = tn_directory_by_slug(tenant, directory, slug);
    if (code == TN_OK) {
        code = tn_domain_set_tenant(out, tenant, slug);
    }
    if (code == TN_OK) {
        copy_host(&out->host, host);
        out->kind = TN_DOMAIN_SUBDOMAIN;
        out->base_length = base_length;
    }
    return code;
}

static int find_custom(tn_domain_t *out, tn_tenant_t *tenant, const tn_directory_t *directory,
                       const tn_host_t *host)
{
    int code = tn_directory_by_host(tenant, directory, (tn_str_t){host->name, host->length});
    if (code == TN_OK) {
        code = tn_domain_set_tenant(out, tenant, TN_STR(""));
    }
    if (code == TN_OK) {
        copy_host(&out->host, host);
        out->kind = TN_DOMAIN_CUSTOM;
        out->base_length = 0;
    }
    return code;
}

int tn_domain_lookup(tn_domain_t *out, tn_tenant_t *tenant, const tn_directory_t *directory,
                     const tn_host_t *host)
{
    if (host->is_ip) {
        return TN_ENOTFOUND;
    }
    size_t base_length, label_length;
    int code = tn_directory_split_host(&base_length, &label_length, directory,
                                       (tn_str_t){host->name, host->length});
    if (code == TN_ENOTFOUND) {
        return find_custom(out, tenant, directory, host);
    }
    if (code != TN_OK) {
        return code;
    }
    if (label_length > 0) {
        return find_subdomain(out, tenant, directory, host, base_length, label_length);
    }
    tn_domain_set_platform(out, host);
    return TN_OK;
}

int tn_domain_from_host(tn_domain_t *out, const tn_directory_t *directory, const char *host,
                        size_t length)
{
    tn_host_t parsed;
    tn_tenant_t tenant;
    int code = tn_host_parse(&parsed, host, length);
    return code == TN_OK ? tn_domain_lookup(out, &tenant, directory, &parsed) : code;
}

int tn_tenant_from_domain(tn_tenant_t *out, const tn_directory_t *directory,
                          const tn_domain_t *domain)
{
    if (domain->tenant_id[0] == '\0') {
        return TN_ENOTFOUND;
    }
    return tn_tenant_from_id(out, directory, domain->tenant_id, strlen(domain->tenant_id));
}
