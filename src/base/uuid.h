/*
 * UUIDs (RFC 9562): version 7 for new identities, 16 bytes in memory and in the directory,
 * lower-case text of 36 characters in the database and on the wire.
 */
#pragma once

#include "tenantry.h"

typedef struct {
    uint8_t bytes[16];
} tn_uuid_t;

/* A version 7 UUID of this moment: later ones sort after earlier milliseconds. */
tn_uuid_t tn_uuid_new(void);

/* Text of TN_UUID_LENGTH characters and a terminator into buffer; returns buffer. */
char *tn_uuid_format(char buffer[TN_UUID_LENGTH + 1], const uint8_t bytes[16]);

/* Accepts the 8-4-4-4-12 form in either case, any version. TN_EINVAL otherwise. */
TN_CHECK int tn_uuid_parse(tn_uuid_t *out, tn_str_t text);
