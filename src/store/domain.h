/*
 * Custom domains in the database of record. A domain that an operator adds is trusted: it serves at
 * once.
 */
#pragma once

#include "store/tenant.h"

typedef struct {
    char id[TN_UUID_LENGTH + 1];
    char tenant_id[TN_UUID_LENGTH + 1];
    char host[TN_HOST_MAX + 1]; /* normalised, A-labels */
    bool is_primary;
    int64_t created_at_ms;
} tn_domain_row_t;

/*
 * host is normalised already, TN_EINVAL with field "host" when it is not. TN_ECONFLICT with field
 * "host": it is another tenant's or this one's already, or lies under one of base_domains, which
 * are the platform's own. TN_EFULL: more than TN_TENANT_HOSTS_MAX.
 */
TN_CHECK int tn_domain_add(tn_domain_row_t *out, tn_tx_t *tx, const char *tenant_id,
                           const char *host, const char *const *base_domains,
                           size_t base_domain_count, tn_err_t *err);
/* TN_ENOTFOUND when it is not this tenant's. Removing the primary one leaves none primary. */
TN_CHECK int tn_domain_remove(tn_tx_t *tx, const char *tenant_id, const char *host, tn_err_t *err);

/* Makes host the tenant's primary domain; `redirect`: requests at its other domains answer 308. */
TN_CHECK int tn_domain_set_primary(tn_tx_t *tx, const char *tenant_id, const char *host,
                                   bool redirect, tn_err_t *err);
/* None is primary any more. */
TN_CHECK int tn_domain_clear_primary(tn_tx_t *tx, const char *tenant_id, tn_err_t *err);

TN_CHECK int tn_domain_find(tn_domain_row_t *out, tn_tx_t *tx, const char *host, tn_err_t *err);

/* In host order; NULL tenant_id: of all tenants, after_host and limit page through them. */
typedef int (*tn_domain_row_fn)(const tn_domain_row_t *row, void *context);
TN_CHECK int tn_domain_list(tn_tx_t *tx, const char *tenant_id, const char *after_host,
                            size_t limit, tn_domain_row_fn call, void *context, tn_err_t *err);
