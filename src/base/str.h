/*
 * Small helpers over tn_str_t (pointer and length) and ASCII text. No locale, no allocation except
 * where the name says dup.
 */
#pragma once

#include "tenantry.h"

#include <string.h>

/* A string literal or a terminated string as tn_str_t. */
#define TN_STR(literal) ((tn_str_t){(literal), sizeof(literal) - 1})

static inline tn_str_t tn_str(const char *text)
{
    return (tn_str_t){text, strlen(text)};
}

static inline bool tn_str_equal(tn_str_t a, tn_str_t b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline char tn_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Equal when ASCII case is ignored. */
bool tn_str_equal_nocase(tn_str_t a, tn_str_t b);

bool tn_str_starts(tn_str_t text, tn_str_t prefix);
bool tn_str_ends(tn_str_t text, tn_str_t suffix);

/* Without the spaces and tabs at both ends; borrows from text. */
tn_str_t tn_str_trim(tn_str_t text);

/*
 * Copies text into buffer with a terminator. TN_ETOOBIG (and an untouched buffer) when text and
 * terminator do not fit.
 */
TN_CHECK int tn_str_copy(char *buffer, size_t size_bytes, tn_str_t text);

/* A terminated copy on the heap, the caller frees it; NULL when there is no memory. */
char *tn_str_dup(tn_str_t text);

/* Whether text is valid UTF-8 (RFC 3629: no surrogates, no over-long forms) without C0 controls
 * and DEL. */
bool tn_str_is_clean_utf8(tn_str_t text);

/* Reads a whole non-negative decimal number: no sign, no spaces. TN_EINVAL otherwise or when it is
 * above max. */
TN_CHECK int tn_str_number(uint64_t *out, tn_str_t text, uint64_t max);
