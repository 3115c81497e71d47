/*
 * Changing slots. Every function is one or more release stores of whole slots, each of which leaves
 * readers with a table that is right; the order in which the writer calls them is what makes a
 * change whole (core/directory_writer.c).
 */
#pragma once

#include "core/directory_file.h"

/* How full a table may get: what is used of it, deleted slots among it. */
static inline uint64_t tn_table_limit(uint64_t slot_count)
{
    return slot_count - slot_count * 3 / 10 - 1;
}

/* Whether a slot of this hash leads to the record at `unit`. TN_EDAMAGED when a damaged slot comes
 * before one. */
TN_CHECK int tn_table_has(bool *out, const tn_image_t *image, uint64_t hash, uint32_t unit);

/* Lets the slot that leads to `from` lead to `to`; 0 deletes it. False when there is none. */
bool tn_table_move(tn_directory_file_t *file, uint64_t hash, uint32_t from, uint32_t to);

/* A new slot that leads to `unit`. Adds to *used when it took one that was empty. There is room:
 * the caller held the count against tn_table_limit. */
void tn_table_insert(tn_directory_file_t *file, uint64_t hash, uint32_t unit, uint64_t *used);
