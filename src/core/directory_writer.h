/*
 * Writing the directory: the one writer that a file may have (an exclusive lock on PATH.lock, held
 * while the writer is open). Changes are collected between begin and commit and become visible to
 * readers as one, in one release store. A writer killed at any instruction leaves a directory that
 * readers go on reading at its last generation.
 *
 * Not for several threads at once: the caller serialises.
 */
#pragma once

#include "core/directory.h"
#include "tenantry.h"

#define TN_TENANT_HOSTS_MAX        4096
#define TN_TENANT_FORMER_SLUGS_MAX 64
#define TN_TENANT_FLAGS_MAX        1024
#define TN_TENANT_SETTINGS_MAX     256
#define TN_TEXT_MAX                1024 /* bytes of a name, plan, upstream or setting value */
#define TN_KEY_MAX                 63   /* bytes of a flag or setting key */

/* What a tenant's entry shall say. Borrowed for the call. */
typedef struct {
    uint8_t id[16];
    tn_str_t slug, name, plan, upstream;
    tn_tenant_status_t status;
    bool is_listed;
    bool redirects_to_primary;
    const tn_str_t *hosts; /* custom domains, normalised */
    size_t host_count;
    size_t primary_host; /* index into hosts, or host_count when none is primary */
    const tn_str_t *former_slugs;
    size_t former_slug_count;
    const struct tn_tenant_spec_flag {
        tn_str_t key;
        bool is_on;
    } * flags; /* the tenant's own values only */
    size_t flag_count;
    const struct tn_tenant_spec_setting {
        tn_str_t key, value;
    } * settings; /* those published to the edge */
    size_t setting_count;
} tn_tenant_spec_t;

typedef struct tn_directory_writer tn_directory_writer_t;

/*
 * Opens the directory at path for writing. It is verified whole first, unless it was closed
 * cleanly; one left by a killed writer is brought back to its last generation. TN_ENOTFOUND: no
 * file. TN_EDAMAGED, TN_EVERSION: it must be rebuilt. TN_EBUSY: another writer has it.
 */
TN_CHECK int tn_directory_writer_open(tn_directory_writer_t **out, const char *path, tn_err_t *err);

/*
 * Starts a new directory that will take the place of path's, which readers go on using meanwhile.
 * `expected_tenants` sizes it (it grows by itself). What is put goes in with begin and commit as
 * usual; tn_directory_writer_install makes it path's. Closing it before leaves path as it was.
 */
TN_CHECK int tn_directory_writer_create(tn_directory_writer_t **out, const char *path,
                                        const uint8_t database_id[16], size_t expected_tenants,
                                        tn_err_t *err);
/*
 * `from` is the open writer of the file being replaced, or NULL when there is none or it could not
 * be opened (a damaged one is then kept aside as PATH.damaged). It gives its lock over and may only
 * be closed afterwards. Readers of the old file are told to move.
 */
TN_CHECK int tn_directory_writer_install(tn_directory_writer_t *writer, tn_directory_writer_t *from,
                                         tn_err_t *err);

/* Marks the file clean and lets the lock go. NULL is allowed; an open change is aborted. */
void tn_directory_writer_close(tn_directory_writer_t *writer);

/* A reader's view of the same file, borrowed until the next commit or close: for look-ups while
 * publishing, and for tn_directory_info. */
const tn_directory_t *tn_directory_writer_view(tn_directory_writer_t *writer);

/* A change that brings the directory to `generation`, above the present one (TN_EINVAL otherwise).
 */
TN_CHECK int tn_directory_begin(tn_directory_writer_t *writer, uint64_t generation, tn_err_t *err);

/* Each within begin and commit; the first failure makes commit fail with the same error. A put
 * replaces the whole entry. Removing what is not there is no error. */
TN_CHECK int tn_directory_put_tenant(tn_directory_writer_t *writer, const tn_tenant_spec_t *tenant,
                                     tn_err_t *err);
TN_CHECK int tn_directory_remove_tenant(tn_directory_writer_t *writer, const uint8_t id[16],
                                        tn_err_t *err);
TN_CHECK int tn_directory_put_flag(tn_directory_writer_t *writer, tn_str_t key, bool default_on,
                                   tn_err_t *err);
TN_CHECK int tn_directory_remove_flag(tn_directory_writer_t *writer, tn_str_t key, tn_err_t *err);
TN_CHECK int tn_directory_put_platform(tn_directory_writer_t *writer, const tn_platform_t *platform,
                                       tn_err_t *err);

/*
 * Makes the change visible. TN_ECONFLICT: a host or slug would belong to two tenants at once; the
 * detail names it, and nothing has changed. TN_EFULL: no disk; nothing has changed. The file may be
 * replaced by a larger one on the way.
 */
TN_CHECK int tn_directory_commit(tn_directory_writer_t *writer, tn_err_t *err);
void tn_directory_abort(tn_directory_writer_t *writer);
