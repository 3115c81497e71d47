/*
 * Opening the database of record, its identity, and transactions; see store.h. Repositories run
 * their statements through query.h; the rule of the first error is kept here.
 */
#include "store/store.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "store/audit_append.h"
#include "store/change_append.h"
#include "store/pool.h"
#include "store/query.h"
#include "store/schema.h"

#include <stdlib.h>

struct tn_store {
    tn_pool_t pool;
    tn_uuid_t identity;
    bool has_identity; /* false only while the store is being opened */
};

static const tn_driver_t *const drivers[] = {&tn_sqlite_driver};

/* ---- transactions ------------------------------------------------------------------------- */

int tn_tx_result(tn_tx_t *tx, int code, tn_err_t *err)
{
    if (code < 0) {
        tx->last.code = code;
        if (tx->first.code == TN_OK) {
            tx->first = tx->last;
        }
        if (err != NULL) {
            *err = tx->last;
        }
    }
    return code;
}

/* Reads the generation, which is also what fixes a reader's snapshot. */
static int read_generation(tn_tx_t *tx, tn_err_t *err)
{
    bool is_there = false;
    tn_query_t query = tn_query(tx, "SELECT version FROM change_counter WHERE id = 1", err);
    while (tn_query_next(&query)) {
        tx->snapshot_generation = (uint64_t)tn_query_int(&query, 0);
        is_there = true;
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && !is_there) {
        code = tn_err_set(err, TN_EDAMAGED, "the change counter is gone");
    }
    return code;
}

/* *is_known tells whether the database has an identity at all. */
static int read_identity(tn_uuid_t *out, bool *is_known, tn_tx_t *tx, tn_err_t *err)
{
    int parsed = TN_OK;
    *is_known = false;
    tn_query_t query = tn_query(tx, "SELECT value FROM meta WHERE key = 'identity'", err);
    while (tn_query_next(&query)) {
        parsed = tn_uuid_parse(out, tn_query_text(&query, 0));
        *is_known = true;
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && parsed != TN_OK) {
        code = tn_err_set(err, TN_EDAMAGED, "the database's identity is no UUID");
    }
    return code;
}

/* What a new connection leads to must be what the store was opened on. */
static int check_identity(tn_tx_t *tx, tn_err_t *err)
{
    tn_uuid_t identity = {{0}};
    bool is_known;
    int code = read_identity(&identity, &is_known, tx, err);
    if (code == TN_OK && (!is_known || memcmp(identity.bytes, tx->store->identity.bytes,
                                              sizeof(identity.bytes)) != 0)) {
        code =
            tn_err_set(err, TN_EUNAVAILABLE, "another database took the place of the one opened");
    }
    return code;
}

static bool breaks_connection(int code)
{
    return code == TN_EIO || code == TN_EDAMAGED || code == TN_EUNAVAILABLE;
}

/* Rolls back what is open, gives the connection back and frees the transaction. */
static void end(tn_tx_t *tx, int code)
{
    tx->driver->rollback(tx->session->connection);
    tn_pool_give(&tx->store->pool, tx->session, tx->mode == TN_TX_WRITE, breaks_connection(code));
    free(tx);
}

static int begin(tn_tx_t *tx, bool is_new, int wait_ms, tn_err_t *err)
{
    bool writes = tx->mode == TN_TX_WRITE;
    int code = tx->driver->begin(tx->session->connection, writes, wait_ms, err);
    if (code == TN_OK) {
        code = read_generation(tx, err);
    }
    if (code == TN_OK && is_new && tx->store->has_identity) {
        code = check_identity(tx, err);
    }
    return code;
}

int tn_tx_begin(tn_tx_t **out, tn_store_t *store, tn_tx_mode_t mode, const tn_actor_t *actor,
                tn_err_t *err)
{
    bool has_actor =
        actor != NULL && actor->kind != NULL && actor->name != NULL && actor->address != NULL;
    if (mode == TN_TX_WRITE && !has_actor) {
        return tn_err_set(err, TN_EINVAL, "a transaction that writes needs an actor");
    }
    tn_tx_t *tx = calloc(1, sizeof(*tx));
    if (tx == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a transaction");
    }
    int left_ms;
    int code = tn_pool_take(&tx->session, &left_ms, &store->pool, mode == TN_TX_WRITE, err);
    if (code != TN_OK) {
        free(tx);
        return code;
    }
    tx->store = store;
    tx->driver = store->pool.driver;
    tx->mode = mode;
    tx->now_ms = tn_clock_wall_ms();
    if (actor != NULL) {
        tx->actor = *actor;
    }
    code = begin(tx, tx->session->prepared_count == 0, left_ms, err);
    if (code != TN_OK) {
        end(tx, code);
        return code;
    }
    *out = tx;
    return TN_OK;
}

/* Everything that can still fail, in order; the first failure is in tx->first afterwards. */
static int commit(tn_tx_t *tx)
{
    int code = tx->first.code;
    if (code == TN_OK) {
        code = tn_tx_result(tx, tn_change_seal(tx, &tx->last), NULL);
    }
    if (code == TN_OK && tx->mode == TN_TX_WRITE) {
        code = tn_tx_result(tx, tx->driver->check(tx->store->pool.place, &tx->last), NULL);
    }
    if (code == TN_OK) {
        code = tn_tx_result(tx, tx->driver->commit(tx->session->connection, &tx->last), NULL);
    }
    return code;
}

