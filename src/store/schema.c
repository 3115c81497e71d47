/*
 * The schema of the database of record, as the steps that led to it. A step that was released is
 * never edited: what comes later is a step of its own. The text is what every engine understands;
 * {serial} stands for the engine's type of a key that counts up by itself.
 */
#include "store/schema.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include <stdlib.h>

#define LOCK_WAIT_MS 5000

static const char *const first_step[] = {
    "CREATE TABLE meta ("
    " key TEXT NOT NULL PRIMARY KEY,"
    " value TEXT NOT NULL)",

    "CREATE TABLE tenants ("
    " id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),"
    " name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),"
    " plan TEXT NOT NULL CHECK (length(plan) <= 63),"
    " upstream TEXT NOT NULL CHECK (length(upstream) <= 255),"
    " settings TEXT NOT NULL CHECK (length(settings) BETWEEN 2 AND 65536),"
    " status SMALLINT NOT NULL CHECK (status BETWEEN 1 AND 4),"
    " is_listed SMALLINT NOT NULL CHECK (is_listed IN (0, 1)),"
    " redirects_to_primary SMALLINT NOT NULL CHECK (redirects_to_primary IN (0, 1)),"
    " version BIGINT NOT NULL CHECK (version > 0),"
    " created_at_ms BIGINT NOT NULL,"
    " updated_at_ms BIGINT NOT NULL)",

    /* every slug that leads to a tenant: its present one (held_until_ms 0), and those it had. One
       table, so that no slug can lead to two. */
    "CREATE TABLE tenant_slugs ("
    " slug TEXT NOT NULL PRIMARY KEY CHECK (length(slug) BETWEEN 1 AND 63),"
    " tenant_id TEXT NOT NULL REFERENCES tenants (id),"
    " held_until_ms BIGINT NOT NULL CHECK (held_until_ms >= 0))",
    /* these two hold all columns that walks over all tenants need, so that they read nothing else
     */
    "CREATE INDEX tenant_slugs_by_tenant ON tenant_slugs (tenant_id, held_until_ms, slug)",
    "CREATE UNIQUE INDEX tenant_slugs_one_present ON tenant_slugs (tenant_id)"
    " WHERE held_until_ms = 0",

    "CREATE TABLE domains ("
    " host TEXT NOT NULL PRIMARY KEY CHECK (length(host) BETWEEN 1 AND 253),"
    " id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),"
    " tenant_id TEXT NOT NULL REFERENCES tenants (id),"
    " is_primary SMALLINT NOT NULL CHECK (is_primary IN (0, 1)),"
    " created_at_ms BIGINT NOT NULL)",
    "CREATE INDEX domains_by_tenant ON domains (tenant_id, host, is_primary)",
    "CREATE UNIQUE INDEX domains_one_primary ON domains (tenant_id) WHERE is_primary = 1",

    "CREATE TABLE flags ("
    " key TEXT NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 63),"
    " description TEXT NOT NULL CHECK (length(description) <= 200),"
    " default_on SMALLINT NOT NULL CHECK (default_on IN (0, 1)),"
    " updated_at_ms BIGINT NOT NULL)",
    "CREATE TABLE tenant_flags ("
    " tenant_id TEXT NOT NULL REFERENCES tenants (id),"
    " key TEXT NOT NULL REFERENCES flags (key),"
    " is_on SMALLINT NOT NULL CHECK (is_on IN (0, 1)),"
    " PRIMARY KEY (tenant_id, key))",
    "CREATE INDEX tenant_flags_by_key ON tenant_flags (key)",

    /* one row: the last version, and the seal over the versions up to it (docs/audit-format.md) */
    "CREATE TABLE change_counter ("
    " id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),"
    " version BIGINT NOT NULL CHECK (version >= 0),"
    " seal TEXT NOT NULL CHECK (length(seal) = 64))",
    "INSERT INTO change_counter (id, version, seal) VALUES"
    " (1, 0, '0000000000000000000000000000000000000000000000000000000000000000')",
    "CREATE TABLE changes ("
    " version BIGINT NOT NULL CHECK (version > 0),"
    " kind SMALLINT NOT NULL CHECK (kind IN (1, 2)),"
    " key TEXT NOT NULL CHECK (length(key) > 0),"
    " PRIMARY KEY (version, kind, key))",
    "CREATE TABLE change_seals ("
    " version BIGINT NOT NULL PRIMARY KEY CHECK (version > 0),"
    " entries BIGINT NOT NULL CHECK (entries > 0),"
    " seal TEXT NOT NULL CHECK (length(seal) = 64))",

    "CREATE TABLE audit ("
    " id {serial},"
    " chain TEXT NOT NULL CHECK (length(chain) > 0),"
    " sequence BIGINT NOT NULL CHECK (sequence > 0),"
    " at_ms BIGINT NOT NULL,"
    " actor_kind TEXT NOT NULL,"
    " actor_name TEXT NOT NULL,"
    " address TEXT NOT NULL,"
    " action TEXT NOT NULL CHECK (length(action) > 0),"
    " target TEXT NOT NULL,"
    " before_json TEXT NOT NULL,"
    " after_json TEXT NOT NULL,"
    " generation BIGINT NOT NULL CHECK (generation >= 0),"
    " previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64),"
    " hash TEXT NOT NULL CHECK (length(hash) = 64),"
    " UNIQUE (chain, sequence))",
    "CREATE TABLE audit_heads ("
    " chain TEXT NOT NULL PRIMARY KEY,"
    " sequence BIGINT NOT NULL CHECK (sequence > 0),"
    " hash TEXT NOT NULL CHECK (length(hash) = 64))",
    NULL,
};

