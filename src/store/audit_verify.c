/*
 * Verifying the audit trail; see audit.h. What is checked, and what no check inside one database
 * can notice, is in docs/audit-format.md.
 */
#include "store/audit.h"

#include "base/err.h"
#include "base/str.h"
#include "store/audit_hash.h"
#include "store/query.h"

#include <inttypes.h>
#include <stdio.h>

#define CHAIN_MAX 63 /* of a name that is looked at: a UUID or "platform" */

/* What the two walks themselves failed with comes after what was found in them. */
static int end_both(tn_query_t *first, tn_query_t *second, int code)
{
    int first_code = tn_query_end(first);
    int second_code = tn_query_end(second);
    if (code == TN_OK) {
        code = first_code != TN_OK ? first_code : second_code;
    }
    return code;
}

/* ---- each chain by itself ----------------------------------------------------------------- */

/* The last entry that was seen, and the heads, which are walked along in the same order. */
typedef struct {
    tn_query_t entries, heads;
    char chain[CHAIN_MAX + 1]; /* "": none yet */
    uint64_t sequence;
    char hash[TN_HASH_TEXT + 1];
    tn_audit_report_t report;
    tn_err_t *err;
} chains_t;

static int fault(const chains_t *at, uint64_t sequence, const char *what)
{
    return tn_err_set(at->err, TN_EDAMAGED, "audit chain '%s', entry %" PRIu64 ": %s", at->chain,
                      sequence, what);
}

/* The present chain has ended: its head must be at its last entry. */
static int finish_chain(chains_t *at)
{
    if (at->chain[0] == '\0') {
        return TN_OK;
    }
    uint64_t head = (uint64_t)tn_query_int(&at->heads, 1);
    if (head > at->sequence) {
        return fault(at, at->sequence + 1, "is missing, the chain was cut off before it");
    }
    if (head < at->sequence) {
        return fault(at, head + 1, "was added behind the head of the chain");
    }
    if (!tn_str_equal(tn_query_text(&at->heads, 2), tn_str(at->hash))) {
        return fault(at, at->sequence, "is not the one that the head of the chain names");
    }
    return TN_OK;
}

/* Goes on to the chain of the present entry, whose head must be the next one. */
static int start_chain(chains_t *at, tn_str_t chain)
{
    bool has_head = tn_query_next(&at->heads);
    tn_str_t head = has_head ? tn_query_text(&at->heads, 0) : TN_STR("");
    if (tn_str_copy(at->chain, sizeof(at->chain), chain) != TN_OK) {
        return tn_err_set(at->err, TN_EDAMAGED, "an audit chain has a name that none can have");
    }
    if (has_head && strcmp(head.data, at->chain) < 0) {
        return tn_err_set(at->err, TN_EDAMAGED,
                          "audit chain '%.*s', entry 1: is missing, with all that followed",
                          CHAIN_MAX, head.data);
    }
    at->sequence = 0;
    (void)snprintf(at->hash, sizeof(at->hash), "%s", TN_HASH_NONE);
    at->report.chains++;
    return has_head && tn_str_equal(head, chain) ? TN_OK : fault(at, 1, "the chain has no head");
}

static int check_entry(chains_t *at)
{
    tn_query_t *row = &at->entries;
    tn_audit_entry_t entry = {
        .chain = at->chain,
        .sequence = (uint64_t)tn_query_int(row, 1),
        .at_ms = tn_query_int(row, 2),
        .actor_kind = tn_query_text(row, 3).data,
        .actor_name = tn_query_text(row, 4).data,
        .address = tn_query_text(row, 5).data,
        .action = tn_query_text(row, 6).data,
        .target = tn_query_text(row, 7).data,
        .before = tn_query_text(row, 8).data,
        .after = tn_query_text(row, 9).data,
        .generation = (uint64_t)tn_query_int(row, 10),
    };
    if (entry.sequence != at->sequence + 1) {
        return fault(at, at->sequence + 1, "is missing");
    }
    at->sequence = entry.sequence;
    char hash[TN_HASH_TEXT + 1];
    tn_audit_hash(hash, &entry, tn_query_text(row, 11).data);
    if (!tn_str_equal(tn_query_text(row, 12), tn_str(hash))) {
        return fault(at, entry.sequence, "was changed, it does not match its hash");
    }
    if (!tn_str_equal(tn_query_text(row, 11), tn_str(at->hash))) {
        return fault(at, entry.sequence, "does not follow the entry before it");
    }
    memcpy(at->hash, hash, sizeof(hash));
    at->report.entries++;
    return TN_OK;
}

