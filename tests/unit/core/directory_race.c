/*
 * Readers beside a writer at work, in threads: what is there is always found, at who has it then;
 * what is not is never found; and a change of several records is seen whole or not at all. Once
 * over the very bytes that the writer writes, so that ThreadSanitizer sees every access, and once
 * through the file, which grows and moves under the readers.
 */
#include "base/clock.h"
#include "base/str.h"
#include "core/directory_private.h"
#include "tenants.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

enum {
    READERS = 3,
    RUN_MS = 1500,
    MOVING_HOSTS = 6,
    /* the tenants, by number */
    LEFT = 1,    /* the moving hosts are at the one … */
    RIGHT = 2,   /* … or at the other, and both have the same count among their settings */
    GUEST = 3,   /* comes and goes */
    RENAMED = 4, /* has another slug in every generation, and its last one as a former one */
    STRANGER = 99,
};

typedef struct {
    world_t *world;
    const void *image; /* the writer's own bytes; NULL: each reader opens the file */
    size_t image_size;
    atomic_bool is_over;
    atomic_ulong looks;          /* that all readers did */
    _Atomic(uint64_t) published; /* the generation whose commit has returned */
    _Atomic(const char *) fault;
} race_t;

static tn_str_t moving_host(char text[64], unsigned i)
{
    int length = snprintf(text, 64, "moving%u.example", i);
    return (tn_str_t){text, (size_t)length};
}

static tn_str_t renamed_slug(char text[64], uint64_t generation)
{
    int length = snprintf(text, 64, "renamed-%llu", (unsigned long long)generation);
    return (tn_str_t){text, (size_t)length};
}

/* ---- the writer ------------------------------------------------------------------------------ */

/* In generation g host i is at LEFT when bit i of g is set, and both have g as their count. */
static int put_pair(tn_directory_writer_t *writer, uint64_t generation)
{
    numbered_tenant_t sides[2];
    char texts[MOVING_HOSTS][64];
    char count[32];
    int length = snprintf(count, sizeof(count), "%llu", (unsigned long long)generation);
    numbered_tenant(&sides[0], LEFT, 0);
    numbered_tenant(&sides[1], RIGHT, 0);
    for (unsigned i = 0; i < MOVING_HOSTS; i++) {
        numbered_tenant_t *side = &sides[(generation >> i & 1) != 0 ? 0 : 1];
        side->hosts[side->spec.host_count++] = moving_host(texts[i], i);
    }
    int code = TN_OK;
    for (int i = 0; code == TN_OK && i < 2; i++) {
        numbered_tenant_t *side = &sides[(generation + (unsigned)i) % 2];
        side->settings[0] =
            (struct tn_tenant_spec_setting){TN_STR("count"), {count, (size_t)length}};
        side->spec.setting_count = 1;
        side->spec.primary_host = side->spec.host_count;
        code = tn_directory_put_tenant(writer, &side->spec, NULL);
    }
    return code;
}

static int put_others(tn_directory_writer_t *writer, uint64_t generation)
{
    numbered_tenant_t guest, renamed;
    char slug[64], former_text[64];
    numbered_tenant(&guest, GUEST, 2);
    numbered_tenant(&renamed, RENAMED, 1);
    tn_str_t former = renamed_slug(former_text, generation - 1);
    renamed.spec.slug = renamed_slug(slug, generation);
    renamed.spec.former_slugs = &former;
    renamed.spec.former_slug_count = 1;
    int code = generation % 2 == 0 ? tn_directory_put_tenant(writer, &guest.spec, NULL)
                                   : tn_directory_remove_tenant(writer, guest.spec.id, NULL);
    if (code == TN_OK) {
        code = tn_directory_put_tenant(writer, &renamed.spec, NULL);
    }
    return code;
}

/* In generation 7 the platform's base domain is g7.example. */
static tn_str_t base_name(char text[64], uint64_t generation)
{
    int length = snprintf(text, 64, "g%llu.example", (unsigned long long)generation);
    return (tn_str_t){text, (size_t)length};
}

