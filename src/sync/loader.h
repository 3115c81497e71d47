/*
 * From the database into the directory: what has changed, or everything. The transaction to read
 * from is the caller's.
 */
#pragma once

#include "core/directory_writer.h"
#include "store/store.h"
#include "sync/options.h"

/* Puts or removes each tenant and flag that changed after that generation, in the change that the
 * caller has begun and will commit. */
TN_CHECK int tn_load_changes(tn_directory_writer_t *writer, tn_tx_t *tx, uint64_t after,
                             const tn_options_t *options, tn_err_t *err);

/*
 * Puts the platform's entry, all flags and all tenants into a new directory, and brings it to
 * `generation`. It does so in several changes when there are many tenants, so that their size is
 * bounded: nobody reads a directory that is not installed yet.
 */
TN_CHECK int tn_load_all(tn_directory_writer_t *writer, tn_tx_t *tx, uint64_t generation,
                         const tn_options_t *options, tn_err_t *err);
