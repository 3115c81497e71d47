/*
 * Unit tests of base/str.h.
 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_equal(void **state)
{
    assert_true(tn_str_equal(TN_STR("abc"), tn_str("abc")));
    assert_true(tn_str_equal(TN_STR(""), (tn_str_t){NULL, 0}));
    assert_true(tn_str_equal(TN_STR("a\0b"), (tn_str_t){"a\0b", 3}));
    assert_false(tn_str_equal(TN_STR("a\0b"), (tn_str_t){"a\0c", 3}));
    assert_false(tn_str_equal(TN_STR("abc"), TN_STR("abcd")));
    assert_false(tn_str_equal(TN_STR("abc"), TN_STR("abC")));
}

static void test_equal_nocase(void **state)
{
    assert_true(tn_str_equal_nocase(TN_STR("X-Tenant-Id"), TN_STR("x-tEnANT-id")));
    assert_true(tn_str_equal_nocase(TN_STR(""), TN_STR("")));
    assert_false(tn_str_equal_nocase(TN_STR("abc"), TN_STR("ab")));
    /* pairs that differ by 0x20 and are no letters */
    assert_false(tn_str_equal_nocase(TN_STR("@"), TN_STR("`")));
    assert_false(tn_str_equal_nocase(TN_STR("["), TN_STR("{")));
    assert_false(tn_str_equal_nocase(TN_STR("-"), TN_STR("\r")));
    /* only ASCII: Latin-1's and UTF-8's letters keep their case */
    assert_false(tn_str_equal_nocase(TN_STR("\xc9"), TN_STR("\xe9")));
    assert_false(tn_str_equal_nocase(TN_STR("\xc3\x89"), TN_STR("\xc3\xa9")));
}

static void test_lower(void **state)
{
    for (int i = 0; i < 256; i++) {
        int expected = i >= 'A' && i <= 'Z' ? i + 32 : i;
        assert_int_equal((unsigned char)tn_ascii_lower((char)i), expected);
    }
}

static void test_starts_and_ends(void **state)
{
    assert_true(tn_str_starts(TN_STR("/t/acme"), TN_STR("/t/")));
    assert_true(tn_str_starts(TN_STR("/t/"), TN_STR("/t/")));
    assert_true(tn_str_starts(TN_STR("abc"), TN_STR("")));
    assert_false(tn_str_starts(TN_STR("/t"), TN_STR("/t/")));
    assert_false(tn_str_starts(TN_STR("x/t/"), TN_STR("/t/")));
    assert_true(tn_str_ends(TN_STR("acme.example"), TN_STR(".example")));
    assert_true(tn_str_ends(TN_STR("abc"), TN_STR("")));
    assert_true(tn_str_ends(TN_STR("abc"), TN_STR("abc")));
    assert_false(tn_str_ends(TN_STR("bc"), TN_STR("abc")));
    assert_false(tn_str_ends(TN_STR("abcd"), TN_STR("abc")));
}

