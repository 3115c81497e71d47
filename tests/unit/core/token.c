/*
 * Unit tests of core/token.h and tn_token_verify, on the small directory, whose key is that of
 * RFC 8037 appendix A. What a forger may try is signed here by hand, with that same key.
 */
#include "core/token.h"

#include "base/str.h"
#include "core/jws.h"
#include "small_directory.h"

#include <jansson.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW  ((int64_t)1700000000)
#define SKEW 5
#define KID  "kPrK_qmxVWaYVA9wwBF6Ig" /* 16 bytes of the thumbprint in RFC 8037 appendix A.3 */

#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}"
#define CLAIMS                                                                                     \
    "{\"aud\":\"tenantry\",\"exp\":1700000060,\"host\":\"acme.localhost\",\"iat\":1700000000,"     \
    "\"iss\":\"tenantry-edge\",\"slug\":\"acme\",\"sub\":\"0190a000-0000-7000-8000-"               \
    "000000000001\"}"

static int set_up(void **state)
{
    static small_directory_t small;
    *state = &small;
    return small_directory_open(&small);
}

static int tear_down(void **state)
{
    small_directory_close(*state);
    return 0;
}

static tn_domain_t domain_of(const small_directory_t *small, const char *host)
{
    tn_domain_t domain;
    assert_int_equal(tn_domain_from_host(&domain, small->directory, host, strlen(host)), TN_OK);
    return domain;
}

static size_t sign(char out[TN_TOKEN_MAX], const small_directory_t *small, const char *host)
{
    tn_domain_t domain = domain_of(small, host);
    tn_tenant_t tenant;
    size_t length;
    assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_OK);
    assert_int_equal(tn_token_sign(out, &length, small->signer, &tenant,
                                   (tn_str_t){domain.host.name, domain.host.length}, NOW,
                                   NOW + TN_TOKEN_LIFETIME_S),
                     TN_OK);
    assert_int_equal(length, strlen(out));
    return length;
}

