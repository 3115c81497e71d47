/*
 * The audit trail: appending and listing; see audit.h. Verifying is in audit_verify.c.
 */
#include "store/audit.h"

#include "base/err.h"
#include "base/str.h"
#include "store/audit_append.h"
#include "store/audit_hash.h"
#include "store/query.h"

#include <stdlib.h>

#define LIST_LIMIT_MAX 1000

/* ---- appending ---------------------------------------------------------------------------- */

/* Where a chain stands: the entry that the next one follows. */
typedef struct {
    uint64_t sequence; /* 0: the chain is new */
    char hash[TN_HASH_TEXT + 1];
} head_t;

static int read_head(head_t *out, tn_tx_t *tx, const char *chain, tn_err_t *err)
{
    int copied = TN_OK;
    *out = (head_t){.hash = TN_HASH_NONE};
    tn_query_t query = tn_query(tx, "SELECT sequence, hash FROM audit_heads WHERE chain = $1", err);
    tn_query_add_text(&query, chain);
    while (tn_query_next(&query)) {
        out->sequence = (uint64_t)tn_query_int(&query, 0);
        copied = tn_str_copy(out->hash, sizeof(out->hash), tn_query_text(&query, 1));
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && copied != TN_OK) {
        code = tn_err_set(err, TN_EDAMAGED, "the head of the audit chain '%s' is damaged", chain);
    }
    return code;
}

static int write_head(tn_tx_t *tx, const tn_audit_entry_t *entry, tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "INSERT INTO audit_heads (chain, sequence, hash)"
                                " VALUES ($1, $2, $3) ON CONFLICT (chain)"
                                " DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
                                err);
    tn_query_add_text(&query, entry->chain);
    tn_query_add_int(&query, (int64_t)entry->sequence);
    tn_query_add_text(&query, entry->hash);
    return tn_query_run(&query);
}

static int write_entry(tn_tx_t *tx, const tn_audit_entry_t *entry, const char *previous_hash,
                       tn_err_t *err)
{
    tn_query_t query =
        tn_query(tx,
                 "INSERT INTO audit (chain, sequence, at_ms, actor_kind, actor_name, address,"
                 " action, target, before_json, after_json, generation, previous_hash, hash)"
                 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                 err);
    tn_query_add_text(&query, entry->chain);
    tn_query_add_int(&query, (int64_t)entry->sequence);
    tn_query_add_int(&query, entry->at_ms);
    tn_query_add_text(&query, entry->actor_kind);
    tn_query_add_text(&query, entry->actor_name);
    tn_query_add_text(&query, entry->address);
    tn_query_add_text(&query, entry->action);
    tn_query_add_text(&query, entry->target);
    tn_query_add_text(&query, entry->before);
    tn_query_add_text(&query, entry->after);
    tn_query_add_int(&query, (int64_t)entry->generation);
    tn_query_add_text(&query, previous_hash);
    tn_query_add_text(&query, entry->hash);
    return tn_query_run(&query);
}

/* The entry's own text of a value; "" where there is none. The caller frees it. */
static char *value_text(const json_t *value)
{
    return value == NULL ? tn_str_dup(TN_STR("")) : json_dumps(value, JSON_COMPACT);
}

static int append(tn_tx_t *tx, tn_audit_entry_t *entry, tn_err_t *err)
{
    head_t head;
    char hash[TN_HASH_TEXT + 1];
    int code = read_head(&head, tx, entry->chain, err);
    if (code != TN_OK) {
        return code;
    }
    entry->sequence = head.sequence + 1;
    tn_audit_hash(hash, entry, head.hash);
    entry->hash = hash;
    code = write_entry(tx, entry, head.hash, err);
    if (code == TN_OK) {
        code = write_head(tx, entry, err);
    }
    if (code == TN_OK && tx->version != 0) {
        tn_seal_add(&tx->seal, hash);
        tx->seal_entries++;
    }
    return code;
}