static int put_platform(tn_directory_writer_t *writer, uint64_t generation)
{
    char text[64];
    tn_platform_t platform = {.base_domains = {base_name(text, generation)},
                              .base_domain_count = 1,
                              .options_hash = generation};
    return tn_directory_put_platform(writer, &platform, NULL);
}

static int publish(tn_directory_writer_t *writer, uint64_t generation)
{
    int code = tn_directory_begin(writer, generation, NULL);
    if (code == TN_OK) {
        code = put_platform(writer, generation);
    }
    if (code == TN_OK) {
        code = put_pair(writer, generation);
    }
    if (code == TN_OK) {
        code = put_others(writer, generation);
    }
    int committed = tn_directory_commit(writer, NULL);
    return code == TN_OK ? committed : code;
}

/* ---- the readers ----------------------------------------------------------------------------- */

static void report(race_t *race, const char *fault)
{
    atomic_store(&race->fault, fault);
    atomic_store(&race->is_over, true);
}

static void check(race_t *race, bool holds, const char *fault)
{
    if (!holds) {
        report(race, fault);
    }
}

static uint64_t generation_of(const tn_directory_t *directory)
{
    tn_directory_info_t info;
    tn_directory_info(&info, directory);
    return info.generation;
}

static bool is_number(const tn_tenant_t *tenant, unsigned number)
{
    uint8_t id[16];
    char text[64];
    numbered_id(id, number);
    static const char digits[] = "0123456789abcdef";
    (void)snprintf(text, sizeof(text), "%c%c%c%c", digits[id[14] >> 4], digits[id[14] & 15],
                   digits[id[15] >> 4], digits[id[15] & 15]);
    return strcmp(tenant->id + TN_UUID_LENGTH - 4, text) == 0;
}

static bool has_host(const tn_tenant_t *tenant, tn_str_t host)
{
    tn_str_t text;
    bool is_primary;
    for (size_t i = 0; tn_tenant_host_at(&text, &is_primary, tenant, i); i++) {
        if (tn_str_equal(text, host)) {
            return true;
        }
    }
    return false;
}

/* Every moving host is found, at one of the two, and that one says it has it. */
static void look_for_hosts(race_t *race, const tn_directory_t *directory)
{
    for (unsigned i = 0; i < MOVING_HOSTS; i++) {
        tn_tenant_t tenant;
        char text[64];
        tn_str_t host = moving_host(text, i);
        uint64_t before = generation_of(directory);
        int code = tn_directory_by_host(&tenant, directory, host);
        uint64_t after = generation_of(directory);
        check(race, code == TN_OK, "a host that is always there was not found");
        if (code != TN_OK) {
            return;
        }
        bool is_left = is_number(&tenant, LEFT);
        check(race, is_left || is_number(&tenant, RIGHT), "a host led to a stranger");
        check(race, has_host(&tenant, host), "a tenant was found by a host that it does not have");
        check(race, before <= tenant.generation && tenant.generation <= after,
              "a version was found that was current at no time of the look-up");
        check(race, is_left == ((tenant.generation >> i & 1) != 0), "a host was at the wrong one");
    }
}

static uint64_t count_of(race_t *race, const tn_directory_t *directory, unsigned number)
{
    tn_tenant_t tenant;
    tn_str_t value = {"", 0};
    uint8_t id[16];
    char text[32] = "";
    numbered_id(id, number);
    int code = tn_directory_by_id(&tenant, directory, id);
    check(race, code == TN_OK && tn_tenant_setting(&value, &tenant, "count") == TN_OK,
          "a tenant that is always there was not found");
    if (value.length < sizeof(text)) {
        memcpy(text, value.data, value.length);
    }
    return strtoull(text, NULL, 10);
}