static int walk_chains(chains_t *at)
{
    int code = TN_OK;
    while (code == TN_OK && tn_query_next(&at->entries)) {
        tn_str_t chain = tn_query_text(&at->entries, 0);
        if (!tn_str_equal(chain, tn_str(at->chain))) {
            code = finish_chain(at);
            if (code == TN_OK) {
                code = start_chain(at, chain);
            }
        }
        if (code == TN_OK) {
            code = check_entry(at);
        }
    }
    if (code == TN_OK) {
        code = finish_chain(at);
    }
    if (code == TN_OK && tn_query_next(&at->heads)) {
        code = tn_err_set(at->err, TN_EDAMAGED,
                          "audit chain '%.*s', entry 1: is missing, with all that followed",
                          CHAIN_MAX, tn_query_text(&at->heads, 0).data);
    }
    return code;
}

static int check_chains(tn_audit_report_t *out, tn_tx_t *tx, tn_err_t *err)
{
    chains_t at = {.err = err};
    at.entries = tn_query(tx,
                          "SELECT chain, sequence, at_ms, actor_kind, actor_name, address, action,"
                          " target, before_json, after_json, generation, previous_hash, hash"
                          " FROM audit ORDER BY chain, sequence",
                          err);
    at.heads = tn_query(tx, "SELECT chain, sequence, hash FROM audit_heads ORDER BY chain", err);
    int code = walk_chains(&at);
    code = end_both(&at.entries, &at.heads, code);
    if (code == TN_OK) {
        *out = at.report;
    }
    return code;
}

/* ---- all chains together, by the seals of the change log ---------------------------------- */

typedef struct {
    tn_query_t entries, seals;
    uint64_t id; /* of the last entry */
    bool is_gapless;
    uint64_t version; /* the one being summed up; 0 none yet */
    uint64_t count;   /* its entries so far */
    crypto_hash_sha256_state state;
    char seal[TN_HASH_TEXT + 1]; /* of the version before, then of this one */
    tn_err_t *err;
} seals_t;

static int seal_fault(const seals_t *at, uint64_t version, const char *what)
{
    return tn_err_set(at->err, TN_EDAMAGED, "audit entries of generation %" PRIu64 ": %s", version,
                      what);
}

static int finish_version(seals_t *at)
{
    if (at->version == 0) {
        return TN_OK;
    }
    tn_seal_end(at->seal, &at->state);
    if (!tn_query_next(&at->seals) || (uint64_t)tn_query_int(&at->seals, 0) != at->version) {
        return seal_fault(at, at->version, "the seal is missing");
    }
    if ((uint64_t)tn_query_int(&at->seals, 1) != at->count) {
        return seal_fault(at, at->version, "there are more or fewer than were sealed");
    }
    if (!tn_str_equal(tn_query_text(&at->seals, 2), tn_str(at->seal))) {
        return seal_fault(at, at->version, "they are not those that were sealed");
    }
    return TN_OK;
}

static int add_entry(seals_t *at)
{
    uint64_t id = (uint64_t)tn_query_int(&at->entries, 0);
    uint64_t generation = (uint64_t)tn_query_int(&at->entries, 1);
    if (at->is_gapless && id != at->id + 1) {
        return tn_err_set(at->err, TN_EDAMAGED, "audit entry with id %" PRIu64 ": is missing",
                          at->id + 1);
    }
    at->id = id;
    if (generation == 0) {
        return TN_OK;
    }
    if (generation != at->version) {
        int code = finish_version(at);
        if (code != TN_OK) {
            return code;
        }
        if (generation != at->version + 1) {
            return seal_fault(at, at->version + 1, "they are missing or out of order");
        }
        at->version = generation;
        at->count = 0;
        tn_seal_begin(&at->state, generation, at->seal);
    }
    tn_seal_add(&at->state, tn_query_text(&at->entries, 2).data);
    at->count++;
    return TN_OK;
}

