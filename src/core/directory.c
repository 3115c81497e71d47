/*
 * The reader's handle: opening a directory, following its file to the next one, and telling how it
 * stands. A handle without a good image is a proper one that answers TN_EUNAVAILABLE. Look-ups are
 * in directory_lookup.c.
 */
#include "core/directory.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "core/directory_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_INTERVAL_MS 1000
#define BOOT_ID_PATH     "/proc/sys/kernel/random/boot_id"

uint64_t tn_boot_identity(void)
{
    char *text = NULL;
    size_t length = 0;
    if (tn_file_read(&text, &length, BOOT_ID_PATH, 64, NULL) != TN_OK) {
        return 0;
    }
    uint64_t identity = tn_checksum(text, length) & TN_STATE_BOOT_MAX;
    free(text);
    return identity != 0 ? identity : 1;
}

tn_directory_state_t tn_image_read(tn_image_t *out, const void *data, uint64_t size)
{
    const uint8_t *header = data;
    if (size < TN_FORMAT_HEADER_SIZE ||
        memcmp(header + TN_HEADER_MAGIC, TN_FORMAT_MAGIC, TN_FORMAT_MAGIC_SIZE) != 0 ||
        tn_load_u64(header + TN_HEADER_CHECKSUM) != tn_checksum(header, TN_HEADER_CHECKSUM)) {
        return TN_DIRECTORY_DAMAGED;
    }
    /* magic, version and checksum keep their places in every version */
    if (tn_load_u32(header + TN_HEADER_VERSION) != TN_FORMAT_VERSION) {
        return TN_DIRECTORY_FOREIGN_VERSION;
    }
    tn_image_t image = {
        .data = header,
        .size = tn_load_u64(header + TN_HEADER_FILE_SIZE),
        .slot_count = tn_load_u64(header + TN_HEADER_SLOT_COUNT),
        .arena_offset = tn_load_u64(header + TN_HEADER_ARENA_OFFSET),
    };
    if (tn_load_u32(header + TN_HEADER_HEADER_SIZE) != TN_FORMAT_HEADER_SIZE || image.size > size ||
        image.size > TN_FORMAT_FILE_MAX || image.slot_count == 0 ||
        image.slot_count > image.size / TN_SLOT_SIZE ||
        image.arena_offset != tn_arena_offset(image.slot_count) ||
        image.arena_offset > image.size) {
        return TN_DIRECTORY_DAMAGED;
    }
    memcpy(image.seed, header + TN_HEADER_SEED, sizeof(image.seed));
    memcpy(image.database_id, header + TN_HEADER_DATABASE_ID, sizeof(image.database_id));
    *out = image;
    return TN_DIRECTORY_READY;
}

/*
 * False when a writer left the image open in an earlier boot: pages of it may never have reached
 * the disk, and a stale page passes every checksum. Without a boot identity this cannot be told.
 */
static bool is_of_this_boot(const tn_image_t *image)
{
    uint64_t state;
    if (!tn_word_load(&state, image->data + TN_WORD_STATE)) {
        return false;
    }
    if ((state & TN_STATE_CLEAN) != 0) {
        return true;
    }
    uint64_t written = state & TN_STATE_BOOT_MAX;
    uint64_t now = tn_boot_identity();
    return written == 0 || now == 0 || written == now;
}

/* Maps the open file. The mapping is as long as the header says. */
static tn_directory_state_t map_file(tn_image_t *out, int fd, uint64_t size)
{
    if (size < TN_FORMAT_HEADER_SIZE || size > SIZE_MAX) {
        return TN_DIRECTORY_DAMAGED;
    }
    void *data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
        return TN_DIRECTORY_DAMAGED;
    }
    tn_image_t image;
    tn_directory_state_t state = tn_image_read(&image, data, size);
    if (state == TN_DIRECTORY_READY && image.size != size) {
        state = TN_DIRECTORY_DAMAGED;
    }
    if (state == TN_DIRECTORY_READY && !is_of_this_boot(&image)) {
        state = TN_DIRECTORY_DAMAGED;
    }
    if (state != TN_DIRECTORY_READY) {
        (void)munmap(data, (size_t)size);
        return state;
    }
    *out = image;
    return TN_DIRECTORY_READY;
}

static void drop_image(tn_directory_t *directory)
{
    if (directory->path != NULL && directory->image.data != NULL) {
        (void)munmap((void *)(uintptr_t)directory->image.data, (size_t)directory->image.size);
    }
    memset(&directory->image, 0, sizeof(directory->image));
    directory->bases.unit = 0;
}

/* Keeps the base domains at hand, if the platform's word leads elsewhere than when they were read.
 */
static void keep_bases(tn_directory_t *directory)
{
    uint64_t unit;
    bool is_valid = tn_word_load(&unit, directory->image.data + TN_WORD_PLATFORM);
    if (is_valid && unit == directory->bases.unit) {
        return;
    }
    if (!is_valid || tn_bases_read(&directory->bases, &directory->image) != TN_OK) {
        directory->bases.unit = 0; /* look-ups find out for themselves */
    }
}