/* The RFC's private key in libsodium's form. */
static void rfc_secret(uint8_t out[TN_ED25519_SECRET_SIZE])
{
    size_t length;
    assert_int_equal(tn_base64url_decode(out, 32, &length,
                                         TN_STR("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
                     TN_OK);
    assert_int_equal(tn_base64url_decode(out + 32, 32, &length,
                                         TN_STR("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
                     TN_OK);
}

static size_t forge(char *out, size_t size_bytes, const char *header, const char *claims)
{
    uint8_t secret[TN_ED25519_SECRET_SIZE];
    size_t length;
    rfc_secret(secret);
    assert_int_equal(tn_jws_sign(out, size_bytes, &length, tn_str(header), tn_str(claims), secret),
                     TN_OK);
    return length;
}

static int verify_at(const small_directory_t *small, const char *host, const char *token,
                     size_t length, int64_t now_s)
{
    tn_domain_t domain = domain_of(small, host);
    tn_token_t out;
    memset(&out, 0x5a, sizeof(out));
    tn_token_t before;
    memcpy(&before, &out, sizeof(before));
    tn_err_t err = {0};
    int code = tn_token_verify(&out, small->directory, &domain, token, length, now_s, SKEW, &err);
    if (code != TN_OK) {
        assert_memory_equal(&out, &before, sizeof(out));
        assert_int_equal(err.code, code);
        assert_true(strlen(err.detail) > 0);
    }
    return code;
}

static int verify(const small_directory_t *small, const char *host, const char *token,
                  size_t length)
{
    return verify_at(small, host, token, length, NOW);
}

/* ---- signing and verifying ---------------------------------------------------------------- */

/* Ed25519 has one signature for a key and a message, so the whole token can be told beforehand. */
static void test_the_token_is_what_its_documentation_says(void **state)
{
    char token[TN_TOKEN_MAX], expected[TN_TOKEN_MAX];
    size_t length = sign(token, *state, "acme.localhost");
    assert_int_equal(forge(expected, sizeof(expected), HEADER, CLAIMS), length);
    assert_string_equal(token, expected);
}

static void test_a_good_token(void **state)
{
    const small_directory_t *small = *state;
    static const char *const hosts[] = {"acme.localhost", "www.acme.example", "ajax.example.com",
                                        "beta.example", "closed.localhost"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char text[TN_TOKEN_MAX];
        size_t length = sign(text, small, hosts[i]);
        tn_domain_t domain = domain_of(small, hosts[i]);
        tn_token_t token;
        assert_int_equal(
            tn_token_verify(&token, small->directory, &domain, text, length, NOW, SKEW, NULL),
            TN_OK);
        assert_string_equal(token.tenant_id, domain.tenant_id);
        assert_string_equal(token.slug, domain.slug);
        assert_string_equal(token.host, hosts[i]);
        assert_int_equal(token.issued_at_s, NOW);
        assert_int_equal(token.expires_at_s, NOW + TN_TOKEN_LIFETIME_S);
    }
}

static void test_its_time(void **state)
{
    char token[TN_TOKEN_MAX];
    size_t length = sign(token, *state, "acme.localhost");
    static const struct {
        int64_t now_s;
        int code;
    } cases[] = {
        {NOW - SKEW - 1, TN_ETOKEN},
        {NOW - SKEW, TN_OK},
        {NOW, TN_OK},
        {NOW + TN_TOKEN_LIFETIME_S, TN_OK},
        {NOW + TN_TOKEN_LIFETIME_S + SKEW - 1, TN_OK},
        {NOW + TN_TOKEN_LIFETIME_S + SKEW, TN_ETOKEN},
        {NOW + 1000000, TN_ETOKEN},
        {0, TN_ETOKEN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(verify_at(*state, "acme.localhost", token, length, cases[i].now_s),
                         cases[i].code);
    }
}

static void test_another_host_or_tenant(void **state)
{
    const small_directory_t *small = *state;
    char token[TN_TOKEN_MAX];
    size_t length = sign(token, small, "acme.localhost");
    static const char *const others[] = {"acme.example.com", "www.acme.example", "ajax.localhost",
                                         "beta.localhost", "eu.localhost"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(verify(small, others[i], token, length), TN_ETOKEN);
    }
    /* the right host and another tenant, as if the host had moved: id and slug count each */
    tn_domain_t domain = domain_of(small, "acme.localhost");
    tn_domain_t beta = domain_of(small, "beta.localhost");
    tn_token_t out;
    tn_domain_t moved = domain;
    memcpy(moved.tenant_id, beta.tenant_id, sizeof(moved.tenant_id));
    assert_int_equal(
        tn_token_verify(&out, small->directory, &moved, token, length, NOW, SKEW, NULL), TN_ETOKEN);
    moved = domain;
    memcpy(moved.slug, beta.slug, sizeof(moved.slug));
    assert_int_equal(
        tn_token_verify(&out, small->directory, &moved, token, length, NOW, SKEW, NULL), TN_ETOKEN);
    /* and the platform's own host is nobody's, even of a token that says just that */
    assert_int_equal(verify(small, "localhost", token, length), TN_ETOKEN);
    length = forge(token, sizeof(token), HEADER,
                   "{\"aud\":\"tenantry\",\"exp\":1700000060,\"host\":\"localhost\","
                   "\"iat\":1700000000,\"iss\":\"tenantry-edge\",\"slug\":\"\",\"sub\":\"\"}");
    assert_int_equal(verify(small, "localhost", token, length), TN_ETOKEN);
}

static void test_without_a_directory(void **state)
{
    char token[TN_TOKEN_MAX];
    size_t length = sign(token, *state, "acme.localhost");
    tn_domain_t domain = domain_of(*state, "acme.localhost");
    tn_directory_t *missing;
    tn_token_t out;
    tn_err_t err;
    assert_int_equal(tn_directory_open(&missing, "/nonexistent/directory", NULL), TN_OK);
    assert_int_equal(tn_token_verify(&out, missing, &domain, token, length, NOW, SKEW, &err),
                     TN_EUNAVAILABLE);
    assert_int_equal(err.code, TN_EUNAVAILABLE);
    tn_directory_close(missing);
}

static void test_every_flipped_bit(void **state)
{
    char token[TN_TOKEN_MAX];
    size_t length = sign(token, *state, "acme.localhost");
    assert_int_equal(verify(*state, "acme.localhost", token, length), TN_OK);
    for (size_t bit = 0; bit < length * 8; bit++) {
        token[bit / 8] ^= (char)(1 << bit % 8);
        if (verify(*state, "acme.localhost", token, length) != TN_ETOKEN) {
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        }
        token[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(verify(*state, "acme.localhost", token, length), TN_OK);
}

static void test_every_truncation_and_more(void **state)
{
    char token[TN_TOKEN_MAX + 8];
    size_t length = sign(token, *state, "acme.localhost");
    for (size_t cut = 0; cut < length; cut++) {
        char *exact = malloc(cut == 0 ? 1 : cut);
        assert_non_null(exact);
        memcpy(exact, token, cut);
        int code = verify(*state, "acme.localhost", exact, cut);
        free(exact);
        assert_int_equal(code, TN_ETOKEN);
    }
    static const char *const tails[] = {"A", "=", "==", ".", " ", "\n", ".e30", "AAAA"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        memcpy(token + length, tails[i], strlen(tails[i]) + 1);
        assert_int_equal(verify(*state, "acme.localhost", token, strlen(token)), TN_ETOKEN);
    }
    /* the terminator is not part of it */
    token[length] = '\0';
    assert_int_equal(verify(*state, "acme.localhost", token, length + 1), TN_ETOKEN);
}

static void test_huge(void **state)
{
    static const size_t sizes[] = {TN_TOKEN_MAX - 1, TN_TOKEN_MAX, 1 << 20};
    static const char fills[] = {'A', '.', 'e', '{', '\0'};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t j = 0; j < sizeof(fills); j++) {
            char *huge = malloc(sizes[i]);
            assert_non_null(huge);
            memset(huge, fills[j], sizes[i]);
            assert_int_equal(verify(*state, "acme.localhost", huge, sizes[i]), TN_ETOKEN);
            /* and with a good one at its beginning */
            char token[TN_TOKEN_MAX];
            memcpy(huge, token, sign(token, *state, "acme.localhost"));
            assert_int_equal(verify(*state, "acme.localhost", huge, sizes[i]), TN_ETOKEN);
            free(huge);
        }
    }
    /* well signed and longer than any of ours */
    char padded[TN_JWS_PART_MAX + 1];
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, CLAIMS, sizeof(CLAIMS) - 1);
    padded[TN_JWS_PART_MAX] = '\0';
    char token[2 * TN_TOKEN_MAX];
    size_t length = forge(token, sizeof(token), HEADER, padded);
    assert_true(length >= TN_TOKEN_MAX);
    assert_int_equal(verify(*state, "acme.localhost", token, length), TN_ETOKEN);
}

/* ---- forged headers and claims, all well signed ------------------------------------------- */

typedef struct {
    const char *json;
    int code;
} forged_t;

static void test_headers(void **state)
{
    static const forged_t cases[] = {
        {HEADER, TN_OK},
        {"{\"kid\":\"" KID "\",\"alg\":\"EdDSA\"}", TN_OK},
        {" {\"typ\" : \"JWT\", \"alg\":\"EdDSA\", \"kid\":\"" KID "\"} ", TN_OK},
        {"{\"alg\":\"none\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"None\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"HS256\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"eddsa\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"Ed25519\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":[\"EdDSA\"],\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"kPrK_qmxVWaYVA9wwBF6I\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"other\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":null,\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":0,\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JOSE\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":null}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JWT\",\"crit\":[\"x\"]}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"jku\":\"https://evil.example/\"}", TN_ETOKEN},
        {"{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"x\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", TN_ETOKEN},
        {"[\"EdDSA\"]", TN_ETOKEN},
        {"\"EdDSA\"", TN_ETOKEN},
        {"{}", TN_ETOKEN},
        {"", TN_ETOKEN},
        {HEADER "x", TN_ETOKEN},
        {"{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JWT\"", TN_ETOKEN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char token[TN_TOKEN_MAX];
        size_t length = forge(token, sizeof(token), cases[i].json, CLAIMS);
        if (verify(*state, "acme.localhost", token, length) != cases[i].code) {
            fail_msg("%s", cases[i].json);
        }
    }
}

#define ACME "0190a000-0000-7000-8000-000000000001"

static void test_claims(void **state)
{
#define AUD  "\"aud\":\"tenantry\","
#define EXP  "\"exp\":1700000060,"
#define HOST "\"host\":\"acme.localhost\","
#define IAT  "\"iat\":1700000000,"
#define ISS  "\"iss\":\"tenantry-edge\","
#define SLUG "\"slug\":\"acme\","
#define SUB  "\"sub\":\"" ACME "\""
    static const forged_t cases[] = {
        {CLAIMS, TN_OK},
        {"{" AUD EXP HOST IAT ISS SLUG SUB "}", TN_OK},
        {"{" SLUG AUD ISS IAT HOST EXP SUB "}", TN_OK},
        /* a claim that a later version may add */
        {"{" AUD EXP HOST IAT ISS SLUG "\"jti\":\"x\"," SUB "}", TN_OK},
        /* each one missing */
        {"{" EXP HOST IAT ISS SLUG SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST ISS SLUG SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT SLUG SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS "\"slug\":\"acme\"}", TN_ETOKEN},
        {"{}", TN_ETOKEN},
        /* each one wrong */
        {"{\"aud\":\"other\"," EXP HOST IAT ISS SLUG SUB "}", TN_ETOKEN},
        {"{\"aud\":[\"tenantry\"]," EXP HOST IAT ISS SLUG SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG "\"host\":\"beta.localhost\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG "\"host\":\"ACME.localhost\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG "\"host\":\"acme.localhost.\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG "\"host\":\"acme.localhost:80\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG "\"host\":\"acme.localhost\\u0000\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP IAT ISS SLUG "\"host\":null," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT SLUG "\"iss\":\"tenantry\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS "\"slug\":\"beta\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS "\"slug\":\"ajax\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS "\"slug\":\"\"," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS SLUG "\"sub\":\"0190a000-0000-7000-8000-000000000002\"}",
         TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS SLUG "\"sub\":\"\"}", TN_ETOKEN},
        /* times that are none, or turn round */
        {"{" AUD HOST IAT ISS SLUG "\"exp\":\"1700000060\"," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":1700000060.0," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":1e30," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":99999999999999999999," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":true," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":-1," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":-9223372036854775808," SUB "}", TN_ETOKEN},
        {"{" AUD HOST IAT ISS SLUG "\"exp\":1700000000," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST ISS SLUG "\"iat\":1700000006," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST ISS SLUG "\"iat\":9223372036854775807," SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST ISS SLUG "\"iat\":\"1700000000\"," SUB "}", TN_ETOKEN},
        /* said twice, whichever way round */
        {"{" AUD EXP HOST IAT ISS SLUG SUB ",\"host\":\"beta.localhost\"}", TN_ETOKEN},
        {"{\"host\":\"beta.localhost\"," AUD EXP HOST IAT ISS SLUG SUB "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS SLUG SUB "," SUB "}", TN_ETOKEN},
        {"{" AUD EXP EXP HOST IAT ISS SLUG SUB "}", TN_ETOKEN},
        /* not an object, not JSON, more than JSON */
        {"[" CLAIMS "]", TN_ETOKEN},
        {"null", TN_ETOKEN},
        {"", TN_ETOKEN},
        {CLAIMS CLAIMS, TN_ETOKEN},
        {CLAIMS "}", TN_ETOKEN},
        {"{" AUD EXP HOST IAT ISS SLUG SUB ",}", TN_ETOKEN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char token[TN_TOKEN_MAX];
        size_t length = forge(token, sizeof(token), HEADER, cases[i].json);
        if (verify(*state, "acme.localhost", token, length) != cases[i].code) {
            fail_msg("%s", cases[i].json);
        }
    }
}

/* The classic: a MAC over the token with the public key, which everybody has, as its secret. */
static void test_hmac_with_the_public_key(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"HS256\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}",
                                          HEADER};
    uint8_t secret[TN_ED25519_SECRET_SIZE];
    rfc_secret(secret);
    for (size_t i = 0; i < 2; i++) {
        for (size_t mac_size = 32; mac_size <= 64; mac_size += 32) {
            char token[TN_TOKEN_MAX];
            uint8_t mac[64] = {0};
            size_t at = tn_base64url_encode(token, headers[i], strlen(headers[i]));
            token[at++] = '.';
            at += tn_base64url_encode(token + at, CLAIMS, strlen(CLAIMS));
            crypto_auth_hmacsha256_state hmac;
            (void)crypto_auth_hmacsha256_init(&hmac, secret + 32, 32);
            (void)crypto_auth_hmacsha256_update(&hmac, (const uint8_t *)token, at);
            (void)crypto_auth_hmacsha256_final(&hmac, mac);
            token[at++] = '.';
            at += tn_base64url_encode(token + at, mac, mac_size);
            assert_int_equal(verify(*state, "acme.localhost", token, at), TN_ETOKEN);
        }
    }
}

static void test_no_signature(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"none\",\"kid\":\"" KID "\"}", HEADER};
    for (size_t i = 0; i < 3; i++) {
        char token[TN_TOKEN_MAX];
        size_t length = forge(token, sizeof(token), headers[i], CLAIMS);
        size_t unsigned_length = (size_t)(strrchr(token, '.') - token);
        assert_int_equal(verify(*state, "acme.localhost", token, unsigned_length), TN_ETOKEN);
        assert_int_equal(verify(*state, "acme.localhost", token, unsigned_length + 1), TN_ETOKEN);
        /* a signature of zeroes */
        memset(token + unsigned_length + 1, 'A', length - unsigned_length - 1);
        assert_int_equal(verify(*state, "acme.localhost", token, length), TN_ETOKEN);
    }
}

/* Signed by a key that is not the platform's, under its own id and under the platform's. */
static void test_another_key(void **state)
{
    const small_directory_t *small = *state;
    char *jwks;
    size_t length;
    tn_signer_t *stranger;
    assert_int_equal(tn_signer_generate(&jwks, &length, NULL), TN_OK);
    assert_int_equal(tn_signer_parse(&stranger, jwks, length, NULL), TN_OK);
    tn_domain_t domain = domain_of(small, "acme.localhost");
    tn_tenant_t tenant;
    char token[TN_TOKEN_MAX];
    assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_OK);
    assert_int_equal(
        tn_token_sign(token, &length, stranger, &tenant, TN_STR("acme.localhost"), NOW, NOW + 60),
        TN_OK);
    assert_int_equal(verify(small, "acme.localhost", token, length), TN_ETOKEN);
    tn_signer_free(stranger);
    free(jwks);
    uint8_t secret[TN_ED25519_SECRET_SIZE], public[TN_ED25519_KEY_SIZE];
    static const uint8_t seed[TN_ED25519_KEY_SIZE] = {7};
    assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
    assert_int_equal(
        tn_jws_sign(token, sizeof(token), &length, TN_STR(HEADER), TN_STR(CLAIMS), secret), TN_OK);
    assert_int_equal(verify(small, "acme.localhost", token, length), TN_ETOKEN);
}

static void test_what_cannot_be_signed(void **state)
{
    const small_directory_t *small = *state;
    tn_domain_t domain = domain_of(small, "acme.localhost");
    tn_tenant_t tenant;
    assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_OK);
    char token[TN_TOKEN_MAX] = "untouched";
    size_t length;
    static const char *const hosts[] = {"", "a\"b", "a b", "a\\b", "a\nb", "\xc3\xa9", "a,b"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        assert_int_equal(
            tn_token_sign(token, &length, small->signer, &tenant, tn_str(hosts[i]), NOW, NOW + 60),
            TN_EINVAL);
    }
    char host[TN_HOST_MAX + 1];
    memset(host, 'h', sizeof(host));
    assert_int_equal(tn_token_sign(token, &length, small->signer, &tenant,
                                   (tn_str_t){host, sizeof(host)}, NOW, NOW + 60),
                     TN_EINVAL);
    assert_int_equal(
        tn_token_sign(token, &length, small->signer, &tenant, TN_STR("acme.localhost"), NOW, NOW),
        TN_EINVAL);
    assert_int_equal(
        tn_token_sign(token, &length, small->signer, &tenant, TN_STR("acme.localhost"), -1, NOW),
        TN_EINVAL);
    tn_tenant_t other = tenant;
    other.slug = TN_STR("ac\"me");
    assert_int_equal(tn_token_sign(token, &length, small->signer, &other, TN_STR("acme.localhost"),
                                   NOW, NOW + 60),
                     TN_EINVAL);
    assert_string_equal(token, "untouched");
}

/* The longest host, slug, key id and times there can be. */
static void test_the_longest_token_fits(void **state)
{
    const small_directory_t *small = *state;
    char kid[TN_KEY_ID_MAX + 1], host[TN_HOST_MAX], slug[TN_SLUG_MAX], jwks[512];
    memset(kid, 'k', TN_KEY_ID_MAX);
    kid[TN_KEY_ID_MAX] = '\0';
    memset(host, 'h', sizeof(host));
    memset(slug, 's', sizeof(slug));
    (void)snprintf(jwks, sizeof(jwks), "%.*s,\"kid\":\"%s\"}]}",
                   (int)strlen(small_directory_jwks) - 3, small_directory_jwks, kid);
    tn_signer_t *signer;
    assert_int_equal(tn_signer_parse(&signer, jwks, strlen(jwks), NULL), TN_OK);
    tn_domain_t domain = domain_of(small, "acme.localhost");
    tn_tenant_t tenant;
    assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_OK);
    tenant.slug = (tn_str_t){slug, sizeof(slug)};
    char *token = malloc(TN_TOKEN_MAX);
    assert_non_null(token);
    size_t length;
    assert_int_equal(tn_token_sign(token, &length, signer, &tenant, (tn_str_t){host, sizeof(host)},
                                   INT64_MAX - 1, INT64_MAX),
                     TN_OK);
    assert_int_equal(length, strlen(token));
    assert_true(length < TN_TOKEN_MAX);
    tn_jws_t jws;
    assert_int_equal(tn_jws_split(&jws, (tn_str_t){token, length}), TN_OK);
    json_t *claims = json_loadb(jws.payload, jws.payload_length, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), INT64_MAX);
    json_decref(claims);
    free(token);
    tn_signer_free(signer);
}

/* ---- key files ---------------------------------------------------------------------------- */

#define D   "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define X   "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\""

static void test_key_files(void **state)
{
    static const struct {
        const char *json;
        const char *field, *reason; /* of the error; NULL: it is a good one */
    } cases[] = {
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\"}]}", NULL, NULL},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"alg\":\"EdDSA\",\"use\":\"sig\","
         "\"kid\":\"2026-01\",\"comment\":\"x\"}],\"more\":1}",
         NULL, NULL},
        {"", "", "not JSON"},
        {"{", "", "not JSON"},
        {"{\"keys\":[],\"keys\":[]}", "", "not JSON"},
        {"{}", "keys", "1 to 8"},
        {"[]", "keys", "1 to 8"},
        {"{\"keys\":[]}", "keys", "1 to 8"},
        {"{\"keys\":{}}", "keys", "1 to 8"},
        {"{\"keys\":[1,2,3,4,5,6,7,8,9]}", "keys", "1 to 8"},
        {"{\"keys\":[1]}", "keys[0]", "\"OKP\""},
        {"{\"keys\":[{\"kty\":\"RSA\",\"crv\":\"Ed25519\"}]}", "keys[0]", "\"OKP\""},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\"}]}", "keys[0]", "\"Ed25519\""},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"alg\":\"ES256\"}]}", "keys[0]",
         "\"alg\""},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"use\":\"enc\"}]}", "keys[0]",
         "\"use\""},
        {"{\"keys\":[{" OKP ",\"x\":\"" X "\"}]}", "keys[0]", "\"d\" is not"},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "A\",\"x\":\"" X "\"}]}", "keys[0]", "\"d\" is not"},
        {"{\"keys\":[{" OKP ",\"d\":\"nWGxne\",\"x\":\"" X "\"}]}", "keys[0]", "\"d\" is not"},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "=\",\"x\":\"" X "\"}]}", "keys[0]", "\"d\" is not"},
        {"{\"keys\":[{" OKP ",\"d\":1,\"x\":\"" X "\"}]}", "keys[0]", "\"d\" is not"},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\"}]}", "keys[0]", "\"x\" is not 32"},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" D "\"}]}", "keys[0]", "belongs"},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"kid\":\"\"}]}", "keys[0]",
         "\"kid\""},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"kid\":\"a b\"}]}", "keys[0]",
         "\"kid\""},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"kid\":7}]}", "keys[0]", "\"kid\""},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\"},{" OKP ",\"d\":\"" D "\",\"x\":\"" X
         "\"}]}",
         "keys[1]", "keys[0] too"},
        {"{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\"},{}]}", "keys[1]", "\"OKP\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_signer_t *signer = NULL;
        tn_err_t err = {0};
        int code = tn_signer_parse(&signer, cases[i].json, strlen(cases[i].json), &err);
        if (cases[i].reason == NULL) {
            assert_int_equal(code, TN_OK);
            tn_signer_free(signer);
            continue;
        }
        if (code != TN_EINVAL || strcmp(err.field, cases[i].field) != 0 ||
            strstr(err.detail, cases[i].reason) == NULL) {
            fail_msg("%s: %d %s: %s", cases[i].json, code, err.field, err.detail);
        }
        assert_null(signer);
        assert_null(strstr(err.detail, "nWGx"));
    }
    char kid[TN_KEY_ID_MAX + 2], json[512];
    memset(kid, 'k', sizeof(kid));
    kid[TN_KEY_ID_MAX + 1] = '\0';
    (void)snprintf(json, sizeof(json),
                   "{\"keys\":[{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\",\"kid\":\"%s\"}]}", kid);
    tn_signer_t *signer;
    assert_int_equal(tn_signer_parse(&signer, json, strlen(json), NULL), TN_EINVAL);
    tn_signer_free(NULL);
}

