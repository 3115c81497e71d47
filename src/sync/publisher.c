/*
 * The publisher: what to do with a directory, given a database; see publisher.h. How entries get
 * from one into the other is loader.c.
 *
 * A database is compared with whatever directory can be read. Only where none can be is there
 * nothing to lose, and it is built at once.
 */
#include "sync/publisher.h"

#include "base/err.h"
#include "base/str.h"
#include "core/directory_writer.h"
#include "store/tenant.h"
#include "sync/loader.h"
#include "sync/options.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FAR_BEHIND      10000 /* versions */
#define INSPECTED_SLOTS 4096  /* by one call: about a millisecond */

struct tn_publisher {
    pthread_mutex_t lock;          /* over what follows, and held while publishing */
    tn_options_t options;          /* never changes */
    tn_directory_writer_t *writer; /* NULL: there is no directory that can be written */
    dev_t device;                  /* of the writer's file */
    ino_t inode;
    bool has_same_options;        /* the directory was built with ours */
    bool is_damaged;              /* found out while the writer has it */
    uint64_t inspected;           /* where the next inspection goes on */
    tn_uuid_t database_id;        /* of the database at hand, */
    uint64_t database_generation; /* and where it stands */

    pthread_mutex_t status_lock; /* over the status alone: asking for it waits for nobody */
    tn_publisher_status_t status;
};

/* ---- status ------------------------------------------------------------------------------- */

static void show(tn_publisher_t *publisher, tn_publisher_state_t state, const char *reason)
{
    (void)pthread_mutex_lock(&publisher->status_lock);
    publisher->status.state = state;
    (void)snprintf(publisher->status.reason, sizeof(publisher->status.reason), "%s", reason);
    (void)pthread_mutex_unlock(&publisher->status_lock);
}

/* What the directory says of itself; state MISSING when there is none. */
static tn_directory_info_t directory_info(const tn_publisher_t *publisher)
{
    tn_directory_info_t info = {.state = TN_DIRECTORY_MISSING};
    if (publisher->writer != NULL) {
        tn_directory_info(&info, tn_directory_writer_view(publisher->writer));
    }
    return info;
}

/* Where directory and database stand. */
static void show_generations(tn_publisher_t *publisher, const tn_directory_info_t *info)
{
    (void)pthread_mutex_lock(&publisher->status_lock);
    tn_publisher_status_t *status = &publisher->status;
    status->generation = info->generation;
    memcpy(status->directory_database_id.bytes, info->database_id, sizeof(info->database_id));
    status->database_id = publisher->database_id;
    status->database_generation = publisher->database_generation;
    (void)pthread_mutex_unlock(&publisher->status_lock);
}

/* Ends a call: the status says how it went. */
static int finish(tn_publisher_t *publisher, int code, const tn_err_t *found, uint64_t *generation,
                  tn_err_t *err)
{
    tn_directory_info_t info = directory_info(publisher);
    show_generations(publisher, &info);
    if (code == TN_OK) {
        show(publisher, TN_PUBLISHER_READY, "");
        if (generation != NULL) {
            *generation = info.generation;
        }
        return TN_OK;
    }
    show(publisher, code == TN_EFOREIGN ? TN_PUBLISHER_REFUSED : TN_PUBLISHER_UNAVAILABLE,
         found->detail);
    if (err != NULL) {
        *err = *found;
    }
    return code;
}

/* ---- the directory's file ----------------------------------------------------------------- */

/* Remembers which file the writer has, after it may have gone on to another. */
static void note_file(tn_publisher_t *publisher)
{
    struct stat status;
    if (stat(publisher->options.path, &status) == 0) {
        publisher->device = status.st_dev;
        publisher->inode = status.st_ino;
    }
}

static bool is_in_place(const tn_publisher_t *publisher)
{
    struct stat status;
    return stat(publisher->options.path, &status) == 0 && status.st_dev == publisher->device &&
           status.st_ino == publisher->inode;
}

