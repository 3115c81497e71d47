/*
 * The one writer: opening and closing a directory for writing, putting a new one in its place, and
 * what is put into a change. Making the change visible is directory_commit.c.
 */
#include "core/directory_writer.h"

#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "core/directory_layout.h"
#include "core/directory_table.h"
#include "core/directory_writer_private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEYS_A_TENANT  4 /* what a new directory is sized for: id, slug and two hosts */
#define BYTES_A_TENANT 192

void tn_directory_writer_show(tn_directory_writer_t *writer)
{
    writer->view.image = writer->file.image;
    writer->view.state = TN_DIRECTORY_READY;
}

static bool load_counts(tn_directory_counts_t *out, const tn_image_t *image)
{
    tn_directory_counts_t counts;
    uint64_t end_unit;
    const uint8_t *header = image->data;
    bool is_valid = tn_word_load(&counts.tenants, header + TN_WORD_TENANTS);
    is_valid &= tn_word_load(&counts.domains, header + TN_WORD_DOMAINS);
    is_valid &= tn_word_load(&counts.flags, header + TN_WORD_FLAGS);
    is_valid &= tn_word_load(&counts.slots_used, header + TN_WORD_SLOTS_USED);
    is_valid &= tn_word_load(&end_unit, header + TN_WORD_ARENA_END);
    counts.arena_end = end_unit * TN_FORMAT_UNIT;
    if (!is_valid || counts.arena_end < image->arena_offset || counts.arena_end > image->size ||
        counts.slots_used > tn_table_limit(image->slot_count)) {
        return false;
    }
    *out = counts;
    return true;
}

static uint64_t generation_of(const tn_directory_writer_t *writer)
{
    uint64_t generation = 0;
    bool has_moved;
    /* the writer checked the word when it opened the file, and is the only one to store it */
    (void)tn_image_generation(&generation, &has_moved, &writer->file.image);
    return generation;
}

/* ---- opening and closing ------------------------------------------------------------------- */

static tn_directory_writer_t *writer_new(const char *path, tn_err_t *err)
{
    tn_directory_writer_t *writer = calloc(1, sizeof(*writer));
    char *copy = tn_str_dup(tn_str(path));
    if (writer == NULL || copy == NULL) {
        free(writer);
        free(copy);
        (void)tn_err_set(err, TN_ENOMEM, "no memory for the directory's writer");
        return NULL;
    }
    writer->path = copy;
    writer->lock_fd = -1;
    return writer;
}

/*
 * Takes up the file where its last writer left it. A killed writer may have left records and slots
 * of a change that was never published; they must not come to light with a later one, so what is
 * live goes into a new file.
 */
static int take_up(tn_directory_writer_t *writer, tn_err_t *err)
{
    const tn_image_t *image = &writer->file.image;
    uint64_t generation, state;
    bool has_moved;
    uint64_t boot = tn_boot_identity();
    if (!tn_image_generation(&generation, &has_moved, image) ||
        !tn_word_load(&state, image->data + TN_WORD_STATE)) {
        return tn_err_set(err, TN_EDAMAGED, "the header's words are damaged");
    }
    bool is_clean = (state & TN_STATE_CLEAN) != 0;
    if (!is_clean && (boot == 0 || (state & TN_STATE_BOOT_MAX) != boot)) {
        return tn_err_set(err, TN_EDAMAGED,
                          "the directory was open when the machine stopped, and may lack pages");
    }
    if (!is_clean || has_moved) {
        return tn_directory_rewrite(writer, &(tn_change_need_t){0}, err);
    }
    if (!load_counts(&writer->counts, image)) {
        return tn_err_set(err, TN_EDAMAGED, "the header's words are damaged");
    }
    /* what holds records has disk behind it */
    writer->file.allocated_end =
        writer->counts.arena_end / TN_FORMAT_HEADER_SIZE * TN_FORMAT_HEADER_SIZE;
    return tn_directory_file_mark(&writer->file, false, err);
}

int tn_directory_writer_open(tn_directory_writer_t **out, const char *path, tn_err_t *err)
{
    tn_directory_writer_t *writer = writer_new(path, err);
    if (writer == NULL) {
        return TN_ENOMEM;
    }
    writer->is_installed = true;
    int code = tn_directory_lock(&writer->lock_fd, path, err);
    if (code == TN_OK) {
        tn_directory_sweep(path);
        code = tn_directory_file_open(&writer->file, path, err);
    }
    if (code == TN_OK) {
        code = take_up(writer, err);
    }
    if (code != TN_OK) {
        writer->is_given_over = true; /* leaves the file's state as it was found */
        tn_directory_writer_close(writer);
        return code;
    }
    tn_directory_writer_show(writer);
    *out = writer;
    return TN_OK;
}

