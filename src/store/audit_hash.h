/*
 * The cryptography of the audit trail: hashes of entries and seals of change-log versions, as
 * docs/audit-format.md writes them down. Hashes are handled as lower-case hexadecimal text.
 */
#pragma once

#include "store/audit.h"

#include <sodium.h>

#define TN_HASH_TEXT (2 * crypto_hash_sha256_BYTES) /* digits of a hash */

/* What the first entry of a chain and the first seal follow. */
#define TN_HASH_NONE "0000000000000000000000000000000000000000000000000000000000000000"

/* The hash of an entry; entry->hash is not read. */
void tn_audit_hash(char out[TN_HASH_TEXT + 1], const tn_audit_entry_t *entry,
                   const char *previous_hash);

/*
 * The seal of a change-log version: over the seal before it, and the hashes of the version's audit
 * entries in the order of their ids.
 */
void tn_seal_begin(crypto_hash_sha256_state *state, uint64_t version, const char *previous_seal);
void tn_seal_add(crypto_hash_sha256_state *state, const char *hash);
void tn_seal_end(char out[TN_HASH_TEXT + 1], crypto_hash_sha256_state *state);
