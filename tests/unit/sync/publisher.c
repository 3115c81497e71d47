/*
 * The publisher: following, building, refusing, and repairing, with real databases and directories.
 */
#include "sync/publisher.h"

#include "base/str.h"
#include "core/directory_format.h"
#include "core/directory_record.h"
#include "published.h"
#include "store/domain.h"
#include "store/flag.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A database with three tenants, and a directory that follows it. */
typedef struct {
    tn_test_database_t *database;
    tn_publisher_t *publisher;
    char directory[256];
    char a[TN_UUID_LENGTH + 1], b[TN_UUID_LENGTH + 1], c[TN_UUID_LENGTH + 1];
} world_t;

static int setup(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)tn_test_database_setup((void **)&world->database);
    (void)snprintf(world->directory, sizeof(world->directory), "%s/directory",
                   world->database->folder);
    tn_test_create(world->database, "a", world->a);
    tn_test_create(world->database, "b", world->b);
    tn_test_create(world->database, "c", world->c);
    world->publisher = tn_test_publisher(world->directory);
    tn_test_sync(world->publisher, world->database, world->directory);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_t *world = *state;
    void *database = world->database;
    tn_publisher_close(world->publisher);
    free(world);
    return tn_test_database_teardown(&database);
}

static void sync_now(world_t *world)
{
    tn_test_sync(world->publisher, world->database, world->directory);
}

