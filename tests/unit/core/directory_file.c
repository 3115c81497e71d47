/*
 * Unit tests of the writer's files: the lock, what a writer finds and refuses, new directories that
 * take the old one's place or do not, and what killed writers leave behind.
 */
#include "core/directory_file.h"

#include "base/str.h"
#include "tenants.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

/* How many files of the world's folder have this in their name. */
static int count_files(const world_t *world, const char *part)
{
    int count = 0;
    DIR *entries = opendir(world->folder);
    assert_non_null(entries);
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        count += strstr(entry->d_name, part) != NULL ? 1 : 0;
    }
    (void)closedir(entries);
    return count;
}

static int open_writer(world_t *world, tn_directory_writer_t **writer)
{
    return tn_directory_writer_open(writer, world->path, &world->err);
}

static void close_writer(world_t *world)
{
    tn_directory_writer_close(world->writer);
    world->writer = NULL;
}

static tn_directory_writer_t *create(world_t *world)
{
    tn_directory_writer_t *writer;
    assert_int_equal(
        tn_directory_writer_create(&writer, world->path, world_database_id, 10, &world->err),
        TN_OK);
    return writer;
}

static void test_a_directory_has_one_writer(void **state)
{
    world_t *world = *state;
    tn_directory_writer_t *other = NULL;
    assert_int_equal(open_writer(world, &other), TN_EBUSY);
    tn_directory_writer_t *fresh = create(world);
    /* nor may a new one be put over it without its writer's hand */
    assert_int_equal(tn_directory_writer_install(fresh, NULL, &world->err), TN_EBUSY);
    close_writer(world);
    assert_int_equal(open_writer(world, &other), TN_OK);
    tn_directory_writer_close(other);
    assert_int_equal(tn_directory_writer_install(fresh, NULL, &world->err), TN_OK);
    assert_int_equal(open_writer(world, &other), TN_EBUSY);
    tn_directory_writer_close(fresh);
}

