/*
 * JSON Web Signatures as far as they are needed here: compact form (RFC 7515), EdDSA with Ed25519
 * (RFC 8037), base64url without padding. Knows nothing of claims or tenants.
 */
#pragma once

#include "tenantry.h"

#define TN_ED25519_KEY_SIZE       32
#define TN_ED25519_SECRET_SIZE    64 /* libsodium's form: seed and public key */
#define TN_ED25519_SIGNATURE_SIZE 64
#define TN_JWS_PART_MAX           768 /* decoded bytes of a header or a payload */
#define TN_THUMBPRINT_ID_SIZE     23  /* 22 characters and a terminator */

/* Characters that size_bytes become, with a terminator. */
#define TN_BASE64URL_SIZE(size_bytes) (((size_bytes)*4 + 2) / 3 + 1)

/* Terminated text into out, which holds TN_BASE64URL_SIZE(size_bytes); returns its length. */
size_t tn_base64url_encode(char *out, const void *data, size_t size_bytes);

/*
 * Decodes into at most size_bytes. TN_EINVAL: another alphabet, padding, white space, bits that are
 * left over and not zero (so that each value has one spelling), or too long. out may be written to
 * then.
 */
TN_CHECK int tn_base64url_decode(void *out, size_t size_bytes, size_t *length, tn_str_t text);

/* The id of a public key: the first 16 bytes of its SHA-256 thumbprint (RFC 7638), as base64url. */
void tn_key_thumbprint_id(char out[TN_THUMBPRINT_ID_SIZE],
                          const uint8_t public_key[TN_ED25519_KEY_SIZE]);

/*
 * Signs header and payload (both as they are, JSON or not) into a terminated compact form.
 * TN_ETOOBIG when it does not fit into size_bytes.
 */
TN_CHECK int tn_jws_sign(char *out, size_t size_bytes, size_t *length, tn_str_t header,
                         tn_str_t payload, const uint8_t secret[TN_ED25519_SECRET_SIZE]);

/* The parts of a compact form, decoded and not yet believed. */
typedef struct {
    tn_str_t signed_part; /* "HEADER.PAYLOAD" as sent; borrowed from the text */
    char header[TN_JWS_PART_MAX];
    size_t header_length;
    char payload[TN_JWS_PART_MAX];
    size_t payload_length;
    uint8_t signature[TN_ED25519_SIGNATURE_SIZE];
} tn_jws_t;

/* TN_ETOKEN unless it is three parts of strict base64url, the last of a signature's size. */
TN_CHECK int tn_jws_split(tn_jws_t *out, tn_str_t text);

/* Whether the signature is by this key. What the header claims about the algorithm is not asked. */
TN_CHECK bool tn_jws_verify(const tn_jws_t *jws, const uint8_t public_key[TN_ED25519_KEY_SIZE]);
