/*
 * Threads that write tenants while others synchronise and read: what ThreadSanitizer is to look at.
 * In the end the directory equals the database.
 */
#include "published.h"
#include "store/domain.h"
#include "store/flag.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS       3
#define SYNCHRONISERS 2
#define ROUNDS        25

typedef struct {
    tn_test_database_t *database;
    tn_publisher_t *publisher;
    char directory[256];
    atomic_int faults;
    atomic_bool is_over;
} world_t;

typedef struct {
    world_t *world;
    int number;
} thread_t;

/* One transaction of a writer: a tenant is made, renamed, given a domain and a flag, suspended. */
static int write_once(const thread_t *self, char id[TN_UUID_LENGTH + 1], int round)
{
    char text[64];
    tn_tx_t *tx = NULL;
    tn_tenant_row_t row = {0};
    tn_domain_row_t domain;
    const tn_tenant_status_t status = (tn_tenant_status_t)(1 + round % 3);
    int code = tn_tx_begin(&tx, self->world->database->store, TN_TX_WRITE, &tn_test_actor, NULL);
    if (code != TN_OK) {
        return code;
    }
    (void)snprintf(text, sizeof(text), "w%d-%d", self->number, round);
    if (round % 5 == 0) {
        code = tn_tenant_create(&row, tx, &(tn_tenant_values_t){.slug = text, .name = text}, NULL);
        memcpy(id, row.id, sizeof(row.id));
    } else {
        const tn_tenant_values_t values = {.slug = text, .status = &status};
        code = tn_tenant_update(&row, tx, id, &values, 0, NULL);
    }
    tn_tenant_row_deinit(&row);
    (void)snprintf(text, sizeof(text), "h%d-%d.example", self->number, round);
    if (code == TN_OK) {
        code = tn_domain_add(&domain, tx, id, text, NULL, 0, NULL);
    }
    if (code == TN_OK) {
        code = tn_flag_set_tenant(tx, "beta", id, round % 2 == 0, NULL);
    }
    int committed = tn_tx_commit(tx, NULL, NULL);
    return code != TN_OK ? code : committed;
}

static void *write_many(void *context)
{
    thread_t *self = context;
    char id[TN_UUID_LENGTH + 1] = "";
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t generation = 0;
        if (write_once(self, id, round) != TN_OK ||
            tn_publisher_sync(&generation, self->world->publisher, self->world->database->store,
                              NULL) != TN_OK) {
            atomic_fetch_add(&self->world->faults, 1);
        }
    }
    return NULL;
}

static void *synchronise_many(void *context)
{
    thread_t *self = context;
    tn_publisher_status_t status;
    uint64_t last = 0;
    while (!atomic_load(&self->world->is_over)) {
        uint64_t generation = 0;
        if (tn_publisher_sync(&generation, self->world->publisher, self->world->database->store,
                              NULL) != TN_OK ||
            generation < last || tn_publisher_inspect(self->world->publisher, NULL) != TN_OK) {
            atomic_fetch_add(&self->world->faults, 1);
        }
        last = generation;
        tn_publisher_status(&status, self->world->publisher);
    }
    return NULL;
}

static int count_tenant(const tn_tenant_t *tenant, void *context)
{
    uint64_t *count = context;
    *count += 1;
    return 0;
}

/* A reader sees whole generations only, and none twice over. */
static void *read_many(void *context)
{
    thread_t *self = context;
    tn_directory_t *directory = NULL;
    uint64_t last = 0;
    int64_t now_ms = 0;
    if (tn_directory_open(&directory, self->world->directory, NULL) != TN_OK) {
        atomic_fetch_add(&self->world->faults, 1);
        return NULL;
    }
    while (!atomic_load(&self->world->is_over)) {
        tn_directory_info_t info;
        uint64_t count = 0;
        now_ms += 1000;
        tn_directory_refresh(directory, now_ms);
        tn_directory_info(&info, directory);
        if (info.state != TN_DIRECTORY_READY || info.generation < last ||
            tn_directory_each_tenant(directory, count_tenant, &count) != TN_OK) {
            atomic_fetch_add(&self->world->faults, 1);
        }
        last = info.generation;
    }
    tn_directory_close(directory);
    return NULL;
}

static void run(world_t *world)
{
    pthread_t threads[WRITERS + SYNCHRONISERS + 1];
    thread_t selves[WRITERS + SYNCHRONISERS + 1];
    const int count = WRITERS + SYNCHRONISERS + 1;
    for (int i = 0; i < count; i++) {
        selves[i] = (thread_t){world, i};
        assert_int_equal(pthread_create(&threads[i], NULL,
                                        i < WRITERS                   ? write_many
                                        : i < WRITERS + SYNCHRONISERS ? synchronise_many
                                                                      : read_many,
                                        &selves[i]),
                         0);
    }
    for (int i = 0; i < count; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (i == WRITERS - 1) {
            atomic_store(&world->is_over, true);
        }
    }
}

static void test_writers_and_synchronisers(void **state)
{
    world_t world = {.database = *state};
    (void)snprintf(world.directory, sizeof(world.directory), "%s/directory",
                   world.database->folder);
    world.publisher = tn_test_publisher(world.directory);
    tn_test_sync(world.publisher, world.database, world.directory);
    run(&world);
    assert_int_equal(atomic_load(&world.faults), 0);
    assert_int_equal(tn_test_generation(world.database), 1 + WRITERS * ROUNDS);
    tn_test_sync(world.publisher, world.database, world.directory);
    tn_publisher_close(world.publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writers_and_synchronisers, tn_test_database_setup,
                                        tn_test_database_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