int tn_audit_append(tn_tx_t *tx, const tn_audit_event_t *event, tn_err_t *err)
{
    if (tx->mode != TN_TX_WRITE) {
        return tn_err_set(err, TN_EINVAL, "this transaction only reads");
    }
    char *before = value_text(event->before);
    char *after = value_text(event->after);
    int code = TN_OK;
    if (before == NULL || after == NULL) {
        code = tn_err_set(err, TN_ENOMEM, "no memory for an audit entry");
    } else {
        tn_audit_entry_t entry = {
            .chain = event->chain,
            .at_ms = tx->now_ms,
            .actor_kind = tx->actor.kind,
            .actor_name = tx->actor.name,
            .address = tx->actor.address,
            .action = event->action,
            .target = event->target,
            .before = before,
            .after = after,
            .generation = tx->version,
        };
        code = append(tx, &entry, err);
    }
    free(before);
    free(after);
    return code;
}

/* ---- listing ------------------------------------------------------------------------------ */

#define ENTRY_COLUMNS                                                                              \
    "id, chain, sequence, at_ms, actor_kind, actor_name, address, action, target, before_json,"    \
    " after_json, generation, hash"

/* $2 is how to match the action: 0 any, 1 equal to $3, 2 beginning with $3. */
#define ENTRY_FILTER                                                                               \
    " WHERE id < $1 AND ($2 = 0 OR ($2 = 1 AND action = $3)"                                       \
    " OR ($2 = 2 AND substr(action, 1, length($3)) = $3))"

static const char *const list_all =
    "SELECT " ENTRY_COLUMNS " FROM audit" ENTRY_FILTER " ORDER BY id DESC LIMIT $4";
/* within a chain, sequences and ids have the same order, and the sequence has the index */
static const char *const list_chain = "SELECT " ENTRY_COLUMNS " FROM audit" ENTRY_FILTER
                                      " AND chain = $5 ORDER BY sequence DESC LIMIT $4";

static tn_audit_entry_t read_entry(tn_query_t *query)
{
    return (tn_audit_entry_t){
        .chain = tn_query_text(query, 1).data,
        .sequence = (uint64_t)tn_query_int(query, 2),
        .at_ms = tn_query_int(query, 3),
        .actor_kind = tn_query_text(query, 4).data,
        .actor_name = tn_query_text(query, 5).data,
        .address = tn_query_text(query, 6).data,
        .action = tn_query_text(query, 7).data,
        .target = tn_query_text(query, 8).data,
        .before = tn_query_text(query, 9).data,
        .after = tn_query_text(query, 10).data,
        .generation = (uint64_t)tn_query_int(query, 11),
        .hash = tn_query_text(query, 12).data,
    };
}

static void bind_filter(tn_query_t *query, const tn_audit_filter_t *filter)
{
    tn_str_t action = tn_str(filter->action == NULL ? "" : filter->action);
    int match = filter->action == NULL ? 0 : 1;
    if (tn_str_ends(action, TN_STR("*"))) {
        action.length--;
        match = 2;
    }
    bool is_first_page = filter->before_id == 0 || filter->before_id > INT64_MAX;
    tn_query_add_int(query, is_first_page ? INT64_MAX : (int64_t)filter->before_id);
    tn_query_add_int(query, match);
    tn_query_add_str(query, action);
    tn_query_add_int(query, (int64_t)filter->limit);
    if (filter->chain != NULL) {
        tn_query_add_text(query, filter->chain);
    }
}

int tn_audit_list(tn_tx_t *tx, const tn_audit_filter_t *filter, tn_audit_fn call, void *context,
                  tn_err_t *err)
{
    if (filter->limit < 1 || filter->limit > LIST_LIMIT_MAX) {
        return tn_err_field(err, TN_EINVAL, "limit", "must be between 1 and %d", LIST_LIMIT_MAX);
    }
    tn_query_t query = tn_query(tx, filter->chain == NULL ? list_all : list_chain, err);
    bind_filter(&query, filter);
    int stopped = 0;
    while (stopped == 0 && tn_query_next(&query)) {
        tn_audit_entry_t entry = read_entry(&query);
        stopped = call((uint64_t)tn_query_int(&query, 0), &entry, context);
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}
