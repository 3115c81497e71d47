/*
 * Unit tests of opening and following a directory: what is no good directory is refused and said to
 * be so, a new file is followed at the right moment, and what is known is kept when the new one is
 * no good.
 */
#include "core/directory.h"

#include "base/str.h"
#include "core/directory_private.h"
#include "tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

static tn_directory_state_t state_of(const tn_directory_t *directory)
{
    tn_directory_info_t info;
    tn_directory_info(&info, directory);
    assert_true(info.state == TN_DIRECTORY_READY ||
                (info.generation == 0 && info.tenants == 0 && info.size_bytes == 0));
    return info.state;
}

/* Nothing can be asked of it, and it never says that something does not exist. */
static void assert_unavailable(const tn_directory_t *directory)
{
    uint8_t id[16] = {0};
    tn_tenant_t tenant;
    tn_platform_t platform;
    size_t base, label;
    bool is_on;
    tn_str_t host = TN_STR("www0.t1.example");
    assert_int_equal(tn_directory_by_host(&tenant, directory, host), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_by_slug(&tenant, directory, TN_STR("t1")), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_by_id(&tenant, directory, id), TN_EUNAVAILABLE);
    assert_int_equal(tn_tenant_from_id(&tenant, directory, "no id", 5), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_platform(&platform, directory), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_split_host(&base, &label, directory, host), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_flag(&is_on, directory, TN_STR("f")), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_each_tenant(directory, NULL, NULL), TN_EUNAVAILABLE);
    assert_int_equal(tn_directory_each_flag(directory, NULL, NULL), TN_EUNAVAILABLE);
}

static tn_directory_t *open_path(const char *path)
{
    tn_directory_t *directory;
    assert_int_equal(tn_directory_open(&directory, path, NULL), TN_OK);
    return directory;
}

/* The state of a directory of these bytes, as a file and as a buffer. */
static void assert_state(world_t *world, const uint8_t *bytes, size_t size,
                         tn_directory_state_t as_file, tn_directory_state_t as_buffer)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/other", world->folder);
    write_bytes(path, bytes, size);
    tn_directory_t *file = open_path(path);
    assert_int_equal(state_of(file), as_file);
    if (as_file != TN_DIRECTORY_READY) {
        assert_unavailable(file);
    }
    tn_directory_close(file);

    /* of its very size, so that a sanitizer sees a byte too many */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    tn_directory_t *buffer;
    assert_int_equal(tn_directory_open_buffer(&buffer, copy, size, NULL), TN_OK);
    assert_int_equal(state_of(buffer), as_buffer);
    if (as_buffer != TN_DIRECTORY_READY) {
        assert_unavailable(buffer);
        assert_int_not_equal(tn_directory_verify(buffer, NULL), TN_OK);
    } else {
        assert_int_equal(tn_directory_verify(buffer, NULL), TN_OK);
    }
    tn_directory_close(buffer);
    free(copy);
}

/* A directory with some tenants, closed cleanly, as bytes. */
static uint8_t *make_bytes(world_t *world, size_t *size)
{
    put_numbered(world->writer, 1, 1, 5, 2);
    tn_directory_writer_close(world->writer);
    world->writer = NULL;
    return read_bytes(world->path, size);
}

static void test_a_file_cut_anywhere_is_refused(void **state)
{
    world_t *world = *state;
    size_t size;
    uint8_t *bytes = make_bytes(world, &size);
    size_t arena = tn_load_u64(bytes + TN_HEADER_ARENA_OFFSET);
    const size_t lengths[] = {
        0,          1,        7,           8,           16,      127,       247,
        248,        255,      256,         264,         319,     320,       4095,
        4096,       4097,     arena - 9,   arena - 1,   arena,   arena + 1, arena + 24,
        arena + 99, size / 2, size - 4096, size - 4095, size - 1};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        assert_state(world, bytes, lengths[i], TN_DIRECTORY_DAMAGED, TN_DIRECTORY_DAMAGED);
    }
    assert_state(world, bytes, size, TN_DIRECTORY_READY, TN_DIRECTORY_READY);
    /* a buffer may be longer than what is in it; a file has the length that its header says */
    uint8_t *longer = calloc(1, size + 100);
    assert_non_null(longer);
    memcpy(longer, bytes, size);
    assert_state(world, longer, size + 100, TN_DIRECTORY_DAMAGED, TN_DIRECTORY_READY);
    free(longer);
    free(bytes);
}

