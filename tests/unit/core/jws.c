/*
 * Unit tests of core/jws.h, against the examples of RFC 4648, RFC 7638 and RFC 8037.
 */
#include "core/jws.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* RFC 8037 appendix A.1 and A.2: the private and the public key */
static const char seed_text[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
static const char public_text[] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/* appendix A.4: the signature over "Example of Ed25519 signing" */
static const char signed_text[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PG"
    "cvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

static void decode_key(uint8_t out[TN_ED25519_KEY_SIZE], const char *text)
{
    size_t length;
    assert_int_equal(tn_base64url_decode(out, TN_ED25519_KEY_SIZE, &length, tn_str(text)), TN_OK);
    assert_int_equal(length, TN_ED25519_KEY_SIZE);
}

static void test_base64url(void **state)
{
    static const struct {
        const char *plain, *encoded;
    } cases[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char encoded[16], decoded[16];
        size_t length = tn_base64url_encode(encoded, cases[i].plain, strlen(cases[i].plain));
        assert_int_equal(length, strlen(cases[i].encoded));
        assert_string_equal(encoded, cases[i].encoded);
        assert_int_equal(
            tn_base64url_decode(decoded, sizeof(decoded), &length, tn_str(cases[i].encoded)),
            TN_OK);
        assert_int_equal(length, strlen(cases[i].plain));
        assert_memory_equal(decoded, cases[i].plain, length);
    }
}

static void test_base64url_has_one_spelling(void **state)
{
    static const char *const refused[] = {
        "Zg==", "Zg=",  "Zh",   "Zv",   "Zm9",   "Zm-",  "Z",     "Zm9vY",   "+w",
        "/w",   "Zm 8", "Zm8 ", " Zm8", "Zm8\n", "Zm8.", "Zm8\"", "Zm8\x80", "Zm9v=",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char decoded[16];
        size_t length;
        if (tn_base64url_decode(decoded, sizeof(decoded), &length, tn_str(refused[i])) !=
            TN_EINVAL) {
            fail_msg("'%s' was taken", refused[i]);
        }
    }
    char decoded[16];
    size_t length;
    assert_int_equal(tn_base64url_decode(decoded, sizeof(decoded), &length, (tn_str_t){"Zm8\0", 4}),
                     TN_EINVAL);
}

static void test_base64url_every_byte(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        const char text[4] = {'Z', 'm', '9', (char)byte};
        char decoded[3];
        size_t length;
        bool is_in_alphabet = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                              (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
        int code =
            tn_base64url_decode(decoded, sizeof(decoded), &length, (tn_str_t){text, sizeof(text)});
        if (code != (is_in_alphabet ? TN_OK : TN_EINVAL)) {
            fail_msg("byte 0x%02x", (unsigned)byte);
        }
    }
}

/* Of all texts of two and three characters, as many are taken as there are values. */
static void test_base64url_is_one_to_one(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int taken[2] = {0};
    for (int i = 0; i < 64 * 64 * 64; i++) {
        const char text[3] = {alphabet[i / 4096], alphabet[i / 64 % 64], alphabet[i % 64]};
        uint8_t decoded[4];
        size_t length;
        if (i < 64 * 64) {
            taken[0] += tn_base64url_decode(decoded, sizeof(decoded), &length,
                                            (tn_str_t){text + 1, 2}) == TN_OK;
        }
        taken[1] +=
            tn_base64url_decode(decoded, sizeof(decoded), &length, (tn_str_t){text, 3}) == TN_OK;
    }
    assert_int_equal(taken[0], 256);
    assert_int_equal(taken[1], 65536);
}

static void test_base64url_too_long(void **state)
{
    uint8_t decoded[3];
    size_t length;
    assert_int_equal(tn_base64url_decode(decoded, 3, &length, TN_STR("Zm9v")), TN_OK);
    assert_int_equal(tn_base64url_decode(decoded, 2, &length, TN_STR("Zm9v")), TN_EINVAL);
    assert_int_equal(tn_base64url_decode(decoded, 3, &length, TN_STR("Zm9vYg")), TN_EINVAL);
}

static void test_thumbprint(void **state)
{
    uint8_t public[TN_ED25519_KEY_SIZE];
    char id[TN_THUMBPRINT_ID_SIZE];
    decode_key(public, public_text);
    tn_key_thumbprint_id(id, public);
    /* RFC 8037 appendix A.3 has all 32 bytes of it; the id is the first 16 */
    uint8_t whole[32], half[16];
    size_t length;
    decode_key(whole, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_int_equal(tn_base64url_decode(half, sizeof(half), &length, tn_str(id)), TN_OK);
    assert_int_equal(length, 16);
    assert_memory_equal(half, whole, 16);
}

static void test_sign(void **state)
{
    uint8_t secret[TN_ED25519_SECRET_SIZE];
    decode_key(secret, seed_text);
    decode_key(secret + TN_ED25519_KEY_SIZE, public_text);
    tn_str_t header = TN_STR("{\"alg\":\"EdDSA\"}");
    tn_str_t payload = TN_STR("Example of Ed25519 signing");
    char out[sizeof(signed_text)];
    size_t length;
    assert_int_equal(tn_jws_sign(out, sizeof(out), &length, header, payload, secret), TN_OK);
    assert_string_equal(out, signed_text);
    assert_int_equal(length, sizeof(signed_text) - 1);
    assert_int_equal(tn_jws_sign(out, sizeof(out) - 1, &length, header, payload, secret),
                     TN_ETOOBIG);
    char large[2 * TN_JWS_PART_MAX];
    assert_int_equal(tn_jws_sign(large, sizeof(large), &length,
                                 (tn_str_t){large, TN_JWS_PART_MAX + 1}, payload, secret),
                     TN_ETOOBIG);
}

static void test_verify(void **state)
{
    uint8_t public[TN_ED25519_KEY_SIZE];
    tn_jws_t jws;
    decode_key(public, public_text);
    assert_int_equal(tn_jws_split(&jws, tn_str(signed_text)), TN_OK);
    assert_true(
        tn_str_equal((tn_str_t){jws.header, jws.header_length}, TN_STR("{\"alg\":\"EdDSA\"}")));
    assert_true(tn_str_equal((tn_str_t){jws.payload, jws.payload_length},
                             TN_STR("Example of Ed25519 signing")));
    assert_true(tn_jws_verify(&jws, public));
    public[0] ^= 1;
    assert_false(tn_jws_verify(&jws, public));
}

static void test_a_weak_public_key_verifies_nothing(void **state)
{
    /* the neutral element: under it S = 0, R = A would fit any message in a lax verifier */
    static const uint8_t neutral[TN_ED25519_KEY_SIZE] = {1};
    tn_jws_t jws;
    assert_int_equal(tn_jws_split(&jws, tn_str(signed_text)), TN_OK);
    memset(jws.signature, 0, sizeof(jws.signature));
    jws.signature[0] = 1;
    assert_false(tn_jws_verify(&jws, neutral));
}

static void test_split_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "e30",
        "e30.e30",
        "e30.e30.",
        "e30.e30.e30",
        ".e30.e30",
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
    };
    tn_jws_t jws;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (tn_jws_split(&jws, tn_str(cases[i])) != TN_ETOKEN) {
            fail_msg("'%s' was taken", cases[i]);
        }
    }
    assert_int_equal(tn_jws_split(&jws, (tn_str_t){NULL, 0}), TN_ETOKEN);
    /* every shorter one, at the end of an allocation, and one that is longer by a part */
    for (size_t length = 0; length < sizeof(signed_text) - 1; length++) {
        char *cut = malloc(length == 0 ? 1 : length);
        assert_non_null(cut);
        memcpy(cut, signed_text, length);
        int code = tn_jws_split(&jws, (tn_str_t){cut, length});
        free(cut);
        assert_int_equal(code, TN_ETOKEN);
    }
    char longer[sizeof(signed_text) + 8];
    memcpy(longer, signed_text, sizeof(signed_text) - 1);
    memcpy(longer + sizeof(signed_text) - 1, ".e30", 5);
    assert_int_equal(tn_jws_split(&jws, tn_str(longer)), TN_ETOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_base64url_has_one_spelling),
        cmocka_unit_test(test_base64url_every_byte),
        cmocka_unit_test(test_base64url_is_one_to_one),
        cmocka_unit_test(test_base64url_too_long),
        cmocka_unit_test(test_thumbprint),
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_a_weak_public_key_verifies_nothing),
        cmocka_unit_test(test_split_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
