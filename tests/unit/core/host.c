/*
 * Unit tests of core/host.h and tn_host_parse. The table of Host headers is
 * tests/vectors/hosts.txt, whose path is the first argument.
 */
#include "core/host.h"

#include "base/file.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct {
    tn_str_t input, result, name, port, kind;
} vector_t;

/* Cuts the text up to the next separator (or the end) off the front of *text. */
static tn_str_t cut(tn_str_t *text, char separator)
{
    const char *end = text->length == 0 ? NULL : memchr(text->data, separator, text->length);
    tn_str_t part = {text->data, end == NULL ? text->length : (size_t)(end - text->data)};
    size_t used = part.length + (end != NULL);
    *text = (tn_str_t){text->data + used, text->length - used};
    return part;
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : tn_ascii_lower(c) - 'a' + 10;
}

/* Undoes the C escapes of the table; the caller frees. */
static char *unescape(size_t *length, tn_str_t text)
{
    /* exactly as large as what it holds, so that a read past the end is seen */
    char *plain = malloc(text.length + 1);
    assert_non_null(plain);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c != '\\') {
            plain[used++] = c;
            continue;
        }
        assert_true(i + 1 < text.length);
        switch (text.data[++i]) {
        case 't':
            plain[used++] = '\t';
            break;
        case 'r':
            plain[used++] = '\r';
            break;
        case 'n':
            plain[used++] = '\n';
            break;
        case '\\':
            plain[used++] = '\\';
            break;
        case 'x':
            assert_true(i + 2 < text.length);
            plain[used++] = (char)(hex_digit(text.data[i + 1]) << 4 | hex_digit(text.data[i + 2]));
            i += 2;
            break;
        default:
            fail_msg("unknown escape in '%.*s'", (int)text.length, text.data);
        }
    }
    *length = used;
    char *exact = realloc(plain, used == 0 ? 1 : used);
    assert_non_null(exact);
    return exact;
}

static void check_vector(const vector_t *vector)
{
    size_t length;
    char *input = unescape(&length, vector->input);
    tn_host_t host;
    memset(&host, 0x5a, sizeof(host));
    tn_host_t before;
    memcpy(&before, &host, sizeof(before));
    int code = tn_host_parse(&host, input, length);
    free(input);
    if (tn_str_equal(vector->result, TN_STR("TN_EHOST"))) {
        if (code != TN_EHOST) {
            fail_msg("'%.*s' was taken as '%s'", (int)vector->input.length, vector->input.data,
                     host.name);
        }
        assert_memory_equal(&host, &before, sizeof(host));
        return;
    }
    assert_true(tn_str_equal(vector->result, TN_STR("TN_OK")));
    if (code != TN_OK) {
        fail_msg("'%.*s' was refused", (int)vector->input.length, vector->input.data);
    }
    char port[8] = "-";
    if (host.has_port) {
        (void)snprintf(port, sizeof(port), "%u", host.port);
    } else {
        assert_int_equal(host.port, 0);
    }
    assert_int_equal(host.length, strlen(host.name));
    assert_int_equal(host.length, vector->name.length);
    assert_memory_equal(host.name, vector->name.data, vector->name.length);
    assert_true(tn_str_equal(vector->port, tn_str(port)));
    assert_true(tn_str_equal(vector->kind, host.is_ip ? TN_STR("ip") : TN_STR("name")));
}

static void test_table(void **state)
{
    char *data;
    size_t length;
    assert_int_equal(tn_file_read(&data, &length, *state, 1 << 20, NULL), TN_OK);
    tn_str_t text = {data, length};
    size_t taken = 0, refused = 0;
    while (text.length > 0) {
        tn_str_t line = cut(&text, '\n');
        if (line.length == 0 || line.data[0] == '#') {
            continue;
        }
        vector_t vector = {0};
        tn_str_t *columns[] = {&vector.input, &vector.result, &vector.name, &vector.port,
                               &vector.kind};
        for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
            *columns[i] = cut(&line, '\t');
        }
        assert_int_equal(line.length, 0);
        check_vector(&vector);
        if (vector.name.length > 0) {
            taken++;
        } else {
            refused++;
        }
    }
    free(data);
    /* a table that was not read would pass everything */
    assert_true(taken >= 40);
    assert_true(refused >= 150);
}

/* What was taken is taken again as it stands, and means the same. */
static void test_a_normalised_name_is_its_own_normal_form(void **state)
{
    static const char *const names[] = {"Demo.LOCALHOST.:80", "127.0.0.1.", "[2001:DB8::1]:443"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tn_host_t once, twice;
        assert_int_equal(tn_host_parse(&once, names[i], strlen(names[i])), TN_OK);
        assert_int_equal(tn_host_parse(&twice, once.name, once.length), TN_OK);
        assert_string_equal(once.name, twice.name);
        assert_int_equal(once.is_ip, twice.is_ip);
        assert_false(twice.has_port);
    }
}

/* Each of the 256 bytes, at the beginning, inside and at the end of a label. */
static void test_every_byte(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        char lower = tn_ascii_lower((char)byte);
        bool is_letter_or_digit = (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9');
        char inside[] = {'a', (char)byte, 'b', '.', 'c'};
        char first[] = {(char)byte, 'b', '.', 'c'};
        char last[] = {'a', (char)byte, '.', 'c'};
        tn_host_t host;
        assert_int_equal(tn_host_parse(&host, inside, sizeof(inside)),
                         is_letter_or_digit || byte == '-' || byte == '.' ? TN_OK : TN_EHOST);
        assert_int_equal(tn_host_parse(&host, first, sizeof(first)),
                         is_letter_or_digit ? TN_OK : TN_EHOST);
        assert_int_equal(tn_host_parse(&host, last, sizeof(last)),
                         is_letter_or_digit ? TN_OK : TN_EHOST);
    }
}