static void update(world_t *world, const char *id, tn_tenant_values_t values)
{
    tn_err_t err = {0};
    if (tn_test_update(world->database, id, &values, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
}

static void reopen_publisher(world_t *world)
{
    tn_publisher_close(world->publisher);
    world->publisher = tn_test_publisher(world->directory);
}

static ino_t inode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static void beside(char path[300], const world_t *world, const char *suffix)
{
    (void)snprintf(path, 300, "%s%s", world->directory, suffix);
}

/* ---- following ---------------------------------------------------------------------------- */

static void test_each_kind_of_change(void **state)
{
    world_t *world = *state;
    tn_domain_row_t row;
    const tn_tenant_status_t suspended = TN_STATUS_SUSPENDED;
    const bool no = false;
    ino_t inode = inode_of(world->directory);
    update(world, world->a, (tn_tenant_values_t){.slug = "a2", .settings = "{\"title\":\"T\"}"});
    sync_now(world);
    update(world, world->b, (tn_tenant_values_t){.status = &suspended, .is_listed = &no});
    sync_now(world);
    tn_tx_t *tx = tn_test_begin(world->database);
    assert_int_equal(tn_domain_add(&row, tx, world->a, "x.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_domain_add(&row, tx, world->a, "y.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_domain_set_primary(tx, world->a, "y.example", true, NULL), TN_OK);
    assert_int_equal(tn_flag_set_tenant(tx, "beta", world->c, true, NULL), TN_OK);
    (void)tn_test_commit(tx);
    sync_now(world);
    /* a domain moves from one tenant to another in one transaction, a slug is given back */
    tx = tn_test_begin(world->database);
    assert_int_equal(tn_domain_remove(tx, world->a, "x.example", NULL), TN_OK);
    assert_int_equal(tn_domain_add(&row, tx, world->b, "x.example", NULL, 0, NULL), TN_OK);
    assert_int_equal(tn_flag_set_default(tx, "gamma", true, NULL, NULL), TN_OK);
    (void)tn_test_commit(tx);
    update(world, world->a, (tn_tenant_values_t){.slug = "a"});
    sync_now(world);
    tx = tn_test_begin(world->database);
    assert_int_equal(tn_flag_remove(tx, "beta", NULL), TN_OK);
    (void)tn_test_commit(tx);
    sync_now(world);
    /* the former slug of one becomes another's after its hold */
    tn_test_sql(world->database->path,
                "UPDATE tenant_slugs SET held_until_ms = 1 WHERE slug = 'a2'");
    update(world, world->c, (tn_tenant_values_t){.slug = "a2"});
    sync_now(world);
    assert_int_equal(inode_of(world->directory), inode); /* changed in place, not rebuilt */
}

static void test_nothing_new(void **state)
{
    world_t *world = *state;
    struct stat before, after;
    assert_int_equal(stat(world->directory, &before), 0);
    for (int i = 0; i < 10; i++) {
        sync_now(world);
    }
    assert_int_equal(stat(world->directory, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
}

static void test_many_versions_at_once(void **state)
{
    world_t *world = *state;
    char name[32];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "name %d", i);
        update(world, i % 2 == 0 ? world->a : world->b, (tn_tenant_values_t){.name = name});
    }
    sync_now(world);
}

static void test_catches_up_after_a_restart(void **state)
{
    world_t *world = *state;
    tn_publisher_close(world->publisher);
    world->publisher = NULL;
    ino_t inode = inode_of(world->directory);
    update(world, world->a, (tn_tenant_values_t){.name = "meanwhile"});
    tn_test_reopen(world->database);
    world->publisher = tn_test_publisher(world->directory);
    tn_publisher_status_t status;
    tn_publisher_status(&status, world->publisher);
    assert_int_equal(status.state, TN_PUBLISHER_UNAVAILABLE);
    assert_int_equal(status.generation, 4);
    sync_now(world);
    assert_int_equal(inode_of(world->directory), inode);
}

/* Commits, and dies before anything is published. */
static void commit_and_die(const world_t *world)
{
    tn_store_t *store = NULL;
    tn_publisher_t *publisher = tn_test_publisher(world->directory);
    tn_tx_t *tx = NULL;
    tn_tenant_row_t row = {0};
    const tn_tenant_values_t values = {.slug = "killed", .name = "n"};
    if (tn_store_open(&store, world->database->url, false, NULL) == TN_OK &&
        tn_publisher_sync(NULL, publisher, store, NULL) == TN_OK &&
        tn_tx_begin(&tx, store, TN_TX_WRITE, &tn_test_actor, NULL) == TN_OK &&
        tn_tenant_create(&row, tx, &values, NULL) == TN_OK &&
        tn_tx_commit(tx, NULL, NULL) == TN_OK) {
        (void)kill(getpid(), SIGKILL);
    }
    _exit(1);
}

static void test_killed_between_commit_and_publish(void **state)
{
    world_t *world = *state;
    int status = 0;
    tn_publisher_close(world->publisher);
    world->publisher = NULL;
    tn_store_close(world->database->store);
    world->database->store = NULL;
    pid_t child = fork();
    if (child == 0) {
        commit_and_die(world);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    tn_test_reopen(world->database);
    assert_int_equal(tn_test_generation(world->database), 5);
    world->publisher = tn_test_publisher(world->directory);
    sync_now(world);
}

/* ---- building ----------------------------------------------------------------------------- */

static void test_missing_is_built(void **state)
{
    world_t *world = *state;
    tn_publisher_close(world->publisher);
    assert_int_equal(unlink(world->directory), 0);
    world->publisher = tn_test_publisher(world->directory);
    assert_int_equal(access(world->directory, F_OK), -1);
    sync_now(world);
}

static void test_removed_while_in_use(void **state)
{
    world_t *world = *state;
    tn_err_t err = {0};
    assert_int_equal(tn_publisher_inspect(world->publisher, &err), TN_OK);
    assert_int_equal(unlink(world->directory), 0);
    assert_int_equal(tn_publisher_inspect(world->publisher, &err), TN_ENOTFOUND);
    sync_now(world);
    assert_int_equal(tn_publisher_inspect(world->publisher, &err), TN_OK);
}

static void overwrite(const char *path, off_t at, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, length, at), (ssize_t)length);
    assert_int_equal(close(fd), 0);
}

static void expect_aside(const world_t *world)
{
    char aside[300];
    beside(aside, world, ".damaged");
    assert_int_equal(access(aside, F_OK), 0);
}

static void test_damaged_is_rebuilt(void **state)
{
    world_t *world = *state;
    tn_publisher_close(world->publisher);
    overwrite(world->directory, TN_HEADER_SEED, "damage", 6);
    world->publisher = tn_test_publisher(world->directory);
    sync_now(world);
    expect_aside(world);
}

static void test_other_version_is_rebuilt(void **state)
{
    world_t *world = *state;
    uint8_t header[TN_HEADER_CHECKSUM + 8];
    tn_publisher_close(world->publisher);
    int fd = open(world->directory, O_RDONLY);
    assert_int_equal(read(fd, header, sizeof(header)), (ssize_t)sizeof(header));
    assert_int_equal(close(fd), 0);
    tn_store_u32(header + TN_HEADER_VERSION, TN_FORMAT_VERSION + 1);
    tn_store_u64(header + TN_HEADER_CHECKSUM, tn_checksum(header, TN_HEADER_CHECKSUM));
    overwrite(world->directory, 0, header, sizeof(header));
    world->publisher = tn_test_publisher(world->directory);
    sync_now(world);
}

/* A slot goes bad while the writer has the file open: inspecting finds it in some call. */
static void test_damage_found_by_inspecting(void **state)
{
    world_t *world = *state;
    static uint8_t slots[256 * TN_SLOT_SIZE];
    tn_err_t err = {0};
    int code = TN_OK;
    int fd = open(world->directory, O_RDWR);
    assert_int_equal(pread(fd, slots, sizeof(slots), TN_FORMAT_HEADER_SIZE),
                     (ssize_t)sizeof(slots));
    for (size_t i = 0; i < sizeof(slots); i++) {
        slots[i] ^= 0x10;
    }
    assert_int_equal(pwrite(fd, slots, sizeof(slots), TN_FORMAT_HEADER_SIZE),
                     (ssize_t)sizeof(slots));
    assert_int_equal(close(fd), 0);
    for (int i = 0; i < 10 && code == TN_OK; i++) {
        code = tn_publisher_inspect(world->publisher, &err);
    }
    assert_int_equal(code, TN_EDAMAGED);
    sync_now(world);
    expect_aside(world);
    assert_int_equal(tn_publisher_inspect(world->publisher, &err), TN_OK);
}

static void test_other_options(void **state)
{
    static const char *const settings[] = {"title", "color"};
    world_t *world = *state;
    tn_publisher_options_t options = tn_test_options;
    tn_directory_t *directory = NULL;
    tn_tenant_t tenant;
    tn_str_t value;
    options.path = world->directory;
    options.edge_settings = settings;
    options.edge_setting_count = 2;
    update(world, world->a,
           (tn_tenant_values_t){.settings = "{\"title\":\"T\",\"color\":\"red\"}"});
    sync_now(world);
    ino_t inode = inode_of(world->directory);
    reopen_publisher(world); /* the same options: nothing to do */
    sync_now(world);
    assert_int_equal(inode_of(world->directory), inode);
    tn_publisher_close(world->publisher);
    assert_int_equal(tn_publisher_open(&world->publisher, &options, NULL), TN_OK);
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, world->database->store, NULL),
                     TN_OK);
    assert_int_not_equal(inode_of(world->directory), inode);
    assert_int_equal(tn_directory_open(&directory, world->directory, NULL), TN_OK);
    assert_int_equal(tn_directory_by_slug(&tenant, directory, TN_STR("a")), TN_OK);
    assert_int_equal(tn_tenant_setting(&value, &tenant, "color"), TN_OK);
    tn_directory_close(directory);
    reopen_publisher(world);
    sync_now(world); /* which expects no color */
}