static void test_a_header_that_contradicts_itself_is_refused(void **state)
{
    world_t *world = *state;
    size_t size;
    uint8_t *bytes = make_bytes(world, &size);
    uint64_t slots = tn_load_u64(bytes + TN_HEADER_SLOT_COUNT);
    const struct {
        unsigned at;
        uint64_t value;
        tn_directory_state_t state;
    } cases[] = {
        {TN_HEADER_MAGIC, 0, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_VERSION, (uint64_t)TN_FORMAT_HEADER_SIZE << 32 | (TN_FORMAT_VERSION + 1),
         TN_DIRECTORY_FOREIGN_VERSION},
        {TN_HEADER_VERSION, (uint64_t)TN_FORMAT_HEADER_SIZE << 32, TN_DIRECTORY_FOREIGN_VERSION},
        {TN_HEADER_VERSION, (uint64_t)8192 << 32 | TN_FORMAT_VERSION, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_SLOT_COUNT, 0, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_SLOT_COUNT, slots + 512, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_SLOT_COUNT, UINT64_MAX, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_SLOT_COUNT, UINT64_MAX / 8 + 2, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_ARENA_OFFSET, 0, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_ARENA_OFFSET, UINT64_MAX, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_FILE_SIZE, 0, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_FILE_SIZE, size + 4096, TN_DIRECTORY_DAMAGED},
        {TN_HEADER_FILE_SIZE, UINT64_MAX, TN_DIRECTORY_DAMAGED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, bytes, size);
        tn_store_u64(copy + cases[i].at, cases[i].value);
        tn_store_u64(copy + TN_HEADER_CHECKSUM, tn_checksum(copy, TN_HEADER_CHECKSUM));
        assert_state(world, copy, size, cases[i].state, cases[i].state);
        /* without its checksum, no word of it is believed */
        copy[TN_HEADER_CHECKSUM] ^= 1;
        assert_state(world, copy, size, TN_DIRECTORY_DAMAGED, TN_DIRECTORY_DAMAGED);
        free(copy);
    }
    free(bytes);
}

static void test_one_left_open_in_another_boot_is_refused(void **state)
{
    world_t *world = *state;
    size_t size;
    uint8_t *bytes = make_bytes(world, &size);
    uint64_t now = tn_boot_identity();
    assert_int_not_equal(now, 0);
    const struct {
        uint64_t state;
        tn_directory_state_t as_file;
    } cases[] = {
        {now, TN_DIRECTORY_READY},
        {now ^ 1, TN_DIRECTORY_DAMAGED},
        {TN_STATE_CLEAN | (now ^ 1), TN_DIRECTORY_READY},
        {TN_STATE_CLEAN | now, TN_DIRECTORY_READY},
        {0, TN_DIRECTORY_READY}, /* its writer could not know the boot: nothing can be told */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_word_store(bytes + TN_WORD_STATE, cases[i].state);
        assert_state(world, bytes, size, cases[i].as_file, TN_DIRECTORY_READY);
    }
    free(bytes);
}

static void test_what_is_no_file_is_refused_without_waiting(void **state)
{
    world_t *world = *state;
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/other", world->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    tn_directory_t *directory = open_path(path);
    assert_int_equal(state_of(directory), TN_DIRECTORY_DAMAGED);
    assert_unavailable(directory);
    tn_directory_close(directory);
    directory = open_path(world->folder);
    assert_int_equal(state_of(directory), TN_DIRECTORY_DAMAGED);
    tn_directory_close(directory);
    (void)snprintf(path, sizeof(path), "%s/directory/below", world->folder);
    directory = open_path(path);
    assert_int_equal(state_of(directory), TN_DIRECTORY_MISSING);
    tn_directory_close(directory);
}

