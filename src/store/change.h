/*
 * The change log: what the directory has to follow. Versions are gapless and in commit order: they
 * come from a counter row that is taken in the same transaction as the change.
 */
#pragma once

#include "store/store.h"

typedef enum { TN_CHANGE_TENANT = 1, TN_CHANGE_FLAG = 2 } tn_change_kind_t;

/* Each thing that changed after `after`, once, whatever how often, with its last version. */
typedef int (*tn_change_fn)(uint64_t version, tn_change_kind_t kind, const char *key,
                            void *context);
TN_CHECK int tn_change_each(tn_tx_t *tx, uint64_t after, tn_change_fn call, void *context,
                            tn_err_t *err);