/* Within one generation both have the same count; from look to look it never goes back. */
static void look_at_pair(race_t *race, const tn_directory_t *directory)
{
    uint64_t before = generation_of(directory);
    uint64_t left = count_of(race, directory, LEFT);
    uint64_t right = count_of(race, directory, RIGHT);
    uint64_t again = count_of(race, directory, LEFT);
    uint64_t after = generation_of(directory);
    if (before == after) {
        check(race, left == before && right == before, "half of a change was seen");
    }
    check(race, before <= left && left <= right && right <= again && again <= after,
          "a look-up went back in time");
}

/* The guest is there in even generations, all of it, and in odd ones nothing of it. */
static void look_for_guest(race_t *race, const tn_directory_t *directory)
{
    tn_tenant_t tenant;
    char text[64];
    uint64_t before = generation_of(directory);
    int by_host = tn_directory_by_host(&tenant, directory, numbered_host(text, GUEST, 1));
    check(race, by_host != TN_OK || is_number(&tenant, GUEST), "a guest's host led to a stranger");
    int by_slug = tn_directory_by_slug(&tenant, directory, numbered_slug(text, GUEST));
    uint64_t after = generation_of(directory);
    check(race, by_host != TN_EUNAVAILABLE && by_slug != TN_EUNAVAILABLE,
          "a look-up beside the writer could not be done");
    if (before == after) {
        int expected = before % 2 == 0 ? TN_OK : TN_ENOTFOUND;
        check(race, by_host == expected && by_slug == expected,
              "a guest was there when gone, or gone when there");
    }
}

/* The slug of the generation, and the one before, lead to the one that is renamed. */
static void look_for_renamed(race_t *race, const tn_directory_t *directory)
{
    tn_tenant_t tenant;
    char text[64];
    uint64_t before = generation_of(directory);
    int present = tn_directory_by_slug(&tenant, directory, renamed_slug(text, before));
    int former = tn_directory_by_slug(&tenant, directory, renamed_slug(text, before - 1));
    int future = tn_directory_by_slug(&tenant, directory, renamed_slug(text, before + 1));
    int past = tn_directory_by_slug(&tenant, directory, renamed_slug(text, before - 2));
    if (before == generation_of(directory)) {
        check(race, present == TN_OK && former == TN_OK, "a slug was not found");
        check(race, future == TN_ENOTFOUND && past == TN_ENOTFOUND,
              "a slug of another generation was found");
    }
    int absent = tn_directory_by_slug(&tenant, directory, numbered_slug(text, STRANGER));
    check(race, absent == TN_ENOTFOUND, "somebody was found who was never there");
}

/* The base domain of the generation is the only one. */
static void look_at_platform(race_t *race, const tn_directory_t *directory)
{
    size_t base, label;
    char text[64];
    tn_platform_t platform = {0};
    uint64_t before = generation_of(directory);
    int present = tn_directory_split_host(&base, &label, directory, base_name(text, before));
    int past = tn_directory_split_host(&base, &label, directory, base_name(text, before - 1));
    int read = tn_directory_platform(&platform, directory);
    check(race, present != TN_EUNAVAILABLE && past != TN_EUNAVAILABLE && read == TN_OK,
          "the platform could not be read beside the writer");
    if (before == generation_of(directory)) {
        check(race, present == TN_OK && past == TN_ENOTFOUND && platform.options_hash == before,
              "the platform of another generation was seen");
    }
}

static void *read_on(void *context)
{
    race_t *race = context;
    tn_directory_t *directory;
    int code = race->image != NULL
                   ? tn_directory_open_buffer(&directory, race->image, race->image_size, NULL)
                   : tn_directory_open(&directory, race->world->path, NULL);
    if (code != TN_OK) {
        report(race, "a reader could not open the directory");
        return NULL;
    }
    while (!atomic_load(&race->is_over)) {
        uint64_t published = atomic_load(&race->published);
        tn_directory_refresh(directory, tn_clock_steady_ms());
        check(race, generation_of(directory) >= published, "a reader was not told of a change");
        look_for_hosts(race, directory);
        look_at_pair(race, directory);
        look_for_guest(race, directory);
        look_for_renamed(race, directory);
        look_at_platform(race, directory);
        atomic_fetch_add(&race->looks, 1);
    }
    tn_directory_close(directory);
    return NULL;
}

