/*
 * Tenants whole, as the directory wants them: the row with its domains, former slugs and flags put
 * together. All of a snapshot are read in four walks side by side, not in a query for each.
 */
#pragma once

#include "core/directory_writer.h"
#include "store/store.h"

/*
 * A tenant, borrowed for the call, but for its settings: spec->settings is empty, and `settings` is
 * the JSON object that the caller picks from. Hosts are in their order, former slugs the oldest
 * first.
 */
typedef int (*tn_export_fn)(const tn_tenant_spec_t *spec, const char *settings, void *context);

/* Every tenant, in the order of ids, until call returns non-zero, which is returned. */
TN_CHECK int tn_export_all(tn_tx_t *tx, tn_export_fn call, void *context, tn_err_t *err);

/* One. TN_ENOTFOUND. */
TN_CHECK int tn_export_one(tn_tx_t *tx, const char *id, tn_export_fn call, void *context,
                           tn_err_t *err);