static void test_key_ids(void **state)
{
    const small_directory_t *small = *state;
    tn_public_key_t keys[TN_PUBLIC_KEYS_MAX];
    assert_int_equal(tn_signer_public_keys(keys, small->signer), 1);
    assert_string_equal(keys[0].id, KID);
    uint8_t secret[TN_ED25519_SECRET_SIZE];
    rfc_secret(secret);
    assert_memory_equal(keys[0].key, secret + 32, 32);
}

static void test_generated_keys(void **state)
{
    tn_public_key_t first[TN_PUBLIC_KEYS_MAX], second[TN_PUBLIC_KEYS_MAX];
    for (int i = 0; i < 2; i++) {
        char *jwks;
        size_t length;
        tn_signer_t *signer;
        assert_int_equal(tn_signer_generate(&jwks, &length, NULL), TN_OK);
        assert_int_equal(length, strlen(jwks));
        assert_int_equal(jwks[length - 1], '\n');
        assert_int_equal(tn_signer_parse(&signer, jwks, length, NULL), TN_OK);
        assert_int_equal(tn_signer_public_keys(i == 0 ? first : second, signer), 1);
        tn_signer_free(signer);
        free(jwks);
    }
    assert_memory_not_equal(first[0].key, second[0].key, sizeof(first[0].key));
    assert_string_not_equal(first[0].id, second[0].id);
}

