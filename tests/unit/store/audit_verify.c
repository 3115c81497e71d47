/*
 * Verifying the audit trail after somebody was at the tables with SQLite's own tools: each kind of
 * tampering, each column, and that the finding names the right place.
 */
#include "store/audit.h"

#include "base/str.h"
#include "database.h"
#include "store/audit_hash.h"
#include "store/domain.h"
#include "store/flag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * ids: 1 the database, 2 a is created, 3 b is created, 4 a is renamed, 5 flag (platform), 6 a's
 * value of it, 7 the flag's description (generation 0), 8 b is renamed. Generations: 1 2 3 4 5 5
 * 0 6.
 */
typedef struct {
    tn_test_database_t *database;
    char a[TN_UUID_LENGTH + 1], b[TN_UUID_LENGTH + 1];
} trail_t;

static int setup(void **state)
{
    trail_t *trail = calloc(1, sizeof(*trail));
    assert_non_null(trail);
    (void)tn_test_database_setup((void **)&trail->database);
    tn_test_create(trail->database, "a", trail->a);
    tn_test_create(trail->database, "b", trail->b);
    const tn_tenant_values_t values = {.slug = "a2"};
    assert_int_equal(tn_test_update(trail->database, trail->a, &values, NULL), TN_OK);
    tn_tx_t *tx = tn_test_begin(trail->database);
    assert_int_equal(tn_flag_set_tenant(tx, "beta", trail->a, true, NULL), TN_OK);
    (void)tn_test_commit(tx);
    tx = tn_test_begin(trail->database);
    assert_int_equal(tn_flag_set_default(tx, "beta", false, "text", NULL), TN_OK);
    (void)tn_test_commit(tx);
    const tn_tenant_values_t other = {.slug = "b2"};
    assert_int_equal(tn_test_update(trail->database, trail->b, &other, NULL), TN_OK);
    *state = trail;
    return 0;
}

static int teardown(void **state)
{
    trail_t *trail = *state;
    void *database = trail->database;
    free(trail);
    return tn_test_database_teardown(&database);
}

static int verify(const trail_t *trail, tn_audit_report_t *report, tn_err_t *err)
{
    tn_tx_t *tx = tn_test_begin_read(trail->database);
    int code = tn_audit_verify(report, tx, err);
    assert_int_equal(tn_tx_commit(tx, NULL, NULL), TN_OK);
    return code;
}

/* Each text must be in the finding. */
static void expect_fault(const trail_t *trail, const char *what, const char *where)
{
    tn_audit_report_t report;
    tn_err_t err = {0};
    assert_int_equal(verify(trail, &report, &err), TN_EDAMAGED);
    if (strstr(err.detail, what) == NULL || strstr(err.detail, where) == NULL) {
        fail_msg("'%s' lacks '%s' or '%s'", err.detail, what, where);
    }
}

/* %s in the statement is a's id, or what `name` says. */
static void tamper(const trail_t *trail, const char *format, const char *name)
{
    char sql[1024];
    size_t at = 0;
    for (const char *p = format; *p != '\0'; p++) {
        const char *text = p[0] == '%' && p[1] == 's' ? name : NULL;
        int used = text != NULL ? snprintf(sql + at, sizeof(sql) - at, "%s", text)
                                : snprintf(sql + at, sizeof(sql) - at, "%c", *p);
        at += (size_t)used;
        p += text != NULL ? 1 : 0;
    }
    tn_test_sql(trail->database->path, sql);
}

