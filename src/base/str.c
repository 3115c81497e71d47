/*
 * Helpers over tn_str_t; see str.h.
 */
#include "base/str.h"

#include <stdlib.h>

bool tn_str_equal_nocase(tn_str_t a, tn_str_t b)
{
    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        if (tn_ascii_lower(a.data[i]) != tn_ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool tn_str_starts(tn_str_t text, tn_str_t prefix)
{
    return text.length >= prefix.length &&
           tn_str_equal((tn_str_t){text.data, prefix.length}, prefix);
}

bool tn_str_ends(tn_str_t text, tn_str_t suffix)
{
    return text.length >= suffix.length &&
           tn_str_equal((tn_str_t){text.data + text.length - suffix.length, suffix.length}, suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

tn_str_t tn_str_trim(tn_str_t text)
{
    while (text.length > 0 && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.data[text.length - 1])) {
        text.length--;
    }
    return text;
}

int tn_str_copy(char *buffer, size_t size_bytes, tn_str_t text)
{
    if (text.length >= size_bytes) {
        return TN_ETOOBIG;
    }
    memcpy(buffer, text.data, text.length);
    buffer[text.length] = '\0';
    return TN_OK;
}

char *tn_str_dup(tn_str_t text)
{
    char *copy = malloc(text.length + 1);
    if (copy != NULL) {
        memcpy(copy, text.data, text.length);
        copy[text.length] = '\0';
    }
    return copy;
}

/* The length of the well-formed sequence at p (RFC 3629 section 4), 0 when there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    }
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < length) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool too_high = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || too_high ? 0 : length;
}

bool tn_str_is_clean_utf8(tn_str_t text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t at = 0;
    while (at < text.length) {
        size_t length = utf8_sequence(p + at, text.length - at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

int tn_str_number(uint64_t *out, tn_str_t text, uint64_t max)
{
    uint64_t value = 0;
    if (text.length == 0 || text.length > 20) {
        return TN_EINVAL;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return TN_EINVAL;
        }
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (value > (max - digit) / 10 || digit > max) {
            return TN_EINVAL;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return TN_OK;
}
