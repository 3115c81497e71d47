/*
 * Reading the directory beyond what include/tenantry.h offers: by key, by walking it, and the
 * platform's own entry. The file's layout is docs/directory-format.md and core/directory_format.h.
 *
 * Every look-up tells three answers apart: TN_OK; TN_ENOTFOUND (the directory is good and has no
 * such key); TN_EUNAVAILABLE (no directory, or what had to be read is damaged). They take no lock,
 * write nothing, and see every change whole or not at all.
 */
#pragma once

#include "tenantry.h"

#define TN_BASE_DOMAINS_MAX 16
#define TN_PUBLIC_KEYS_MAX  8
#define TN_KEY_ID_MAX       64

/* A public key that tokens are signed with: Ed25519 (RFC 8037). */
typedef struct {
    char id[TN_KEY_ID_MAX + 1]; /* the "kid" */
    uint8_t key[32];
} tn_public_key_t;

/* What concerns the platform and no tenant. The strings are borrowed, like a tenant's. */
typedef struct {
    tn_str_t base_domains[TN_BASE_DOMAINS_MAX]; /* lower case, no dot at either end */
    size_t base_domain_count;
    tn_public_key_t keys[TN_PUBLIC_KEYS_MAX]; /* the first is the one that signs now */
    size_t key_count;
    uint64_t options_hash; /* the publisher's: of the options that decide what is published; kept
                              with the entry as it was put, 0 when none was */
} tn_platform_t;

/* Copies only what it fills; borrowed strings. */
TN_CHECK int tn_directory_platform(tn_platform_t *out, const tn_directory_t *directory);

/* A custom domain (exact host), a slug that is current or former, an id (16 bytes). */
TN_CHECK int tn_directory_by_host(tn_tenant_t *out, const tn_directory_t *directory, tn_str_t host);
TN_CHECK int tn_directory_by_slug(tn_tenant_t *out, const tn_directory_t *directory, tn_str_t slug);
TN_CHECK int tn_directory_by_id(tn_tenant_t *out, const tn_directory_t *directory,
                                const uint8_t id[16]);

/*
 * The base domain that host lies under, as the length of that suffix without its leading dot: the
 * longest that matches wins. TN_OK with *label_length 0 when host is a base domain itself, else the
 * number of bytes before the dot (which may hold further dots). TN_ENOTFOUND: under none.
 */
TN_CHECK int tn_directory_split_host(size_t *base_length, size_t *label_length,
                                     const tn_directory_t *directory, tn_str_t host);

/* A flag's definition: its default. */
TN_CHECK int tn_directory_flag(bool *default_on, const tn_directory_t *directory, tn_str_t key);

/* The parts of a tenant, in order; false when index is past the last. */
bool tn_tenant_host_at(tn_str_t *host, bool *is_primary, const tn_tenant_t *tenant, size_t index);
bool tn_tenant_former_slug_at(tn_str_t *slug, const tn_tenant_t *tenant, size_t index);
bool tn_tenant_flag_at(tn_str_t *key, bool *is_on, const tn_tenant_t *tenant, size_t index);
bool tn_tenant_setting_at(tn_str_t *key, tn_str_t *value, const tn_tenant_t *tenant, size_t index);

/*
 * A copy of a tenant over the caller's own copy of its record: after
 * `memcpy(mine, tenant->record, tenant->record_size)` this makes a tenant that borrows from `mine`
 * (8-byte aligned) and outlives the directory's refresh. The record was checked when it was found.
 */
void tn_tenant_rebase(tn_tenant_t *out, const tn_tenant_t *tenant, const void *mine);

/*
 * Walks tenants and flag definitions of one generation, in no order, calling back for each until
 * the callback returns non-zero (which is returned). TN_EUNAVAILABLE or TN_EDAMAGED as for
 * look-ups.
 */
typedef int (*tn_directory_tenant_fn)(const tn_tenant_t *tenant, void *context);
typedef int (*tn_directory_flag_fn)(tn_str_t key, bool default_on, void *context);
TN_CHECK int tn_directory_each_tenant(const tn_directory_t *directory, tn_directory_tenant_fn call,
                                      void *context);
TN_CHECK int tn_directory_each_flag(const tn_directory_t *directory, tn_directory_flag_fn call,
                                    void *context);

/*
 * Reads every word and record and checks each: checksums, bounds, that every live key is found by
 * its look-up and every slot leads to a record. TN_EDAMAGED with the offset of the first fault.
 */
TN_CHECK int tn_directory_verify(const tn_directory_t *directory, tn_err_t *err);

/*
 * Checks the header and the next `slots` slots of the table with the records they lead to. *cursor
 * is 0 at first, where to go on afterwards, and 0 again after the last part. TN_EDAMAGED with the
 * offset of the first fault, TN_EUNAVAILABLE when there is no image. Not beside a writer at work.
 */
TN_CHECK int tn_directory_verify_part(uint64_t *cursor, const tn_directory_t *directory,
                                      uint64_t slots, tn_err_t *err);
