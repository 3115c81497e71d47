/*
 * The tenant token: the key file it is signed with, its claims, and the check that an application
 * makes; see token.h and include/tenantry.h.
 *
 * Everything that goes into a token comes from restricted alphabets (is_plain), so its JSON is
 * written without an escape; what comes in is read by jansson and compared, never copied on trust.
 */
#include "core/token.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "core/jws.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define ISSUER   "tenantry-edge"
#define AUDIENCE "tenantry"

_Static_assert(TN_BASE64URL_SIZE(TN_JWS_PART_MAX) > TN_TOKEN_MAX,
               "a part of any token that is short enough can be decoded");

typedef struct {
    tn_public_key_t public;
    uint8_t secret[TN_ED25519_SECRET_SIZE];
} signing_key_t;

struct tn_signer {
    size_t count;
    signing_key_t keys[TN_PUBLIC_KEYS_MAX];
};

/* Letters, digits, hyphen, underscore and dot: what ids, slugs and hosts are made of. */
static bool is_plain(tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = tn_ascii_lower(text.data[i]);
        bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_word && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return text.length > 0;
}

static bool is_text(const json_t *value, const char *expected)
{
    return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

/* ---- the key file ------------------------------------------------------------------------- */

/* A member of 32 bytes in base64url. The caller has named the field. */
static bool get_key_bytes(uint8_t out[TN_ED25519_KEY_SIZE], const json_t *jwk, const char *name)
{
    const json_t *value = json_object_get(jwk, name);
    size_t length;
    return json_is_string(value) &&
           tn_base64url_decode(out, TN_ED25519_KEY_SIZE, &length,
                               (tn_str_t){json_string_value(value), json_string_length(value)}) ==
               TN_OK &&
           length == TN_ED25519_KEY_SIZE;
}

static int parse_key_bytes(signing_key_t *out, const json_t *jwk, const char *field, tn_err_t *err)
{
    uint8_t seed[TN_ED25519_KEY_SIZE];
    uint8_t given[TN_ED25519_KEY_SIZE];
    int code = TN_OK;
    if (!get_key_bytes(seed, jwk, "d")) {
        code = tn_err_field(err, TN_EINVAL, field, "\"d\" is not 32 bytes in base64url");
    } else if (!get_key_bytes(given, jwk, "x")) {
        code = tn_err_field(err, TN_EINVAL, field, "\"x\" is not 32 bytes in base64url");
    } else {
        (void)crypto_sign_seed_keypair(out->public.key, out->secret, seed);
        if (sodium_memcmp(given, out->public.key, sizeof(given)) != 0) {
            code = tn_err_field(err, TN_EINVAL, field,
                                "\"x\" is not the public key that belongs to \"d\"");
        }
    }
    sodium_memzero(seed, sizeof(seed));
    return code;
}

/* The key's own id, else the one that follows from its public half. */
static int parse_key_id(signing_key_t *out, const json_t *jwk, const char *field, tn_err_t *err)
{
    const json_t *kid = json_object_get(jwk, "kid");
    if (kid == NULL) {
        tn_key_thumbprint_id(out->public.id, out->public.key);
        return TN_OK;
    }
    tn_str_t id = {"", 0};
    if (json_is_string(kid)) {
        id = (tn_str_t){json_string_value(kid), json_string_length(kid)};
    }
    if (!is_plain(id) || tn_str_copy(out->public.id, sizeof(out->public.id), id) != TN_OK) {
        return tn_err_field(err, TN_EINVAL, field,
                            "\"kid\" is not 1 to %d letters, digits, '-', '_' or '.'",
                            TN_KEY_ID_MAX);
    }
    return TN_OK;
}

static int parse_key(signing_key_t *out, const json_t *jwk, const char *field, tn_err_t *err)
{
    if (!is_text(json_object_get(jwk, "kty"), "OKP") ||
        !is_text(json_object_get(jwk, "crv"), "Ed25519")) {
        return tn_err_field(err, TN_EINVAL, field,
                            "not a key with \"kty\" \"OKP\" and \"crv\" \"Ed25519\"");
    }
    const json_t *alg = json_object_get(jwk, "alg");
    const json_t *use = json_object_get(jwk, "use");
    if ((alg != NULL && !is_text(alg, "EdDSA")) || (use != NULL && !is_text(use, "sig"))) {
        return tn_err_field(err, TN_EINVAL, field,
                            "\"alg\" or \"use\" says that it is not for signing with EdDSA");
    }
    int code = parse_key_bytes(out, jwk, field, err);
    return code == TN_OK ? parse_key_id(out, jwk, field, err) : code;
}

static int parse_keys(tn_signer_t *signer, const json_t *root, tn_err_t *err)
{
    const json_t *keys = json_object_get(root, "keys");
    size_t count = json_array_size(keys);
    if (count == 0 || count > TN_PUBLIC_KEYS_MAX) {
        return tn_err_field(err, TN_EINVAL, "keys", "not an array of 1 to %d keys",
                            TN_PUBLIC_KEYS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        char field[32];
        (void)snprintf(field, sizeof(field), "keys[%zu]", i);
        int code = parse_key(&signer->keys[i], json_array_get(keys, i), field, err);
        if (code != TN_OK) {
            return code;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(signer->keys[i].public.id, signer->keys[j].public.id) == 0) {
                return tn_err_field(err, TN_EINVAL, field, "its \"kid\" is that of keys[%zu] too",
                                    j);
            }
        }
    }
    signer->count = count;
    return TN_OK;
}

/* Takes what was secret out of memory that is about to be freed. */
static void wipe_secrets(json_t *root)
{
    size_t index;
    json_t *jwk;
    json_array_foreach(json_object_get(root, "keys"), index, jwk)
    {
        json_t *d = json_object_get(jwk, "d");
        if (json_is_string(d)) {
            /* jansson hands out its own, writable copy as const */
            sodium_memzero((char *)(uintptr_t)json_string_value(d), json_string_length(d));
        }
    }
}

int tn_signer_parse(tn_signer_t **out, const char *jwks, size_t length, tn_err_t *err)
{
    tn_signer_t *signer = calloc(1, sizeof(*signer));
    if (signer == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the signing keys");
    }
    json_error_t where;
    json_t *root = json_loadb(jwks, length, JSON_REJECT_DUPLICATES, &where);
    int code;
    if (root == NULL) {
        /* jansson's own text may quote what it stumbled over */
        code = tn_err_set(err, TN_EINVAL, "the signing keys are not JSON, line %d", where.line);
    } else {
        code = parse_keys(signer, root, err);
        wipe_secrets(root);
        json_decref(root);
    }
    if (code == TN_OK) {
        *out = signer;
    } else {
        tn_signer_free(signer);
    }
    return code;
}

void tn_signer_free(tn_signer_t *signer)
{
    if (signer != NULL) {
        sodium_memzero(signer, sizeof(*signer));
        free(signer);
    }
}

int tn_signer_generate(char **jwks, size_t *length, tn_err_t *err)
{
    uint8_t seed[TN_ED25519_KEY_SIZE];
    uint8_t public[TN_ED25519_KEY_SIZE];
    uint8_t secret[TN_ED25519_SECRET_SIZE];
    char kid[TN_THUMBPRINT_ID_SIZE];
    char x[TN_BASE64URL_SIZE(sizeof(public))];
    char d[TN_BASE64URL_SIZE(sizeof(seed))];
    char text[512];
    tn_random_bytes(seed, sizeof(seed));
    (void)crypto_sign_seed_keypair(public, secret, seed);
    tn_key_thumbprint_id(kid, public);
    (void)tn_base64url_encode(x, public, sizeof(public));
    (void)tn_base64url_encode(d, seed, sizeof(seed));
    int written = snprintf(text, sizeof(text),
                           "{\n"
                           "  \"keys\": [\n"
                           "    {\n"
                           "      \"kty\": \"OKP\",\n"
                           "      \"crv\": \"Ed25519\",\n"
                           "      \"alg\": \"EdDSA\",\n"
                           "      \"use\": \"sig\",\n"
                           "      \"kid\": \"%s\",\n"
                           "      \"x\": \"%s\",\n"
                           "      \"d\": \"%s\"\n"
                           "    }\n"
                           "  ]\n"
                           "}\n",
                           kid, x, d);
    char *copy = tn_str_dup((tn_str_t){text, (size_t)written});
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(d, sizeof(d));
    sodium_memzero(text, sizeof(text));
    if (copy == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a signing key");
    }
    *jwks = copy;
    *length = (size_t)written;
    return TN_OK;
}

size_t tn_signer_public_keys(tn_public_key_t out[TN_PUBLIC_KEYS_MAX], const tn_signer_t *signer)
{
    for (size_t i = 0; i < signer->count; i++) {
        out[i] = signer->keys[i].public;
    }
    return signer->count;
}

int tn_jwks_document(char **json, size_t *length, const tn_public_key_t *keys, size_t count)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add_text(&buf, "{\"keys\":[");
    for (size_t i = 0; i < count; i++) {
        if (!is_plain(tn_str(keys[i].id))) {
            tn_buf_deinit(&buf);
            return TN_EINVAL;
        }
        char x[TN_BASE64URL_SIZE(sizeof(keys[i].key))];
        (void)tn_base64url_encode(x, keys[i].key, sizeof(keys[i].key));
        tn_buf_add_format(&buf,
                          "%s{\"alg\":\"EdDSA\",\"crv\":\"Ed25519\",\"kid\":\"%s\","
                          "\"kty\":\"OKP\",\"use\":\"sig\",\"x\":\"%s\"}",
                          i > 0 ? "," : "", keys[i].id, x);
    }
    tn_buf_add_text(&buf, "]}");
    size_t taken;
    char *text = tn_buf_take(&buf, &taken);
    if (text == NULL) {
        return TN_ENOMEM;
    }
    *json = text;
    *length = taken;
    return TN_OK;
}

