/*
 * Making a change visible. The order of the stores in apply_change is what readers rely on;
 * docs/directory-format.md argues it.
 */
#include "base/err.h"
#include "core/directory_table.h"
#include "core/directory_walk.h"
#include "core/directory_writer_private.h"

/* Room for what the plan needs, in this file or in a new one. */
static int make_room(tn_directory_writer_t *writer, const tn_change_need_t *need, tn_err_t *err)
{
    const tn_image_t *image = &writer->file.image;
    if (need->arena_bytes > image->size - writer->counts.arena_end ||
        writer->counts.slots_used + need->slots > tn_table_limit(image->slot_count)) {
        int code = tn_directory_rewrite(writer, need, err);
        if (code == TN_OK) {
            code = tn_change_replan(&writer->change, &writer->file.image, err);
        }
        if (code != TN_OK) {
            return code;
        }
    }
    return tn_directory_file_reserve(&writer->file, writer->counts.arena_end + need->arena_bytes,
                                     err);
}

static tn_record_t old_record(const tn_directory_writer_t *writer, const tn_change_item_t *item)
{
    const tn_image_t *image = &writer->file.image;
    tn_record_t old = {0};
    /* it was read when the change was planned, and records never change */
    (void)tn_record_load(&old, image->data, image->arena_offset, image->size, item->old_unit);
    return old;
}

/* Appends the items' records. Nothing leads to them yet. */
static void append_records(tn_directory_writer_t *writer)
{
    tn_change_t *change = &writer->change;
    for (size_t i = 0; i < change->item_count; i++) {
        tn_change_item_t *item = &change->items[i];
        if (item->is_dropped) {
            continue;
        }
        uint8_t *record = change->bytes + item->at;
        tn_record_seal(record, change->generation, item->old_unit);
        size_t taken = (size_t)tn_align(item->size, TN_FORMAT_UNIT);
        memcpy(writer->file.data + writer->counts.arena_end, record, taken);
        item->new_unit = (uint32_t)(writer->counts.arena_end / TN_FORMAT_UNIT);
        writer->counts.arena_end += taken;
    }
    tn_word_store(writer->file.data + TN_WORD_ARENA_END, writer->counts.arena_end / TN_FORMAT_UNIT);
}

typedef struct {
    tn_directory_writer_t *writer;
    const tn_change_item_t *item;
} step_t;

/* A slot of the old version leads to the new one, be it only to learn that the key is gone. */
static int advance_key(const tn_key_t *key, void *context)
{
    step_t *step = context;
    (void)tn_table_move(&step->writer->file, key->hash, step->item->old_unit, step->item->new_unit);
    return TN_OK;
}

/* A slot whose key the new version no longer has is of no use to any later reader. */
static int delete_stale_key(const tn_key_t *key, void *context)
{
    step_t *step = context;
    if (!tn_change_has(&step->writer->change, step->item, key)) {
        (void)tn_table_move(&step->writer->file, key->hash, step->item->new_unit, 0);
    }
    return TN_OK;
}

/* Calls back for each key of each replaced version. */
static void each_old_key(tn_directory_writer_t *writer, tn_key_fn call)
{
    const tn_change_t *change = &writer->change;
    for (size_t i = 0; i < change->item_count; i++) {
        const tn_change_item_t *item = &change->items[i];
        if (item->is_dropped || item->old_unit == 0 || item->type == TN_RECORD_PLATFORM) {
            continue;
        }
        step_t step = {writer, item};
        tn_record_t old = old_record(writer, item);
        /* it went through the same when the change was planned */
        int ignored = tn_record_each_key(&writer->file.image, &old, call, &step);
        (void)ignored;
    }
}

static void insert_new_keys(tn_directory_writer_t *writer)
{
    const tn_change_t *change = &writer->change;
    for (size_t i = 0; i < change->key_count; i++) {
        const tn_change_key_t *key = &change->keys[i];
        const tn_change_item_t *item = &change->items[key->item];
        if (key->is_new && !item->is_dropped) {
            tn_table_insert(&writer->file, key->hash, item->new_unit, &writer->counts.slots_used);
        }
    }
}

static void store_platform(const tn_directory_writer_t *writer)
{
    const tn_change_t *change = &writer->change;
    for (size_t i = 0; i < change->item_count; i++) {
        const tn_change_item_t *item = &change->items[i];
        if (item->type == TN_RECORD_PLATFORM && !item->is_dropped) {
            tn_word_store(writer->file.data + TN_WORD_PLATFORM, item->new_unit);
        }
    }
}

static uint64_t host_count(const tn_record_t *record)
{
    tn_tenant_parts_t parts;
    return record->type == TN_RECORD_TENANT &&
                   tn_tenant_parts_read(&parts, record->data, record->size)
               ? parts.host_count
               : 0;
}

static void count_items(tn_directory_writer_t *writer)
{
    const tn_change_t *change = &writer->change;
    tn_directory_counts_t *counts = &writer->counts;
    for (size_t i = 0; i < change->item_count; i++) {
        const tn_change_item_t *item = &change->items[i];
        if (item->is_dropped || item->type == TN_RECORD_PLATFORM) {
            continue;
        }
        tn_record_t record = tn_change_record(change, item);
        bool is_tenant = (item->type & ~(unsigned)TN_RECORD_REMOVED) == TN_RECORD_TENANT;
        uint64_t *entries = is_tenant ? &counts->tenants : &counts->flags;
        *entries += (item->type & TN_RECORD_REMOVED) == 0 ? 1 : 0;
        counts->domains += host_count(&record);
        if (item->old_unit != 0) {
            tn_record_t old = old_record(writer, item);
            *entries -= 1;
            counts->domains -= host_count(&old);
        }
    }
}

/*
 * Cannot fail. Readers of the present generation find every key all along: the old slots lead to
 * the new records, and those back to the versions they replace. The store of the generation is the
 * change; only after it may slots go.
 */
static void apply_change(tn_directory_writer_t *writer)
{
    append_records(writer);
    each_old_key(writer, advance_key);
    insert_new_keys(writer);
    store_platform(writer);
    count_items(writer);
    tn_directory_counts_store(&writer->file, &writer->counts);
    tn_word_store(writer->file.data + TN_WORD_GENERATION, writer->change.generation << 1);
    each_old_key(writer, delete_stale_key);
}

int tn_directory_commit(tn_directory_writer_t *writer, tn_err_t *err)
{
    tn_change_t *change = &writer->change;
    tn_change_need_t need;
    if (!change->is_open) {
        return tn_err_set(err, TN_EINVAL, "no change was begun");
    }
    int code = change->failure;
    if (code != TN_OK && err != NULL) {
        *err = change->error;
    }
    if (code == TN_OK) {
        code = tn_change_plan(&need, change, &writer->file.image, err);
    }
    if (code == TN_OK) {
        code = make_room(writer, &need, err);
    }
    if (code == TN_OK) {
        apply_change(writer);
    }
    tn_change_reset(change);
    return code;
}

void tn_directory_abort(tn_directory_writer_t *writer)
{
    tn_change_reset(&writer->change);
}
