/*
 * Files, locks and room for the directory's writer; see directory_file.h.
 */
#include "core/directory_file.h"

#include "base/err.h"
#include "base/random.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE      0640
#define RESERVE_STEP   ((uint64_t)1024 * 1024) /* disk is taken in steps, not for every change */
#define CREATE_TRIES   16
#define NEW_SUFFIX     ".new-"
#define UNIQUE_DIGITS  16
#define EMPTY_SLOT_RUN 4096

/* A file that may not grow (RLIMIT_FSIZE) is as full as the disk. */
static int file_error(tn_err_t *err, int error_number, const char *action, const char *path)
{
    int code = tn_err_errno(err, error_number, "cannot %s '%s'", action, path);
    if (error_number == EFBIG) {
        code = TN_EFULL;
        if (err != NULL) {
            err->code = code;
        }
    }
    return code;
}

static int map_writable(tn_directory_file_t *file, uint64_t size, tn_err_t *err)
{
    void *data = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (data == MAP_FAILED) {
        return file_error(err, errno, "map", file->path);
    }
    file->data = data;
    return TN_OK;
}

int tn_directory_file_reserve(tn_directory_file_t *file, uint64_t end, tn_err_t *err)
{
    if (end <= file->allocated_end) {
        return TN_OK;
    }
    uint64_t until = tn_align(end, RESERVE_STEP);
    if (until > file->image.size) {
        until = file->image.size;
    }
    uint64_t from = file->allocated_end;
    int error = posix_fallocate(file->fd, (off_t)from, (off_t)(until - from));
    if (error != 0) {
        return file_error(err, error, "make room in", file->path);
    }
    file->allocated_end = until;
    return TN_OK;
}

static void write_header(tn_directory_file_t *file, const tn_image_t *image)
{
    uint8_t *header = file->data;
    memcpy(header + TN_HEADER_MAGIC, TN_FORMAT_MAGIC, TN_FORMAT_MAGIC_SIZE);
    tn_store_u32(header + TN_HEADER_VERSION, TN_FORMAT_VERSION);
    tn_store_u32(header + TN_HEADER_HEADER_SIZE, TN_FORMAT_HEADER_SIZE);
    tn_store_u64(header + TN_HEADER_SLOT_COUNT, image->slot_count);
    tn_store_u64(header + TN_HEADER_ARENA_OFFSET, image->arena_offset);
    tn_store_u64(header + TN_HEADER_FILE_SIZE, image->size);
    memcpy(header + TN_HEADER_SEED, image->seed, sizeof(image->seed));
    memcpy(header + TN_HEADER_DATABASE_ID, image->database_id, sizeof(image->database_id));
    tn_store_u64(header + TN_HEADER_CHECKSUM, tn_checksum(header, TN_HEADER_CHECKSUM));
    file->image = *image;
    file->image.data = file->data;
}

static void write_empty(tn_directory_file_t *file)
{
    uint8_t *data = file->data;
    for (uint64_t i = 0; i < file->image.slot_count; i++) {
        tn_word_store(data + TN_FORMAT_HEADER_SIZE + i * TN_SLOT_SIZE, TN_SLOT_EMPTY);
    }
    static const unsigned zero_words[] = {
        TN_WORD_GENERATION, TN_WORD_PLATFORM, TN_WORD_TENANTS,
        TN_WORD_DOMAINS,    TN_WORD_FLAGS,    TN_WORD_SLOTS_USED,
    };
    for (size_t i = 0; i < sizeof(zero_words) / sizeof(zero_words[0]); i++) {
        tn_word_store(data + zero_words[i], 0);
    }
    tn_word_store(data + TN_WORD_ARENA_END, file->image.arena_offset / TN_FORMAT_UNIT);
    tn_word_store(data + TN_WORD_STATE, tn_boot_identity());
}

