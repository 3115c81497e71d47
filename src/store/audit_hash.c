/*
 * Hashes of audit entries and seals; see audit_hash.h. Every text goes in with its length before
 * it, so that no two different entries have the same bytes.
 */
#include "store/audit_hash.h"

#include "base/str.h"

static const char entry_tag[] = "tenantry-audit-1\n";
static const char seal_tag[] = "tenantry-seal-1\n";

static void add_bytes(crypto_hash_sha256_state *state, const void *data, size_t length)
{
    (void)crypto_hash_sha256_update(state, data, length); /* always 0 */
}

/* Eight bytes, the most significant first. */
static void add_number(crypto_hash_sha256_state *state, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    }
    add_bytes(state, bytes, sizeof(bytes));
}

static void add_text(crypto_hash_sha256_state *state, const char *text)
{
    size_t length = strlen(text);
    add_number(state, length);
    add_bytes(state, text, length);
}

static void finish(char out[TN_HASH_TEXT + 1], crypto_hash_sha256_state *state)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256_final(state, hash); /* always 0 */
    (void)sodium_bin2hex(out, TN_HASH_TEXT + 1, hash, sizeof(hash));
}

void tn_audit_hash(char out[TN_HASH_TEXT + 1], const tn_audit_entry_t *entry,
                   const char *previous_hash)
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state); /* always 0 */
    add_bytes(&state, entry_tag, sizeof(entry_tag) - 1);
    add_text(&state, entry->chain);
    add_number(&state, entry->sequence);
    add_number(&state, (uint64_t)entry->at_ms);
    add_text(&state, entry->actor_kind);
    add_text(&state, entry->actor_name);
    add_text(&state, entry->address);
    add_text(&state, entry->action);
    add_text(&state, entry->target);
    add_text(&state, entry->before);
    add_text(&state, entry->after);
    add_number(&state, entry->generation);
    add_text(&state, previous_hash);
    finish(out, &state);
}

void tn_seal_begin(crypto_hash_sha256_state *state, uint64_t version, const char *previous_seal)
{
    (void)crypto_hash_sha256_init(state); /* always 0 */
    add_bytes(state, seal_tag, sizeof(seal_tag) - 1);
    add_number(state, version);
    add_text(state, previous_seal);
}

void tn_seal_add(crypto_hash_sha256_state *state, const char *hash)
{
    add_text(state, hash);
}

void tn_seal_end(char out[TN_HASH_TEXT + 1], crypto_hash_sha256_state *state)
{
    finish(out, state);
}
