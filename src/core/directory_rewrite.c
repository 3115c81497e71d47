/*
 * Moving what is live into another file: when the arena or the table is full, and when a writer
 * takes up what a killed one left. Only records decide what is live; the new table is made from
 * them.
 */
#include "base/err.h"
#include "core/directory_table.h"
#include "core/directory_walk.h"
#include "core/directory_writer_private.h"

void tn_directory_counts_store(const tn_directory_file_t *file, const tn_directory_counts_t *counts)
{
    tn_word_store(file->data + TN_WORD_TENANTS, counts->tenants);
    tn_word_store(file->data + TN_WORD_DOMAINS, counts->domains);
    tn_word_store(file->data + TN_WORD_FLAGS, counts->flags);
    tn_word_store(file->data + TN_WORD_SLOTS_USED, counts->slots_used);
}

/* What the walk of the live records adds up to. */
typedef struct {
    uint64_t keys, bytes;
} live_t;

static int count_key(const tn_key_t *key, void *context)
{
    live_t *live = context;
    (void)key;
    live->keys++;
    return TN_OK;
}

static int measure_live(live_t *live, const tn_image_t *image, tn_err_t *err)
{
    tn_walk_t walk;
    tn_record_t record;
    *live = (live_t){0};
    int code = tn_walk_begin(&walk, image, err);
    if (code != TN_OK) {
        return code;
    }
    while (code == TN_OK && tn_walk_next(&walk, &record)) {
        live->bytes += tn_align(record.size, TN_FORMAT_UNIT);
        code = tn_record_each_key(image, &record, count_key, live);
    }
    tn_walk_end(&walk);
    return code == TN_OK ? TN_OK : tn_err_set(err, code, "a record has no proper form");
}

typedef struct {
    tn_directory_file_t *file;
    tn_directory_counts_t *counts;
    uint32_t unit;
} copy_t;

static int copy_key(const tn_key_t *key, void *context)
{
    copy_t *copy = context;
    tn_table_insert(copy->file, key->hash, copy->unit, &copy->counts->slots_used);
    copy->counts->domains += key->kind == TN_KEY_HOST ? 1 : 0;
    return TN_OK;
}

/* Appends the live record to the new file, as a version that replaces none. */
static int copy_record(tn_directory_file_t *file, tn_directory_counts_t *counts,
                       const tn_record_t *record, tn_err_t *err)
{
    uint64_t taken = tn_align(record->size, TN_FORMAT_UNIT);
    int code = tn_directory_file_reserve(file, counts->arena_end + taken, err);
    if (code != TN_OK) {
        return code;
    }
    copy_t copy = {file, counts, (uint32_t)(counts->arena_end / TN_FORMAT_UNIT)};
    uint8_t *to = file->data + counts->arena_end;
    memcpy(to, record->data, record->size);
    tn_record_seal(to, record->generation, 0);
    counts->arena_end += taken;
    counts->tenants += record->type == TN_RECORD_TENANT ? 1 : 0;
    counts->flags += record->type == TN_RECORD_FLAG ? 1 : 0;
    if (record->type == TN_RECORD_PLATFORM) {
        tn_word_store(file->data + TN_WORD_PLATFORM, copy.unit);
    }
    return tn_record_each_key(&file->image, record, copy_key, &copy);
}

static int copy_live(tn_directory_file_t *file, tn_directory_counts_t *counts,
                     const tn_image_t *image, tn_err_t *err)
{
    tn_walk_t walk;
    tn_record_t record;
    int code = tn_walk_begin(&walk, image, err);
    if (code != TN_OK) {
        return code;
    }
    *counts = (tn_directory_counts_t){.arena_end = file->image.arena_offset};
    while (code == TN_OK && tn_walk_next(&walk, &record)) {
        code = copy_record(file, counts, &record, err);
    }
    if (code == TN_OK) {
        tn_directory_counts_store(file, counts);
        tn_word_store(file->data + TN_WORD_ARENA_END, counts->arena_end / TN_FORMAT_UNIT);
        tn_word_store(file->data + TN_WORD_GENERATION, walk.generation << 1);
    }
    tn_walk_end(&walk);
    return code;
}

void tn_directory_file_move(const tn_directory_file_t *file)
{
    uint64_t payload;
    if (tn_word_load(&payload, file->data + TN_WORD_GENERATION)) {
        tn_word_store(file->data + TN_WORD_GENERATION, payload | 1);
    }
}

int tn_directory_rewrite(tn_directory_writer_t *writer, const tn_change_need_t *need, tn_err_t *err)
{
    live_t live;
    tn_directory_counts_t counts;
    tn_directory_file_t file;
    const tn_image_t *image = &writer->file.image;
    int code = measure_live(&live, image, err);
    if (code != TN_OK) {
        return code;
    }
    uint64_t keys = live.keys + need->slots;
    uint64_t bytes = live.bytes + need->arena_bytes;
    code = tn_directory_file_create(&file, writer->path, TN_DIRECTORY_SLOTS_MIN + keys * 9 / 5,
                                    TN_DIRECTORY_ARENA_SLACK + bytes * 5 / 4, image->seed,
                                    image->database_id, err);
    if (code != TN_OK) {
        return code;
    }
    code = copy_live(&file, &counts, image, err);
    if (code == TN_OK && writer->is_installed) {
        code = tn_directory_file_rename(&file, writer->path, err);
    }
    if (code != TN_OK) {
        tn_directory_file_close(&file, true);
        return code;
    }
    tn_directory_file_move(&writer->file);
    tn_directory_file_close(&writer->file, !writer->is_installed);
    writer->file = file;
    writer->counts = counts;
    tn_directory_writer_show(writer);
    return TN_OK;
}