int tn_tx_commit(tn_tx_t *tx, uint64_t *generation, tn_err_t *err)
{
    int code = commit(tx);
    if (code != TN_OK) {
        if (err != NULL) {
            *err = tx->first;
        }
    } else if (generation != NULL) {
        *generation = tx->version != 0 ? tx->version : tx->snapshot_generation;
    }
    end(tx, code);
    return code;
}

void tn_tx_abort(tn_tx_t *tx)
{
    if (tx != NULL) {
        end(tx, tx->first.code);
    }
}

int tn_tx_generation(uint64_t *out, tn_tx_t *tx, tn_err_t *err)
{
    if (tx->first.code != TN_OK) {
        if (err != NULL) {
            *err = tx->first;
        }
        return tx->first.code;
    }
    *out = tx->version != 0 ? tx->version : tx->snapshot_generation;
    return TN_OK;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int find_driver(const tn_driver_t **driver, const char **address, const char *url,
                       tn_err_t *err)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        size_t length = strlen(drivers[i]->scheme);
        if (strncmp(url, drivers[i]->scheme, length) == 0 && url[length] == ':') {
            *driver = drivers[i];
            *address = url + length + 1;
            return TN_OK;
        }
    }
    /* the URL may hold a password: it is not repeated */
    return tn_err_field(err, TN_EINVAL, "database", "must be of the form sqlite:PATH");
}

static int write_identity(tn_tx_t *tx, const char *identity, tn_err_t *err)
{
    tn_query_t query = tn_query(tx, "INSERT INTO meta (key, value) VALUES ('identity', $1)", err);
    tn_query_add_text(&query, identity);
    int code = tn_query_run(&query);
    if (code == TN_OK) {
        code = tn_change_take_version(tx, err);
    }
    if (code == TN_OK) {
        code = tn_audit_append(tx,
                               &(tn_audit_event_t){.chain = TN_AUDIT_PLATFORM,
                                                   .action = "database.create",
                                                   .target = identity},
                               err);
    }
    return code;
}

/*
 * Gives a new database its identity. That is its first change: so a database in use is never at
 * generation 0, and its platform chain is never empty.
 */
static int make_identity(tn_store_t *store, tn_err_t *err)
{
    static const tn_actor_t actor = {"system", "tenantry", "local"};
    char text[TN_UUID_LENGTH + 1];
    tn_uuid_t identity = tn_uuid_new();
    bool is_known = false;
    tn_tx_t *tx;
    int code = tn_tx_begin(&tx, store, TN_TX_WRITE, &actor, err);
    if (code != TN_OK) {
        return code;
    }
    tn_uuid_t present = {{0}};
    code = tn_tx_result(tx, read_identity(&present, &is_known, tx, &tx->last), err);
    if (code == TN_OK && !is_known) {
        (void)tn_uuid_format(text, identity.bytes);
        code = tn_tx_result(tx, write_identity(tx, text, &tx->last), err);
    }
    if (code != TN_OK) {
        tn_tx_abort(tx);
        return code;
    }
    code = tn_tx_commit(tx, NULL, err);
    if (code == TN_OK) {
        store->identity = is_known ? present : identity;
    }
    return code;
}

static int load_identity(tn_store_t *store, tn_err_t *err)
{
    bool is_known = false;
    tn_tx_t *tx;
    int code = tn_tx_begin(&tx, store, TN_TX_READ, NULL, err);
    if (code != TN_OK) {
        return code;
    }
    code = read_identity(&store->identity, &is_known, tx, err);
    tn_tx_abort(tx);
    if (code == TN_OK && !is_known) {
        code = make_identity(store, err);
    }
    store->has_identity = code == TN_OK;
    return code;
}

static int migrate(tn_store_t *store, tn_err_t *err)
{
    tn_session_t *session;
    int left_ms;
    int code = tn_pool_take(&session, &left_ms, &store->pool, true, err);
    if (code == TN_OK) {
        code = tn_schema_migrate(store->pool.driver, session->connection, err);
        tn_pool_give(&store->pool, session, true, code != TN_OK);
    }
    return code;
}

int tn_store_open(tn_store_t **out, const char *url, bool may_create, tn_err_t *err)
{
    const tn_driver_t *driver = NULL;
    const char *address = NULL;
    int code = find_driver(&driver, &address, url, err);
    if (code != TN_OK) {
        return code;
    }
    tn_store_t *store = calloc(1, sizeof(*store));
    tn_place_t *place = NULL;
    if (store == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a store");
    }
    code = driver->open(&place, address, may_create, err);
    if (code == TN_OK) {
        code = tn_pool_init(&store->pool, driver, place, err);
        if (code != TN_OK) {
            driver->close(place);
        }
    }
    if (code != TN_OK) {
        free(store);
        return code;
    }
    code = migrate(store, err);
    if (code == TN_OK) {
        code = load_identity(store, err);
    }
    if (code != TN_OK) {
        tn_store_close(store);
        return code;
    }
    *out = store;
    return TN_OK;
}

void tn_store_close(tn_store_t *store)
{
    if (store != NULL) {
        tn_pool_deinit(&store->pool);
        free(store);
    }
}

tn_uuid_t tn_store_identity(const tn_store_t *store)
{
    return store->identity;
}

int tn_store_check(tn_store_t *store, tn_err_t *err)
{
    return store->pool.driver->check(store->pool.place, err);
}
