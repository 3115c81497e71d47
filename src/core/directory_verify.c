/*
 * Verifying a directory whole: every word, every record, and that table and arena agree. It may run
 * beside a writer: what looks like a fault is one only if no change came in between.
 */
#include "core/directory.h"

#include "base/err.h"
#include "core/directory_walk.h"

#include <inttypes.h>

/* A record that claims to be current has this many changes of the generation to prove it. */
#define RETRIES_MAX 1000

typedef struct {
    const tn_image_t *image;
    const tn_record_t *record;
} lookup_t;

static int check_words(const tn_image_t *image, tn_err_t *err)
{
    static const unsigned words[] = {
        TN_WORD_GENERATION, TN_WORD_ARENA_END, TN_WORD_PLATFORM,   TN_WORD_TENANTS,
        TN_WORD_DOMAINS,    TN_WORD_FLAGS,     TN_WORD_SLOTS_USED, TN_WORD_STATE,
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint64_t payload;
        if (!tn_word_load(&payload, image->data + words[i])) {
            return tn_err_set(err, TN_EDAMAGED, "the header's word at offset %u is damaged",
                              words[i]);
        }
    }
    return TN_OK;
}

typedef struct {
    uint64_t used, live; /* slots: not empty, and leading somewhere */
    uint64_t tenants, domains, flags, keys;
} totals_t;

/* Each slot is empty, deleted, or leads to a record. */
static int check_slots(totals_t *totals, const tn_image_t *image, tn_err_t *err)
{
    for (uint64_t i = 0; i < image->slot_count; i++) {
        uint64_t offset = TN_FORMAT_HEADER_SIZE + i * TN_SLOT_SIZE;
        uint64_t payload;
        tn_record_t record;
        bool is_good = tn_word_load(&payload, image->data + offset);
        if (is_good && payload == TN_SLOT_EMPTY) {
            continue;
        }
        is_good = is_good && (payload == TN_SLOT_DELETED ||
                              tn_record_load(&record, image->data, image->arena_offset, image->size,
                                             (uint32_t)payload));
        if (!is_good) {
            return tn_err_set(err, TN_EDAMAGED, "the slot at offset %" PRIu64 " is damaged",
                              offset);
        }
        totals->used++;
        totals->live += payload != TN_SLOT_DELETED ? 1 : 0;
    }
    return TN_OK;
}

/* The look-up of the key leads to the record. */
static int check_key(const tn_key_t *key, void *context)
{
    const lookup_t *lookup = context;
    tn_found_t found;
    int code = tn_image_find(&found, lookup->image, key);
    return code == TN_OK && found.record.unit == lookup->record->unit ? TN_OK : TN_EDAMAGED;
}

/* The entry has a newer version, or is gone, as of now: then its keys are no longer its own. */
static bool is_outdated(const tn_image_t *image, const tn_record_t *record)
{
    tn_found_t found;
    tn_tenant_parts_t parts;
    tn_str_t text;
    bool default_on;
    tn_key_t key;
    if (record->type == TN_RECORD_TENANT &&
        tn_tenant_parts_read(&parts, record->data, record->size)) {
        key = tn_key_make(image, TN_KEY_ID, (tn_str_t){(const char *)parts.id, 16});
    } else if (record->type == TN_RECORD_FLAG && tn_flag_record_read(&text, &default_on, record)) {
        key = tn_key_make(image, TN_KEY_FLAG, text);
    } else {
        return false;
    }
    int code = tn_image_find(&found, image, &key);
    return code == TN_ENOTFOUND || (code == TN_OK && found.record.unit > record->unit);
}

/* Every key of a record that was current when the walk began leads to it, or the entry has changed
 * since. */
static int check_record(const tn_image_t *image, const tn_record_t *record, uint64_t walked,
                        tn_err_t *err)
{
    lookup_t lookup = {image, record};
    for (int i = 0; i < RETRIES_MAX; i++) {
        uint64_t before, after;
        bool has_moved;
        bool is_valid = tn_image_generation(&before, &has_moved, image);
        if (tn_record_each_key(image, record, check_key, &lookup) == TN_OK) {
            return TN_OK;
        }
        bool has_changed = is_outdated(image, record);
        is_valid = is_valid && tn_image_generation(&after, &has_moved, image);
        if (!is_valid) {
            break;
        }
        if (has_changed && after != walked) {
            return TN_OK;
        }
        if (before == after) {
            break;
        }
    }
    return tn_err_set(err, TN_EDAMAGED,
                      "a key of the record at offset %" PRIu64 " does not lead to it",
                      (uint64_t)record->unit * TN_FORMAT_UNIT);
}

static int count_key(const tn_key_t *key, void *context)
{
    totals_t *totals = context;
    totals->keys++;
    totals->domains += key->kind == TN_KEY_HOST ? 1 : 0;
    return TN_OK;
}

static int check_records(totals_t *totals, const tn_image_t *image, tn_err_t *err)
{
    tn_walk_t walk;
    tn_record_t record;
    int code = tn_walk_begin(&walk, image, err);
    if (code != TN_OK) {
        return code;
    }
    while (code == TN_OK && tn_walk_next(&walk, &record)) {
        code = check_record(image, &record, walk.generation, err);
        totals->tenants += record.type == TN_RECORD_TENANT ? 1 : 0;
        totals->flags += record.type == TN_RECORD_FLAG ? 1 : 0;
        if (code == TN_OK) {
            code = tn_record_each_key(image, &record, count_key, totals);
        }
    }
    tn_walk_end(&walk);
    return code;
}

/* A directory that nobody writes also has the right counts. */
static int check_totals(const totals_t *totals, const tn_image_t *image, tn_err_t *err)
{
    const struct {
        unsigned word;
        uint64_t count;
    } counts[] = {
        {TN_WORD_TENANTS, totals->tenants},
        {TN_WORD_DOMAINS, totals->domains},
        {TN_WORD_FLAGS, totals->flags},
        {TN_WORD_SLOTS_USED, totals->used},
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t stored;
        if (!tn_word_load(&stored, image->data + counts[i].word) || stored != counts[i].count) {
            return tn_err_set(err, TN_EDAMAGED, "the header's count at offset %u is wrong",
                              counts[i].word);
        }
    }
    if (totals->live != totals->keys) {
        return tn_err_set(err, TN_EDAMAGED, "%" PRIu64 " slots for %" PRIu64 " keys", totals->live,
                          totals->keys);
    }
    return TN_OK;
}

int tn_directory_verify(const tn_directory_t *directory, tn_err_t *err)
{
    const tn_image_t *image = &directory->image;
    totals_t totals = {0};
    uint64_t state;
    if (directory->state == TN_DIRECTORY_DAMAGED) {
        return tn_err_set(err, TN_EDAMAGED, "the header at offset 0 is damaged");
    }
    if (directory->state == TN_DIRECTORY_FOREIGN_VERSION) {
        return tn_err_set(err, TN_EVERSION, "the directory was written by another version");
    }
    if (image->data == NULL) {
        return tn_err_set(err, TN_EUNAVAILABLE, "there is no readable directory");
    }
    int code = check_words(image, err);
    if (code == TN_OK) {
        code = check_slots(&totals, image, err);
    }
    if (code == TN_OK) {
        code = check_records(&totals, image, err);
    }
    bool is_clean =
        tn_word_load(&state, image->data + TN_WORD_STATE) && (state & TN_STATE_CLEAN) != 0;
    return code == TN_OK && is_clean ? check_totals(&totals, image, err) : code;
}
