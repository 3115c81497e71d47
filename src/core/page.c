/*
 * The page wrapper of include/tenantry.h: a handler is called with everything it needs to know, or
 * not at all.
 */
#include "core/domain.h"

#include "tenantry.h"

int tn_page_serve(const tn_directory_t *directory, const char *host, size_t length,
                  tn_page_handler_t handler, void *context)
{
    tn_host_t parsed;
    tn_domain_t domain;
    tn_tenant_t tenant;
    int code = tn_host_parse(&parsed, host, length);
    if (code == TN_OK) {
        code = tn_domain_lookup(&domain, &tenant, directory, &parsed);
    }
    if (code != TN_OK) {
        return code;
    }
    if (domain.kind == TN_DOMAIN_PLATFORM) {
        return TN_ENOTFOUND;
    }
    if (tenant.status != TN_STATUS_ACTIVE) {
        return TN_EPERM;
    }
    const tn_page_t page = {.directory = directory, .domain = &domain, .tenant = &tenant};
    return handler(&page, context);
}
