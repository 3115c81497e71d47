/*
 * The change log; see change.h. The counter's row is locked from the first change of a transaction
 * to its end, which is what makes versions gapless and puts them in commit order.
 */
#include "store/change_append.h"

#include "base/err.h"
#include "base/str.h"
#include "store/audit_hash.h"
#include "store/query.h"

int tn_change_take_version(tn_tx_t *tx, tn_err_t *err)
{
    if (tx->version != 0) {
        return TN_OK;
    }
    uint64_t version = 0;
    tn_query_t query = tn_query(
        tx, "UPDATE change_counter SET version = version + 1 WHERE id = 1 RETURNING version, seal",
        err);
    while (tn_query_next(&query)) {
        version = (uint64_t)tn_query_int(&query, 0);
        tn_str_t seal = tn_query_text(&query, 1);
        if (seal.length != TN_HASH_TEXT) {
            version = 0;
            break;
        }
        tn_seal_begin(&tx->seal, version, seal.data);
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && version == 0) {
        code = tn_err_set(err, TN_EDAMAGED, "the change counter is gone or damaged");
    }
    if (code == TN_OK) {
        tx->version = version;
    }
    return code;
}

int tn_change_add(tn_tx_t *tx, tn_change_kind_t kind, const char *key, tn_err_t *err)
{
    int code = tn_change_take_version(tx, err);
    if (code != TN_OK) {
        return code;
    }
    tn_query_t query = tn_query(
        tx, "INSERT INTO changes (version, kind, key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        err);
    tn_query_add_int(&query, (int64_t)tx->version);
    tn_query_add_int(&query, (int64_t)kind);
    tn_query_add_text(&query, key);
    return tn_query_run(&query);
}

static int write_seal(tn_tx_t *tx, const char *seal, tn_err_t *err)
{
    tn_query_t query =
        tn_query(tx, "INSERT INTO change_seals (version, entries, seal) VALUES ($1, $2, $3)", err);
    tn_query_add_int(&query, (int64_t)tx->version);
    tn_query_add_int(&query, (int64_t)tx->seal_entries);
    tn_query_add_text(&query, seal);
    int code = tn_query_run(&query);
    if (code != TN_OK) {
        return code;
    }
    query = tn_query(tx, "UPDATE change_counter SET seal = $1 WHERE id = 1", err);
    tn_query_add_text(&query, seal);
    return tn_query_run(&query);
}

int tn_change_seal(tn_tx_t *tx, tn_err_t *err)
{
    if (tx->version == 0) {
        return TN_OK;
    }
    char seal[TN_HASH_TEXT + 1];
    crypto_hash_sha256_state state = tx->seal;
    tn_seal_end(seal, &state);
    return write_seal(tx, seal, err);
}

int tn_change_each(tn_tx_t *tx, uint64_t after, tn_change_fn call, void *context, tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "SELECT max(version), kind, key FROM changes WHERE version > $1"
                                " GROUP BY kind, key ORDER BY max(version), kind, key",
                                err);
    tn_query_add_int(&query, (int64_t)after);
    int stopped = 0;
    while (stopped == 0 && tn_query_next(&query)) {
        stopped = call((uint64_t)tn_query_int(&query, 0), (tn_change_kind_t)tn_query_int(&query, 1),
                       tn_query_text(&query, 2).data, context);
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}
