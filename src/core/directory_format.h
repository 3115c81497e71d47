/*
 * The directory file's layout, as constants and as the loads and stores that everything else goes
 * through. docs/directory-format.md draws it and says why it is safe; this header and that page
 * change together, and with them TN_FORMAT_VERSION.
 *
 * Little-endian on every machine. Offsets in slots and records count units of 16 bytes from the
 * start of the file, so that 32 bits reach 64 GiB.
 */
#pragma once

#include "tenantry.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

#define TN_FORMAT_MAGIC       "\x89TNDIR\r\n"
#define TN_FORMAT_MAGIC_SIZE  8
#define TN_FORMAT_VERSION     1
#define TN_FORMAT_HEADER_SIZE 4096
#define TN_FORMAT_UNIT        16
#define TN_FORMAT_FILE_MAX    ((uint64_t)1 << 36)

/* The header's constant part: written once, covered by the checksum at its end. */
enum tn_header_field {
    TN_HEADER_MAGIC = 0,
    TN_HEADER_VERSION = 8,
    TN_HEADER_HEADER_SIZE = 12,
    TN_HEADER_SLOT_COUNT = 16,
    TN_HEADER_ARENA_OFFSET = 24,
    TN_HEADER_FILE_SIZE = 32,
    TN_HEADER_SEED = 48,
    TN_HEADER_DATABASE_ID = 64,
    TN_HEADER_CHECKSUM = 248,
};

/* The header's words: each a checked word that the writer changes in place. One cache line. */
enum tn_header_word {
    TN_WORD_GENERATION = 256, /* generation << 1 | moved */
    TN_WORD_ARENA_END = 264,  /* in units; everything below it is whole */
    TN_WORD_PLATFORM = 272,   /* the newest platform record, in units; 0 none */
    TN_WORD_TENANTS = 280,
    TN_WORD_DOMAINS = 288,
    TN_WORD_FLAGS = 296,
    TN_WORD_SLOTS_USED = 304, /* slots that are not empty, deleted ones among them */
    TN_WORD_STATE = 312,      /* clean << 51 | 51 bits of the boot's identity */
};

/*
 * A checked word: 52 bits of payload below 12 bits of check, so that no single flipped bit and no
 * page that reads as zeroes is ever taken for a value.
 */
#define TN_WORD_PAYLOAD_BITS 52
#define TN_WORD_PAYLOAD_MAX  (((uint64_t)1 << TN_WORD_PAYLOAD_BITS) - 1)
#define TN_WORD_CHECK_BASIS  0xa5c

#define TN_GENERATION_MAX (((uint64_t)1 << 51) - 1)
#define TN_STATE_CLEAN    ((uint64_t)1 << 51)
#define TN_STATE_BOOT_MAX (TN_STATE_CLEAN - 1)

/* A slot's payload: 20 bits of tag above 32 bits of record offset. */
#define TN_SLOT_SIZE    8
#define TN_SLOT_EMPTY   ((uint64_t)0)
#define TN_SLOT_DELETED ((uint64_t)1 << 32)
#define TN_SLOT_TAG_MAX 0xfffff

/* What a key names; mixed into the seed, so that equal texts of two kinds are two keys. 5 and 6 are
 * kept for certificates and http-01 tokens. */
enum tn_key_kind {
    TN_KEY_HOST = 1,
    TN_KEY_SLUG = 2,
    TN_KEY_ID = 3,
    TN_KEY_FLAG = 4,
};

/*
 * Every record begins with these. The checksum is XXH3-64 of what follows it: of all the record,
 * or, of a tenant with much host text, of its head, which ends where that text begins. The text is
 * then cut into blocks, and the head has a checksum of each, so that a look-up reads the head and
 * what it compares, however many hosts there are.
 */
enum tn_record_field {
    TN_RECORD_CHECKSUM = 0,
    TN_RECORD_SIZE = 8,        /* u32, bytes with this header, without the padding to a unit */
    TN_RECORD_PREVIOUS = 12,   /* u32, the version it replaces, in units; 0 none */
    TN_RECORD_GENERATION = 16, /* u64: type << 56 | generation */
    TN_RECORD_HEADER_SIZE = 24,
};