/* So many versions are not followed one by one. */
static void test_far_behind_is_built(void **state)
{
    world_t *world = *state;
    ino_t inode = inode_of(world->directory);
    tn_test_sql(world->database->path, "UPDATE change_counter SET version = version + 10000");
    update(world, world->a, (tn_tenant_values_t){.name = "much later"});
    sync_now(world);
    assert_int_not_equal(inode_of(world->directory), inode);
}

static void test_rebuild_on_demand(void **state)
{
    world_t *world = *state;
    uint64_t generation = 0;
    ino_t inode = inode_of(world->directory);
    assert_int_equal(
        tn_publisher_rebuild(&generation, world->publisher, world->database->store, false, NULL),
        TN_OK);
    assert_int_equal(generation, 4);
    assert_int_not_equal(inode_of(world->directory), inode);
    tn_test_expect_published(world->database, world->directory);
    update(world, world->a, (tn_tenant_values_t){.name = "later"});
    sync_now(world);
}

/* ---- refusing ----------------------------------------------------------------------------- */

/* Neither sync nor rebuild publishes; the directory is as it was; force makes it the truth. */
static void expect_refusal(world_t *world, const char *why)
{
    tn_err_t err = {0};
    tn_publisher_status_t status;
    tn_directory_info_t info;
    tn_directory_t *directory = NULL;
    char id[TN_UUID_LENGTH + 1];
    ino_t inode = inode_of(world->directory);
    tn_store_t *store = world->database->store;
    for (int i = 0; i < 2; i++) {
        int code = i == 0 ? tn_publisher_sync(NULL, world->publisher, store, &err)
                          : tn_publisher_rebuild(NULL, world->publisher, store, false, &err);
        assert_int_equal(code, TN_EFOREIGN);
        tn_publisher_status(&status, world->publisher);
        assert_int_equal(status.state, TN_PUBLISHER_REFUSED);
        assert_string_equal(status.reason, err.detail);
        if (strncmp(status.reason, why, strlen(why)) != 0) {
            fail_msg("'%s' does not begin with '%s'", status.reason, why);
        }
        assert_non_null(
            strstr(status.reason, tn_uuid_format(id, status.directory_database_id.bytes)));
        assert_non_null(strstr(status.reason, tn_uuid_format(id, status.database_id.bytes)));
        assert_int_equal(status.database_generation, tn_test_generation(world->database));
    }
    assert_int_equal(inode_of(world->directory), inode);
    assert_int_equal(tn_directory_open(&directory, world->directory, NULL), TN_OK);
    tn_directory_info(&info, directory);
    assert_int_equal(info.generation, status.generation);
    assert_int_equal(info.tenants, 3);
    tn_directory_close(directory);
    uint64_t generation = 0;
    assert_int_equal(tn_publisher_rebuild(&generation, world->publisher, store, true, &err), TN_OK);
    assert_int_equal(generation, tn_test_generation(world->database));
    tn_test_expect_published(world->database, world->directory);
    sync_now(world);
}