/* Two keys: the first signs, both are published, and both are known by what they signed. */
static void test_several_keys(void **state)
{
    char *jwks, joined[1024];
    size_t length;
    tn_signer_t *signer;
    assert_int_equal(tn_signer_generate(&jwks, &length, NULL), TN_OK);
    json_t *own = json_loads(jwks, 0, NULL);
    char *key = json_dumps(json_array_get(json_object_get(own, "keys"), 0), JSON_COMPACT);
    (void)snprintf(joined, sizeof(joined),
                   "{\"keys\":[%s,{" OKP ",\"d\":\"" D "\",\"x\":\"" X "\"}]}", key);
    assert_int_equal(tn_signer_parse(&signer, joined, strlen(joined), NULL), TN_OK);
    tn_public_key_t keys[TN_PUBLIC_KEYS_MAX];
    assert_int_equal(tn_signer_public_keys(keys, signer), 2);
    assert_string_equal(keys[1].id, KID);
    char token[TN_TOKEN_MAX];
    tn_domain_t domain = domain_of(*state, "acme.localhost");
    tn_tenant_t tenant;
    const small_directory_t *small = *state;
    assert_int_equal(tn_tenant_from_domain(&tenant, small->directory, &domain), TN_OK);
    assert_int_equal(
        tn_token_sign(token, &length, signer, &tenant, TN_STR("acme.localhost"), NOW, NOW + 60),
        TN_OK);
    tn_jws_t jws;
    assert_int_equal(tn_jws_split(&jws, (tn_str_t){token, length}), TN_OK);
    assert_true(tn_jws_verify(&jws, keys[0].key));
    assert_false(tn_jws_verify(&jws, keys[1].key));
    tn_signer_free(signer);
    free(key);
    json_decref(own);
    free(jwks);
}