int tn_directory_writer_create(tn_directory_writer_t **out, const char *path,
                               const uint8_t database_id[16], size_t expected_tenants,
                               tn_err_t *err)
{
    uint8_t seed[16];
    if (expected_tenants > TN_FORMAT_FILE_MAX / BYTES_A_TENANT) {
        return tn_err_field(err, TN_ETOOBIG, "expected_tenants", "more than a directory holds");
    }
    tn_directory_writer_t *writer = writer_new(path, err);
    if (writer == NULL) {
        return TN_ENOMEM;
    }
    tn_directory_sweep(path);
    tn_random_bytes(seed, sizeof(seed));
    uint64_t slots = TN_DIRECTORY_SLOTS_MIN + (uint64_t)expected_tenants * KEYS_A_TENANT * 5 / 3;
    uint64_t arena = TN_DIRECTORY_ARENA_SLACK + (uint64_t)expected_tenants * BYTES_A_TENANT;
    int code = tn_directory_file_create(&writer->file, path, slots, arena, seed, database_id, err);
    if (code != TN_OK) {
        tn_directory_writer_close(writer);
        return code;
    }
    writer->counts.arena_end = writer->file.image.arena_offset;
    tn_directory_writer_show(writer);
    *out = writer;
    return TN_OK;
}

/* Gives what lies at path a second name, PATH.damaged. */
static int keep_aside(const char *path, tn_err_t *err)
{
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof(aside), "%s.damaged", path) >= (int)sizeof(aside)) {
        return tn_err_field(err, TN_ETOOBIG, "path", "too long");
    }
    if (access(path, F_OK) < 0) {
        return TN_OK;
    }
    if (unlink(aside) < 0 && errno != ENOENT) {
        return tn_err_errno(err, errno, "cannot remove '%s'", aside);
    }
    if (link(path, aside) < 0) {
        return tn_err_errno(err, errno, "cannot keep '%s' aside", path);
    }
    return TN_OK;
}

int tn_directory_writer_install(tn_directory_writer_t *writer, tn_directory_writer_t *from,
                                tn_err_t *err)
{
    if (writer->is_installed || writer->change.is_open || from == writer ||
        (from != NULL && (from->lock_fd < 0 || strcmp(from->path, writer->path) != 0))) {
        return tn_err_set(err, TN_EINVAL, "nothing that can be put in a directory's place");
    }
    int lock_fd = from != NULL ? from->lock_fd : -1;
    int code = TN_OK;
    if (from == NULL) {
        code = tn_directory_lock(&lock_fd, writer->path, err);
    }
    if (code == TN_OK) {
        uint64_t used = writer->counts.arena_end - writer->file.image.arena_offset;
        code =
            tn_directory_file_fit(&writer->file, used + used / 8 + TN_DIRECTORY_ARENA_SLACK, err);
        tn_directory_writer_show(writer);
    }
    if (code == TN_OK && from == NULL) {
        code = keep_aside(writer->path, err);
    }
    if (code == TN_OK) {
        code = tn_directory_file_rename(&writer->file, writer->path, err);
    }
    if (code != TN_OK) {
        if (from == NULL && lock_fd >= 0) {
            (void)close(lock_fd);
        }
        return code;
    }
    writer->lock_fd = lock_fd;
    writer->is_installed = true;
    if (from != NULL) {
        from->lock_fd = -1;
        from->is_given_over = true;
        tn_directory_file_move(&from->file);
    }
    return TN_OK;
}

void tn_directory_writer_close(tn_directory_writer_t *writer)
{
    if (writer == NULL) {
        return;
    }
    if (writer->is_installed && !writer->is_given_over) {
        /* one that stays marked as open is taken up as a killed writer's would be */
        int ignored = tn_directory_file_mark(&writer->file, true, NULL);
        (void)ignored;
    }
    tn_directory_file_close(&writer->file, !writer->is_installed);
    if (writer->lock_fd >= 0) {
        (void)close(writer->lock_fd);
    }
    tn_change_deinit(&writer->change);
    free(writer->path);
    free(writer);
}

const tn_directory_t *tn_directory_writer_view(tn_directory_writer_t *writer)
{
    return &writer->view;
}

/* ---- a change ------------------------------------------------------------------------------ */

int tn_directory_begin(tn_directory_writer_t *writer, uint64_t generation, tn_err_t *err)
{
    if (writer->change.is_open || writer->is_given_over) {
        return tn_err_set(err, TN_EINVAL, "not open for a change");
    }
    uint64_t present = generation_of(writer);
    if (generation <= present || generation > TN_GENERATION_MAX) {
        return tn_err_field(err, TN_EINVAL, "generation", "not above the present %" PRIu64,
                            present);
    }
    tn_change_reset(&writer->change);
    writer->change.is_open = true;
    writer->change.generation = generation;
    return TN_OK;
}