static int count_pair(const tn_tenant_t *tenant, void *context)
{
    tn_str_t value;
    unsigned *seen = context;
    if (tn_tenant_setting(&value, tenant, "count") == TN_OK) {
        *seen += 1;
    }
    return 0;
}

/* Walks and verifies all the time: nothing that happens meanwhile is a fault. */
static void *verify_on(void *context)
{
    race_t *race = context;
    tn_directory_t *directory;
    int code = race->image != NULL
                   ? tn_directory_open_buffer(&directory, race->image, race->image_size, NULL)
                   : tn_directory_open(&directory, race->world->path, NULL);
    if (code != TN_OK) {
        report(race, "a reader could not open the directory");
        return NULL;
    }
    while (!atomic_load(&race->is_over)) {
        unsigned pair = 0;
        tn_directory_refresh(directory, tn_clock_steady_ms());
        check(race, tn_directory_verify(directory, NULL) == TN_OK,
              "verification took a writer's work for damage");
        check(race, tn_directory_each_tenant(directory, count_pair, &pair) == TN_OK && pair == 2,
              "a walk missed somebody, or met them twice");
    }
    tn_directory_close(directory);
    return NULL;
}

static void run(race_t *race, tn_directory_writer_t *writer, uint64_t generation)
{
    pthread_t readers[READERS + 1];
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, race), 0);
    }
    assert_int_equal(pthread_create(&readers[READERS], NULL, verify_on, race), 0);
    int64_t end_ms = tn_clock_steady_ms() + RUN_MS;
    int code = TN_OK;
    uint64_t changes = 0;
    while (code == TN_OK && !atomic_load(&race->is_over)) {
        code = publish(writer, ++generation);
        if (code == TN_OK) {
            atomic_store(&race->published, generation);
        }
        changes++;
        bool is_full = false;
        if (race->image != NULL) {
            /* the readers of these bytes could not follow: stop before they are given up */
            tn_directory_info_t info;
            tn_directory_info(&info, tn_directory_writer_view(writer));
            is_full = info.used_bytes + 8192 > info.size_bytes / 2;
        }
        if (is_full || (changes % 64 == 0 && tn_clock_steady_ms() >= end_ms)) {
            atomic_store(&race->is_over, true);
        }
    }
    for (int i = 0; i <= READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    }
    const char *fault = atomic_load(&race->fault);
    if (fault != NULL) {
        fail_msg("%s", fault);
    }
    assert_int_equal(code, TN_OK);
    assert_true(changes > 100);
    assert_true(atomic_load(&race->looks) > 100);
}

static void test_readers_of_the_writers_own_bytes(void **state)
{
    world_t *world = *state;
    /* large enough that it is not replaced on the way */
    tn_directory_writer_t *writer;
    assert_int_equal(
        tn_directory_writer_create(&writer, world->path, world_database_id, 400000, &world->err),
        TN_OK);
    assert_int_equal(publish(writer, 2), TN_OK);
    const tn_directory_t *view = tn_directory_writer_view(writer);
    race_t race = {.world = world, .image = view->image.data, .image_size = view->image.size};
    run(&race, writer, 2);
    assert_ptr_equal(tn_directory_writer_view(writer)->image.data, race.image);
    tn_directory_writer_close(writer);
}

static void test_readers_of_a_file_that_moves(void **state)
{
    world_t *world = *state;
    race_t race = {.world = world};
    assert_int_equal(publish(world->writer, 2), TN_OK);
    run(&race, world->writer, 2);
    assert_int_equal(tn_directory_verify(world_look(world), &world->err), TN_OK);
}

static const struct CMUnitTest tests[] = {
    UNIT(test_readers_of_the_writers_own_bytes),
    UNIT(test_readers_of_a_file_that_moves),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