static void test_a_writer_says_what_it_found(void **state)
{
    world_t *world = *state;
    tn_directory_writer_t *writer = NULL;
    size_t size;
    put_numbered(world->writer, 1, 1, 3, 1);
    close_writer(world);
    uint8_t *bytes = read_bytes(world->path, &size);
    const struct {
        const char *what;
        size_t at;
        uint8_t flip;
        int code;
    } cases[] = {
        {"magic", TN_HEADER_MAGIC, 1, TN_EDAMAGED},
        {"seed", TN_HEADER_SEED, 1, TN_EDAMAGED},
        {"generation", TN_WORD_GENERATION, 2, TN_EDAMAGED},
        {"arena's end", TN_WORD_ARENA_END, 4, TN_EDAMAGED},
        {"count", TN_WORD_TENANTS, 1, TN_EDAMAGED},
        {"state", TN_WORD_STATE, 1, TN_EDAMAGED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bytes[cases[i].at] ^= cases[i].flip;
        write_bytes(world->path, bytes, size);
        if (open_writer(world, &writer) != cases[i].code) {
            fail_msg("%s", cases[i].what);
        }
        bytes[cases[i].at] ^= cases[i].flip;
    }
    write_bytes(world->path, bytes, size - 1);
    assert_int_equal(open_writer(world, &writer), TN_EDAMAGED);
    write_bytes(world->path, bytes, 100);
    assert_int_equal(open_writer(world, &writer), TN_EDAMAGED);
    tn_store_u32(bytes + TN_HEADER_VERSION, TN_FORMAT_VERSION + 1);
    tn_store_u64(bytes + TN_HEADER_CHECKSUM, tn_checksum(bytes, TN_HEADER_CHECKSUM));
    write_bytes(world->path, bytes, size);
    assert_int_equal(open_writer(world, &writer), TN_EVERSION);
    free(bytes);
    assert_int_equal(unlink(world->path), 0);
    assert_int_equal(open_writer(world, &writer), TN_ENOTFOUND);
    assert_int_equal(mkdir(world->path, 0700), 0);
    assert_true(open_writer(world, &writer) != TN_OK);
    assert_int_equal(rmdir(world->path), 0);
    assert_null(writer);
}

/* Copies the directory as it is now, under its living writer, over the path once that has closed:
 * what a killed writer would have left. */
static uint8_t *bytes_of_unclean(world_t *world, size_t *size)
{
    uint8_t *bytes = read_bytes(world->path, size);
    close_writer(world);
    return bytes;
}

static void test_what_a_killed_writer_left_is_brought_back(void **state)
{
    world_t *world = *state;
    size_t size;
    put_numbered(world->writer, 1, 1, 30, 2);
    uint8_t *bytes = bytes_of_unclean(world, &size);
    write_bytes(world->path, bytes, size);
    free(bytes);
    assert_int_equal(open_writer(world, &world->writer), TN_OK);
    assert_int_equal(tn_directory_verify(tn_directory_writer_view(world->writer), &world->err),
                     TN_OK);
    put_numbered(world->writer, 2, 31, 1, 2);
    assert_host_owner(world, "www1.t30.example", 30);
    assert_host_owner(world, "www1.t31.example", 31);
}

static void test_a_change_that_was_never_published_does_not_come_to_light(void **state)
{
    world_t *world = *state;
    size_t size;
    numbered_tenant_t one;
    uint64_t generation_word;
    put_numbered(world->writer, 1, 1, 2, 1);
    size_t before_size;
    uint8_t *before = read_bytes(world->path, &before_size);
    memcpy(&generation_word, before + TN_WORD_GENERATION, sizeof(generation_word));
    free(before);
    /* generation 2 moves a name, and its records and slots are there; but its last store is not */
    numbered_tenant(&one, 1, 0);
    one.spec.slug = TN_STR("renamed");
    world_begin(world, 2);
    world_put(world, &one.spec);
    world_commit(world);
    uint8_t *bytes = bytes_of_unclean(world, &size);
    memcpy(bytes + TN_WORD_GENERATION, &generation_word, sizeof(generation_word));
    /* the slots that a published change deletes were still there then */
    write_bytes(world->path, bytes, size);
    free(bytes);

    assert_int_equal(open_writer(world, &world->writer), TN_OK);
    assert_int_equal(tn_directory_verify(tn_directory_writer_view(world->writer), &world->err),
                     TN_OK);
    assert_slug_owner(world, "renamed", -1);
    assert_slug_owner(world, "t1", 1);
    assert_host_owner(world, "www0.t1.example", 1);
    put_numbered(world->writer, 7, 3, 1, 0); /* above the one that was never published */
    assert_slug_owner(world, "renamed", -1);
    assert_slug_owner(world, "t1", 1);
    assert_host_owner(world, "www0.t1.example", 1);
}

static void test_one_left_open_when_the_machine_stopped_must_be_rebuilt(void **state)
{
    world_t *world = *state;
    tn_directory_writer_t *writer = NULL;
    size_t size;
    put_numbered(world->writer, 1, 1, 3, 1);
    uint8_t *bytes = bytes_of_unclean(world, &size);
    const uint64_t boots[] = {tn_boot_identity() ^ 1, 0};
    for (size_t i = 0; i < 2; i++) {
        tn_word_store(bytes + TN_WORD_STATE, boots[i]);
        write_bytes(world->path, bytes, size);
        assert_int_equal(open_writer(world, &writer), TN_EDAMAGED);
    }
    /* closed cleanly, it is as good as ever */
    tn_word_store(bytes + TN_WORD_STATE, TN_STATE_CLEAN | boots[0]);
    write_bytes(world->path, bytes, size);
    free(bytes);
    assert_int_equal(open_writer(world, &world->writer), TN_OK);
    assert_slug_owner(world, "t3", 3);
}

static void test_damage_in_what_a_killed_writer_left_is_found(void **state)
{
    world_t *world = *state;
    tn_directory_writer_t *writer = NULL;
    size_t size;
    put_numbered(world->writer, 1, 1, 3, 1);
    uint8_t *bytes = bytes_of_unclean(world, &size);
    uint64_t arena = tn_load_u64(bytes + TN_HEADER_ARENA_OFFSET);
    bytes[arena + 100] ^= 1;
    write_bytes(world->path, bytes, size);
    assert_int_equal(open_writer(world, &writer), TN_EDAMAGED);
    assert_non_null(strstr(world->err.detail, "offset"));
    /* it is left as it was found, for somebody to look at */
    size_t size_after;
    uint8_t *after = read_bytes(world->path, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(bytes, after, size);
    free(after);
    free(bytes);
    assert_int_equal(count_files(world, ".new-"), 0);
}

/* ---- new directories ---------------------------------------------------------------------------
 */

static void test_a_new_one_that_is_not_installed_leaves_no_trace(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 2, 1);
    size_t size, size_after;
    uint8_t *before = read_bytes(world->path, &size);
    tn_directory_writer_t *fresh = create(world);
    assert_int_equal(count_files(world, ".new-"), 1);
    put_numbered(fresh, 1, 10, 3000, 2); /* it grows on the way */
    assert_int_equal(count_files(world, ".new-"), 1);
    tn_directory_writer_close(fresh);
    assert_int_equal(count_files(world, ".new-"), 0);
    uint8_t *after = read_bytes(world->path, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
}

static void test_a_new_one_takes_the_old_ones_place(void **state)
{
    world_t *world = *state;
    tn_directory_info_t info;
    put_numbered(world->writer, 50, 1, 2, 1);
    tn_directory_writer_t *fresh = create(world);
    put_numbered(fresh, 3, 2, 2, 1);
    assert_slug_owner(world, "t1", 1); /* not yet */
    assert_int_equal(tn_directory_writer_install(fresh, world->writer, &world->err), TN_OK);
    /* the old one may only be closed */
    assert_int_equal(tn_directory_begin(world->writer, 51, &world->err), TN_EINVAL);
    tn_directory_writer_close(world->writer);
    world->writer = fresh;
    assert_slug_owner(world, "t1", -1);
    assert_slug_owner(world, "t3", 3);
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.generation, 3); /* another database's count */
    put_numbered(fresh, 4, 9, 1, 1);
    assert_slug_owner(world, "t9", 9);
    assert_int_equal(count_files(world, ".new-"), 0);
    assert_int_equal(count_files(world, ".damaged"), 0);
    world_reopen(world);
    assert_slug_owner(world, "t9", 9);
}

static void test_a_damaged_one_is_kept_aside(void **state)
{
    world_t *world = *state;
    char aside[400];
    close_writer(world);
    (void)snprintf(aside, sizeof(aside), "%s.damaged", world->path);
    for (int i = 0; i < 2; i++) {
        char garbage[16];
        int length = snprintf(garbage, sizeof(garbage), "garbage %d", i);
        write_bytes(world->path, garbage, (size_t)length);
        world->writer = create(world);
        put_numbered(world->writer, 1, 1, 1, 1);
        assert_int_equal(tn_directory_writer_install(world->writer, NULL, &world->err), TN_OK);
        assert_slug_owner(world, "t1", 1);
        size_t size;
        uint8_t *kept = read_bytes(aside, &size);
        assert_int_equal(size, length);
        assert_memory_equal(kept, garbage, size);
        free(kept);
        close_writer(world);
    }
}

static void test_what_cannot_be_installed(void **state)
{
    world_t *world = *state;
    char path[400];
    tn_directory_writer_t *elsewhere;
    (void)snprintf(path, sizeof(path), "%s/elsewhere", world->folder);
    assert_int_equal(
        tn_directory_writer_create(&elsewhere, path, world_database_id, 0, &world->err), TN_OK);
    tn_directory_writer_t *fresh = create(world);
    assert_int_equal(tn_directory_writer_install(fresh, elsewhere, &world->err), TN_EINVAL);
    assert_int_equal(tn_directory_writer_install(elsewhere, world->writer, &world->err), TN_EINVAL);
    assert_int_equal(tn_directory_writer_install(world->writer, NULL, &world->err), TN_EINVAL);
    assert_int_equal(tn_directory_begin(fresh, 1, &world->err), TN_OK);
    assert_int_equal(tn_directory_writer_install(fresh, world->writer, &world->err), TN_EINVAL);
    tn_directory_abort(fresh);
    assert_int_equal(tn_directory_writer_install(fresh, world->writer, &world->err), TN_OK);
    assert_int_equal(tn_directory_writer_install(fresh, world->writer, &world->err), TN_EINVAL);
    tn_directory_writer_close(world->writer);
    world->writer = fresh;
    tn_directory_writer_close(elsewhere);
    tn_directory_writer_close(NULL);
}

static void test_only_what_a_dead_writer_left_is_swept_away(void **state)
{
    world_t *world = *state;
    char path[400];
    const char *const names[] = {"0123456789abcdef", "fedcba9876543210"};
    tn_directory_writer_t *building = create(world);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s.new-%s", world->path, names[i]);
        write_bytes(path, "half", 4);
    }
    (void)snprintf(path, sizeof(path), "%s.new-notes", world->path);
    write_bytes(path, "a person's", 10);
    assert_int_equal(count_files(world, ".new-"), 4);
    world_reopen(world);
    assert_int_equal(count_files(world, ".new-"), 2);
    /* the one that is being built is still there to be installed */
    put_numbered(building, 1, 5, 1, 1);
    assert_int_equal(tn_directory_writer_install(building, world->writer, &world->err), TN_OK);
    tn_directory_writer_close(world->writer);
    world->writer = building;
    assert_slug_owner(world, "t5", 5);
}