/* Step n brings a database from version n to n + 1. */
static const char *const *const steps[] = {first_step};

#define SCHEMA_VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

static const char *const create_versions =
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version BIGINT NOT NULL PRIMARY KEY CHECK (version > 0),"
    " applied_at_ms BIGINT NOT NULL,"
    " program TEXT NOT NULL)";

static int execute(const tn_driver_t *driver, tn_connection_t *connection, const char *sql,
                   tn_err_t *err)
{
    tn_statement_t *statement = NULL;
    bool has_row;
    int code = driver->prepare(&statement, connection, sql, err);
    if (code == TN_OK) {
        code = driver->step(&has_row, statement, err);
        driver->finalize(statement);
    }
    return code;
}

static int read_version(int64_t *out, const tn_driver_t *driver, tn_connection_t *connection,
                        tn_err_t *err)
{
    tn_statement_t *statement = NULL;
    bool has_row;
    int code = driver->prepare(&statement, connection,
                               "SELECT coalesce(max(version), 0) FROM schema_version", err);
    if (code == TN_OK) {
        code = driver->step(&has_row, statement, err);
        if (code == TN_OK) {
            *out = driver->column_int(statement, 0);
        }
        driver->finalize(statement);
    }
    return code;
}

static int record_version(const tn_driver_t *driver, tn_connection_t *connection, int64_t version,
                          tn_err_t *err)
{
    tn_statement_t *statement = NULL;
    bool has_row;
    int code = driver->prepare(
        &statement, connection,
        "INSERT INTO schema_version (version, applied_at_ms, program) VALUES ($1, $2, $3)", err);
    if (code != TN_OK) {
        return code;
    }
    code = driver->bind_int(statement, 1, version, err);
    if (code == TN_OK) {
        code = driver->bind_int(statement, 2, tn_clock_wall_ms(), err);
    }
    if (code == TN_OK) {
        code = driver->bind_text(statement, 3, TN_STR("tenantry " TN_VERSION), err);
    }
    if (code == TN_OK) {
        code = driver->step(&has_row, statement, err);
    }
    driver->finalize(statement);
    return code;
}

/* One statement of a step, in the engine's dialect. */
static int apply_statement(const tn_driver_t *driver, tn_connection_t *connection, const char *text,
                           tn_err_t *err)
{
    static const char serial[] = "{serial}";
    const char *at = strstr(text, serial);
    if (at == NULL) {
        return execute(driver, connection, text, err);
    }
    tn_buf_t sql;
    tn_buf_init(&sql);
    tn_buf_add(&sql, text, (size_t)(at - text));
    tn_buf_add_text(&sql, driver->serial_type);
    tn_buf_add_text(&sql, at + sizeof(serial) - 1);
    int code = tn_buf_failed(&sql) ? tn_err_set(err, TN_ENOMEM, "no memory for a migration")
                                   : execute(driver, connection, sql.data, err);
    tn_buf_deinit(&sql);
    return code;
}

static int check_version(int64_t version, tn_err_t *err)
{
    if (version > SCHEMA_VERSION) {
        return tn_err_set(err, TN_EVERSION,
                          "the database has schema %lld, this program knows up to %lld",
                          (long long)version, (long long)SCHEMA_VERSION);
    }
    return TN_OK;
}

/* The next step, if another process has not taken it meanwhile. */
static int migrate_once(int64_t *version, const tn_driver_t *driver, tn_connection_t *connection,
                        tn_err_t *err)
{
    int code = driver->begin(connection, true, LOCK_WAIT_MS, err);
    if (code == TN_OK) {
        code = execute(driver, connection, create_versions, err);
    }
    int64_t present = 0;
    if (code == TN_OK) {
        code = read_version(&present, driver, connection, err);
    }
    if (code == TN_OK && present < SCHEMA_VERSION) {
        for (const char *const *text = steps[present]; code == TN_OK && *text != NULL; text++) {
            code = apply_statement(driver, connection, *text, err);
        }
        if (code == TN_OK) {
            code = record_version(driver, connection, ++present, err);
        }
    }
    if (code == TN_OK) {
        code = driver->commit(connection, err);
    }
    if (code != TN_OK) {
        driver->rollback(connection);
        return code;
    }
    *version = present;
    return TN_OK;
}

int tn_schema_migrate(const tn_driver_t *driver, tn_connection_t *connection, tn_err_t *err)
{
    bool has_versions;
    int64_t version = 0;
    int code = driver->has_table(&has_versions, connection, "schema_version", err);
    if (code == TN_OK && has_versions) {
        code = read_version(&version, driver, connection, err);
    }
    while (code == TN_OK && version < SCHEMA_VERSION) {
        code = migrate_once(&version, driver, connection, err);
    }
    return code == TN_OK ? check_version(version, err) : code;
}
