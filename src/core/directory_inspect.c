/*
 * Verifying a directory bit by bit, beside its readers and its writer's other work: for who keeps
 * one and wants to learn of damage before a look-up does. Whole verification is directory_verify.c.
 */
#include "core/directory.h"

#include "base/err.h"
#include "core/directory_private.h"

#include <inttypes.h>

/* The slot is empty, deleted, or leads to a record whose checksums hold. */
static bool is_good_slot(const tn_image_t *image, uint64_t offset)
{
    uint64_t payload;
    tn_record_t record;
    if (!tn_word_load(&payload, image->data + offset)) {
        return false;
    }
    return payload == TN_SLOT_EMPTY || payload == TN_SLOT_DELETED ||
           (tn_record_load(&record, image->data, image->arena_offset, image->size,
                           (uint32_t)payload) &&
            tn_record_is_whole(&record));
}

int tn_directory_verify_part(uint64_t *cursor, const tn_directory_t *directory, uint64_t slots,
                             tn_err_t *err)
{
    tn_directory_info_t info;
    tn_image_t present;
    const tn_image_t *image = &directory->image;
    tn_directory_info(&info, directory);
    /* who has it mapped read the header's constant part long ago: the next one who opens it will */
    if (info.state == TN_DIRECTORY_DAMAGED ||
        (image->data != NULL &&
         tn_image_read(&present, image->data, image->size) != TN_DIRECTORY_READY)) {
        return tn_err_set(err, TN_EDAMAGED, "the header at offset 0 is damaged");
    }
    if (image->data == NULL) {
        return tn_err_set(err, TN_EUNAVAILABLE, "there is no readable directory");
    }
    /* the directory may have moved on to a smaller table since the last part */
    uint64_t from = *cursor < image->slot_count ? *cursor : 0;
    uint64_t to = slots < image->slot_count - from ? from + slots : image->slot_count;
    for (uint64_t i = from; i < to; i++) {
        uint64_t offset = TN_FORMAT_HEADER_SIZE + i * TN_SLOT_SIZE;
        if (!is_good_slot(image, offset)) {
            return tn_err_set(err, TN_EDAMAGED, "the slot at offset %" PRIu64 " is damaged",
                              offset);
        }
    }
    *cursor = to < image->slot_count ? to : 0;
    return TN_OK;
}
