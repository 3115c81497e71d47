/*
 * A byte buffer that grows. It remembers that an append failed, so that a caller may append many
 * times and ask once at the end (tn_buf_failed); a failed buffer ignores further appends.
 */
#pragma once

#include "tenantry.h"

typedef struct {
    char *data; /* NULL, or always followed by a terminator that length does not count */
    size_t length;
    size_t capacity;
    bool failed;
} tn_buf_t;

/* Storage is the caller's; memory is taken at the first append. deinit takes a zeroed one too. */
void tn_buf_init(tn_buf_t *buf);
void tn_buf_deinit(tn_buf_t *buf);

void tn_buf_add(tn_buf_t *buf, const void *data, size_t length);
void tn_buf_add_str(tn_buf_t *buf, tn_str_t text);
void tn_buf_add_text(tn_buf_t *buf, const char *text);
void tn_buf_add_format(tn_buf_t *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Escaped for HTML text and double-quoted attributes: & < > " '. */
void tn_buf_add_html(tn_buf_t *buf, tn_str_t text);

static inline bool tn_buf_failed(const tn_buf_t *buf)
{
    return buf->failed;
}

/*
 * Hands the terminated bytes to the caller, who frees them, and leaves the buffer empty. NULL when
 * an append had failed; "" when nothing was appended.
 */
char *tn_buf_take(tn_buf_t *buf, size_t *length);
