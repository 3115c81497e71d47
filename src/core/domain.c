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

static int find_subdomain(tn_domain_t *out, tn_tenant_t *tenant, const tn_directory_t *directory,
                          const tn_host_t *host, size_t base_length, size_t label_length)
{
    out->kind = TN_DOMAIN_SUBDOMAIN;
    out->base_length = base_length;
    tn_str_t slug = {host->name, label_length};
    if (label_length > TN_SLUG_MAX || memchr(slug.data, '.', slug.length) != NULL) {
        return TN_ENOTFOUND; /* several labels before the base: a slug is one */
    }
    int code = tn_directory_by_slug(tenant, directory, slug);
    return code == TN_OK ? tn_domain_set_tenant(out, tenant, slug) : code;
}

static int find_custom(tn_domain_t *out, tn_tenant_t *tenant, const tn_directory_t *directory,
                       const tn_host_t *host)
{
    out->kind = TN_DOMAIN_CUSTOM;
    int code = tn_directory_by_host(tenant, directory, (tn_str_t){host->name, host->length});
    return code == TN_OK ? tn_domain_set_tenant(out, tenant, TN_STR("")) : code;
}

int tn_domain_find(tn_domain_t *out, tn_tenant_t *tenant, const tn_directory_t *directory,
                   const tn_host_t *host)
{
    if (host->is_ip) {
        return TN_ENOTFOUND;
    }
    size_t base_length, label_length;
    int code = tn_directory_split_host(&base_length, &label_length, directory,
                                       (tn_str_t){host->name, host->length});
    if (code != TN_OK && code != TN_ENOTFOUND) {
        return code;
    }
    tn_domain_t domain = {.host = *host, .kind = TN_DOMAIN_PLATFORM};
    tn_tenant_t found;
    if (code == TN_ENOTFOUND) {
        code = find_custom(&domain, &found, directory, host);
    } else if (label_length > 0) {
        code = find_subdomain(&domain, &found, directory, host, base_length, label_length);
    }
    if (code != TN_OK) {
        return code;
    }
    if (domain.kind != TN_DOMAIN_PLATFORM) {
        *tenant = found;
    }
    *out = domain;
    return TN_OK;
}

int tn_domain_from_host(tn_domain_t *out, const tn_directory_t *directory, const char *host,
                        size_t length)
{
    tn_host_t parsed;
    tn_tenant_t tenant;
    int code = tn_host_parse(&parsed, host, length);
    return code == TN_OK ? tn_domain_find(out, &tenant, directory, &parsed) : code;
}

int tn_tenant_from_domain(tn_tenant_t *out, const tn_directory_t *directory,
                          const tn_domain_t *domain)
{
    if (domain->tenant_id[0] == '\0') {
        return TN_ENOTFOUND;
    }
    return tn_tenant_from_id(out, directory, domain->tenant_id, strlen(domain->tenant_id));
}
