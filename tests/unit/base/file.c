/*
 * Unit tests of base/file.h, on real files in a private folder.
 */
#include "base/file.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    char folder[64];
    char path[80];
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL) {
        return -1;
    }
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s", "/tmp/tenantry-file-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/file", fixture->folder);
    *state = fixture;
    return 0;
}

/* Fails when anything but the file itself is left: a temporary one that was forgotten. */
static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    (void)unlink(fixture->path); /* a test may have made none */
    int code = rmdir(fixture->folder);
    if (code != 0) {
        print_error("%s is not empty\n", fixture->folder);
    }
    free(fixture);
    return code;
}

static void assert_holds(const char *path, tn_str_t expected)
{
    char *data = NULL;
    size_t length = 0;
    assert_int_equal(tn_file_read(&data, &length, path, 1 << 20, NULL), TN_OK);
    assert_int_equal(length, expected.length);
    assert_memory_equal(data, expected.data, expected.length);
    assert_int_equal(data[length], '\0');
    free(data);
}

static void test_write_and_read(void **state)
{
    const fixture_t *fixture = *state;
    tn_str_t text = TN_STR("with\0NUL and \xff");
    assert_int_equal(tn_file_write(fixture->path, text.data, text.length, 0600, NULL), TN_OK);
    assert_holds(fixture->path, text);
}

static void test_empty(void **state)
{
    const fixture_t *fixture = *state;
    assert_int_equal(tn_file_write(fixture->path, "", 0, 0600, NULL), TN_OK);
    assert_holds(fixture->path, TN_STR(""));
    char *data;
    assert_int_equal(tn_file_read(&data, NULL, fixture->path, 0, NULL), TN_OK);
    free(data);
}

static void test_missing(void **state)
{
    const fixture_t *fixture = *state;
    char *data = NULL;
    tn_err_t err;
    assert_int_equal(tn_file_read(&data, NULL, fixture->path, 10, &err), TN_ENOTFOUND);
    assert_int_equal(err.code, TN_ENOTFOUND);
    assert_non_null(strstr(err.detail, fixture->path));
    assert_null(data);
    /* a file where a folder would have to be */
    assert_int_equal(tn_file_write(fixture->path, "x", 1, 0600, NULL), TN_OK);
    char below[96];
    (void)snprintf(below, sizeof(below), "%s/below", fixture->path);
    assert_int_equal(tn_file_read(&data, NULL, below, 10, NULL), TN_ENOTFOUND);
}

static void test_a_folder_is_no_file(void **state)
{
    const fixture_t *fixture = *state;
    char *data = NULL;
    assert_int_equal(tn_file_read(&data, NULL, fixture->folder, 10, NULL), TN_EIO);
    assert_null(data);
}

static void test_too_big(void **state)
{
    const fixture_t *fixture = *state;
    assert_int_equal(tn_file_write(fixture->path, "12345", 5, 0600, NULL), TN_OK);
    char *data = NULL;
    size_t length = 77;
    tn_err_t err;
    assert_int_equal(tn_file_read(&data, &length, fixture->path, 4, &err), TN_ETOOBIG);
    assert_int_equal(err.code, TN_ETOOBIG);
    assert_null(data);
    assert_int_equal(length, 77);
    assert_int_equal(tn_file_read(&data, &length, fixture->path, 5, NULL), TN_OK);
    assert_string_equal(data, "12345");
    free(data);
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_mode_is_exact_under_any_umask(void **state)
{
    const fixture_t *fixture = *state;
    static const mode_t modes[] = {0600, 0640, 0644, 0660, 0666, 0400};
    static const mode_t umasks[] = {0, 022, 077, 0777};
    mode_t before = umask(0);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        for (size_t j = 0; j < sizeof(umasks) / sizeof(umasks[0]); j++) {
            (void)umask(umasks[j]);
            int code = tn_file_write(fixture->path, "x", 1, modes[i], NULL);
            (void)umask(before);
            assert_int_equal(code, TN_OK);
            assert_int_equal(mode_of(fixture->path), modes[i]);
        }
    }
}