/* ---- signing ------------------------------------------------------------------------------ */

int tn_token_sign(char *out, size_t *length, const tn_signer_t *signer, const tn_tenant_t *tenant,
                  tn_str_t host, int64_t issued_at_s, int64_t expires_at_s)
{
    tn_str_t id = tn_str(tenant->id);
    if (!is_plain(host) || host.length > TN_HOST_MAX || !is_plain(tenant->slug) ||
        tenant->slug.length > TN_SLUG_MAX || !is_plain(id) || issued_at_s < 0 ||
        expires_at_s <= issued_at_s) {
        return TN_EINVAL;
    }
    const signing_key_t *key = &signer->keys[0];
    char header[TN_KEY_ID_MAX + 64];
    char claims[TN_JWS_PART_MAX];
    int header_length =
        snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                 key->public.id);
    int claims_length =
        snprintf(claims, sizeof(claims),
                 "{\"aud\":\"" AUDIENCE "\",\"exp\":%lld,\"host\":\"%.*s\",\"iat\":%lld,"
                 "\"iss\":\"" ISSUER "\",\"slug\":\"%.*s\",\"sub\":\"%s\"}",
                 (long long)expires_at_s, (int)host.length, host.data, (long long)issued_at_s,
                 (int)tenant->slug.length, tenant->slug.data, tenant->id);
    return tn_jws_sign(out, TN_TOKEN_MAX, length, (tn_str_t){header, (size_t)header_length},
                       (tn_str_t){claims, (size_t)claims_length}, key->secret);
}

