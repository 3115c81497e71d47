/*
 * The table's slots, written; see directory_table.h.
 */
#include "core/directory_table.h"

static uint64_t next_slot(const tn_image_t *image, uint64_t at)
{
    return at + 1 == image->slot_count ? 0 : at + 1;
}

static const uint8_t *slot_at(const tn_image_t *image, uint64_t at)
{
    return image->data + TN_FORMAT_HEADER_SIZE + at * TN_SLOT_SIZE;
}

/*
 * The first slot with this payload on the hash's way. Two keys of one record may have the same tag
 * and share their way; their slots are then alike, and whichever is taken, one remains for the
 * other.
 */
static int find_slot(uint64_t *out, bool *is_found, const tn_image_t *image, uint64_t hash,
                     uint32_t unit)
{
    uint64_t wanted = tn_slot_payload(hash, unit);
    uint64_t at = tn_hash_index(hash, image->slot_count);
    *is_found = false;
    for (uint64_t i = 0; i < image->slot_count; i++) {
        uint64_t payload;
        if (!tn_word_load(&payload, slot_at(image, at))) {
            return TN_EDAMAGED;
        }
        if (payload == wanted || payload == TN_SLOT_EMPTY) {
            *out = at;
            *is_found = payload == wanted;
            return TN_OK;
        }
        at = next_slot(image, at);
    }
    return TN_EDAMAGED;
}

int tn_table_has(bool *out, const tn_image_t *image, uint64_t hash, uint32_t unit)
{
    uint64_t at;
    return find_slot(&at, out, image, hash, unit);
}

bool tn_table_move(tn_directory_file_t *file, uint64_t hash, uint32_t from, uint32_t to)
{
    uint64_t at;
    bool is_found;
    if (find_slot(&at, &is_found, &file->image, hash, from) != TN_OK || !is_found) {
        return false;
    }
    uint8_t *slot = file->data + TN_FORMAT_HEADER_SIZE + at * TN_SLOT_SIZE;
    tn_word_store(slot, to != 0 ? tn_slot_payload(hash, to) : TN_SLOT_DELETED);
    return true;
}

void tn_table_insert(tn_directory_file_t *file, uint64_t hash, uint32_t unit, uint64_t *used)
{
    uint64_t at = tn_hash_index(hash, file->image.slot_count);
    for (uint64_t i = 0; i < file->image.slot_count; i++) {
        uint64_t payload;
        bool is_valid = tn_word_load(&payload, slot_at(&file->image, at));
        if (is_valid && (payload == TN_SLOT_EMPTY || payload == TN_SLOT_DELETED)) {
            *used += payload == TN_SLOT_EMPTY ? 1 : 0;
            tn_word_store(file->data + TN_FORMAT_HEADER_SIZE + at * TN_SLOT_SIZE,
                          tn_slot_payload(hash, unit));
            return;
        }
        at = next_slot(&file->image, at);
    }
}
