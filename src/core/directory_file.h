/*
 * The writer's side of the operating system: the lock, a file mapped for writing, room on the disk
 * before anything is stored (a store into a hole of a full disk would be SIGBUS), names of files on
 * the way in, and what is left of those whose writer was killed. What the bytes mean is not known
 * here but for the header.
 */
#pragma once

#include "core/directory_private.h"

/* A directory file mapped for reading and writing. */
typedef struct {
    tn_image_t image;
    uint8_t *data; /* image.data, writable */
    uint64_t allocated_end;
    int fd;
    char *path; /* where it lies now */
} tn_directory_file_t;

/*
 * Creates PATH.new-… with an empty table and the words of an empty directory of generation 0,
 * marked as open in this boot. TN_EFULL, TN_EIO, TN_ENOMEM. Close it with tn_directory_file_close.
 */
TN_CHECK int tn_directory_file_create(tn_directory_file_t *out, const char *path,
                                      uint64_t slot_count, uint64_t arena_size,
                                      const uint8_t seed[16], const uint8_t database_id[16],
                                      tn_err_t *err);

/* Maps the file at path. TN_ENOTFOUND, TN_EDAMAGED, TN_EVERSION, TN_EIO, TN_ENOMEM. */
TN_CHECK int tn_directory_file_open(tn_directory_file_t *out, const char *path, tn_err_t *err);

/* Makes sure that there is disk behind everything below `end`, an offset within the file. */
TN_CHECK int tn_directory_file_reserve(tn_directory_file_t *file, uint64_t end, tn_err_t *err);

/* Gives the arena another size, at least what is used. Only while no reader can know the file. */
TN_CHECK int tn_directory_file_fit(tn_directory_file_t *file, uint64_t arena_size, tn_err_t *err);

/*
 * Renames the file over path. Not durably so: until tn_directory_file_mark says clean, nothing of
 * the file is trusted after the machine stopped, whatever of it reached the disk.
 */
TN_CHECK int tn_directory_file_rename(tn_directory_file_t *file, const char *path, tn_err_t *err);

/* Stores the state word (clean, or open in this boot) durably: what was stored before it is on the
 * disk before it is. */
TN_CHECK int tn_directory_file_mark(tn_directory_file_t *file, bool is_clean, tn_err_t *err);

/* Unmaps and closes; a zeroed one is allowed. `is_removed` unlinks it as well. */
void tn_directory_file_close(tn_directory_file_t *file, bool is_removed);

/* Takes PATH.lock, or TN_EBUSY. The descriptor holds it until it is closed. */
TN_CHECK int tn_directory_lock(int *out, const char *path, tn_err_t *err);

/* Removes the PATH.new-… files of writers that are no more. Call with the lock held. */
void tn_directory_sweep(const char *path);