static void test_arguments_that_cannot_be(void **state)
{
    static const uint64_t buffer[8];
    tn_directory_t *directory = NULL;
    tn_err_t err;
    assert_int_equal(tn_directory_open(&directory, "", &err), TN_EINVAL);
    assert_string_equal(err.field, "path");
    assert_int_equal(tn_directory_open_buffer(&directory, NULL, 0, &err), TN_EINVAL);
    assert_int_equal(tn_directory_open_buffer(&directory, (const uint8_t *)buffer + 4, 8, &err),
                     TN_EINVAL);
    assert_null(directory);
    tn_directory_close(NULL);
}

/* ---- following ------------------------------------------------------------------------------- */

static void test_a_missing_file_is_found_when_it_appears(void **state)
{
    world_t *world = *state;
    char hidden[400];
    put_numbered(world->writer, 1, 1, 1, 1);
    (void)snprintf(hidden, sizeof(hidden), "%s/hidden", world->folder);
    assert_int_equal(rename(world->path, hidden), 0);
    tn_directory_t *directory = open_path(world->path);
    assert_int_equal(state_of(directory), TN_DIRECTORY_MISSING);
    assert_unavailable(directory);
    tn_directory_refresh(directory, 5000);
    assert_int_equal(state_of(directory), TN_DIRECTORY_MISSING);
    assert_int_equal(rename(hidden, world->path), 0);
    /* the file system is asked once a second */
    tn_directory_refresh(directory, 5999);
    assert_int_equal(state_of(directory), TN_DIRECTORY_MISSING);
    tn_directory_refresh(directory, 6000);
    assert_int_equal(state_of(directory), TN_DIRECTORY_READY);
    tn_tenant_t tenant;
    assert_int_equal(tn_directory_by_slug(&tenant, directory, TN_STR("t1")), TN_OK);
    tn_directory_close(directory);
}

/* Another directory at the world's path, of one tenant with this number. */
static void install(world_t *world, unsigned number, bool tells_readers)
{
    tn_directory_writer_t *writer;
    assert_int_equal(
        tn_directory_writer_create(&writer, world->path, world_database_id, 0, &world->err), TN_OK);
    put_numbered(writer, 1, number, 1, 1);
    if (!tells_readers) {
        tn_directory_writer_close(world->writer);
        world->writer = NULL;
    }
    assert_int_equal(tn_directory_writer_install(writer, world->writer, &world->err), TN_OK);
    tn_directory_writer_close(world->writer);
    world->writer = writer;
}

static bool has_slug(const tn_directory_t *directory, const char *slug)
{
    tn_tenant_t tenant;
    int code = tn_directory_by_slug(&tenant, directory, tn_str(slug));
    assert_true(code == TN_OK || code == TN_ENOTFOUND);
    return code == TN_OK;
}

static void test_a_file_that_moved_is_followed_at_once(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 1, 1);
    tn_directory_refresh(world->reader, 5000);
    install(world, 2, true);
    assert_true(has_slug(world->reader, "t1")); /* until it is refreshed */
    tn_directory_refresh(world->reader, 5001);
    assert_false(has_slug(world->reader, "t1"));
    assert_true(has_slug(world->reader, "t2"));
    install(world, 3, true);
    tn_directory_refresh(world->reader, 5001);
    assert_true(has_slug(world->reader, "t3"));
}

static void test_a_file_that_was_replaced_silently_is_followed_within_a_second(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 1, 1);
    tn_directory_refresh(world->reader, 5000);
    install(world, 2, false);
    tn_directory_refresh(world->reader, 5999);
    assert_true(has_slug(world->reader, "t1"));
    tn_directory_refresh(world->reader, 6000);
    assert_true(has_slug(world->reader, "t2"));
    /* a clock that was set back does not stop it */
    install(world, 3, false);
    tn_directory_refresh(world->reader, 10);
    assert_true(has_slug(world->reader, "t3"));
}

