/*
 * Unit tests of control/auth.h.
 */
#include "control/auth.h"

#include "base/file.h"
#include "base/str.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tenantry-auth-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/operator.token", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(path);
    return rmdir(folder);
}

/* The token's file, without its line end; a static text. */
static const char *read_token(void)
{
    static char token[TN_OPERATOR_TOKEN_LENGTH + 1];
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(tn_file_read(&text, &length, path, 256, NULL), TN_OK);
    assert_int_equal(length, TN_OPERATOR_TOKEN_LENGTH + 1);
    assert_int_equal(text[TN_OPERATOR_TOKEN_LENGTH], '\n');
    memcpy(token, text, TN_OPERATOR_TOKEN_LENGTH);
    free(text);
    return token;
}

__attribute__((format(printf, 2, 3))) static bool check(const tn_operator_t *known,
                                                        const char *format, ...)
{
    char header[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(header, sizeof(header), format, args);
    va_end(args);
    return tn_operator_check(known, tn_str(header));
}

static void test_made_and_read_again(void **state)
{
    tn_operator_t first, second;
    bool is_new = false;
    struct stat info;
    assert_int_equal(tn_operator_load(&first, &is_new, path, NULL), TN_OK);
    assert_true(is_new);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    const char *token = read_token();
    assert_int_equal(strncmp(token, "tno_", 4), 0);
    assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_"),
                     TN_OPERATOR_TOKEN_LENGTH);
    assert_int_equal(tn_operator_load(&second, &is_new, path, NULL), TN_OK);
    assert_false(is_new);
    assert_memory_equal(&first, &second, sizeof(first));
    assert_true(check(&second, "Bearer %s", token));
}

static void test_each_is_another(void **state)
{
    tn_operator_t made;
    bool is_new;
    char first[TN_OPERATOR_TOKEN_LENGTH + 1];
    assert_int_equal(tn_operator_load(&made, &is_new, path, NULL), TN_OK);
    memcpy(first, read_token(), sizeof(first));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tn_operator_load(&made, &is_new, path, NULL), TN_OK);
    assert_string_not_equal(first, read_token());
    assert_false(check(&made, "Bearer %s", first));
}

static void test_check(void **state)
{
    tn_operator_t made;
    bool is_new;
    char changed[TN_OPERATOR_TOKEN_LENGTH + 1];
    assert_int_equal(tn_operator_load(&made, &is_new, path, NULL), TN_OK);
    const char *token = read_token();
    assert_true(check(&made, "Bearer %s", token));
    assert_true(check(&made, "bearer %s", token));
    assert_true(check(&made, "Bearer  %s", token));
    assert_false(check(&made, "Bearer %sx", token));
    assert_false(check(&made, "Bearer %.46s", token));
    assert_false(check(&made, "Bearer %.4s", token));
    assert_false(check(&made, "Basic %s", token));
    assert_false(check(&made, "Bearer%s", token));
    assert_false(check(&made, "%s", token));
    assert_false(check(&made, "Bearer %s, Bearer x", token));
    assert_false(tn_operator_check(&made, TN_STR("")));
    assert_false(tn_operator_check(&made, TN_STR("Bearer")));
    assert_false(tn_operator_check(&made, TN_STR("Bearer ")));
    /* each single byte counts */
    for (size_t i = 0; i < TN_OPERATOR_TOKEN_LENGTH; i++) {
        memcpy(changed, token, sizeof(changed));
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(check(&made, "Bearer %s", changed));
    }
}

static void test_refused_files(void **state)
{
    static const char good[] = "tno_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    static const struct {
        const char *text;
        mode_t mode;
        int code;
    } cases[] = {
        {good, 0600, TN_OK},
        {good, 0400, TN_OK},
        {good, 0640, TN_EPERM},
        {good, 0604, TN_EPERM},
        {good, 0602, TN_EPERM},
        {"", 0600, TN_EINVAL},
        {"\n", 0600, TN_EINVAL},
        {"tno_short\n", 0600, TN_EINVAL},
        {"xxx_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", 0600, TN_EINVAL},
        {"tno_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+\n", 0600, TN_EINVAL},
        {"tno_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", 0600, TN_EINVAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_operator_t made;
        bool is_new = true;
        tn_err_t err = {0};
        assert_int_equal(
            tn_file_write(path, cases[i].text, strlen(cases[i].text), cases[i].mode, NULL), TN_OK);
        int code = tn_operator_load(&made, &is_new, path, &err);
        if (code != cases[i].code) {
            fail_msg("case %zu: %d (%s)", i, code, err.detail);
        }
        /* what is in the file is never told */
        assert_null(strstr(err.detail, "AAAA"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_and_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_is_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