/* Opens a new file beside path and locks it, so that a sweep knows it to be somebody's. */
static int create_beside(tn_directory_file_t *file, const char *path, tn_err_t *err)
{
    char name[PATH_MAX];
    for (int i = 0; i < CREATE_TRIES; i++) {
        uint64_t unique;
        struct stat status;
        tn_random_bytes(&unique, sizeof(unique));
        if (snprintf(name, sizeof(name), "%s" NEW_SUFFIX "%016" PRIx64, path, unique) >=
            (int)sizeof(name)) {
            return tn_err_field(err, TN_ETOOBIG, "path", "too long");
        }
        file->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
        if (file->fd < 0 && errno == EEXIST) {
            continue;
        }
        if (file->fd < 0) {
            return file_error(err, errno, "create", name);
        }
        file->path = tn_str_dup(tn_str(name));
        if (file->path == NULL) {
            (void)unlink(name);
            return tn_err_set(err, TN_ENOMEM, "no memory for a path");
        }
        if (fchmod(file->fd, FILE_MODE) < 0) {
            return file_error(err, errno, "create", name);
        }
        /* a sweep may have come between creating and locking: then it has no name any more */
        if (flock(file->fd, LOCK_EX | LOCK_NB) == 0 && fstat(file->fd, &status) == 0 &&
            status.st_nlink > 0) {
            return TN_OK;
        }
        (void)close(file->fd);
        file->fd = -1;
        free(file->path);
        file->path = NULL;
    }
    return tn_err_set(err, TN_EIO, "cannot create a file beside '%s'", path);
}

int tn_directory_file_create(tn_directory_file_t *out, const char *path, uint64_t slot_count,
                             uint64_t arena_size, const uint8_t seed[16],
                             const uint8_t database_id[16], tn_err_t *err)
{
    tn_directory_file_t file = {.fd = -1};
    tn_image_t image = {.slot_count = slot_count, .arena_offset = tn_arena_offset(slot_count)};
    memcpy(image.seed, seed, sizeof(image.seed));
    memcpy(image.database_id, database_id, sizeof(image.database_id));
    image.size = tn_align(image.arena_offset + arena_size, TN_FORMAT_HEADER_SIZE);
    if (image.size > TN_FORMAT_FILE_MAX) {
        return tn_err_set(err, TN_EFULL, "the directory would be larger than its format allows");
    }
    int code = create_beside(&file, path, err);
    if (code == TN_OK && ftruncate(file.fd, (off_t)image.size) < 0) {
        code = file_error(err, errno, "make room in", file.path);
    }
    if (code == TN_OK) {
        file.image.size = image.size;
        code = tn_directory_file_reserve(&file, image.arena_offset, err);
    }
    if (code == TN_OK) {
        code = map_writable(&file, image.size, err);
    }
    if (code != TN_OK) {
        tn_directory_file_close(&file, true);
        return code;
    }
    write_header(&file, &image);
    write_empty(&file);
    *out = file;
    return TN_OK;
}

int tn_directory_file_open(tn_directory_file_t *out, const char *path, tn_err_t *err)
{
    tn_directory_file_t file = {.fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)};
    struct stat status;
    if (file.fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return tn_err_set(err, TN_ENOTFOUND, "there is no directory at '%s'", path);
    }
    if (file.fd < 0) {
        return file_error(err, errno, "open", path);
    }
    int code = TN_OK;
    file.path = tn_str_dup(tn_str(path));
    if (file.path == NULL) {
        code = tn_err_set(err, TN_ENOMEM, "no memory for a path");
    } else if (fstat(file.fd, &status) < 0) {
        code = file_error(err, errno, "examine", path);
    } else if (!S_ISREG(status.st_mode) || status.st_size < TN_FORMAT_HEADER_SIZE) {
        code = tn_err_set(err, TN_EDAMAGED, "'%s' is no directory or was cut short", path);
    } else {
        file.image.size = (uint64_t)status.st_size;
        code = map_writable(&file, file.image.size, err);
    }
    if (code == TN_OK) {
        tn_image_t image;
        tn_directory_state_t state = tn_image_read(&image, file.data, file.image.size);
        if (state == TN_DIRECTORY_FOREIGN_VERSION) {
            code = tn_err_set(err, TN_EVERSION, "'%s' was written by another version", path);
        } else if (state != TN_DIRECTORY_READY || image.size != file.image.size) {
            code = tn_err_set(err, TN_EDAMAGED, "the header of '%s' is damaged", path);
        } else {
            file.image = image;
            file.allocated_end = image.arena_offset;
        }
    }
    if (code != TN_OK) {
        tn_directory_file_close(&file, false);
        return code;
    }
    *out = file;
    return TN_OK;
}