static void test_a_good_image_is_kept_while_the_file_is_no_good(void **state)
{
    world_t *world = *state;
    char other[400], path[400];
    put_numbered(world->writer, 1, 1, 1, 1);
    assert_true(has_slug(world_look(world), "t1"));
    (void)snprintf(other, sizeof(other), "%s/other", world->folder);
    (void)snprintf(path, sizeof(path), "%s", world->path);

    assert_int_equal(rename(path, other), 0); /* gone */
    assert_true(has_slug(world_look(world), "t1"));
    assert_int_equal(state_of(world->reader), TN_DIRECTORY_READY);
    write_bytes(path, "garbage", 7); /* no directory */
    assert_true(has_slug(world_look(world), "t1"));
    size_t size;
    uint8_t *bytes = read_bytes(other, &size);
    tn_store_u32(bytes + TN_HEADER_VERSION, TN_FORMAT_VERSION + 1);
    tn_store_u64(bytes + TN_HEADER_CHECKSUM, tn_checksum(bytes, TN_HEADER_CHECKSUM));
    assert_int_equal(unlink(path), 0);
    write_bytes(path, bytes, size); /* of another version */
    free(bytes);
    assert_true(has_slug(world_look(world), "t1"));

    /* one that is opened now has nothing to keep */
    tn_directory_t *directory = open_path(path);
    assert_int_equal(state_of(directory), TN_DIRECTORY_FOREIGN_VERSION);
    assert_unavailable(directory);
    assert_int_equal(rename(other, path), 0);
    tn_directory_refresh(directory, 1);
    assert_true(has_slug(directory, "t1"));
    tn_directory_close(directory);
}

static void test_a_move_to_a_bad_file_is_tried_again_each_second(void **state)
{
    world_t *world = *state;
    char good[400];
    put_numbered(world->writer, 1, 1, 1, 1);
    tn_directory_refresh(world->reader, 5000);
    install(world, 2, true);
    (void)snprintf(good, sizeof(good), "%s/good", world->folder);
    assert_int_equal(rename(world->path, good), 0);
    write_bytes(world->path, "garbage", 7);
    tn_directory_refresh(world->reader, 5001);
    assert_true(has_slug(world->reader, "t1"));
    assert_int_equal(rename(good, world->path), 0);
    tn_directory_refresh(world->reader, 5002);
    assert_true(has_slug(world->reader, "t1"));
    tn_directory_refresh(world->reader, 6001);
    assert_true(has_slug(world->reader, "t2"));
}

static void test_a_buffer_is_read_and_never_refreshed(void **state)
{
    world_t *world = *state;
    size_t size;
    put_numbered(world->writer, 1, 1, 3, 1);
    uint8_t *bytes = read_bytes(world->path, &size);
    tn_directory_t *directory;
    assert_int_equal(tn_directory_open_buffer(&directory, bytes, size, NULL), TN_OK);
    assert_true(has_slug(directory, "t3"));
    tn_directory_refresh(directory, 1);
    tn_directory_refresh(directory, 100000);
    assert_true(has_slug(directory, "t3"));
    tn_directory_info_t info;
    tn_directory_info(&info, directory);
    assert_int_equal(info.tenants, 3);
    assert_int_equal(info.size_bytes, size);
    tn_directory_close(directory);
    free(bytes);
}

static void test_a_copied_tenant_outlives_the_directory(void **state)
{
    world_t *world = *state;
    numbered_tenant_t one;
    tn_tenant_t found, mine;
    numbered_tenant(&one, 1, 2);
    one.settings[0] = (struct tn_tenant_spec_setting){TN_STR("color"), TN_STR("blue")};
    one.spec.setting_count = 1;
    world_begin(world, 1);
    world_put(world, &one.spec);
    world_commit(world);
    assert_int_equal(tn_directory_by_slug(&found, world_look(world), TN_STR("t1")), TN_OK);
    uint64_t *bytes = malloc(found.record_size);
    assert_non_null(bytes);
    memcpy(bytes, found.record, found.record_size);
    tn_tenant_rebase(&mine, &found, bytes);
    tn_directory_close(world->reader);
    world->reader = NULL;
    tn_str_t value;
    bool is_primary;
    assert_text(mine.slug, "t1");
    assert_text(mine.name, "Tenant 1");
    assert_text(mine.plan, "pro");
    assert_text(mine.upstream, "");
    assert_text(mine.primary_host, "www0.t1.example");
    assert_int_equal(tn_tenant_setting(&value, &mine, "color"), TN_OK);
    assert_text(value, "blue");
    assert_true(tn_tenant_host_at(&value, &is_primary, &mine, 1));
    assert_text(value, "www1.t1.example");
    assert_true((const uint8_t *)value.data >= (const uint8_t *)bytes &&
                (const uint8_t *)value.data < (const uint8_t *)bytes + found.record_size);
    free(bytes);
}