static void note_options(tn_publisher_t *publisher)
{
    tn_platform_t platform;
    publisher->has_same_options =
        tn_directory_platform(&platform, tn_directory_writer_view(publisher->writer)) == TN_OK &&
        platform.options_hash == publisher->options.hash;
}

/* Opens the directory for writing unless it is. One that is not there, or that cannot be used, is
 * no error: it will be built. */
static int open_writer(tn_publisher_t *publisher, tn_err_t *err)
{
    if (publisher->writer != NULL) {
        return TN_OK;
    }
    publisher->is_damaged = false;
    int code = tn_directory_writer_open(&publisher->writer, publisher->options.path, err);
    if (code == TN_ENOTFOUND || code == TN_EDAMAGED || code == TN_EVERSION) {
        return TN_OK;
    }
    if (code == TN_OK) {
        note_file(publisher);
        note_options(publisher);
    }
    return code;
}

static void close_writer(tn_publisher_t *publisher)
{
    tn_directory_writer_close(publisher->writer);
    publisher->writer = NULL;
}

/*
 * Puts a new directory in the old one's place. A damaged one is closed first, as if it could not
 * have been opened: so it is kept aside.
 */
static int install(tn_publisher_t *publisher, tn_directory_writer_t *fresh, tn_err_t *err)
{
    if (publisher->is_damaged) {
        close_writer(publisher);
    }
    int code = tn_directory_writer_install(fresh, publisher->writer, err);
    if (code != TN_OK) {
        tn_directory_writer_close(fresh);
        return code;
    }
    close_writer(publisher);
    publisher->writer = fresh;
    publisher->is_damaged = false;
    publisher->has_same_options = true;
    note_file(publisher);
    return TN_OK;
}

static int build(tn_publisher_t *publisher, tn_tx_t *tx, tn_err_t *err)
{
    tn_directory_writer_t *fresh = NULL;
    uint64_t tenants;
    int code = tn_tenant_count(&tenants, tx, err);
    if (code == TN_OK) {
        code = tn_directory_writer_create(&fresh, publisher->options.path,
                                          publisher->database_id.bytes, tenants, err);
    }
    if (code == TN_OK) {
        code = tn_load_all(fresh, tx, publisher->database_generation, &publisher->options, err);
    }
    if (code != TN_OK) {
        tn_directory_writer_close(fresh);
        return code;
    }
    return install(publisher, fresh, err);
}

/* ---- whether the database may be published ------------------------------------------------ */

static int note_tenant(const tn_tenant_row_t *row, void *context)
{
    bool *has_tenants = context;
    (void)row;
    *has_tenants = true;
    return TN_OK;
}

static int refuse(const tn_publisher_t *publisher, const tn_directory_info_t *info, const char *why,
                  tn_err_t *err)
{
    char theirs[TN_UUID_LENGTH + 1], ours[TN_UUID_LENGTH + 1];
    (void)tn_uuid_format(theirs, info->database_id);
    (void)tn_uuid_format(ours, publisher->database_id.bytes);
    return tn_err_set(err, TN_EFOREIGN,
                      "%s: the directory is of database %s at generation %" PRIu64
                      ", this is database %s at generation %" PRIu64,
                      why, theirs, info->generation, ours, publisher->database_generation);
}

static bool is_of_database(const tn_publisher_t *publisher, const tn_directory_info_t *info)
{
    return memcmp(info->database_id, publisher->database_id.bytes, sizeof(info->database_id)) == 0;
}

/* A directory without tenants and flags says nothing that could be lost. */
static int check_database(const tn_publisher_t *publisher, const tn_directory_info_t *info,
                          tn_tx_t *tx, tn_err_t *err)
{
    if (info->state != TN_DIRECTORY_READY || (info->tenants == 0 && info->flags == 0)) {
        return TN_OK;
    }
    if (!is_of_database(publisher, info)) {
        return refuse(publisher, info, "another database", err);
    }
    if (publisher->database_generation < info->generation) {
        return refuse(publisher, info, "a database older than the directory", err);
    }
    bool has_tenants = false;
    const tn_tenant_filter_t first = {.limit = 1};
    int code = tn_tenant_list(tx, &first, note_tenant, &has_tenants, err);
    if (code == TN_OK && !has_tenants && info->tenants > 0) {
        code = refuse(publisher, info, "a database without tenants", err);
    }
    return code;
}

