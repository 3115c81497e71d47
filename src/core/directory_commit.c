/*
 * Making a change visible. The order of the stores in apply_change is what readers rely on;
 * docs/directory-format.md argues it.
 */
#include "base/err.h"
#include "core/directory_table.h"
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

/* The old versions' slots lead to the new ones, be it only to learn that the key is gone. */
static void advance_old_keys(tn_directory_writer_t *writer)
{
    const tn_change_t *change = &writer->change;
    for (size_t i = 0; i < change->old_key_count; i++) {
        const tn_change_old_key_t *key = &change->old_keys[i];
        const tn_change_item_t *item = &change->items[key->item];
        /* it was there when the change was planned */
        (void)tn_table_move(&writer->file, key->hash, item->old_unit, item->new_unit);
    }
}

/* A slot whose key the new version no longer has is of no use to any later reader. */
static void delete_stale_keys(tn_directory_writer_t *writer)
{
    const tn_change_t *change = &writer->change;
    for (size_t i = 0; i < change->old_key_count; i++) {
        const tn_change_old_key_t *key = &change->old_keys[i];
        if (!key->is_kept) {
            (void)tn_table_move(&writer->file, key->hash, change->items[key->item].new_unit, 0);
        }
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

static void count_items(tn_directory_writer_t *writer)
{
    const tn_change_t *change = &writer->change;
    tn_directory_counts_t *counts = &writer->counts;
    for (size_t i = 0; i < change->item_count; i++) {
        const tn_change_item_t *item = &change->items[i];
        if (item->is_dropped || item->type == TN_RECORD_PLATFORM) {
            continue;
        }
        bool is_tenant = (item->type & ~(unsigned)TN_RECORD_REMOVED) == TN_RECORD_TENANT;
        uint64_t *entries = is_tenant ? &counts->tenants : &counts->flags;
        *entries += (item->type & TN_RECORD_REMOVED) == 0 ? 1 : 0;
        *entries -= item->old_unit != 0 ? 1 : 0;
    }
    for (size_t i = 0; i < change->key_count; i++) {
        counts->domains += change->keys[i].kind == TN_KEY_HOST ? 1 : 0;
    }
    for (size_t i = 0; i < change->old_key_count; i++) {
        counts->domains -= change->old_keys[i].is_host ? 1 : 0;
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
    advance_old_keys(writer);
    insert_new_keys(writer);
    store_platform(writer);
    count_items(writer);
    tn_directory_counts_store(&writer->file, &writer->counts);
    tn_word_store(writer->file.data + TN_WORD_GENERATION, writer->change.generation << 1);
    delete_stale_keys(writer);
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