static void test_no_text_at_all(void **state)
{
    tn_host_t host;
    assert_int_equal(tn_host_parse(&host, NULL, 0), TN_EHOST);
}

/* Every port there is, and the first numbers that are none. */
static void test_every_port(void **state)
{
    for (unsigned port = 0; port < 70000; port++) {
        char text[24];
        int length = snprintf(text, sizeof(text), "a:%u", port);
        tn_host_t host = {.port = 1};
        int code = tn_host_parse(&host, text, (size_t)length);
        if (port == 0 || port > 65535) {
            assert_int_equal(code, TN_EHOST);
        } else {
            assert_int_equal(code, TN_OK);
            assert_true(host.has_port);
            assert_int_equal(host.port, port);
        }
    }
}

static void test_slugs(void **state)
{
    static const struct {
        const char *slug;
        int code;
        const char *reason; /* a part of the detail */
    } cases[] = {
        {"demo", TN_OK, NULL},
        {"a", TN_OK, NULL},
        {"0", TN_OK, NULL},
        {"entreprise1", TN_OK, NULL},
        {"a-b-c", TN_OK, NULL},
        {"ab-c-d", TN_OK, NULL},
        {"a--b", TN_OK, NULL},
        {"abc--d", TN_OK, NULL},
        {"", TN_EINVAL, "empty"},
        {"ab--c", TN_EINVAL, "third and fourth"},
        {"xn--bcher-kva", TN_EINVAL, "third and fourth"},
        {"-a", TN_EINVAL, "begin or end"},
        {"a-", TN_EINVAL, "begin or end"},
        {"-", TN_EINVAL, "begin or end"},
        {"Demo", TN_EINVAL, "character 1 "},
        {"deMo", TN_EINVAL, "character 3 "},
        {"a.b", TN_EINVAL, "character 2 "},
        {"a_b", TN_EINVAL, "character 2 "},
        {"a b", TN_EINVAL, "character 2 "},
        {"caf\xc3\xa9", TN_EINVAL, "character 4 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_err_t err = {0};
        assert_int_equal(tn_slug_check(tn_str(cases[i].slug), &err), cases[i].code);
        if (cases[i].reason != NULL) {
            assert_int_equal(err.code, TN_EINVAL);
            assert_string_equal(err.field, "slug");
            assert_non_null(strstr(err.detail, cases[i].reason));
        }
    }
    char longest[TN_SLUG_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(tn_slug_check((tn_str_t){longest, TN_SLUG_MAX}, NULL), TN_OK);
    assert_int_equal(tn_slug_check((tn_str_t){longest, TN_SLUG_MAX + 1}, NULL), TN_EINVAL);
    assert_int_equal(tn_slug_check((tn_str_t){"a\0b", 3}, NULL), TN_EINVAL);
}

static void test_reserved_slugs(void **state)
{
    /* RFC 2142's mailboxes, and the names that the platform's own hosts have */
    static const char *const reserved[] = {
        "abuse", "noc",  "security", "postmaster", "hostmaster", "usenet", "news",    "webmaster",
        "www",   "uucp", "ftp",      "info",       "marketing",  "sales",  "support", "api",
        "admin", "mail", "smtp",     "wpad",       "localhost",  "ns1",    "mta-sts", "edge",
    };
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (!tn_slug_is_reserved(tn_str(reserved[i]))) {
            fail_msg("'%s' is not reserved", reserved[i]);
        }
    }
    static const char *const free_ones[] = {
        "", "demo", "acme", "entreprise1", "ww", "wwww", "ap", "apis", "a", "zzz", "admi", "WWW",
    };
    for (size_t i = 0; i < sizeof(free_ones) / sizeof(free_ones[0]); i++) {
        if (tn_slug_is_reserved(tn_str(free_ones[i]))) {
            fail_msg("'%s' is reserved", free_ones[i]);
        }
    }
}

static void test_keys(void **state)
{
    static const struct {
        const char *key;
        bool is_valid;
    } cases[] = {
        {"beta", true},   {"Beta_2.x-y", true}, {"a", true},    {"", false},
        {"2beta", false}, {"_beta", false},     {".a", false},  {"-a", false},
        {"a b", false},   {"a/b", false},       {"a:b", false}, {"caf\xc3\xa9", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (tn_key_is_valid(tn_str(cases[i].key)) != cases[i].is_valid) {
            fail_msg("'%s'", cases[i].key);
        }
    }
    char longest[64];
    memset(longest, 'k', sizeof(longest));
    assert_true(tn_key_is_valid((tn_str_t){longest, 63}));
    assert_false(tn_key_is_valid((tn_str_t){longest, 64}));
    assert_false(tn_key_is_valid((tn_str_t){"a\0b", 3}));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s tests/vectors/hosts.txt\n", argv[0]);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_table, argv[1]),
        cmocka_unit_test(test_a_normalised_name_is_its_own_normal_form),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_no_text_at_all),
        cmocka_unit_test(test_every_port),
        cmocka_unit_test(test_slugs),
        cmocka_unit_test(test_reserved_slugs),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