static void test_jwks_document(void **state)
{
    const small_directory_t *small = *state;
    tn_public_key_t keys[TN_PUBLIC_KEYS_MAX];
    size_t count = tn_signer_public_keys(keys, small->signer);
    char *json;
    size_t length;
    assert_int_equal(tn_jwks_document(&json, &length, keys, count), TN_OK);
    assert_string_equal(json, "{\"keys\":[{\"alg\":\"EdDSA\",\"crv\":\"Ed25519\",\"kid\":\"" KID
                              "\",\"kty\":\"OKP\",\"use\":\"sig\",\"x\":\"" X "\"}]}");
    assert_int_equal(length, strlen(json));
    assert_null(strstr(json, "\"d\""));
    free(json);
    keys[1] = keys[0];
    assert_int_equal(tn_jwks_document(&json, &length, keys, 2), TN_OK);
    json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_array_size(json_object_get(document, "keys")), 2);
    json_decref(document);
    free(json);
    assert_int_equal(tn_jwks_document(&json, &length, keys, 0), TN_OK);
    assert_string_equal(json, "{\"keys\":[]}");
    free(json);
    memcpy(keys[0].id, "a\"b", 4);
    assert_int_equal(tn_jwks_document(&json, &length, keys, 1), TN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_token_is_what_its_documentation_says),
        cmocka_unit_test(test_a_good_token),
        cmocka_unit_test(test_its_time),
        cmocka_unit_test(test_another_host_or_tenant),
        cmocka_unit_test(test_without_a_directory),
        cmocka_unit_test(test_every_flipped_bit),
        cmocka_unit_test(test_every_truncation_and_more),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_hmac_with_the_public_key),
        cmocka_unit_test(test_no_signature),
        cmocka_unit_test(test_another_key),
        cmocka_unit_test(test_what_cannot_be_signed),
        cmocka_unit_test(test_the_longest_token_fits),
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_key_ids),
        cmocka_unit_test(test_generated_keys),
        cmocka_unit_test(test_several_keys),
        cmocka_unit_test(test_jwks_document),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
