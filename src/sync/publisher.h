/*
 * The publisher: keeps one directory file equal to the database of record. It applies committed
 * changes right after commit, catches up from the change log at start, repairs or rebuilds a
 * directory that is missing or damaged, and refuses to publish from a database that is another one,
 * empty, or older than the directory, until an operator decides.
 *
 * All functions may be called from any thread; they take the publisher's own lock.
 */
#pragma once

#include "core/directory.h"
#include "store/store.h"

typedef struct tn_publisher tn_publisher_t;

/* What the platform's entry shall say. Copied. */
typedef struct {
    const char *path; /* of the directory */
    const char *const *base_domains;
    size_t base_domain_count;
    /* keys of settings that are published to the edge, where they are strings, numbers or booleans;
       texts above TN_TEXT_MAX bytes or with control characters are left out */
    const char *const *edge_settings;
    size_t edge_setting_count;
    const tn_public_key_t *keys;
    size_t key_count;
} tn_publisher_options_t;

typedef enum {
    TN_PUBLISHER_READY,       /* the directory is at the database's generation, or soon */
    TN_PUBLISHER_REFUSED,     /* the database is not the directory's: an operator must decide */
    TN_PUBLISHER_UNAVAILABLE, /* no database to ask, or the directory cannot be written */
} tn_publisher_state_t;

typedef struct {
    tn_publisher_state_t state;
    char reason[320];             /* "" when ready; both identities and generations when refused */
    uint64_t generation;          /* of the directory */
    uint64_t database_generation; /* as last seen */
    tn_uuid_t directory_database_id;
    tn_uuid_t database_id;
} tn_publisher_status_t;

/*
 * Takes the directory's writer lock; TN_EBUSY when another process has it. No file need exist: the
 * lock is then taken by the sync that builds it. TN_EINVAL with the option's name as field.
 */
TN_CHECK int tn_publisher_open(tn_publisher_t **out, const tn_publisher_options_t *options,
                               tn_err_t *err);
void tn_publisher_close(tn_publisher_t *publisher);

/*
 * Brings the directory to the database's last generation, as one visible change; builds it when it
 * is missing, damaged, or was made with other options. What may be refused is a database that is
 * not the directory's, older than it, or without tenants while it has some; a directory without
 * tenants and flags has nothing to lose, and is in nobody's way. *generation (may be NULL) is where
 * it stands afterwards. store NULL: there is no database (TN_EUNAVAILABLE). TN_EFOREIGN: refused;
 * tn_publisher_status says why.
 */
TN_CHECK int tn_publisher_sync(uint64_t *generation, tn_publisher_t *publisher, tn_store_t *store,
                               tn_err_t *err);

/* Builds it anew from the database, in place of what is there. Without force the same refusals as
 * sync; force adopts the database, whatever the directory was made from. */
TN_CHECK int tn_publisher_rebuild(uint64_t *generation, tn_publisher_t *publisher,
                                  tn_store_t *store, bool force, tn_err_t *err);

/* Records that there is no database, and why, for the status. */
void tn_publisher_lost_database(tn_publisher_t *publisher, const char *reason);

/*
 * Checks a part of the directory (some thousands of records a call) and that the file at its path
 * is still ours; TN_EDAMAGED or TN_ENOTFOUND tell that the next sync will rebuild it.
 */
TN_CHECK int tn_publisher_inspect(tn_publisher_t *publisher, tn_err_t *err);

void tn_publisher_status(tn_publisher_status_t *out, tn_publisher_t *publisher);
