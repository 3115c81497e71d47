/*
 * The reader's handle, for the files of the directory that share it. Nobody else looks inside.
 */
#pragma once

#include "core/directory_format.h"
#include "core/directory_record.h"

#include <sys/types.h>

/* An image: the bytes of a directory, wherever they are, and what its header says once and for all.
 */
typedef struct {
    const uint8_t *data; /* NULL when there is none */
    uint64_t size;       /* as the header says; what is mapped is at least that */
    uint64_t slot_count;
    uint64_t arena_offset;
    uint8_t seed[16];
    uint8_t database_id[16];
} tn_image_t;

/*
 * The base domains, which every look-up of a host begins with, copied from the platform's record at
 * `unit` when the handle was opened or refreshed. While the platform's word leads there, it is what
 * the record says; 0: nothing is kept.
 */
typedef struct {
    uint64_t unit;
    size_t count;
    uint8_t lengths[TN_BASE_DOMAINS_MAX];
    char text[TN_BASE_DOMAINS_MAX * TN_HOST_MAX];
} tn_bases_t;

struct tn_directory {
    tn_image_t image;
    tn_directory_state_t state; /* of the image, or why there is none */
    char *path;                 /* NULL over a buffer: there is nothing to follow then */
    dev_t device;               /* of the file that is mapped */
    ino_t inode;
    bool has_followed; /* the image's file has moved, and that was acted on */
    bool has_looked;   /* at looked_ms, the file system was asked */
    int64_t looked_ms;
    tn_bases_t bases;
};

/* Reads the header of `size` bytes at data. *out is written only for TN_DIRECTORY_READY. */
tn_directory_state_t tn_image_read(tn_image_t *out, const void *data, uint64_t size);

/* The identity of this boot of the machine in 51 bits; 0 when it cannot be known. */
uint64_t tn_boot_identity(void);

static inline bool tn_image_generation(uint64_t *generation, bool *has_moved,
                                       const tn_image_t *image)
{
    uint64_t payload;
    bool is_valid = tn_word_load(&payload, image->data + TN_WORD_GENERATION);
    *generation = payload >> 1;
    *has_moved = (payload & 1) != 0;
    return is_valid;
}

/* A key to look for. */
typedef struct {
    enum tn_key_kind kind;
    tn_str_t text; /* 16 raw bytes for an id */
    uint64_t hash;
} tn_key_t;

static inline tn_key_t tn_key_make(const tn_image_t *image, enum tn_key_kind kind, tn_str_t text)
{
    return (tn_key_t){kind, text, tn_key_hash(image->seed, kind, text.data, text.length)};
}

/* What was found: a record, and a tenant's taken apart. */
typedef struct {
    tn_record_t record;
    tn_tenant_parts_t parts; /* when the record is a tenant's */
} tn_found_t;

/*
 * The record that holds the key in the present generation. TN_ENOTFOUND: none does;
 * TN_EUNAVAILABLE: what had to be read is damaged. *out is scratch until TN_OK.
 */
TN_CHECK int tn_image_find(tn_found_t *out, const tn_image_t *image, const tn_key_t *key);

/* The base domains of the platform's record of the present generation. TN_OK, or as for look-ups.
 */
TN_CHECK int tn_bases_read(tn_bases_t *out, const tn_image_t *image);

/* The platform's record of the present generation. */
TN_CHECK int tn_image_platform(tn_record_t *out, const tn_image_t *image);
