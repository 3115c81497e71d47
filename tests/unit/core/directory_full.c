/*
 * A disk that is full: a change is refused whole, what was published stays, nothing is left lying
 * about, and when there is room again it goes on. Once with files that may not grow, and once,
 * where the machine lets a test mount one, on a file system that is really full.
 */
#include "base/str.h"
#include "tenants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

#define CHANGES_MAX 100000

static int count_leftovers(const char *folder)
{
    int count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        count += strstr(entry->d_name, ".new-") != NULL ? 1 : 0;
    }
    (void)closedir(entries);
    return count;
}

static int put_one(tn_directory_writer_t *writer, uint64_t generation, tn_err_t *err)
{
    numbered_tenant_t tenant;
    numbered_tenant(&tenant, (unsigned)generation, 2);
    int code = tn_directory_begin(writer, generation, err);
    if (code == TN_OK) {
        code = tn_directory_put_tenant(writer, &tenant.spec, err);
    }
    return code == TN_OK ? tn_directory_commit(writer, err) : code;
}

/* Tenants 1 to `last` are there and no other, in the generation `last`. */
static void assert_stands_at(const tn_directory_t *directory, uint64_t last)
{
    tn_directory_info_t info;
    char text[64];
    tn_directory_info(&info, directory);
    assert_int_equal(info.state, TN_DIRECTORY_READY);
    assert_int_equal(info.generation, last);
    assert_int_equal(info.tenants, last);
    for (unsigned number = 1; number <= last + 1; number++) {
        tn_tenant_t tenant;
        int code = tn_directory_by_host(&tenant, directory, numbered_host(text, number, 1));
        assert_int_equal(code, number <= last ? TN_OK : TN_ENOTFOUND);
    }
    assert_int_equal(tn_directory_verify(directory, NULL), TN_OK);
}

/* Publishes from `generation` on until there is no room, and tries again in vain. Returns the last
 * that succeeded. */
static uint64_t fill_up(world_t *world, uint64_t generation)
{
    int code = TN_OK;
    while (code == TN_OK && generation < CHANGES_MAX) {
        generation++;
        code = put_one(world->writer, generation, &world->err);
    }
    assert_int_equal(code, TN_EFULL);
    assert_int_equal(world->err.code, TN_EFULL);
    assert_true(world->err.detail[0] != '\0');
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_one(world->writer, generation, &world->err), TN_EFULL);
    }
    assert_stands_at(tn_directory_writer_view(world->writer), generation - 1);
    assert_stands_at(world_look(world), generation - 1);
    assert_int_equal(count_leftovers(world->folder), 0);
    return generation - 1;
}

static void go_on(world_t *world, uint64_t generation)
{
    assert_int_equal(put_one(world->writer, generation + 1, &world->err), TN_OK);
    assert_stands_at(world_look(world), generation + 1);
}

static void test_files_that_may_not_grow(void **state)
{
    world_t *world = *state;
    struct rlimit before, limit;
    struct stat status;
    tn_directory_writer_t *other = NULL;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(stat(world->path, &status), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)status.st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    uint64_t generation = fill_up(world, 0);
    assert_true(generation > 10);
    assert_int_equal(
        tn_directory_writer_create(&other, world->path, world_database_id, 100000, &world->err),
        TN_EFULL);
    assert_null(other);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    go_on(world, generation);
}

/* ---- a file system of four megabytes -----------------------------------------------------------
 */

static int write_ids(const char *path, unsigned id)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return -1;
    }
    int printed = fprintf(file, "0 %u 1", id);
    return fclose(file) == 0 && printed > 0 ? 0 : -1;
}

/* A mount namespace of one's own, as root or as whoever may have a user namespace. */
static int own_mounts(void)
{
    unsigned user = getuid(), group = getgid();
    if (unshare(CLONE_NEWNS) == 0) {
        return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
        return -1;
    }
    int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t ignored = write(fd, "deny", 4); /* where it is not asked for, it is not needed */
        (void)ignored;
        (void)close(fd);
    }
    return write_ids("/proc/self/uid_map", user) == 0 && write_ids("/proc/self/gid_map", group) == 0
               ? 0
               : -1;
}

enum { CANNOT_MOUNT = 77 };

/* A directory that begins with this many tenants, in the generation of that number. */
static void set_up_on_disk(world_t *world, unsigned tenants)
{
    assert_int_equal(tn_directory_writer_create(&world->writer, world->path, world_database_id,
                                                tenants, &world->err),
                     TN_OK);
    put_numbered(world->writer, tenants, 1, tenants, 2);
    assert_int_equal(tn_directory_writer_install(world->writer, NULL, &world->err), TN_OK);
    assert_int_equal(tn_directory_open(&world->reader, world->path, &world->err), TN_OK);
}

static void tear_down_on_disk(world_t *world)
{
    tn_directory_writer_close(world->writer);
    tn_directory_close(world->reader);
    assert_int_equal(unlink(world->path), 0);
}

/* Another takes all of the disk but a few pages. */
static int fill_disk(world_t *world)
{
    static const char page[4096];
    char filler[400];
    (void)snprintf(filler, sizeof(filler), "%s/filler", world->folder);
    int fd = open(filler, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    off_t pages = 0;
    while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page)) {
        pages++;
    }
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(ftruncate(fd, (pages - 2) * 4096), 0);
    return fd;
}

/* In a process of its own, whose mounts end with it. */
static int run_on_small_disk(void)
{
    /* a small file has all of its disk from the start: what finds none is the larger one that shall
     * take its place; of a large one, disk is taken as it fills */
    const unsigned sizes[] = {10, 6000};
    world_t world = {0};
    test_folder_make(world.folder);
    if (own_mounts() < 0 || mount("tmpfs", world.folder, "tmpfs", 0, "size=4m,mode=0700") < 0) {
        (void)rmdir(world.folder);
        return CANNOT_MOUNT;
    }
    (void)snprintf(world.path, sizeof(world.path), "%s/directory", world.folder);
    for (size_t i = 0; i < 2; i++) {
        set_up_on_disk(&world, sizes[i]);
        int fd = fill_disk(&world);
        uint64_t generation = fill_up(&world, sizes[i]);
        assert_true(generation > sizes[i] + 10);
        assert_int_equal(ftruncate(fd, 0), 0);
        (void)close(fd);
        go_on(&world, generation);
        tear_down_on_disk(&world);
    }
    assert_int_equal(umount2(world.folder, MNT_DETACH), 0);
    assert_int_equal(rmdir(world.folder), 0);
    return 0;
}

static void test_a_disk_that_is_full(void **state)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* an assertion that fails here ends in this process's own count of failures */
        _exit(run_on_small_disk());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_MOUNT) {
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const struct CMUnitTest tests[] = {
    UNIT(test_files_that_may_not_grow),
    cmocka_unit_test(test_a_disk_that_is_full),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