/* Maps what is at the path now. What was mapped before is kept unless the new one is good. */
static void open_path(tn_directory_t *directory)
{
    tn_image_t image;
    struct stat status = {0};
    tn_directory_state_t state;
    /* non-blocking: whatever lies there, opening it must not wait */
    int fd = open(directory->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        state = errno == ENOENT || errno == ENOTDIR ? TN_DIRECTORY_MISSING : TN_DIRECTORY_DAMAGED;
    } else if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        state = TN_DIRECTORY_DAMAGED;
    } else {
        state = map_file(&image, fd, (uint64_t)status.st_size);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (state == TN_DIRECTORY_READY) {
        drop_image(directory);
        directory->image = image;
        directory->device = status.st_dev;
        directory->inode = status.st_ino;
        directory->has_followed = false;
        keep_bases(directory);
        directory->state = state;
    } else if (directory->image.data == NULL) {
        directory->state = state;
    }
}

int tn_directory_open(tn_directory_t **out, const char *path, tn_err_t *err)
{
    if (path == NULL || path[0] == '\0') {
        return tn_err_field(err, TN_EINVAL, "path", "empty");
    }
    tn_directory_t *directory = calloc(1, sizeof(*directory));
    char *copy = tn_str_dup(tn_str(path));
    if (directory == NULL || copy == NULL) {
        free(directory);
        free(copy);
        return tn_err_set(err, TN_ENOMEM, "no memory for the directory's handle");
    }
    directory->path = copy;
    open_path(directory);
    *out = directory;
    return TN_OK;
}

int tn_directory_open_buffer(tn_directory_t **out, const void *data, size_t size, tn_err_t *err)
{
    if (data == NULL || (uintptr_t)data % sizeof(uint64_t) != 0) {
        return tn_err_field(err, TN_EINVAL, "data", "not aligned to 8 bytes");
    }
    tn_directory_t *directory = calloc(1, sizeof(*directory));
    if (directory == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the directory's handle");
    }
    directory->state = tn_image_read(&directory->image, data, size);
    if (directory->state == TN_DIRECTORY_READY) {
        keep_bases(directory);
    }
    *out = directory;
    return TN_OK;
}

/* Whether another file than the mapped one is at the path. */
static bool is_replaced(const tn_directory_t *directory)
{
    struct stat status;
    return stat(directory->path, &status) == 0 &&
           (status.st_dev != directory->device || status.st_ino != directory->inode);
}

void tn_directory_refresh(tn_directory_t *directory, int64_t now_ms)
{
    if (directory->image.data != NULL) {
        keep_bases(directory);
    }
    if (directory->path == NULL) {
        return;
    }
    bool is_due = !directory->has_looked || now_ms < directory->looked_ms ||
                  now_ms - directory->looked_ms >= LOOK_INTERVAL_MS;
    if (directory->image.data != NULL && !directory->has_followed) {
        uint64_t generation;
        bool has_moved;
        bool is_valid = tn_image_generation(&generation, &has_moved, &directory->image);
        directory->has_followed = is_valid && has_moved;
        is_due |= directory->has_followed;
    }
    if (!is_due) {
        return;
    }
    if (directory->image.data == NULL || is_replaced(directory)) {
        open_path(directory);
    }
    directory->looked_ms = now_ms;
    directory->has_looked = true;
}

void tn_directory_close(tn_directory_t *directory)
{
    if (directory == NULL) {
        return;
    }
    drop_image(directory);
    free(directory->path);
    free(directory);
}

void tn_directory_info(tn_directory_info_t *out, const tn_directory_t *directory)
{
    tn_directory_info_t info = {.state = directory->state};
    const tn_image_t *image = &directory->image;
    if (image->data != NULL) {
        bool has_moved;
        uint64_t arena_end;
        bool is_valid = tn_image_generation(&info.generation, &has_moved, image);
        is_valid &= tn_word_load(&info.tenants, image->data + TN_WORD_TENANTS);
        is_valid &= tn_word_load(&info.domains, image->data + TN_WORD_DOMAINS);
        is_valid &= tn_word_load(&info.flags, image->data + TN_WORD_FLAGS);
        is_valid &= tn_word_load(&arena_end, image->data + TN_WORD_ARENA_END);
        is_valid &= arena_end * TN_FORMAT_UNIT >= image->arena_offset &&
                    arena_end * TN_FORMAT_UNIT <= image->size;
        if (is_valid) {
            info.size_bytes = image->size;
            info.used_bytes = arena_end * TN_FORMAT_UNIT - image->arena_offset;
            memcpy(info.database_id, image->database_id, sizeof(info.database_id));
        } else {
            info = (tn_directory_info_t){.state = TN_DIRECTORY_DAMAGED};
        }
    }
    *out = info;
}
