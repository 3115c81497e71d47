/*
 * Whose host is this? The one place that knows how a host leads to a tenant; tn_domain_from_host,
 * tn_page_serve and tn_resolve all ask it.
 */
#pragma once

#include "tenantry.h"

/*
 * The domain of a parsed host and, where it has one, its tenant, in one look-up. *tenant is written
 * only when the domain's kind is not TN_DOMAIN_PLATFORM; it is borrowed from the directory.
 * TN_ENOTFOUND and TN_EUNAVAILABLE as for tn_domain_from_host.
 */
TN_CHECK int tn_domain_lookup(tn_domain_t *out, tn_tenant_t *tenant,
                              const tn_directory_t *directory, const tn_host_t *host);

/*
 * Says in the domain that it is the tenant's: id, current slug, and whether `slug` (what the
 * request called it, or an empty one when it named no slug) is one that it had before.
 */
TN_CHECK int tn_domain_set_tenant(tn_domain_t *domain, const tn_tenant_t *tenant, tn_str_t slug);

/* A domain of the platform's own: nobody's. */
void tn_domain_set_platform(tn_domain_t *out, const tn_host_t *host);