static int count_tenant(const tn_tenant_t *tenant, void *context)
{
    unsigned *seen = context;
    unsigned number = numbered_number(tenant->id);
    assert_true(number >= 1 && number <= 9);
    seen[number]++;
    return number == 9 ? 77 : 0;
}

static int count_flag(tn_str_t key, bool default_on, void *context)
{
    unsigned *seen = context;
    assert_true(key.length == 1 && (key.data[0] == 'a' || key.data[0] == 'b'));
    assert_int_equal(default_on, key.data[0] == 'b');
    seen[key.data[0] - 'a']++;
    return 0;
}

static void test_a_walk_meets_each_current_entry_once(void **state)
{
    world_t *world = *state;
    unsigned tenants[10] = {0}, flags[2] = {0};
    uint8_t id[16];
    assert_int_equal(tn_directory_each_tenant(world->reader, count_tenant, tenants), TN_OK);
    put_numbered(world->writer, 1, 1, 5, 2);
    put_numbered(world->writer, 2, 3, 1, 1); /* again */
    numbered_id(id, 4);
    world_begin(world, 3);
    assert_int_equal(tn_directory_remove_tenant(world->writer, id, NULL), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("a"), true, NULL), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("b"), true, NULL), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("c"), true, NULL), TN_OK);
    world_commit(world);
    world_begin(world, 4);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("a"), false, NULL), TN_OK);
    assert_int_equal(tn_directory_remove_flag(world->writer, TN_STR("c"), NULL), TN_OK);
    world_commit(world);
    put_numbered(world->writer, 5, 4, 1, 1); /* came back */
    numbered_id(id, 5);
    world_begin(world, 6);
    assert_int_equal(tn_directory_remove_tenant(world->writer, id, NULL), TN_OK);
    world_commit(world);

    assert_int_equal(tn_directory_each_tenant(world_look(world), count_tenant, tenants), TN_OK);
    const unsigned expected[10] = {0, 1, 1, 1, 1, 0, 0, 0, 0, 0};
    assert_memory_equal(tenants, expected, sizeof(expected));
    assert_int_equal(tn_directory_each_flag(world->reader, count_flag, flags), TN_OK);
    assert_int_equal(flags[0], 1);
    assert_int_equal(flags[1], 1);

    put_numbered(world->writer, 7, 9, 1, 0);
    assert_int_equal(tn_directory_each_tenant(world_look(world), count_tenant, tenants), 77);
}

static const struct CMUnitTest tests[] = {
    UNIT(test_a_file_cut_anywhere_is_refused),
    UNIT(test_a_header_that_contradicts_itself_is_refused),
    UNIT(test_one_left_open_in_another_boot_is_refused),
    UNIT(test_what_is_no_file_is_refused_without_waiting),
    cmocka_unit_test(test_arguments_that_cannot_be),
    UNIT(test_a_missing_file_is_found_when_it_appears),
    UNIT(test_a_file_that_moved_is_followed_at_once),
    UNIT(test_a_file_that_was_replaced_silently_is_followed_within_a_second),
    UNIT(test_a_good_image_is_kept_while_the_file_is_no_good),
    UNIT(test_a_move_to_a_bad_file_is_tried_again_each_second),
    UNIT(test_a_buffer_is_read_and_never_refreshed),
    UNIT(test_a_copied_tenant_outlives_the_directory),
    UNIT(test_a_walk_meets_each_current_entry_once),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