static int walk_seals(seals_t *at)
{
    int code = TN_OK;
    while (code == TN_OK && tn_query_next(&at->entries)) {
        code = add_entry(at);
    }
    if (code == TN_OK) {
        code = finish_version(at);
    }
    if (code == TN_OK && tn_query_next(&at->seals)) {
        code = seal_fault(at, (uint64_t)tn_query_int(&at->seals, 0), "they are missing");
    }
    return code;
}

/* The counter must be where the last seal is. */
static int check_counter(const seals_t *at, tn_tx_t *tx, tn_err_t *err)
{
    bool is_there = false;
    int code = TN_OK;
    tn_query_t query = tn_query(tx, "SELECT version, seal FROM change_counter WHERE id = 1", err);
    while (tn_query_next(&query)) {
        uint64_t version = (uint64_t)tn_query_int(&query, 0);
        is_there = true;
        if (version > at->version) {
            code = seal_fault(at, at->version + 1, "they are missing");
        } else if (version < at->version) {
            code = seal_fault(at, version + 1, "the change counter does not know of them");
        } else if (!tn_str_equal(tn_query_text(&query, 1), tn_str(at->seal))) {
            code = seal_fault(at, version, "the change counter has another seal");
        }
    }
    int query_code = tn_query_end(&query);
    if (query_code == TN_OK && !is_there) {
        code = tn_err_set(err, TN_EDAMAGED, "the change counter is gone");
    }
    return query_code != TN_OK ? query_code : code;
}

static int check_seals(tn_tx_t *tx, tn_err_t *err)
{
    seals_t at = {.is_gapless = tx->driver->is_serial_gapless, .seal = TN_HASH_NONE, .err = err};
    at.entries = tn_query(tx, "SELECT id, generation, hash FROM audit ORDER BY id", err);
    at.seals =
        tn_query(tx, "SELECT version, entries, seal FROM change_seals ORDER BY version", err);
    int code = walk_seals(&at);
    code = end_both(&at.entries, &at.seals, code);
    return code == TN_OK ? check_counter(&at, tx, err) : code;
}

/* ---- what must have left a trail ---------------------------------------------------------- */

static const struct {
    const char *sql; /* yields the first thing that has none */
    const char *what;
} trails[] = {
    {"SELECT t.id FROM tenants t WHERE NOT EXISTS"
     " (SELECT 1 FROM audit_heads h WHERE h.chain = t.id) ORDER BY t.id LIMIT 1",
     "the tenant has no audit chain"},
    {"SELECT key FROM meta m WHERE key = 'identity' AND NOT EXISTS"
     " (SELECT 1 FROM audit_heads h WHERE h.chain = 'platform')",
     "the platform has no audit chain"},
    {"SELECT c.version FROM changes c WHERE NOT EXISTS"
     " (SELECT 1 FROM change_seals s WHERE s.version = c.version) ORDER BY c.version LIMIT 1",
     "the change has no audit entry"},
};

static int check_trails(tn_tx_t *tx, tn_err_t *err)
{
    int code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < sizeof(trails) / sizeof(trails[0]); i++) {
        int missing = TN_OK;
        tn_query_t query = tn_query(tx, trails[i].sql, err);
        while (tn_query_next(&query)) {
            missing = tn_err_set(err, TN_EDAMAGED, "audit of '%.*s': %s", CHAIN_MAX,
                                 tn_query_text(&query, 0).data, trails[i].what);
        }
        code = tn_query_end(&query);
        if (code == TN_OK) {
            code = missing;
        }
    }
    return code;
}

int tn_audit_verify(tn_audit_report_t *out, tn_tx_t *tx, tn_err_t *err)
{
    tn_audit_report_t report;
    int code = check_chains(&report, tx, err);
    if (code == TN_OK) {
        code = check_seals(tx, err);
    }
    if (code == TN_OK) {
        code = check_trails(tx, err);
    }
    if (tx->first.code != TN_OK) {
        /* the engine could not read on: that is no finding about the entries */
        if (err != NULL) {
            *err = tx->first;
        }
        return tx->first.code;
    }
    if (code == TN_OK) {
        *out = report;
    }
    return code;
}
