/*
 * Which slugs lead to which tenant: the present one and those it had, for tenant.c. A slug that was
 * given up goes on leading to its tenant, and is held back from others for 90 days.
 */
#pragma once

#include "store/tx.h"

#define TN_SLUG_HOLD_MS (90LL * 24 * 3600 * 1000)

/*
 * Gives a new tenant its slug. TN_EINVAL, TN_ECONFLICT with field "slug" as in tenant.h. A slug
 * whose hold is over is taken away from the tenant that had it, which is logged as changed.
 */
TN_CHECK int tn_slug_assign(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err);

/*
 * Another slug for a tenant that has one; the one before becomes a former one. A tenant may take
 * back one it had. Beyond TN_TENANT_FORMER_SLUGS_MAX the oldest leads to it no longer.
 */
TN_CHECK int tn_slug_replace(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err);