static void test_trim(void **state)
{
    static const struct {
        const char *text, *trimmed;
    } cases[] = {
        {"", ""},    {" ", ""},    {" \t ", ""},         {"a", "a"},
        {" a", "a"}, {"a\t", "a"}, {" \ta b\t ", "a b"}, {"\na\r", "\na\r"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(tn_str_equal(tn_str_trim(tn_str(cases[i].text)), tn_str(cases[i].trimmed)));
    }
    const char *text = "  x ";
    assert_ptr_equal(tn_str_trim(tn_str(text)).data, text + 2);
}

static void test_copy(void **state)
{
    char buffer[4] = "xyz";
    assert_int_equal(tn_str_copy(buffer, sizeof(buffer), TN_STR("abcd")), TN_ETOOBIG);
    assert_string_equal(buffer, "xyz");
    assert_int_equal(tn_str_copy(buffer, 0, TN_STR("")), TN_ETOOBIG);
    assert_string_equal(buffer, "xyz");
    assert_int_equal(tn_str_copy(buffer, sizeof(buffer), (tn_str_t){"abcX", 3}), TN_OK);
    assert_string_equal(buffer, "abc");
    assert_int_equal(tn_str_copy(buffer, sizeof(buffer), TN_STR("")), TN_OK);
    assert_string_equal(buffer, "");
}

static void test_dup(void **state)
{
    char *copy = tn_str_dup((tn_str_t){"a\0bX", 3});
    assert_non_null(copy);
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    copy = tn_str_dup(TN_STR(""));
    assert_string_equal(copy, "");
    free(copy);
}

/* Each is checked at the very end of an allocation, so that a read past it is seen. */
static bool is_clean(const char *text, size_t length)
{
    char *exact = malloc(length == 0 ? 1 : length);
    assert_non_null(exact);
    memcpy(exact, text, length);
    bool result = tn_str_is_clean_utf8((tn_str_t){exact, length});
    free(exact);
    return result;
}

static void test_utf8(void **state)
{
    const struct {
        tn_str_t text;
        bool is_clean;
    } cases[] = {
        {TN_STR(""), true},
        {TN_STR("plain text ~"), true},
        {TN_STR("\xc3\xa9"), true},
        {TN_STR("a\xe2\x82\xac\xf0\x9f\x98\x80z"), true},
        /* the first and the last of each length, and what lies around the surrogates */
        {TN_STR("\xc2\x80"), true},
        {TN_STR("\xdf\xbf"), true},
        {TN_STR("\xe0\xa0\x80"), true},
        {TN_STR("\xed\x9f\xbf"), true},
        {TN_STR("\xee\x80\x80"), true},
        {TN_STR("\xef\xbf\xbf"), true},
        {TN_STR("\xf0\x90\x80\x80"), true},
        {TN_STR("\xf4\x8f\xbf\xbf"), true},
        /* C0 controls and DEL */
        {TN_STR("\0"), false},
        {TN_STR("a\nb"), false},
        {TN_STR("\t"), false},
        {TN_STR("\x1f"), false},
        {TN_STR("\x7f"), false},
        /* longer than needed */
        {TN_STR("\xc0\x80"), false},
        {TN_STR("\xc1\xbf"), false},
        {TN_STR("\xe0\x80\x80"), false},
        {TN_STR("\xe0\x9f\xbf"), false},
        {TN_STR("\xf0\x80\x80\x80"), false},
        {TN_STR("\xf0\x8f\xbf\xbf"), false},
        /* surrogates, above U+10FFFF, bytes that UTF-8 never has */
        {TN_STR("\xed\xa0\x80"), false},
        {TN_STR("\xed\xbf\xbf"), false},
        {TN_STR("\xf4\x90\x80\x80"), false},
        {TN_STR("\xf5\x80\x80\x80"), false},
        {TN_STR("\xf8\x88\x80\x80\x80"), false},
        {TN_STR("\xfe"), false},
        {TN_STR("\xff"), false},
        /* continuation bytes without, and a beginning without its continuation */
        {TN_STR("\x80"), false},
        {TN_STR("\xbf"), false},
        {TN_STR("a\xc3"), false},
        {TN_STR("\xc3("), false},
        {TN_STR("\xe2\x82"), false},
        {TN_STR("\xe2\x28\xa1"), false},
        {TN_STR("\xe2\x82("), false},
        {TN_STR("\xf0\x9f\x98"), false},
        {TN_STR("\xf0\x9f("), false},
        {TN_STR("\xc3\xa9\xa9"), false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (is_clean(cases[i].text.data, cases[i].text.length) != cases[i].is_clean) {
            fail_msg("case %zu", i);
        }
    }
    assert_true(tn_str_is_clean_utf8((tn_str_t){NULL, 0}));
}

static size_t encode(char out[4], unsigned point)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1;) {
        out[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char)(lead[length] | point);
    return length;
}

static void test_utf8_every_code_point(void **state)
{
    for (unsigned point = 0; point <= 0x110fff; point++) {
        char text[4];
        size_t length = encode(text, point);
        bool expected = point >= 0x20 && point != 0x7f && (point < 0xd800 || point > 0xdfff) &&
                        point <= 0x10ffff;
        if (tn_str_is_clean_utf8((tn_str_t){text, length}) != expected) {
            fail_msg("U+%04X", point);
        }
    }
}

static void test_number(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        int code;
        uint64_t value;
    } cases[] = {
        {"0", 0, TN_OK, 0},
        {"1", 0, TN_EINVAL, 0},
        {"9", 8, TN_EINVAL, 0},
        {"8", 8, TN_OK, 8},
        {"10", 9, TN_EINVAL, 0},
        {"65535", 65535, TN_OK, 65535},
        {"65536", 65535, TN_EINVAL, 0},
        {"00042", 65535, TN_OK, 42},
        {"18446744073709551615", UINT64_MAX, TN_OK, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, TN_EINVAL, 0},
        {"18446744073709551625", UINT64_MAX, TN_EINVAL, 0},
        {"99999999999999999999", UINT64_MAX, TN_EINVAL, 0},
        {"184467440737095516150", UINT64_MAX, TN_EINVAL, 0},
        {"18446744073709551614", UINT64_MAX - 1, TN_OK, UINT64_MAX - 1},
        {"18446744073709551615", UINT64_MAX - 1, TN_EINVAL, 0},
        {"", UINT64_MAX, TN_EINVAL, 0},
        {"+1", UINT64_MAX, TN_EINVAL, 0},
        {"-1", UINT64_MAX, TN_EINVAL, 0},
        {" 1", UINT64_MAX, TN_EINVAL, 0},
        {"1 ", UINT64_MAX, TN_EINVAL, 0},
        {"1\n", UINT64_MAX, TN_EINVAL, 0},
        {"0x10", UINT64_MAX, TN_EINVAL, 0},
        {"1e3", UINT64_MAX, TN_EINVAL, 0},
        {"1.0", UINT64_MAX, TN_EINVAL, 0},
        {"1a", UINT64_MAX, TN_EINVAL, 0},
        {"/", UINT64_MAX, TN_EINVAL, 0},
        {":", UINT64_MAX, TN_EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 4711;
        if (tn_str_number(&value, tn_str(cases[i].text), cases[i].max) != cases[i].code ||
            value != (cases[i].code == TN_OK ? cases[i].value : 4711)) {
            fail_msg("'%s' up to %llu", cases[i].text, (unsigned long long)cases[i].max);
        }
    }
    uint64_t value;
    assert_int_equal(tn_str_number(&value, (tn_str_t){"1\0", 2}, UINT64_MAX), TN_EINVAL);
    assert_int_equal(tn_str_number(&value, (tn_str_t){NULL, 0}, UINT64_MAX), TN_EINVAL);
}

/* All numbers against all small limits, which is where an off-by-one would be. */
static void test_number_around_every_limit(void **state)
{
    for (uint64_t max = 0; max < 250; max++) {
        for (unsigned number = 0; number < 260; number++) {
            char text[4] = {0};
            size_t length = 0;
            for (unsigned power = 100; power > 0; power /= 10) {
                if (number >= power || power == 1) {
                    text[length++] = (char)('0' + number / power % 10);
                }
            }
            uint64_t value = 9999;
            int code = tn_str_number(&value, (tn_str_t){text, length}, max);
            assert_int_equal(code, number <= max ? TN_OK : TN_EINVAL);
            assert_int_equal(value, number <= max ? number : 9999);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_nocase),
        cmocka_unit_test(test_lower),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_dup),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_every_code_point),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_number_around_every_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
