/*
 * Feature flags, booleans: a definition with a default, and values of single tenants.
 */
#pragma once

#include "store/store.h"

typedef struct {
    char key[64];
    char description[201];
    bool default_on;
    int64_t updated_at_ms;
} tn_flag_row_t;

/* Defines a flag or changes its default; description NULL leaves it as it is. */
TN_CHECK int tn_flag_set_default(tn_tx_t *tx, const char *key, bool on, const char *description,
                                 tn_err_t *err);
/* A tenant's own value; defines the flag (default off) when it is not defined. TN_EFULL: more than
 * TN_TENANT_FLAGS_MAX of them. */
TN_CHECK int tn_flag_set_tenant(tn_tx_t *tx, const char *key, const char *tenant_id, bool on,
                                tn_err_t *err);
/* The tenant follows the default again. TN_ENOTFOUND when it had no value of its own. */
TN_CHECK int tn_flag_unset_tenant(tn_tx_t *tx, const char *key, const char *tenant_id,
                                  tn_err_t *err);
/* The definition and every tenant's value. TN_ENOTFOUND. */
TN_CHECK int tn_flag_remove(tn_tx_t *tx, const char *key, tn_err_t *err);

/* A definition. TN_ENOTFOUND. */
TN_CHECK int tn_flag_find(tn_flag_row_t *out, tn_tx_t *tx, const char *key, tn_err_t *err);

typedef int (*tn_flag_row_fn)(const tn_flag_row_t *row, void *context);
TN_CHECK int tn_flag_list(tn_tx_t *tx, tn_flag_row_fn call, void *context, tn_err_t *err);

/* Every defined flag as it is for one tenant, in key order. */
typedef int (*tn_flag_value_fn)(const char *key, bool is_on, bool is_own, void *context);
TN_CHECK int tn_flag_values(tn_tx_t *tx, const char *tenant_id, tn_flag_value_fn call,
                            void *context, tn_err_t *err);
