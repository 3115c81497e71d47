/*
 * Unit tests of cli/output.h: what reaches a terminal, and how it is aligned.
 */
#include "cli/output.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_clean(const char *text, const char *expected)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_output_clean(&buf, text);
    assert_string_equal(buf.data == NULL ? "" : buf.data, expected);
    tn_buf_deinit(&buf);
}

static void test_clean(void **state)
{
    assert_clean("", "");
    assert_clean("Société Générale", "Société Générale");
    assert_clean("日本", "日本");
    assert_clean("a\033[31mb", "a?[31mb");
    assert_clean("a\nb\tc\x7f", "a?b?c?");
    assert_clean("\xc2\x9b"
                 "31m",
                 "?31m"); /* the C1 control that begins a sequence too */
    assert_clean("a\xffz", "a?z");
    assert_clean("\xe2\x80\xae"
                 "abc",
                 "?abc"); /* right-to-left override */
}

static void test_width(void **state)
{
    assert_int_equal(tn_output_width(""), 0);
    assert_int_equal(tn_output_width("abc"), 3);
    assert_int_equal(tn_output_width("été"), 3);
    assert_int_equal(tn_output_width("日本"), 4);
    assert_int_equal(tn_output_width("e\xcc\x81"), 1); /* a combining accent */
}

static char *print(const tn_table_t *table, bool colour)
{
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    assert_true(tn_table_print(table, stream, colour));
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void test_table(void **state)
{
    tn_table_t table;
    tn_table_init(&table, (const char *const[]){"SLUG", "NAME", "END", NULL});
    const char *const cells[] = {"a", "Été", "1", "longer-one", "日本語", "", "b", NULL, "x\n"};
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        tn_table_add(&table, cells[i]);
    }
    char *text = print(&table, false);
    assert_string_equal(text, "SLUG        NAME    END\n"
                              "a           Été     1\n"
                              "longer-one  日本語  -\n"
                              "b           -       x?\n");
    free(text);
    text = print(&table, true);
    assert_true(strncmp(text, "\033[1mSLUG\033[0m        \033[1mNAME\033[0m", 28) == 0);
    free(text);
    tn_table_deinit(&table);
}

static void test_large_table(void **state)
{
    tn_table_t table;
    tn_table_init(&table, (const char *const[]){"A", "B", NULL});
    for (int i = 0; i < 2000; i++) {
        tn_table_add(&table, i % 2 == 0 ? "x" : "y");
    }
    char *text = print(&table, false);
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 1001);
    free(text);
    tn_table_deinit(&table);
}

static void test_scalar(void **state)
{
    char buffer[TN_OUTPUT_SCALAR_SIZE];
    json_t *object = json_pack("{s:s, s:i, s:b, s:b, s:n, s:f, s:[]}", "text", "x", "number", -7,
                               "yes", 1, "no", 0, "null", "real", 0.5, "list");
    assert_string_equal(tn_output_scalar(buffer, object, "text"), "x");
    assert_string_equal(tn_output_scalar(buffer, object, "number"), "-7");
    assert_string_equal(tn_output_scalar(buffer, object, "yes"), "yes");
    assert_string_equal(tn_output_scalar(buffer, object, "no"), "no");
    assert_string_equal(tn_output_scalar(buffer, object, "null"), "");
    assert_string_equal(tn_output_scalar(buffer, object, "real"), "0.5");
    assert_string_equal(tn_output_scalar(buffer, object, "list"), "");
    assert_string_equal(tn_output_scalar(buffer, object, "missing"), "");
    assert_string_equal(tn_output_text(object, "text"), "x");
    assert_string_equal(tn_output_text(object, "number"), "");
    assert_string_equal(tn_output_text(NULL, "x"), "");
    json_decref(object);
}

static void test_no_colour_outside_a_terminal(void **state)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_false(tn_output_may_colour(stream, false));
    assert_int_equal(fclose(stream), 0);
}

static int set_up(void **state)
{
    return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),  cmocka_unit_test(test_width),
        cmocka_unit_test(test_table),  cmocka_unit_test(test_large_table),
        cmocka_unit_test(test_scalar), cmocka_unit_test(test_no_colour_outside_a_terminal),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
