/*
 * Unit tests of base/uuid.h (and, through it, of base/random.h).
 */
#include "base/uuid.h"

#include "base/clock.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t milliseconds_of(const tn_uuid_t *id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++) {
        ms = ms << 8 | id->bytes[i];
    }
    return ms;
}

static void test_new_is_version_7(void **state)
{
    for (int i = 0; i < 1000; i++) {
        int64_t before = tn_clock_wall_ms();
        tn_uuid_t id = tn_uuid_new();
        int64_t after = tn_clock_wall_ms();
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
        assert_in_range(milliseconds_of(&id), before, after);
    }
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(tn_uuid_t));
}

/* Every bit that is not time, version or variant takes both values, and none comes twice. */
static void test_new_is_random(void **state)
{
    enum { count = 4096 };
    static tn_uuid_t ids[count];
    uint8_t ones[16] = {0}, zeroes[16] = {0};
    for (int i = 0; i < count; i++) {
        ids[i] = tn_uuid_new();
        for (int j = 0; j < 16; j++) {
            ones[j] |= ids[i].bytes[j];
            zeroes[j] |= (uint8_t)~ids[i].bytes[j];
        }
    }
    static const uint8_t random_bits[16] = {[6] = 0x0f, 0xff, 0x3f, 0xff, 0xff,
                                            0xff,       0xff, 0xff, 0xff, 0xff};
    for (int j = 6; j < 16; j++) {
        assert_int_equal(ones[j] & random_bits[j], random_bits[j]);
        assert_int_equal(zeroes[j] & random_bits[j], random_bits[j]);
    }
    qsort(ids, count, sizeof(ids[0]), compare);
    for (int i = 1; i < count; i++) {
        assert_true(compare(&ids[i - 1], &ids[i]) < 0);
    }
}

static void test_later_milliseconds_sort_after(void **state)
{
    tn_uuid_t before = tn_uuid_new();
    int64_t start = tn_clock_wall_ms();
    while (tn_clock_wall_ms() <= start + 1) {
    }
    tn_uuid_t after = tn_uuid_new();
    assert_true(compare(&before, &after) < 0);
}

/* The example of RFC 9562 appendix A.6. */
#define EXAMPLE "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
static const uint8_t example[16] = {0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
                                    0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};

static void test_format(void **state)
{
    char text[TN_UUID_LENGTH + 1];
    assert_ptr_equal(tn_uuid_format(text, example), text);
    assert_string_equal(text, EXAMPLE);
    static const uint8_t nil[16] = {0};
    assert_string_equal(tn_uuid_format(text, nil), "00000000-0000-0000-0000-000000000000");
}

static void test_parse(void **state)
{
    tn_uuid_t id;
    assert_int_equal(tn_uuid_parse(&id, TN_STR(EXAMPLE)), TN_OK);
    assert_memory_equal(id.bytes, example, 16);
    memset(&id, 0, sizeof(id));
    assert_int_equal(tn_uuid_parse(&id, TN_STR("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")), TN_OK);
    assert_memory_equal(id.bytes, example, 16);
    /* any version, and the nil one */
    assert_int_equal(tn_uuid_parse(&id, TN_STR("00000000-0000-0000-0000-000000000000")), TN_OK);
    assert_int_equal(tn_uuid_parse(&id, TN_STR("919108f7-52d1-4320-9bac-f847db4148a8")), TN_OK);
}

static void test_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "017f22e2",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "017f22e279b0-7cc3-98c4-dc0c0c07398f-",
        "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2_79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0739 f",
        " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "+17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "0x7f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_uuid_t id;
        memset(&id, 0x5a, sizeof(id));
        tn_uuid_t before = id;
        if (tn_uuid_parse(&id, tn_str(cases[i])) != TN_EINVAL) {
            fail_msg("'%s' was taken", cases[i]);
        }
        assert_memory_equal(&id, &before, sizeof(id));
    }
    tn_uuid_t id;
    assert_int_equal(tn_uuid_parse(&id, (tn_str_t){EXAMPLE, TN_UUID_LENGTH - 1}), TN_EINVAL);
    assert_int_equal(tn_uuid_parse(&id, (tn_str_t){NULL, 0}), TN_EINVAL);
}

static void test_text_and_back(void **state)
{
    for (int i = 0; i < 1000; i++) {
        tn_uuid_t id = tn_uuid_new();
        char text[TN_UUID_LENGTH + 1];
        tn_uuid_t again;
        assert_int_equal(tn_uuid_parse(&again, tn_str(tn_uuid_format(text, id.bytes))), TN_OK);
        assert_memory_equal(&again, &id, sizeof(id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_version_7),
        cmocka_unit_test(test_new_is_random),
        cmocka_unit_test(test_later_milliseconds_sort_after),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_text_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