int tn_directory_file_fit(tn_directory_file_t *file, uint64_t arena_size, tn_err_t *err)
{
    tn_image_t image = file->image;
    uint64_t old_size = image.size;
    image.size = tn_align(image.arena_offset + arena_size, TN_FORMAT_HEADER_SIZE);
    if (image.size > TN_FORMAT_FILE_MAX) {
        return tn_err_set(err, TN_EFULL, "the directory would be larger than its format allows");
    }
    if (image.size == old_size) {
        return TN_OK;
    }
    if (ftruncate(file->fd, (off_t)image.size) < 0) {
        return file_error(err, errno, "make room in", file->path);
    }
    void *data = mremap(file->data, (size_t)old_size, (size_t)image.size, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) {
        int error = errno;
        if (ftruncate(file->fd, (off_t)old_size) < 0) {
            error = errno;
        }
        return file_error(err, error, "map", file->path);
    }
    file->data = data;
    if (file->allocated_end > image.size) {
        file->allocated_end = image.size;
    }
    write_header(file, &image);
    return TN_OK;
}

/* Makes names that were given or taken durable. */
static void sync_folder(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        return;
    }
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        /* some file systems cannot; the file that would come back then is one marked as open */
        (void)fsync(fd);
        (void)close(fd);
    }
}

int tn_directory_file_rename(tn_directory_file_t *file, const char *path, tn_err_t *err)
{
    char *copy = tn_str_dup(tn_str(path));
    if (copy == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a path");
    }
    if (rename(file->path, path) < 0) {
        free(copy);
        return file_error(err, errno, "replace", path);
    }
    free(file->path);
    file->path = copy;
    return TN_OK;
}

int tn_directory_file_mark(tn_directory_file_t *file, bool is_clean, tn_err_t *err)
{
    if (is_clean) {
        if (msync(file->data, (size_t)file->image.size, MS_SYNC) < 0) {
            return file_error(err, errno, "sync", file->path);
        }
        sync_folder(file->path);
    }
    tn_word_store(file->data + TN_WORD_STATE,
                  is_clean ? TN_STATE_CLEAN | tn_boot_identity() : tn_boot_identity());
    if (msync(file->data, TN_FORMAT_HEADER_SIZE, MS_SYNC) < 0) {
        return file_error(err, errno, "sync", file->path);
    }
    return TN_OK;
}

void tn_directory_file_close(tn_directory_file_t *file, bool is_removed)
{
    if (is_removed && file->path != NULL) {
        (void)unlink(file->path);
    }
    if (file->data != NULL) {
        (void)munmap(file->data, (size_t)file->image.size);
    }
    if (file->path != NULL || file->fd > 0) {
        (void)close(file->fd);
    }
    free(file->path);
    memset(file, 0, sizeof(*file));
}

int tn_directory_lock(int *out, const char *path, tn_err_t *err)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name)) {
        return tn_err_field(err, TN_ETOOBIG, "path", "too long");
    }
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return file_error(err, errno, "open", name);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int error = errno;
        (void)close(fd);
        return error == EWOULDBLOCK
                   ? tn_err_set(err, TN_EBUSY, "another writer has the directory '%s'", path)
                   : file_error(err, error, "lock", name);
    }
    *out = fd;
    return TN_OK;
}

void tn_directory_sweep(const char *path)
{
    char folder[PATH_MAX], base[PATH_MAX], prefix[PATH_MAX];
    if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder) ||
        snprintf(base, sizeof(base), "%s", path) >= (int)sizeof(base) ||
        snprintf(prefix, sizeof(prefix), "%s" NEW_SUFFIX, basename(base)) >= (int)sizeof(prefix)) {
        return;
    }
    DIR *entries = opendir(dirname(folder));
    if (entries == NULL) {
        return;
    }
    size_t prefix_length = strlen(prefix);
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        if (strncmp(entry->d_name, prefix, prefix_length) != 0 ||
            strlen(entry->d_name) != prefix_length + UNIQUE_DIGITS) {
            continue;
        }
        int fd = openat(dirfd(entries), entry->d_name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) {
            continue;
        }
        /* one that is being built is locked */
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
        }
        (void)close(fd);
    }
    (void)closedir(entries);
}
