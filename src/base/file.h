/*
 * Whole small files: read at once, written so that a reader sees the old or the new, never a part.
 */
#pragma once

#include "tenantry.h"

#include <sys/types.h>

/*
 * Reads a whole file of at most max_bytes; *out is terminated and the caller frees it. TN_ENOTFOUND
 * when there is no such file, TN_ETOOBIG, TN_EIO, TN_ENOMEM.
 */
TN_CHECK int tn_file_read(char **out, size_t *length, const char *path, size_t max_bytes,
                          tn_err_t *err);

/*
 * Writes a file beside path, syncs it and renames it over path, then syncs the folder. The mode is
 * exact, whatever the umask. TN_EFULL, TN_EIO; then path is as it was.
 */
TN_CHECK int tn_file_write(const char *path, const void *data, size_t length, mode_t mode,
                           tn_err_t *err);
