/*
 * Unit tests of base/buf.h.
 */
#include "base/buf.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_empty(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    assert_null(buf.data);
    size_t length = 1;
    char *text = tn_buf_take(&buf, &length);
    assert_string_equal(text, "");
    assert_int_equal(length, 0);
    free(text);
    tn_buf_t zeroed = {0};
    tn_buf_deinit(&zeroed);
}

static void test_appends_stay_terminated(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add(&buf, "abXX", 2);
    assert_string_equal(buf.data, "ab");
    tn_buf_add_str(&buf, (tn_str_t){"cdXX", 2});
    assert_string_equal(buf.data, "abcd");
    tn_buf_add_text(&buf, "ef");
    tn_buf_add_format(&buf, "%d-%s", 42, "x");
    tn_buf_add(&buf, NULL, 0);
    assert_string_equal(buf.data, "abcdef42-x");
    assert_int_equal(buf.length, 10);
    assert_false(tn_buf_failed(&buf));
    tn_buf_deinit(&buf);
    assert_null(buf.data);
}

static void test_bytes_of_every_value_are_kept(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    char bytes[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    tn_buf_add(&buf, bytes, sizeof(bytes));
    assert_int_equal(buf.length, sizeof(bytes));
    assert_memory_equal(buf.data, bytes, sizeof(bytes));
    assert_int_equal(buf.data[256], '\0');
    tn_buf_deinit(&buf);
}

/* One byte at a time over several sizes, and pieces that end just at a capacity. */
static void test_growth(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    for (size_t i = 0; i < 10000; i++) {
        char c = (char)('a' + i % 26);
        tn_buf_add(&buf, &c, 1);
        assert_true(buf.length < buf.capacity);
        assert_int_equal(buf.data[buf.length], '\0');
    }
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(buf.data[i], 'a' + i % 26);
    }
    tn_buf_deinit(&buf);
    for (size_t size = 250; size < 260; size++) {
        char piece[260];
        memset(piece, 'x', sizeof(piece));
        tn_buf_init(&buf);
        tn_buf_add(&buf, piece, size);
        tn_buf_add_format(&buf, "%s", "tail");
        assert_int_equal(buf.length, size + 4);
        assert_string_equal(buf.data + size, "tail");
        tn_buf_deinit(&buf);
    }
}

static void test_long_format(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add_format(&buf, "%05000d", 7);
    assert_int_equal(buf.length, 5000);
    assert_int_equal(buf.data[4999], '7');
    assert_int_equal(buf.data[4998], '0');
    tn_buf_deinit(&buf);
}

static void test_html(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add_html(&buf, TN_STR("<a href=\"x\">Tom & 'Jerry'</a> \xc3\xa9"));
    assert_string_equal(buf.data,
                        "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/a&gt; \xc3\xa9");
    tn_buf_deinit(&buf);
}

static void test_take_leaves_it_empty_and_usable(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add_text(&buf, "first");
    size_t length;
    char *first = tn_buf_take(&buf, &length);
    assert_string_equal(first, "first");
    assert_int_equal(length, 5);
    assert_null(buf.data);
    assert_int_equal(buf.length, 0);
    tn_buf_add_text(&buf, "second");
    char *second = tn_buf_take(&buf, NULL);
    assert_string_equal(second, "second");
    assert_string_equal(first, "first");
    free(first);
    free(second);
}

/* A size that no memory can hold stands for memory that ran out. */
static void test_failure_is_remembered(void **state)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add_text(&buf, "kept");
    tn_buf_add(&buf, "", SIZE_MAX / 2 + 1);
    assert_true(tn_buf_failed(&buf));
    tn_buf_add_text(&buf, "ignored");
    tn_buf_add_format(&buf, "%s", "ignored");
    tn_buf_add_html(&buf, TN_STR("<ignored>"));
    assert_string_equal(buf.data, "kept");
    assert_null(tn_buf_take(&buf, NULL));
    assert_null(buf.data);
    assert_false(tn_buf_failed(&buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_appends_stay_terminated),
        cmocka_unit_test(test_bytes_of_every_value_are_kept),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_long_format),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_take_leaves_it_empty_and_usable),
        cmocka_unit_test(test_failure_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
