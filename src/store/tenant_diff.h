/*
 * What an update changes of a tenant, as the audit trail tells it.
 */
#pragma once

#include "store/tenant.h"
#include "store/tx.h"

/*
 * Appends the entries for the way from `before` to `after`: tenant.rename, the change of status by
 * its name, tenant.update for the rest. Nothing where nothing changed.
 */
TN_CHECK int tn_tenant_audit_update(tn_tx_t *tx, const tn_tenant_row_t *before,
                                    const tn_tenant_row_t *after, tn_err_t *err);

/* The entry tenant.create. */
TN_CHECK int tn_tenant_audit_create(tn_tx_t *tx, const tn_tenant_row_t *row, tn_err_t *err);

/* Whether two texts of settings mean the same. */
TN_CHECK int tn_tenant_settings_equal(bool *out, const char *a, const char *b, tn_err_t *err);

/* Whether nothing differs that an update can set. */
bool tn_tenant_rows_agree(const tn_tenant_row_t *a, const tn_tenant_row_t *b);
