/*
 * Writing to the change log: for the repositories and the transaction's commit.
 */
#pragma once

#include "store/change.h"
#include "store/tx.h"

/* This transaction's version, taken from the counter when it has none yet. */
TN_CHECK int tn_change_take_version(tn_tx_t *tx, tn_err_t *err);

/* Notes that a thing changed, under this transaction's version; noting it again does nothing. */
TN_CHECK int tn_change_add(tn_tx_t *tx, tn_change_kind_t kind, const char *key, tn_err_t *err);

/* Seals this transaction's version: the last of its statements. Nothing to do without one. */
TN_CHECK int tn_change_seal(tn_tx_t *tx, tn_err_t *err);