static void test_files_have_their_mode_and_places_their_errors(void **state)
{
    world_t *world = *state;
    struct stat status;
    char path[400], lock[420];
    tn_directory_writer_t *writer = NULL;
    mode_t umask_before = umask(0);
    (void)snprintf(path, sizeof(path), "%s/second", world->folder);
    (void)snprintf(lock, sizeof(lock), "%s.lock", path);
    assert_int_equal(tn_directory_writer_create(&writer, path, world_database_id, 0, &world->err),
                     TN_OK);
    assert_int_equal(tn_directory_writer_install(writer, NULL, &world->err), TN_OK);
    (void)umask(umask_before);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(stat(lock, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    tn_directory_writer_close(writer);
    writer = NULL;
    (void)snprintf(path, sizeof(path), "%s/no/such/folder", world->folder);
    assert_int_equal(tn_directory_writer_create(&writer, path, world_database_id, 0, &world->err),
                     TN_EIO);
    assert_int_equal(tn_directory_writer_open(&writer, path, &world->err), TN_EIO);
    assert_int_equal(
        tn_directory_writer_create(&writer, path, world_database_id, SIZE_MAX / 2, &world->err),
        TN_ETOOBIG);
    assert_null(writer);
}

static const struct CMUnitTest tests[] = {
    UNIT(test_a_directory_has_one_writer),
    UNIT(test_a_writer_says_what_it_found),
    UNIT(test_what_a_killed_writer_left_is_brought_back),
    UNIT(test_a_change_that_was_never_published_does_not_come_to_light),
    UNIT(test_one_left_open_when_the_machine_stopped_must_be_rebuilt),
    UNIT(test_damage_in_what_a_killed_writer_left_is_found),
    UNIT(test_a_new_one_that_is_not_installed_leaves_no_trace),
    UNIT(test_a_new_one_takes_the_old_ones_place),
    UNIT(test_a_damaged_one_is_kept_aside),
    UNIT(test_what_cannot_be_installed),
    UNIT(test_only_what_a_dead_writer_left_is_swept_away),
    UNIT(test_files_have_their_mode_and_places_their_errors),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