static void test_untouched(void **state)
{
    tn_audit_report_t report = {0};
    tn_err_t err = {0};
    if (verify(*state, &report, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    assert_int_equal(report.chains, 3);
    assert_int_equal(report.entries, 8);
}

static void test_every_column(void **state)
{
    static const char *const columns[] = {
        "at_ms = at_ms + 1",
        "actor_kind = 'x'",
        "actor_name = 'x'",
        "address = 'x'",
        "action = 'x'",
        "target = 'x'",
        "before_json = '{}'",
        "after_json = '{}'",
        "generation = generation + 1",
        "hash = printf('%064d',1)",
        "previous_hash = printf('%064d', 1)",
    };
    const trail_t *trail = *state;
    const char *path = trail->database->path;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        char sql[256];
        tn_test_sql(path, "CREATE TABLE saved AS SELECT * FROM audit");
        (void)snprintf(sql, sizeof(sql), "UPDATE audit SET %s WHERE id = 4", columns[i]);
        tn_test_sql(path, sql);
        expect_fault(trail, "entry 2: was changed", trail->a);
        tn_test_sql(path, "DELETE FROM audit; INSERT INTO audit SELECT * FROM saved;"
                          "DROP TABLE saved");
    }
    test_untouched(state);
}

static void test_another_chain_and_sequence(void **state)
{
    const trail_t *trail = *state;
    tamper(trail, "UPDATE audit SET sequence = 7 WHERE id = 6", "");
    expect_fault(trail, "entry 3: is missing", trail->a);
    tamper(trail, "UPDATE audit SET sequence = 3 WHERE id = 6", "");
    test_untouched(state);
    tamper(trail, "UPDATE audit SET chain = '%s' WHERE id = 5", "other");
    expect_fault(trail, "chain 'other', entry 1: the chain has no head", "other");
}

/* Whoever changes an entry and its hash breaks the next one's, or has the seal against him. */
static void test_changed_and_hashed_anew(void **state)
{
    const trail_t *trail = *state;
    const char *path = trail->database->path;
    char previous[TN_HASH_TEXT + 1], hash[TN_HASH_TEXT + 1], sql[256];
    tn_test_text(previous, sizeof(previous), path, "SELECT hash FROM audit WHERE id = 2");
    const tn_audit_entry_t entry = {
        .chain = trail->a,
        .sequence = 2,
        .at_ms = 5,
        .actor_kind = "k",
        .actor_name = "n",
        .address = "l",
        .action = "x",
        .target = "t",
        .before = "",
        .after = "",
        .generation = 4,
    };
    tn_audit_hash(hash, &entry, previous);
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE audit SET at_ms = 5, actor_kind = 'k', actor_name = 'n', address = 'l',"
                   " action = 'x', target = 't', before_json = '', after_json = '', hash = '%s'"
                   " WHERE id = 4",
                   hash);
    tn_test_sql(path, sql);
    expect_fault(trail, "entry 3: does not follow the entry before it", trail->a);
    /* without the entries after it, and with the head moved along: the seal of its version */
    tamper(trail,
           "DELETE FROM audit WHERE id = 6; UPDATE audit_heads SET sequence = 2, hash ="
           " (SELECT hash FROM audit WHERE id = 4) WHERE chain = '%s'",
           trail->a);
    expect_fault(trail, "generation 4: they are not those that were sealed", "");
}

static void test_missing(void **state)
{
    const trail_t *trail = *state;
    tamper(trail, "DELETE FROM audit WHERE id = 4", "");
    expect_fault(trail, "entry 2: is missing", trail->a);
}

static void test_missing_first(void **state)
{
    const trail_t *trail = *state;
    tamper(trail, "DELETE FROM audit WHERE id = 2", "");
    expect_fault(trail, "entry 1: is missing", trail->a);
}

static void test_reordered(void **state)
{
    const trail_t *trail = *state;
    tamper(
        trail,
        "UPDATE audit SET sequence = 20 WHERE id = 4; UPDATE audit SET sequence = 2 WHERE id = 6;"
        "UPDATE audit SET sequence = 3 WHERE id = 4",
        "");
    expect_fault(trail, "entry 2: was changed", trail->a);
}

static void test_ids_exchanged(void **state)
{
    const trail_t *trail = *state;
    tamper(trail,
           "UPDATE audit SET id = 20 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 5;"
           "UPDATE audit SET id = 5 WHERE id = 20",
           "");
    expect_fault(trail, "generation 4", "missing or out of order");
}

static void test_cut_off(void **state)
{
    const trail_t *trail = *state;
    tamper(trail, "DELETE FROM audit WHERE id = 6", "");
    expect_fault(trail, "entry 3: is missing, the chain was cut off before it", trail->a);
}

static void test_cut_off_with_the_head_set_back(void **state)
{
    const trail_t *trail = *state;
    tamper(trail,
           "DELETE FROM audit WHERE id = 8; UPDATE audit_heads SET sequence = 1, hash ="
           " (SELECT hash FROM audit WHERE id = 3) WHERE chain = '%s'",
           trail->b);
    expect_fault(trail, "generation 6: they are missing", "");
}

/* Even with the seal and the counter set back: the change itself is left without an entry. */
static void test_cut_off_with_the_seal(void **state)
{
    const trail_t *trail = *state;
    tamper(trail,
           "DELETE FROM audit WHERE id = 8; UPDATE audit_heads SET sequence = 1, hash ="
           " (SELECT hash FROM audit WHERE id = 3) WHERE chain = '%s';"
           "DELETE FROM change_seals WHERE version = 6",
           trail->b);
    expect_fault(trail, "generation 6: they are missing", "");
    tamper(trail, "UPDATE change_counter SET version = 5", "");
    expect_fault(trail, "generation 5: the change counter has another seal", "");
    tamper(trail,
           "UPDATE change_counter SET seal = (SELECT seal FROM change_seals WHERE version = 5)",
           "");
    expect_fault(trail, "the change has no audit entry", "'6'");
}

/* An entry that no seal covers is missed by its id, once another one was written. */
static void test_cut_off_without_generation(void **state)
{
    const trail_t *trail = *state;
    tamper(trail,
           "DELETE FROM audit WHERE id = 7; UPDATE audit_heads SET sequence = 2, hash ="
           " (SELECT hash FROM audit WHERE id = 5) WHERE chain = 'platform'",
           "");
    expect_fault(trail, "id 7: is missing", "");
}