static void test_replacing_is_a_new_file(void **state)
{
    const fixture_t *fixture = *state;
    assert_int_equal(tn_file_write(fixture->path, "old", 3, 0644, NULL), TN_OK);
    int old = open(fixture->path, O_RDONLY | O_CLOEXEC);
    assert_true(old >= 0);
    assert_int_equal(tn_file_write(fixture->path, "new", 3, 0600, NULL), TN_OK);
    assert_holds(fixture->path, TN_STR("new"));
    assert_int_equal(mode_of(fixture->path), 0600);
    /* who has the old one open goes on reading all of it */
    char text[4] = "";
    assert_int_equal(read(old, text, 3), 3);
    assert_string_equal(text, "old");
    (void)close(old);
}

#define WHOLE_SIZE 65536

typedef struct {
    const char *path;
    atomic_bool stop;
    atomic_int reads;
    atomic_int torn;
} race_t;

static void *read_on(void *context)
{
    race_t *race = context;
    while (!atomic_load(&race->stop)) {
        char *data = NULL;
        size_t length;
        int code = tn_file_read(&data, &length, race->path, WHOLE_SIZE, NULL);
        bool whole = code == TN_OK && length == WHOLE_SIZE;
        for (size_t i = 1; whole && i < length; i++) {
            whole = data[i] == data[0];
        }
        free(data);
        if (!whole) {
            atomic_fetch_add(&race->torn, 1);
        }
        atomic_fetch_add(&race->reads, 1);
    }
    return NULL;
}

/* A reader beside a writer sees one content or the other, never both, a part, or no file. */
static void test_replacing_is_atomic(void **state)
{
    const fixture_t *fixture = *state;
    char *whole = malloc(WHOLE_SIZE);
    assert_non_null(whole);
    memset(whole, 'a', WHOLE_SIZE);
    assert_int_equal(tn_file_write(fixture->path, whole, WHOLE_SIZE, 0600, NULL), TN_OK);
    race_t race = {.path = fixture->path};
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_on, &race), 0);
    int code = TN_OK;
    for (int i = 0; code == TN_OK && (i < 50 || (atomic_load(&race.reads) < 50 && i < 5000)); i++) {
        memset(whole, 'a' + i % 26, WHOLE_SIZE);
        code = tn_file_write(fixture->path, whole, WHOLE_SIZE, 0600, NULL);
    }
    atomic_store(&race.stop, true);
    assert_int_equal(pthread_join(reader, NULL), 0);
    free(whole);
    assert_int_equal(code, TN_OK);
    assert_true(atomic_load(&race.reads) >= 50);
    assert_int_equal(atomic_load(&race.torn), 0);
}

static void test_no_folder_to_write_in(void **state)
{
    const fixture_t *fixture = *state;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/none/file", fixture->folder);
    tn_err_t err;
    assert_int_equal(tn_file_write(path, "x", 1, 0600, &err), TN_EIO);
    assert_non_null(strstr(err.detail, "No such file or directory"));
}

static void test_a_folder_is_not_replaced(void **state)
{
    const fixture_t *fixture = *state;
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_int_equal(tn_file_write(fixture->path, "x", 1, 0600, NULL), TN_EIO);
    assert_int_equal(rmdir(fixture->path), 0);
}

static void test_path_too_long(void **state)
{
    char path[PATH_MAX + 1];
    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(tn_file_write(path, "x", 1, 0600, NULL), TN_ETOOBIG);
}

/* A limit on file sizes stands for a disk that has no room: the old file stays, nothing else does.
 */
static void test_what_cannot_be_written_changes_nothing(void **state)
{
    const fixture_t *fixture = *state;
    assert_int_equal(tn_file_write(fixture->path, "old", 3, 0644, NULL), TN_OK);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    char large[8192];
    memset(large, 'x', sizeof(large));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int code = tn_file_write(fixture->path, large, sizeof(large), 0600, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(code, TN_EIO);
    assert_holds(fixture->path, TN_STR("old"));
    assert_int_equal(mode_of(fixture->path), 0644);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_write_and_read),
        FILE_TEST(test_empty),
        FILE_TEST(test_missing),
        FILE_TEST(test_a_folder_is_no_file),
        FILE_TEST(test_too_big),
        FILE_TEST(test_mode_is_exact_under_any_umask),
        FILE_TEST(test_replacing_is_a_new_file),
        FILE_TEST(test_replacing_is_atomic),
        FILE_TEST(test_no_folder_to_write_in),
        FILE_TEST(test_a_folder_is_not_replaced),
        FILE_TEST(test_path_too_long),
        FILE_TEST(test_what_cannot_be_written_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
