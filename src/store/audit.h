/*
 * The audit trail: append-only, one chain for each tenant and one for the platform, each entry
 * chained to the one before it by SHA-256. Entries are written by the repositories themselves, in
 * the transaction of the change; this header adds reading and verifying.
 *
 * How a hash is computed is documented, byte by byte, in docs/audit-format.md.
 */
#pragma once

#include "store/store.h"

#define TN_AUDIT_PLATFORM "platform" /* the chain of what concerns no single tenant */

typedef struct {
    const char *chain; /* a tenant's id, or TN_AUDIT_PLATFORM */
    uint64_t sequence; /* 1, 2, 3, … within the chain */
    int64_t at_ms;
    const char *actor_kind, *actor_name, *address;
    const char *action;  /* "tenant.suspend", … */
    const char *target;  /* the slug, host or key it was done to */
    const char *before;  /* JSON, or "" */
    const char *after;   /* JSON, or "" */
    uint64_t generation; /* the directory generation it led to, 0 when the edge need not know */
    const char *hash;    /* 64 hexadecimal digits */
} tn_audit_entry_t;

typedef struct {
    const char *chain;  /* NULL: all chains */
    const char *action; /* NULL: any; a trailing '*' matches a prefix */
    uint64_t before_id; /* the cursor: 0 for the newest page */
    size_t limit;       /* 1 to 1000 */
} tn_audit_filter_t;

/* Newest first. id counts all entries of the database; the entry is borrowed for the call. */
typedef int (*tn_audit_fn)(uint64_t id, const tn_audit_entry_t *entry, void *context);
TN_CHECK int tn_audit_list(tn_tx_t *tx, const tn_audit_filter_t *filter, tn_audit_fn call,
                           void *context, tn_err_t *err);

typedef struct {
    uint64_t chains;
    uint64_t entries;
} tn_audit_report_t;

/*
 * Recomputes every chain. TN_EDAMAGED names chain and sequence of the first entry that was changed,
 * is missing, out of order, or cut off at the end (chain heads are kept beside the entries).
 */
TN_CHECK int tn_audit_verify(tn_audit_report_t *out, tn_tx_t *tx, tn_err_t *err);