/* ---- verifying ---------------------------------------------------------------------------- */

static int refuse(tn_err_t *err, const char *why)
{
    return tn_err_field(err, TN_ETOKEN, "X-Tenant-Token", "%s", why);
}

/*
 * Finds the key that the header names. Nothing but alg, kid and typ may be there: every other
 * member (jwk, jku, x5c, crit, …) is a way of telling the verifier what to trust.
 */
static const uint8_t *key_of_header(const tn_platform_t *platform, const tn_jws_t *jws)
{
    const uint8_t *found = NULL;
    json_t *header = json_loadb(jws->header, jws->header_length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *typ = json_object_get(header, "typ");
    const json_t *kid = json_object_get(header, "kid");
    if (is_text(json_object_get(header, "alg"), "EdDSA") && (typ == NULL || is_text(typ, "JWT")) &&
        json_object_size(header) == (typ == NULL ? 2U : 3U)) {
        for (size_t i = 0; i < platform->key_count && found == NULL; i++) {
            if (is_text(kid, platform->keys[i].id)) {
                found = platform->keys[i].key;
            }
        }
    }
    json_decref(header);
    return found;
}

/* The claims of a token whose signature is good, against the domain and the time. */
static int check_claims(tn_token_t *out, const json_t *claims, const tn_domain_t *domain,
                        int64_t now_s, int64_t clock_skew_s, tn_err_t *err)
{
    const json_t *issued = json_object_get(claims, "iat");
    const json_t *expires = json_object_get(claims, "exp");
    if (!is_text(json_object_get(claims, "iss"), ISSUER) ||
        !is_text(json_object_get(claims, "aud"), AUDIENCE) || !json_is_integer(issued) ||
        !json_is_integer(expires)) {
        return refuse(err, "the token's claims are not those of a tenant token");
    }
    tn_token_t token = {.issued_at_s = json_integer_value(issued),
                        .expires_at_s = json_integer_value(expires)};
    if (token.issued_at_s >= token.expires_at_s) {
        return refuse(err, "the token expires before it was issued");
    }
    if (token.expires_at_s <= now_s - clock_skew_s) {
        return refuse(err, "the token has expired");
    }
    if (token.issued_at_s > now_s + clock_skew_s) {
        return refuse(err, "the token is not valid yet");
    }
    if (!is_text(json_object_get(claims, "host"), domain->host.name)) {
        return refuse(err, "the token is for another host");
    }
    if (!is_text(json_object_get(claims, "sub"), domain->tenant_id) ||
        !is_text(json_object_get(claims, "slug"), domain->slug)) {
        return refuse(err, "the token is for another tenant");
    }
    memcpy(token.tenant_id, domain->tenant_id, sizeof(token.tenant_id));
    memcpy(token.slug, domain->slug, sizeof(token.slug));
    memcpy(token.host, domain->host.name, domain->host.length + 1);
    *out = token;
    return TN_OK;
}

int tn_token_verify(tn_token_t *out, const tn_directory_t *directory, const tn_domain_t *domain,
                    const char *token, size_t length, int64_t now_s, int64_t clock_skew_s,
                    tn_err_t *err)
{
    tn_platform_t platform;
    int code = tn_directory_platform(&platform, directory);
    if (code == TN_ENOTFOUND) {
        return refuse(err, "no key is known that could have signed the token");
    }
    if (code != TN_OK) {
        return tn_err_set(err, code, "the directory has no keys to check the token with");
    }
    if (domain->tenant_id[0] == '\0') {
        return refuse(err, "the domain is no tenant's, so no token can be for it");
    }
    tn_jws_t jws;
    if (length >= TN_TOKEN_MAX || tn_jws_split(&jws, (tn_str_t){token, length}) != TN_OK) {
        return refuse(err, "the token is not a JWT in compact form");
    }
    const uint8_t *key = key_of_header(&platform, &jws);
    if (key == NULL) {
        return refuse(err, "the token is not signed with EdDSA by a known key");
    }
    if (!tn_jws_verify(&jws, key)) {
        return refuse(err, "the token's signature is wrong");
    }
    json_t *claims = json_loadb(jws.payload, jws.payload_length, JSON_REJECT_DUPLICATES, NULL);
    code = check_claims(out, claims, domain, now_s, clock_skew_s, err);
    json_decref(claims);
    return code;
}