/* Remembers the first failure of a change. */
static int note(tn_directory_writer_t *writer, int code, const tn_err_t *found, tn_err_t *err)
{
    tn_change_t *change = &writer->change;
    if (code != TN_OK && change->is_open && change->failure == TN_OK) {
        change->failure = code;
        change->error = *found;
    }
    if (code != TN_OK && err != NULL) {
        *err = *found;
    }
    return code;
}

/* Whether a put may go on, and room for its record. */
static int add_item(uint8_t **record, tn_directory_writer_t *writer, unsigned type, size_t size,
                    size_t identity_at, tn_str_t identity, tn_err_t *err)
{
    if (!writer->change.is_open) {
        return tn_err_set(err, TN_EINVAL, "no change was begun");
    }
    int code = tn_change_put(record, &writer->change, &writer->file.image, type, size, identity_at,
                             identity);
    return code == TN_OK ? TN_OK : tn_err_set(err, code, "no memory for a change");
}

int tn_directory_put_tenant(tn_directory_writer_t *writer, const tn_tenant_spec_t *tenant,
                            tn_err_t *err)
{
    tn_err_t found = {0};
    tn_tenant_spec_t spec = *tenant;
    tn_str_t former_slugs[TN_TENANT_FORMER_SLUGS_MAX];
    /* a tenant that was renamed back still has its present slug among the former ones */
    spec.former_slugs = former_slugs;
    spec.former_slug_count = 0;
    int code = TN_OK;
    for (size_t i = 0; i < tenant->former_slug_count; i++) {
        if (tn_str_equal(tenant->former_slugs[i], tenant->slug)) {
            continue;
        }
        if (spec.former_slug_count == TN_TENANT_FORMER_SLUGS_MAX) {
            code = tn_err_field(&found, TN_ETOOBIG, "former_slugs", "more than %d",
                                TN_TENANT_FORMER_SLUGS_MAX);
            break;
        }
        former_slugs[spec.former_slug_count++] = tenant->former_slugs[i];
    }
    size_t size = 0;
    uint8_t *record = NULL;
    if (code == TN_OK) {
        code = tn_tenant_spec_size(&size, &spec, &found);
    }
    if (code == TN_OK) {
        code = add_item(&record, writer, TN_RECORD_TENANT, size, TN_TENANT_ID,
                        (tn_str_t){(const char *)spec.id, sizeof(spec.id)}, &found);
    }
    if (code == TN_OK) {
        tn_tenant_record_write(record, size, &spec, writer->file.image.seed);
    }
    return note(writer, code, &found, err);
}

int tn_directory_remove_tenant(tn_directory_writer_t *writer, const uint8_t id[16], tn_err_t *err)
{
    tn_err_t found = {0};
    uint8_t *record = NULL;
    int code =
        add_item(&record, writer, TN_RECORD_TENANT | TN_RECORD_REMOVED, TN_TENANT_TOMBSTONE_SIZE,
                 TN_TENANT_ID, (tn_str_t){(const char *)id, 16}, &found);
    if (code == TN_OK) {
        tn_tenant_tombstone_write(record, id);
    }
    return note(writer, code, &found, err);
}

int tn_directory_put_flag(tn_directory_writer_t *writer, tn_str_t key, bool default_on,
                          tn_err_t *err)
{
    tn_err_t found = {0};
    size_t size = 0;
    uint8_t *record = NULL;
    int code = tn_flag_spec_size(&size, key, &found);
    if (code == TN_OK) {
        code = add_item(&record, writer, TN_RECORD_FLAG, size, TN_FLAG_FIXED_SIZE, key, &found);
    }
    if (code == TN_OK) {
        tn_flag_record_write(record, size, key, default_on);
    }
    return note(writer, code, &found, err);
}

int tn_directory_remove_flag(tn_directory_writer_t *writer, tn_str_t key, tn_err_t *err)
{
    tn_err_t found = {0};
    size_t size = 0;
    uint8_t *record = NULL;
    int code = tn_flag_spec_size(&size, key, &found);
    if (code == TN_OK) {
        code = add_item(&record, writer, TN_RECORD_FLAG | TN_RECORD_REMOVED, size,
                        TN_FLAG_FIXED_SIZE, key, &found);
    }
    if (code == TN_OK) {
        tn_flag_tombstone_write(record, size, key);
    }
    return note(writer, code, &found, err);
}

int tn_directory_put_platform(tn_directory_writer_t *writer, const tn_platform_t *platform,
                              tn_err_t *err)
{
    tn_err_t found = {0};
    size_t size = 0;
    uint8_t *record = NULL;
    int code = tn_platform_spec_size(&size, platform, &found);
    if (code == TN_OK) {
        code = add_item(&record, writer, TN_RECORD_PLATFORM, size, TN_RECORD_HEADER_SIZE,
                        (tn_str_t){"", 0}, &found);
    }
    if (code == TN_OK) {
        tn_platform_record_write(record, size, platform);
    }
    return note(writer, code, &found, err);
}