enum tn_record_type {
    TN_RECORD_TENANT = 1,
    TN_RECORD_FLAG = 2,
    TN_RECORD_PLATFORM = 3,
    TN_RECORD_BLOCKED = 0x40, /* added to a tenant's: its host text is in blocks */
    TN_RECORD_REMOVED = 0x80, /* added to a type: the entry is gone as of this generation */
};

#define TN_HOST_TEXT_PLAIN_MAX 2048 /* more host text than this is cut into blocks */
#define TN_HOST_TEXT_BLOCK     1024

#define TN_RECORD_MAX                                                                              \
    (2u * 1024 * 1024) /* above what the limits in directory_writer.h add up to                    \
                        */

__extension__ typedef unsigned __int128 tn_u128_t;

static inline uint16_t tn_load_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return le16toh(value);
}

static inline uint32_t tn_load_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static inline uint64_t tn_load_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

static inline void tn_store_u16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof(value));
}

static inline void tn_store_u32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void tn_store_u64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

static inline uint64_t tn_word_check(uint64_t payload)
{
    uint64_t folded = payload ^ payload >> 24;
    return ((folded ^ folded >> 12 ^ payload >> 48) & 0xfff) ^ TN_WORD_CHECK_BASIS;
}

static inline uint64_t tn_word_encode(uint64_t payload)
{
    return tn_word_check(payload) << TN_WORD_PAYLOAD_BITS | payload;
}

/* False when the word is none that a writer stores. */
static inline bool tn_word_decode(uint64_t *payload, uint64_t word)
{
    *payload = word & TN_WORD_PAYLOAD_MAX;
    return word >> TN_WORD_PAYLOAD_BITS == tn_word_check(*payload);
}

/* `at` is 8-byte aligned. What the writer stored before the word is seen by whoever reads it. */
static inline bool tn_word_load(uint64_t *payload, const uint8_t *at)
{
    const uint64_t *word = (const void *)at;
    return tn_word_decode(payload, le64toh(__atomic_load_n(word, __ATOMIC_ACQUIRE)));
}

static inline void tn_word_store(uint8_t *at, uint64_t payload)
{
    uint64_t *word = (void *)at;
    __atomic_store_n(word, htole64(tn_word_encode(payload)), __ATOMIC_RELEASE);
}

/*
 * SipHash-2-4 under the file's own seed: who does not know the seed cannot choose names that
 * collide. The top bits choose the slot, the low 20 are its tag, the 16 above them filter hosts
 * inside a record.
 */
static inline uint64_t tn_key_hash(const uint8_t seed[16], enum tn_key_kind kind, const void *key,
                                   size_t length)
{
    uint8_t kind_seed[crypto_shorthash_KEYBYTES];
    uint8_t hash[crypto_shorthash_BYTES];
    memcpy(kind_seed, seed, sizeof(kind_seed));
    kind_seed[0] ^= (uint8_t)kind;
    (void)crypto_shorthash(hash, key, length, kind_seed); /* always 0 */
    return tn_load_u64(hash);
}

static inline uint64_t tn_hash_index(uint64_t hash, uint64_t slot_count)
{
    return (uint64_t)((tn_u128_t)hash * slot_count >> 64);
}

static inline uint64_t tn_hash_tag(uint64_t hash)
{
    return hash & TN_SLOT_TAG_MAX;
}

static inline uint16_t tn_hash_filter(uint64_t hash)
{
    return (uint16_t)(hash >> 20);
}

static inline uint64_t tn_slot_payload(uint64_t hash, uint32_t unit)
{
    return tn_hash_tag(hash) << 32 | unit;
}

static inline uint64_t tn_align(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

static inline uint64_t tn_arena_offset(uint64_t slot_count)
{
    return tn_align(TN_FORMAT_HEADER_SIZE + slot_count * TN_SLOT_SIZE, TN_FORMAT_HEADER_SIZE);
}
