/*
 * What the repositories beside tenant.c need of a tenant's row while they change what hangs on it.
 */
#pragma once

#include "store/tx.h"

/* TN_ENOTFOUND when there is no tenant with this id. */
TN_CHECK int tn_tenant_check(tn_tx_t *tx, const char *id, tn_err_t *err);

/* A new version of the tenant, for a change that shows in its row. */
TN_CHECK int tn_tenant_bump(tn_tx_t *tx, const char *id, bool redirects_to_primary, tn_err_t *err);