/* ---- publishing --------------------------------------------------------------------------- */

/* Reading everything costs less than reading so many tenants one by one, and its changes are
 * bounded. */
static bool is_far_behind(const tn_publisher_t *publisher, const tn_directory_info_t *info)
{
    uint64_t behind = publisher->database_generation - info->generation;
    return behind > FAR_BEHIND && behind > info->tenants / 4;
}

/* What lies at the path cannot be brought up to date by a change of it, or had better not be. */
static bool must_build(const tn_publisher_t *publisher, const tn_directory_info_t *info)
{
    return publisher->writer == NULL || publisher->is_damaged || !publisher->has_same_options ||
           !is_in_place(publisher) || info->generation == 0 || !is_of_database(publisher, info) ||
           publisher->database_generation < info->generation || is_far_behind(publisher, info);
}

/* Brings the directory from its generation to the database's, in one change. */
static int apply(tn_publisher_t *publisher, const tn_directory_info_t *info, tn_tx_t *tx,
                 tn_err_t *err)
{
    tn_directory_writer_t *writer = publisher->writer;
    int code = tn_directory_begin(writer, publisher->database_generation, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_load_changes(writer, tx, info->generation, &publisher->options, err);
    if (code != TN_OK) {
        tn_directory_abort(writer);
        return code;
    }
    code = tn_directory_commit(writer, err);
    if (code == TN_EDAMAGED) {
        publisher->is_damaged = true;
        return build(publisher, tx, err);
    }
    note_file(publisher);
    return code;
}

static int synchronise(tn_publisher_t *publisher, tn_tx_t *tx, tn_err_t *err)
{
    tn_directory_info_t info = directory_info(publisher);
    publisher->is_damaged |= info.state == TN_DIRECTORY_DAMAGED;
    bool builds = must_build(publisher, &info);
    if (!builds && info.generation == publisher->database_generation) {
        return TN_OK;
    }
    int code = check_database(publisher, &info, tx, err);
    if (code != TN_OK) {
        return code;
    }
    return builds ? build(publisher, tx, err) : apply(publisher, &info, tx, err);
}

static int rebuild(tn_publisher_t *publisher, tn_tx_t *tx, tn_err_t *err)
{
    tn_directory_info_t info = directory_info(publisher);
    publisher->is_damaged |= info.state == TN_DIRECTORY_DAMAGED;
    int code = check_database(publisher, &info, tx, err);
    return code == TN_OK ? build(publisher, tx, err) : code;
}

static int rebuild_by_force(tn_publisher_t *publisher, tn_tx_t *tx, tn_err_t *err)
{
    return build(publisher, tx, err);
}

typedef int (*publish_fn)(tn_publisher_t *publisher, tn_tx_t *tx, tn_err_t *err);

/* Everything is read from one snapshot of the database. */
static int publish_from(tn_publisher_t *publisher, tn_store_t *store, publish_fn publish,
                        tn_err_t *err)
{
    tn_tx_t *tx;
    uint64_t generation;
    if (store == NULL) {
        tn_publisher_status_t status;
        tn_publisher_status(&status, publisher);
        bool is_known = status.state == TN_PUBLISHER_UNAVAILABLE;
        return tn_err_set(err, TN_EUNAVAILABLE, "%s",
                          is_known ? status.reason : "there is no database");
    }
    int code = tn_tx_begin(&tx, store, TN_TX_READ, NULL, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_tx_generation(&generation, tx, err);
    if (code == TN_OK) {
        publisher->database_id = tn_store_identity(store);
        publisher->database_generation = generation;
        code = open_writer(publisher, err);
    }
    if (code == TN_OK) {
        code = publish(publisher, tx, err);
    }
    tn_tx_abort(tx);
    return code;
}

static int call(uint64_t *generation, tn_publisher_t *publisher, tn_store_t *store,
                publish_fn publish, tn_err_t *err)
{
    tn_err_t found = {0};
    (void)pthread_mutex_lock(&publisher->lock);
    int code = publish_from(publisher, store, publish, &found);
    code = finish(publisher, code, &found, generation, err);
    (void)pthread_mutex_unlock(&publisher->lock);
    return code;
}

int tn_publisher_sync(uint64_t *generation, tn_publisher_t *publisher, tn_store_t *store,
                      tn_err_t *err)
{
    return call(generation, publisher, store, synchronise, err);
}

int tn_publisher_rebuild(uint64_t *generation, tn_publisher_t *publisher, tn_store_t *store,
                         bool force, tn_err_t *err)
{
    return call(generation, publisher, store, force ? rebuild_by_force : rebuild, err);
}

/* ---- inspecting --------------------------------------------------------------------------- */

static int inspect(tn_publisher_t *publisher, tn_err_t *err)
{
    if (publisher->writer == NULL || !is_in_place(publisher)) {
        return tn_err_set(err, TN_ENOTFOUND, "the directory '%s' is not there any more",
                          publisher->options.path);
    }
    int code = tn_directory_verify_part(
        &publisher->inspected, tn_directory_writer_view(publisher->writer), INSPECTED_SLOTS, err);
    publisher->is_damaged = publisher->is_damaged || code == TN_EDAMAGED;
    return code;
}

int tn_publisher_inspect(tn_publisher_t *publisher, tn_err_t *err)
{
    (void)pthread_mutex_lock(&publisher->lock);
    int code = inspect(publisher, err);
    (void)pthread_mutex_unlock(&publisher->lock);
    return code;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static int init(tn_publisher_t *publisher, const tn_publisher_options_t *options, tn_err_t *err)
{
    int code = tn_options_copy(&publisher->options, options, err);
    if (code != TN_OK) {
        return code;
    }
    if (pthread_mutex_init(&publisher->lock, NULL) != 0) {
        tn_options_deinit(&publisher->options);
        return tn_err_set(err, TN_ENOMEM, "cannot make a lock");
    }
    if (pthread_mutex_init(&publisher->status_lock, NULL) != 0) {
        (void)pthread_mutex_destroy(&publisher->lock);
        tn_options_deinit(&publisher->options);
        return tn_err_set(err, TN_ENOMEM, "cannot make a lock");
    }
    return TN_OK;
}

int tn_publisher_open(tn_publisher_t **out, const tn_publisher_options_t *options, tn_err_t *err)
{
    tn_err_t found = {0};
    tn_publisher_t *publisher = calloc(1, sizeof(*publisher));
    if (publisher == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the publisher");
    }
    int code = init(publisher, options, err);
    if (code != TN_OK) {
        free(publisher);
        return code;
    }
    code = open_writer(publisher, &found);
    if (code == TN_EBUSY || code == TN_ENOMEM) {
        tn_publisher_close(publisher);
        if (err != NULL) {
            *err = found;
        }
        return code;
    }
    tn_directory_info_t info = directory_info(publisher);
    show_generations(publisher, &info);
    /* any other failure, a full disk for example, is tried again with the next sync */
    show(publisher, TN_PUBLISHER_UNAVAILABLE,
         code == TN_OK ? "no database was seen so far" : found.detail);
    *out = publisher;
    return TN_OK;
}

void tn_publisher_close(tn_publisher_t *publisher)
{
    if (publisher != NULL) {
        close_writer(publisher);
        (void)pthread_mutex_destroy(&publisher->status_lock);
        (void)pthread_mutex_destroy(&publisher->lock);
        tn_options_deinit(&publisher->options);
        free(publisher);
    }
}

void tn_publisher_lost_database(tn_publisher_t *publisher, const char *reason)
{
    show(publisher, TN_PUBLISHER_UNAVAILABLE, reason);
}

void tn_publisher_status(tn_publisher_status_t *out, tn_publisher_t *publisher)
{
    (void)pthread_mutex_lock(&publisher->status_lock);
    *out = publisher->status;
    (void)pthread_mutex_unlock(&publisher->status_lock);
}