/* Another file in the database's place. */
static void replace_database(world_t *world, const char *with)
{
    char path[300];
    tn_store_close(world->database->store);
    world->database->store = NULL;
    assert_int_equal(unlink(world->database->path), 0);
    if (with != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", world->database->folder, with);
        assert_int_equal(rename(path, world->database->path), 0);
    }
    assert_int_equal(tn_store_open(&world->database->store, world->database->url, true, NULL),
                     TN_OK);
}

static void test_foreign_database(void **state)
{
    world_t *world = *state;
    char id[TN_UUID_LENGTH + 1], name[8];
    replace_database(world, NULL);
    for (int i = 0; i < 9; i++) {
        (void)snprintf(name, sizeof(name), "new%d", i);
        tn_test_create(world->database, name, id);
    }
    expect_refusal(world, "another database");
}

/* Marks the file as one that was open when another boot of the machine ended: no writer takes it
 * up. */
static void leave_as_after_a_power_cut(const char *path)
{
    _Alignas(8) uint8_t word[8];
    tn_word_store(word, TN_STATE_BOOT_MAX);
    overwrite(path, TN_WORD_STATE, word, sizeof(word));
}

static void test_power_cut(void **state)
{
    world_t *world = *state;
    ino_t inode = inode_of(world->directory);
    tn_publisher_close(world->publisher);
    leave_as_after_a_power_cut(world->directory);
    world->publisher = tn_test_publisher(world->directory);
    sync_now(world);
    assert_int_not_equal(inode_of(world->directory), inode);
    expect_aside(world);
}

static void test_new_empty_database(void **state)
{
    world_t *world = *state;
    replace_database(world, NULL);
    expect_refusal(world, "another database");
}

static void test_older_database(void **state)
{
    world_t *world = *state;
    char sql[300];
    (void)snprintf(sql, sizeof(sql), "VACUUM INTO '%s/old'", world->database->folder);
    tn_test_sql(world->database->path, sql);
    update(world, world->a, (tn_tenant_values_t){.name = "after the backup"});
    sync_now(world);
    replace_database(world, "old");
    expect_refusal(world, "a database older than the directory");
}

