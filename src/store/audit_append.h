/*
 * Writing to the audit trail: for the repositories.
 */
#pragma once

#include "store/audit.h"
#include "store/tx.h"

#include <jansson.h>

/* What happened. Everything is borrowed for the call. */
typedef struct {
    const char *chain;
    const char *action;
    const char *target;
    const json_t *before; /* the fields that changed; NULL: there was nothing before */
    const json_t *after;  /* NULL: there is nothing now */
} tn_audit_event_t;

/*
 * Appends an entry with this transaction's actor, time and change-log version (0 when it has taken
 * none so far: what the edge must know is logged first). TN_EINVAL in a transaction that reads.
 */
TN_CHECK int tn_audit_append(tn_tx_t *tx, const tn_audit_event_t *event, tn_err_t *err);
