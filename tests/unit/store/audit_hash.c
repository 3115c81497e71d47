/*
 * Hashes and seals against values that another program computed from docs/audit-format.md.
 */
#include "store/audit_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Python: hashlib.sha256 over the bytes that the document draws */
#define ENTRY_HASH  "781a0cbc4ef5f7205abe71e3f2033a606b94f01cab93a0dc79586276e9c052f0"
#define FIRST_SEAL  "7ac4bf2bda4acb4dfa64eedc0bc7d119e1835dffa4816ddcdeb0d067ba7cc327"
#define SECOND_SEAL "3ed295ff495282f2ba6e74294912ace3f3e4d105068408748e94c1f1384517f5"
#define EMPTY_SEAL  "e6983aacbe955f4991fbd0d43d6489f6ec8977a1ff5b9e3522f01dd45992f2bf"
#define ALL_F       "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const tn_audit_entry_t sample = {
    .chain = "platform",
    .sequence = 1,
    .at_ms = 1767225599123,
    .actor_kind = "operator",
    .actor_name = "Zo\xc3\xa9",
    .address = "192.0.2.1",
    .action = "flag.set",
    .target = "beta",
    .before = "",
    .after = "{\"default\":true}",
    .generation = 7,
};

static void test_entry(void **state)
{
    char hash[TN_HASH_TEXT + 1];
    tn_audit_hash(hash, &sample, TN_HASH_NONE);
    assert_string_equal(hash, ENTRY_HASH);
}

static void test_seals(void **state)
{
    char seal[TN_HASH_TEXT + 1];
    crypto_hash_sha256_state hashing;
    tn_seal_begin(&hashing, 7, TN_HASH_NONE);
    tn_seal_add(&hashing, ENTRY_HASH);
    tn_seal_end(seal, &hashing);
    assert_string_equal(seal, FIRST_SEAL);
    tn_seal_begin(&hashing, 8, seal);
    tn_seal_add(&hashing, ENTRY_HASH);
    tn_seal_add(&hashing, ALL_F);
    tn_seal_end(seal, &hashing);
    assert_string_equal(seal, SECOND_SEAL);
    tn_seal_begin(&hashing, 9, TN_HASH_NONE);
    tn_seal_end(seal, &hashing);
    assert_string_equal(seal, EMPTY_SEAL);
}

/* Every part counts, and no byte can move from one part to the next. */
static void test_every_part_counts(void **state)
{
    tn_audit_entry_t entries[13];
    char hashes[14][TN_HASH_TEXT + 1];
    for (size_t i = 0; i < 13; i++) {
        entries[i] = sample;
    }
    entries[0].chain = "platforn";
    entries[1].sequence = 2;
    entries[2].at_ms++;
    entries[3].actor_kind = "system";
    entries[4].actor_name = "";
    entries[5].address = "192.0.2.2";
    entries[6].action = "flag.unset";
    entries[7].target = "betb";
    entries[8].before = "{}";
    entries[9].after = "";
    entries[10].generation = 0;
    entries[11].action = "flag.setb";
    entries[11].target = "eta";
    entries[12].before = sample.after;
    entries[12].after = sample.before;
    for (size_t i = 0; i < 13; i++) {
        tn_audit_hash(hashes[i], &entries[i], TN_HASH_NONE);
        assert_string_not_equal(hashes[i], ENTRY_HASH);
    }
    tn_audit_hash(hashes[13], &sample, ALL_F);
    for (size_t i = 0; i < 14; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(hashes[i], hashes[j]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_seals),
        cmocka_unit_test(test_every_part_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