static void test_emptied_database(void **state)
{
    world_t *world = *state;
    tn_test_sql(world->database->path, "DELETE FROM tenant_slugs; DELETE FROM tenants;"
                                       "UPDATE change_counter SET version = version + 1");
    expect_refusal(world, "a database without tenants");
}

/* Of the same generation: there is nothing to publish, and nothing is wiped by rebuilding. */
static void test_emptied_database_of_the_same_generation(void **state)
{
    world_t *world = *state;
    tn_err_t err = {0};
    tn_test_sql(world->database->path, "DELETE FROM tenant_slugs; DELETE FROM tenants");
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, world->database->store, &err),
                     TN_OK);
    assert_int_equal(
        tn_publisher_rebuild(NULL, world->publisher, world->database->store, false, &err),
        TN_EFOREIGN);
    /* nor when the options change */
    tn_publisher_options_t options = tn_test_options;
    options.path = world->directory;
    options.edge_setting_count = 0;
    tn_publisher_close(world->publisher);
    assert_int_equal(tn_publisher_open(&world->publisher, &options, NULL), TN_OK);
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, world->database->store, &err),
                     TN_EFOREIGN);
}

/* A directory that says nothing is in nobody's way. */
static void test_empty_directory_is_given_up(void **state)
{
    world_t *world = *state;
    char id[TN_UUID_LENGTH + 1];
    replace_database(world, NULL);
    assert_int_equal(
        tn_publisher_rebuild(NULL, world->publisher, world->database->store, true, NULL), TN_OK);
    replace_database(world, NULL);
    sync_now(world);
    tn_test_create(world->database, "first", id);
    sync_now(world);
    reopen_publisher(world);
    sync_now(world);
}

/* ---- when things are not there ------------------------------------------------------------ */

static void test_database_gone(void **state)
{
    world_t *world = *state;
    tn_err_t err = {0};
    tn_publisher_status_t status;
    char away[300];
    update(world, world->a, (tn_tenant_values_t){.name = "not published"});
    (void)snprintf(away, sizeof(away), "%s/away", world->database->folder);
    assert_int_equal(rename(world->database->path, away), 0);
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, world->database->store, &err),
                     TN_EUNAVAILABLE);
    tn_publisher_status(&status, world->publisher);
    assert_int_equal(status.state, TN_PUBLISHER_UNAVAILABLE);
    assert_non_null(strstr(status.reason, "is gone"));
    assert_int_equal(status.generation, 4);
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, NULL, &err), TN_EUNAVAILABLE);
    tn_publisher_lost_database(world->publisher, "somebody took it");
    tn_publisher_status(&status, world->publisher);
    assert_string_equal(status.reason, "somebody took it");
    assert_int_equal(tn_publisher_rebuild(NULL, world->publisher, NULL, true, &err),
                     TN_EUNAVAILABLE);
    assert_string_equal(err.detail, "somebody took it");
    assert_int_equal(rename(away, world->database->path), 0);
    sync_now(world);
}

static void test_one_publisher_at_a_time(void **state)
{
    world_t *world = *state;
    tn_publisher_t *second = NULL;
    tn_publisher_options_t options = tn_test_options;
    tn_err_t err = {0};
    options.path = world->directory;
    assert_int_equal(tn_publisher_open(&second, &options, &err), TN_EBUSY);
    assert_null(second);
    tn_publisher_close(NULL);
}

/* Two that find no directory: the first to build it has it. */
static void test_two_publishers_without_a_directory(void **state)
{
    world_t *world = *state;
    tn_err_t err = {0};
    tn_publisher_close(world->publisher);
    assert_int_equal(unlink(world->directory), 0);
    world->publisher = tn_test_publisher(world->directory);
    tn_publisher_t *second = tn_test_publisher(world->directory);
    assert_int_equal(tn_publisher_sync(NULL, second, world->database->store, &err), TN_OK);
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, world->database->store, &err),
                     TN_EBUSY);
    tn_publisher_close(second);
    sync_now(world);
}

