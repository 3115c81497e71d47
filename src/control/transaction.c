/*
 * Transactions of routes; see transaction.h.
 */
#include "control/transaction.h"

#include "base/err.h"

#include <inttypes.h>

int tn_transaction_begin(tn_transaction_t *out, tn_exchange_t *exchange, tn_tx_mode_t mode,
                         tn_err_t *err)
{
    *out = (tn_transaction_t){.exchange = exchange};
    (void)tn_request_address(out->address, exchange->request);
    out->actor = (tn_actor_t){"operator", "operator", out->address};
    int code = tn_database_acquire(&out->store, exchange->control->database, err);
    if (code != TN_OK) {
        return code;
    }
    const tn_actor_t *actor = mode == TN_TX_WRITE ? &out->actor : NULL;
    code = tn_tx_begin(&out->tx, out->store, mode, actor, err);
    if (code != TN_OK) {
        tn_database_release(exchange->control->database);
    }
    if (code == TN_EUNAVAILABLE) {
        /* the path of a database is not for everyone who asks; the keeper logs it */
        code = tn_err_set(err, code, "there is no database to ask at the moment");
    }
    return code;
}

void tn_transaction_end(tn_transaction_t *transaction)
{
    tn_tx_abort(transaction->tx);
    transaction->tx = NULL;
    tn_database_release(transaction->exchange->control->database);
}

/* Puts what publishing led to into the answer. */
static int tell_generation(json_t *document, uint64_t generation, int published,
                           const tn_err_t *reason, tn_err_t *err)
{
    int failed = json_object_set_new(document, "generation", json_integer((json_int_t)generation));
    failed |= json_object_set_new(document, "published", json_boolean(published == TN_OK));
    if (published != TN_OK) {
        const char *text = reason->detail[0] == '\0' ? tn_error_text(published) : reason->detail;
        failed |= json_object_set_new(document, "publishError", json_string(text));
    }
    return failed ? tn_err_set(err, TN_ENOMEM, "no memory for the answer") : TN_OK;
}

int tn_transaction_commit(tn_transaction_t *transaction, unsigned status, json_t *document,
                          tn_err_t *err)
{
    tn_exchange_t *exchange = transaction->exchange;
    uint64_t generation = 0;
    if (document == NULL) {
        tn_transaction_end(transaction);
        return tn_err_set(err, TN_ENOMEM, "no memory for the answer");
    }
    int code = tn_tx_commit(transaction->tx, &generation, err);
    transaction->tx = NULL;
    tn_err_t reason = {0};
    int published = TN_OK;
    if (code == TN_OK) {
        published = tn_control_publish(NULL, exchange->control, transaction->store, &reason);
    }
    tn_database_release(exchange->control->database);
    if (code == TN_OK) {
        code = tell_generation(document, generation, published, &reason, err);
    }
    if (code != TN_OK) {
        json_decref(document);
        return code;
    }
    tn_response_header(exchange->response, "Tenantry-Generation", "%" PRIu64, generation);
    return tn_response_json(exchange->response, status, document, err);
}
