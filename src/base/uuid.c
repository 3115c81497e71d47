/*
 * UUIDs; see uuid.h.
 */
#include "base/uuid.h"

#include "base/clock.h"
#include "base/random.h"

tn_uuid_t tn_uuid_new(void)
{
    tn_uuid_t id;
    tn_random_bytes(id.bytes, sizeof(id.bytes));
    uint64_t ms = (uint64_t)tn_clock_wall_ms();
    for (int i = 0; i < 6; i++) {
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

static bool is_dash_before(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

char *tn_uuid_format(char buffer[TN_UUID_LENGTH + 1], const uint8_t bytes[16])
{
    static const char digits[] = "0123456789abcdef";
    char *at = buffer;
    for (int i = 0; i < 16; i++) {
        if (is_dash_before(i)) {
            *at++ = '-';
        }
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
    return buffer;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int tn_uuid_parse(tn_uuid_t *out, tn_str_t text)
{
    if (text.length != TN_UUID_LENGTH) {
        return TN_EINVAL;
    }
    tn_uuid_t id;
    const char *at = text.data;
    for (int i = 0; i < 16; i++) {
        if (is_dash_before(i) && *at++ != '-') {
            return TN_EINVAL;
        }
        int high = hex_value(at[0]);
        int low = hex_value(at[1]);
        if (high < 0 || low < 0) {
            return TN_EINVAL;
        }
        id.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *out = id;
    return TN_OK;
}