/* Against the database's constraints two tenants claim a host: the directory stays as it is. */
static void test_conflict_in_the_database(void **state)
{
    world_t *world = *state;
    tn_domain_row_t row;
    tn_err_t err = {0};
    tn_publisher_status_t status;
    char sql[160];
    tn_tx_t *tx = tn_test_begin(world->database);
    assert_int_equal(tn_domain_add(&row, tx, world->a, "x.example", NULL, 0, NULL), TN_OK);
    (void)tn_test_commit(tx);
    sync_now(world);
    /* the domain changes hands without the change log's knowledge */
    (void)snprintf(sql, sizeof(sql), "UPDATE domains SET tenant_id = '%s'", world->b);
    tn_test_sql(world->database->path, sql);
    update(world, world->b, (tn_tenant_values_t){.name = "B"});
    assert_int_equal(tn_publisher_sync(NULL, world->publisher, world->database->store, &err),
                     TN_ECONFLICT);
    tn_publisher_status(&status, world->publisher);
    assert_int_equal(status.state, TN_PUBLISHER_UNAVAILABLE);
    assert_non_null(strstr(status.reason, "x.example"));
    assert_int_equal(status.generation, 5);
    assert_int_equal(status.database_generation, 6);
    assert_int_equal(
        tn_publisher_rebuild(NULL, world->publisher, world->database->store, false, NULL), TN_OK);
    tn_test_expect_published(world->database, world->directory);
}

/* In a child whose files may not grow: the directory cannot be built, and stays as it is. */
static void rebuild_without_room(world_t *world)
{
    const struct rlimit limit = {1024, RLIM_INFINITY}, unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    tn_err_t err = {0};
    tn_publisher_status_t status;
    tn_store_t *store = NULL;
    tn_publisher_t *publisher = tn_test_publisher(world->directory);
    if (tn_store_open(&store, world->database->url, false, &err) != TN_OK) {
        _exit(1);
    }
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        tn_publisher_rebuild(NULL, publisher, store, true, &err) != TN_EFULL) {
        _exit(2);
    }
    tn_publisher_status(&status, publisher);
    if (status.state != TN_PUBLISHER_UNAVAILABLE || status.generation != 4) {
        _exit(3);
    }
    if (setrlimit(RLIMIT_FSIZE, &unlimited) != 0 ||
        tn_publisher_sync(NULL, publisher, store, &err) != TN_OK) {
        _exit(4);
    }
    tn_publisher_close(publisher);
    tn_store_close(store);
    _exit(0);
}

static void test_full_disk(void **state)
{
    world_t *world = *state;
    ino_t inode = inode_of(world->directory);
    tn_publisher_close(world->publisher);
    world->publisher = NULL;
    tn_store_close(world->database->store);
    world->database->store = NULL;
    pid_t child = fork();
    if (child == 0) {
        rebuild_without_room(world);
    }
    tn_test_wait(child);
    assert_int_equal(inode_of(world->directory), inode);
    tn_test_reopen(world->database);
    tn_test_expect_published(world->database, world->directory);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_each_kind_of_change),
        IN_WORLD(test_nothing_new),
        IN_WORLD(test_many_versions_at_once),
        IN_WORLD(test_catches_up_after_a_restart),
        IN_WORLD(test_killed_between_commit_and_publish),
        IN_WORLD(test_missing_is_built),
        IN_WORLD(test_removed_while_in_use),
        IN_WORLD(test_damaged_is_rebuilt),
        IN_WORLD(test_other_version_is_rebuilt),
        IN_WORLD(test_damage_found_by_inspecting),
        IN_WORLD(test_other_options),
        IN_WORLD(test_far_behind_is_built),
        IN_WORLD(test_rebuild_on_demand),
        IN_WORLD(test_foreign_database),
        IN_WORLD(test_power_cut),
        IN_WORLD(test_new_empty_database),
        IN_WORLD(test_older_database),
        IN_WORLD(test_emptied_database),
        IN_WORLD(test_emptied_database_of_the_same_generation),
        IN_WORLD(test_empty_directory_is_given_up),
        IN_WORLD(test_database_gone),
        IN_WORLD(test_one_publisher_at_a_time),
        IN_WORLD(test_two_publishers_without_a_directory),
        IN_WORLD(test_conflict_in_the_database),
        IN_WORLD(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
