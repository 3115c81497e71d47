/*
 * Signing the tenant token, and the key file it is signed with (tn_token_verify is in
 * include/tenantry.h). A token is a JWT (RFC 7519) in JWS compact form (RFC 7515), alg EdDSA with
 * Ed25519 (RFC 8037):
 *
 *   header   {"alg":"EdDSA","kid":KID,"typ":"JWT"}
 *   claims
 * {"aud":"tenantry","exp":S,"host":HOST,"iat":S,"iss":"tenantry-edge","slug":SLUG,"sub":ID}
 *
 * No clock and no cache here: the edge signs once per host and half minute and says when.
 */
#pragma once

#include "core/directory.h"
#include "tenantry.h"

#define TN_TOKEN_MAX        1024 /* bytes of a token, with a terminator */
#define TN_TOKEN_LIFETIME_S 60

typedef struct tn_signer tn_signer_t;

/*
 * The signing keys from the text of a key file: a JWK Set (RFC 7517) of OKP/Ed25519 private keys;
 * the first signs, all are published. TN_EINVAL names what is wrong, never a secret.
 */
TN_CHECK int tn_signer_parse(tn_signer_t **out, const char *jwks, size_t length, tn_err_t *err);
void tn_signer_free(tn_signer_t *signer); /* wipes the keys; NULL is allowed */

/* A new key file's text with one fresh key; the caller frees it (and wipes it). */
TN_CHECK int tn_signer_generate(char **jwks, size_t *length, tn_err_t *err);

/* The public halves, in order; at most TN_PUBLIC_KEYS_MAX. Returns how many. */
size_t tn_signer_public_keys(tn_public_key_t out[TN_PUBLIC_KEYS_MAX], const tn_signer_t *signer);

/*
 * Writes a terminated token into out (TN_TOKEN_MAX bytes) and its length. host is normalised.
 */
TN_CHECK int tn_token_sign(char *out, size_t *length, const tn_signer_t *signer,
                           const tn_tenant_t *tenant, tn_str_t host, int64_t issued_at_s,
                           int64_t expires_at_s);

/* The public keys as a JWK Set document for anyone to fetch. The caller frees *json. */
TN_CHECK int tn_jwks_document(char **json, size_t *length, const tn_public_key_t *keys,
                              size_t count);
