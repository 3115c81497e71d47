/*
 * Records: the immutable entries of the directory's arena, read and written as bytes. Reading
 * trusts nothing: a record is taken apart only after its checksum, and every length in it is held
 * against its size, so that no bit pattern leads outside of it. What a reader may see when is not
 * decided here (core/directory_lookup.c).
 */
#pragma once

#include "core/directory_format.h"
#include "core/directory_writer.h"

/* XXH3-64, the directory's checksum. */
uint64_t tn_checksum(const void *data, size_t size_bytes);

/* A record whose checksum holds. */
typedef struct {
    const uint8_t *data;
    uint32_t size;
    uint32_t unit;     /* where it lies */
    uint32_t previous; /* the version it replaces; 0 none; below `unit` */
    uint64_t generation;
    unsigned type;
} tn_record_t;

/*
 * The record at `unit` of an image whose records lie between arena_offset and size. False when
 * there is none: out of bounds, or its checksum or `previous` is wrong.
 */
bool tn_record_load(tn_record_t *out, const uint8_t *image, uint64_t arena_offset, uint64_t size,
                    uint32_t unit);

/* Whether the record is one of the known types and can be taken apart as such, and its blocks, if
 * it has any, are whole too. */
bool tn_record_is_whole(const tn_record_t *record);

/* A tenant's record, taken apart. The lengths are checked against each other and the record. */
typedef struct {
    const uint8_t *id;
    unsigned status, bits;
    size_t slug_length, name_length, plan_length, upstream_length;
    size_t host_count, primary_host, former_slug_count, flag_count, setting_count;
    size_t hosts_size;
    const uint8_t *block_sums;                   /* u64 each; NULL when host text has no blocks */
    const uint8_t *host_filters, *value_lengths; /* u16 each */
    const uint8_t *host_lengths, *former_slug_lengths, *flags, *key_lengths; /* u8 each */
    const char *slug, *name, *plan, *upstream, *hosts, *former_slugs, *flag_keys, *settings;
} tn_tenant_parts_t;

enum tn_tenant_bit {
    TN_TENANT_LISTED = 1,
    TN_TENANT_REDIRECTS = 2,
    TN_TENANT_BITS = 3, /* all of them */
};

#define TN_FLAG_ON         0x80 /* in the byte that also has a flag key's length */
#define TN_FLAG_KEY_LENGTH 0x7f

bool tn_tenant_parts_read(tn_tenant_parts_t *out, const void *record, size_t size_bytes);

/* The host at `index`, below host_count. False when its block is damaged. */
bool tn_tenant_parts_host(tn_str_t *out, const tn_tenant_parts_t *parts, size_t index);

/* TN_OK when the tenant has this custom domain, TN_ENOTFOUND when not; hash is the host's.
 * TN_EDAMAGED: it may have, and the block to look at is damaged. */
TN_CHECK int tn_tenant_parts_find_host(const tn_tenant_parts_t *parts, uint64_t hash,
                                       tn_str_t host);

/* Whether this is the tenant's slug or one it had. */
bool tn_tenant_parts_have_slug(const tn_tenant_parts_t *parts, tn_str_t slug);

/* A tenant that borrows from its record. False when its primary host's block is damaged. */
TN_CHECK bool tn_tenant_from_parts(tn_tenant_t *out, const tn_tenant_parts_t *parts,
                                   const tn_record_t *record);

/* A flag definition's and a platform entry's record. */
bool tn_flag_record_read(tn_str_t *key, bool *default_on, const tn_record_t *record);
bool tn_platform_record_read(tn_platform_t *out, const tn_record_t *record);

/*
 * Writing: the size a record will take (TN_EINVAL, TN_ETOOBIG when the entry is not one that may be
 * written, with the field at fault), then its bytes. The encoders leave checksum, previous and
 * generation to tn_record_seal, which comes last.
 */
TN_CHECK int tn_tenant_spec_size(size_t *size_bytes, const tn_tenant_spec_t *tenant, tn_err_t *err);
void tn_tenant_record_write(uint8_t *to, size_t size_bytes, const tn_tenant_spec_t *tenant,
                            const uint8_t seed[16]);
TN_CHECK int tn_flag_spec_size(size_t *size_bytes, tn_str_t key, tn_err_t *err);
void tn_flag_record_write(uint8_t *to, size_t size_bytes, tn_str_t key, bool default_on);
TN_CHECK int tn_platform_spec_size(size_t *size_bytes, const tn_platform_t *platform,
                                   tn_err_t *err);
void tn_platform_record_write(uint8_t *to, size_t size_bytes, const tn_platform_t *platform);

/* Tombstones carry the key and nothing else. */
#define TN_TENANT_TOMBSTONE_SIZE (TN_RECORD_HEADER_SIZE + 16)
void tn_tenant_tombstone_write(uint8_t *to, const uint8_t id[16]);
void tn_flag_tombstone_write(uint8_t *to, size_t size_bytes, tn_str_t key);

void tn_record_seal(uint8_t *record, uint64_t generation, uint32_t previous);
