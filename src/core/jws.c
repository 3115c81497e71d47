/*
 * Compact signatures over libsodium; see jws.h. Nothing called here depends on sodium_init:
 * Ed25519, SHA-2 and base64 have no state and choose no implementation at run time.
 */
#include "core/jws.h"

#include "base/str.h"

#include <sodium.h>
#include <stdio.h>

size_t tn_base64url_encode(char *out, const void *data, size_t size_bytes)
{
    (void)sodium_bin2base64(out, TN_BASE64URL_SIZE(size_bytes), data, size_bytes,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return TN_BASE64URL_SIZE(size_bytes) - 1;
}

static bool is_base64url(tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = tn_ascii_lower(text.data[i]);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

int tn_base64url_decode(void *out, size_t size_bytes, size_t *length, tn_str_t text)
{
    /* libsodium 1.0.18 takes bytes above 0x7f for '_' or '-' where char is signed, so the alphabet
     * is checked here; without a place for the end it refuses text that it could not use up */
    return is_base64url(text) &&
                   sodium_base642bin(out, size_bytes, text.data, text.length, NULL, length, NULL,
                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0
               ? TN_OK
               : TN_EINVAL;
}

void tn_key_thumbprint_id(char out[TN_THUMBPRINT_ID_SIZE],
                          const uint8_t public_key[TN_ED25519_KEY_SIZE])
{
    char x[TN_BASE64URL_SIZE(TN_ED25519_KEY_SIZE)];
    char json[sizeof(x) + 64];
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)tn_base64url_encode(x, public_key, TN_ED25519_KEY_SIZE);
    /* the required members in order, without white space: RFC 7638 section 3, RFC 8037 section 2 */
    int length =
        snprintf(json, sizeof(json), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    (void)crypto_hash_sha256(hash, (const uint8_t *)json, (size_t)length);
    (void)tn_base64url_encode(out, hash, 16);
}

int tn_jws_sign(char *out, size_t size_bytes, size_t *length, tn_str_t header, tn_str_t payload,
                const uint8_t secret[TN_ED25519_SECRET_SIZE])
{
    if (header.length > TN_JWS_PART_MAX || payload.length > TN_JWS_PART_MAX ||
        TN_BASE64URL_SIZE(header.length) + TN_BASE64URL_SIZE(payload.length) +
                TN_BASE64URL_SIZE(TN_ED25519_SIGNATURE_SIZE) >
            size_bytes) {
        return TN_ETOOBIG; /* the terminators of the first two are the two dots */
    }
    size_t at = tn_base64url_encode(out, header.data, header.length);
    out[at++] = '.';
    at += tn_base64url_encode(out + at, payload.data, payload.length);
    uint8_t signature[TN_ED25519_SIGNATURE_SIZE];
    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)out, at, secret);
    out[at++] = '.';
    *length = at + tn_base64url_encode(out + at, signature, sizeof(signature));
    return TN_OK;
}

int tn_jws_split(tn_jws_t *out, tn_str_t text)
{
    const char *end = text.data + text.length;
    const char *first = text.length > 0 ? memchr(text.data, '.', text.length) : NULL;
    if (first == NULL) {
        return TN_ETOKEN;
    }
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (second == NULL) {
        return TN_ETOKEN;
    }
    tn_str_t header = {text.data, (size_t)(first - text.data)};
    tn_str_t payload = {first + 1, (size_t)(second - first - 1)};
    tn_str_t signature = {second + 1, (size_t)(end - second - 1)};
    size_t signature_length;
    if (tn_base64url_decode(out->header, sizeof(out->header), &out->header_length, header) !=
            TN_OK ||
        tn_base64url_decode(out->payload, sizeof(out->payload), &out->payload_length, payload) !=
            TN_OK ||
        tn_base64url_decode(out->signature, sizeof(out->signature), &signature_length, signature) !=
            TN_OK ||
        signature_length != sizeof(out->signature)) {
        return TN_ETOKEN;
    }
    out->signed_part = (tn_str_t){text.data, (size_t)(second - text.data)};
    return TN_OK;
}

bool tn_jws_verify(const tn_jws_t *jws, const uint8_t public_key[TN_ED25519_KEY_SIZE])
{
    return crypto_sign_verify_detached(jws->signature, (const uint8_t *)jws->signed_part.data,
                                       jws->signed_part.length, public_key) == 0;
}
