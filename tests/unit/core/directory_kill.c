/*
 * A writer is killed, again and again, at any instant, and a reader looks on. What generation N
 * says follows from N alone, so that whatever generation the file stands at can be held against it
 * whole. The next writer finds what the killed one left and goes on.
 */
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "tenants.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

enum {
    ROUNDS = 200,
    LIFE_MAX_US = 4000,
    TENANTS = 6,
    HOSTS = 12,
};

/* Whose host `host` is in a generation: nobody's now and then. */
static int owner_of(unsigned host, uint64_t generation)
{
    uint64_t turn = generation / 2 + host * 5;
    return turn % 7 == 0 ? -1 : (int)(1 + turn % TENANTS);
}

/* Tenant `number` is gone in some generations; its hosts are then nobody's. */
static bool is_there(unsigned number, uint64_t generation)
{
    return (generation + number) % 5 != 0;
}

static tn_str_t host_name(char text[64], unsigned host)
{
    int length = snprintf(text, 64, "host%u.example", host);
    return (tn_str_t){text, (size_t)length};
}

static int put_tenant(tn_directory_writer_t *writer, unsigned number, uint64_t generation)
{
    numbered_tenant_t tenant;
    char texts[HOSTS][64];
    tn_str_t hosts[HOSTS];
    numbered_tenant(&tenant, number, 0);
    if (!is_there(number, generation)) {
        return tn_directory_remove_tenant(writer, tenant.spec.id, NULL);
    }
    tenant.spec.hosts = hosts;
    for (unsigned host = 0; host < HOSTS; host++) {
        if (owner_of(host, generation) == (int)number) {
            hosts[tenant.spec.host_count] = host_name(texts[host], host);
            tenant.spec.host_count++;
        }
    }
    tenant.spec.primary_host = tenant.spec.host_count;
    tenant.spec.status = generation % 2 == 0 ? TN_STATUS_ACTIVE : TN_STATUS_SUSPENDED;
    return tn_directory_put_tenant(writer, &tenant.spec, NULL);
}

static int publish(tn_directory_writer_t *writer, uint64_t generation)
{
    int code = tn_directory_begin(writer, generation, NULL);
    for (unsigned number = 1; code == TN_OK && number <= TENANTS; number++) {
        code = put_tenant(writer, number, generation);
    }
    int committed = tn_directory_commit(writer, NULL);
    return code == TN_OK ? committed : code;
}

/* A writer's life: takes up what is there and publishes on and on. Ends by being killed. */
static void live(const char *path)
{
    tn_directory_writer_t *writer;
    tn_directory_info_t info;
    if (tn_directory_writer_open(&writer, path, NULL) != TN_OK) {
        _exit(10);
    }
    tn_directory_info(&info, tn_directory_writer_view(writer));
    for (uint64_t generation = info.generation + 1;; generation++) {
        if (publish(writer, generation) != TN_OK) {
            _exit(11);
        }
    }
}

/* Holds everything against what the present generation must be. False: it changed meanwhile. */
static bool look(const tn_directory_t *directory)
{
    tn_directory_info_t before, after;
    int codes[TENANTS + HOSTS];
    unsigned numbers[TENANTS + HOSTS];
    tn_tenant_status_t statuses[TENANTS + HOSTS];
    char text[64];
    tn_directory_info(&before, directory);
    for (unsigned i = 0; i < TENANTS + HOSTS; i++) {
        tn_tenant_t tenant;
        codes[i] = i < TENANTS
                       ? tn_directory_by_slug(&tenant, directory, numbered_slug(text, i + 1))
                       : tn_directory_by_host(&tenant, directory, host_name(text, i - TENANTS));
        assert_true(codes[i] == TN_OK || codes[i] == TN_ENOTFOUND);
        if (codes[i] == TN_OK) {
            numbers[i] = numbered_number(tenant.id);
            statuses[i] = tenant.status;
        }
    }
    tn_directory_info(&after, directory);
    assert_int_equal(after.state, TN_DIRECTORY_READY);
    if (before.generation != after.generation || before.generation == 0) {
        return false;
    }
    for (unsigned i = 0; i < TENANTS + HOSTS; i++) {
        int owner = i < TENANTS ? (int)i + 1 : owner_of(i - TENANTS, before.generation);
        bool is_found = owner > 0 && is_there((unsigned)owner, before.generation);
        assert_int_equal(codes[i], is_found ? TN_OK : TN_ENOTFOUND);
        if (is_found) {
            assert_int_equal(numbers[i], owner);
            assert_int_equal(statuses[i],
                             before.generation % 2 == 0 ? TN_STATUS_ACTIVE : TN_STATUS_SUSPENDED);
        }
    }
    return true;
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Looks on for so long, or until the generation is above `above`. Returns how often. */
static unsigned look_on(world_t *world, int64_t time_us, uint64_t above)
{
    unsigned looks = 0;
    int64_t end_us = now_us() + time_us;
    tn_directory_info_t info;
    do {
        tn_directory_refresh(world->reader, tn_clock_steady_ms());
        looks += look(world->reader) ? 1 : 0;
        tn_directory_info(&info, world->reader);
    } while (now_us() < end_us && info.generation <= above);
    return looks;
}

/* Lets a writer live for a while and kills it; looks on meanwhile. One that works has published a
 * change before its time begins to run; otherwise it may die while it takes up the file. */
static unsigned let_live(world_t *world, int64_t life_us, bool works)
{
    tn_directory_info_t info;
    unsigned looks = 0;
    tn_directory_info(&info, world->reader);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        live(world->path);
    }
    if (works) {
        looks += look_on(world, 10000000, info.generation);
    }
    looks += look_on(world, life_us, UINT64_MAX);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    /* it did not end by itself, for instance because it could not open what it found */
    assert_true(WIFSIGNALED(status));
    return looks;
}

static int count_leftovers(const world_t *world)
{
    int count = 0;
    DIR *entries = opendir(world->folder);
    assert_non_null(entries);
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        count += strstr(entry->d_name, ".new-") != NULL ? 1 : 0;
    }
    (void)closedir(entries);
    return count;
}

static void test_a_writer_may_be_killed_at_any_instant(void **state)
{
    world_t *world = *state;
    tn_directory_info_t info;
    uint64_t generation = 0;
    unsigned looks = 0, advances = 0;
    assert_int_equal(publish(world->writer, 1), TN_OK);
    tn_directory_writer_close(world->writer);
    world->writer = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t random;
        tn_random_bytes(&random, sizeof(random));
        looks += let_live(world, random % LIFE_MAX_US, round % 4 != 0);
        /* killed between putting a new file in place and saying so, it is found within a second */
        world->now_ms = tn_clock_steady_ms();
        tn_directory_info(&info, world_look(world));
        assert_true(info.generation >= generation);
        advances += info.generation > generation ? 1 : 0;
        generation = info.generation;
        assert_true(look(world->reader));
        if (round % 8 == 0) {
            assert_int_equal(tn_directory_writer_open(&world->writer, world->path, &world->err),
                             TN_OK);
            assert_int_equal(count_leftovers(world), 0);
            assert_int_equal(
                tn_directory_verify(tn_directory_writer_view(world->writer), &world->err), TN_OK);
            assert_true(look(tn_directory_writer_view(world->writer)));
            tn_directory_writer_close(world->writer);
            world->writer = NULL;
            assert_true(look(world_look(world)));
        }
    }
    assert_true(looks > ROUNDS);
    assert_true(advances >= ROUNDS / 2); /* most were killed at work, not before */
}

static const struct CMUnitTest tests[] = {
    UNIT(test_a_writer_may_be_killed_at_any_instant),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