static void test_whole_chain_removed(void **state)
{
    const trail_t *trail = *state;
    tamper(trail, "DELETE FROM audit WHERE chain = '%s'", trail->b);
    expect_fault(trail, "entry 1: is missing, with all that followed", trail->b);
    tamper(trail, "DELETE FROM audit_heads WHERE chain = '%s'", trail->b);
    expect_fault(trail, "id 3: is missing", "");
}

static void test_tenant_without_chain(void **state)
{
    const trail_t *trail = *state;
    tamper(trail,
           "INSERT INTO tenants SELECT '%s', name, plan, upstream, settings, status, is_listed,"
           " redirects_to_primary, version, created_at_ms, updated_at_ms FROM tenants LIMIT 1",
           "00000000-0000-7000-8000-000000000000");
    expect_fault(trail, "the tenant has no audit chain", "00000000-0000-7000-8000-000000000000");
}

/* A forged entry, properly hashed, behind the last of a's chain. */
static void append_by_hand(const trail_t *trail, uint64_t generation, bool moves_head)
{
    char last[TN_HASH_TEXT + 1], hash[TN_HASH_TEXT + 1], sql[1024];
    const char *path = trail->database->path;
    tn_test_text(last, sizeof(last), path, "SELECT hash FROM audit WHERE id = 6");
    const tn_audit_entry_t entry = {
        .chain = trail->a,
        .sequence = 4,
        .at_ms = 1,
        .actor_kind = "operator",
        .actor_name = "me",
        .address = "local",
        .action = "tenant.resume",
        .target = "a2",
        .before = "",
        .after = "",
        .generation = generation,
    };
    tn_audit_hash(hash, &entry, last);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO audit (chain, sequence, at_ms, actor_kind, actor_name, address,"
                   " action, target, before_json, after_json, generation, previous_hash, hash)"
                   " VALUES ('%s', 4, 1, 'operator', 'me', 'local', 'tenant.resume', 'a2', '', '',"
                   " %d, '%s', '%s')",
                   trail->a, (int)generation, last, hash);
    tn_test_sql(path, sql);
    if (moves_head) {
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE audit_heads SET sequence = 4, hash = '%s' WHERE chain = '%s'", hash,
                       trail->a);
        tn_test_sql(path, sql);
    }
}

static void test_appended_by_hand(void **state)
{
    const trail_t *trail = *state;
    append_by_hand(trail, 0, false);
    expect_fault(trail, "entry 4: was added behind the head", trail->a);
}

static void test_appended_by_hand_with_its_head(void **state)
{
    const trail_t *trail = *state;
    append_by_hand(trail, 6, true);
    expect_fault(trail, "generation 6: there are more or fewer than were sealed", "");
}

static void test_appended_by_hand_with_a_version(void **state)
{
    const trail_t *trail = *state;
    append_by_hand(trail, 7, true);
    expect_fault(trail, "generation 7: the seal is missing", "");
}

static void test_head_and_seals_themselves(void **state)
{
    const trail_t *trail = *state;
    const char *path = trail->database->path;
    tamper(trail, "UPDATE audit_heads SET hash = printf('%064d', 0) WHERE chain = '%s'", trail->a);
    expect_fault(trail, "entry 3: is not the one that the head", trail->a);
    tamper(trail,
           "UPDATE audit_heads SET hash = (SELECT hash FROM audit WHERE id = 6)"
           " WHERE chain = '%s'",
           trail->a);
    tn_test_sql(path, "UPDATE change_seals SET seal = printf('%064d', 0) WHERE version = 3");
    expect_fault(trail, "generation 3: they are not those that were sealed", "");
    tn_test_sql(path, "DELETE FROM change_seals WHERE version = 3");
    expect_fault(trail, "generation 3: the seal is missing", "");
    tn_test_sql(path, "DELETE FROM change_counter");
    tn_tx_t *tx = NULL;
    assert_int_equal(tn_tx_begin(&tx, trail->database->store, TN_TX_READ, NULL, NULL), TN_EDAMAGED);
}

int main(void)
{
#define WITH_TRAIL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_TRAIL(test_untouched),
        WITH_TRAIL(test_every_column),
        WITH_TRAIL(test_another_chain_and_sequence),
        WITH_TRAIL(test_changed_and_hashed_anew),
        WITH_TRAIL(test_missing),
        WITH_TRAIL(test_missing_first),
        WITH_TRAIL(test_reordered),
        WITH_TRAIL(test_ids_exchanged),
        WITH_TRAIL(test_cut_off),
        WITH_TRAIL(test_cut_off_with_the_head_set_back),
        WITH_TRAIL(test_cut_off_with_the_seal),
        WITH_TRAIL(test_cut_off_without_generation),
        WITH_TRAIL(test_whole_chain_removed),
        WITH_TRAIL(test_tenant_without_chain),
        WITH_TRAIL(test_appended_by_hand),
        WITH_TRAIL(test_appended_by_hand_with_its_head),
        WITH_TRAIL(test_appended_by_hand_with_a_version),
        WITH_TRAIL(test_head_and_seals_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
