/*
 * A small directory for tests, made by the real writer in a private folder: three base domains, the
 * key of RFC 8037 appendix A, and the tenants of the table in small_directory.c.
 */
#pragma once

#include "core/directory.h"
#include "core/token.h"
#include "tenantry.h"

/* A JWK Set with the private key of RFC 8037 appendix A.1: public, and good for nothing but tests.
 */
extern const char *const small_directory_jwks;

typedef struct {
    const char *id;
    const char *slug;
    tn_tenant_status_t status;
    const char *former_slugs[3]; /* up to the first NULL */
    const char *hosts[3];
    int primary_host; /* index into hosts, -1 for none */
    bool redirects_to_primary;
} small_tenant_t;

/* Ends with one whose id is NULL. */
extern const small_tenant_t small_tenants[];

/* The one with this slug; never NULL: asking for another is a mistake of the test and aborts. */
const small_tenant_t *small_tenant(const char *slug);

typedef struct {
    char folder[64];
    char path[96];
    tn_signer_t *signer; /* of small_directory_jwks */
    tn_directory_t *directory;
} small_directory_t;

/* 0, or -1 after saying on stderr what failed. */
int small_directory_open(small_directory_t *out);

/* Closes it and removes its folder. */
void small_directory_close(small_directory_t *small);

/* The file's bytes, 8-byte aligned, for tn_directory_open_buffer; the caller frees. NULL: failed.
 */
void *small_directory_bytes(size_t *size, const small_directory_t *small);
