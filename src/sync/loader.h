/*
 * From the database into a change of the directory: what has changed, or everything. The caller
 * begins and commits the change, and gives the transaction to read from.
 */
#pragma once

#include "core/directory_writer.h"
#include "store/store.h"
#include "sync/options.h"

/* Puts or removes each tenant and flag that changed after that generation. */
TN_CHECK int tn_load_changes(tn_directory_writer_t *writer, tn_tx_t *tx, uint64_t after,
                             const tn_options_t *options, tn_err_t *err);

/* Puts the platform's entry, all flags and all tenants. */
TN_CHECK int tn_load_all(tn_directory_writer_t *writer, tn_tx_t *tx, const tn_options_t *options,
                         tn_err_t *err);
