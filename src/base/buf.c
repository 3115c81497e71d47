/*
 * The growing buffer; see buf.h.
 */
#include "base/buf.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void tn_buf_init(tn_buf_t *buf)
{
    *buf = (tn_buf_t){0};
}

void tn_buf_deinit(tn_buf_t *buf)
{
    free(buf->data);
    *buf = (tn_buf_t){0};
}

/* Room for `more` bytes and a terminator. */
static bool reserve(tn_buf_t *buf, size_t more)
{
    if (buf->failed) {
        return false;
    }
    if (more < buf->capacity - buf->length) {
        return true;
    }
    size_t capacity = buf->capacity == 0 ? 256 : buf->capacity;
    while (capacity - buf->length <= more) {
        if (capacity > SIZE_MAX / 2) {
            buf->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void tn_buf_add(tn_buf_t *buf, const void *data, size_t length)
{
    if (length > 0 && reserve(buf, length)) {
        memcpy(buf->data + buf->length, data, length);
        buf->length += length;
        buf->data[buf->length] = '\0';
    }
}

void tn_buf_add_str(tn_buf_t *buf, tn_str_t text)
{
    tn_buf_add(buf, text.data, text.length);
}

void tn_buf_add_text(tn_buf_t *buf, const char *text)
{
    tn_buf_add(buf, text, strlen(text));
}

void tn_buf_add_format(tn_buf_t *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        buf->failed = true;
    } else if (reserve(buf, (size_t)length)) {
        (void)vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

void tn_buf_add_html(tn_buf_t *buf, tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        switch (text.data[i]) {
        case '&':
            tn_buf_add_text(buf, "&amp;");
            break;
        case '<':
            tn_buf_add_text(buf, "&lt;");
            break;
        case '>':
            tn_buf_add_text(buf, "&gt;");
            break;
        case '"':
            tn_buf_add_text(buf, "&quot;");
            break;
        case '\'':
            tn_buf_add_text(buf, "&#39;");
            break;
        default:
            tn_buf_add(buf, text.data + i, 1);
        }
    }
}

char *tn_buf_take(tn_buf_t *buf, size_t *length)
{
    if (!reserve(buf, 0)) {
        tn_buf_deinit(buf);
        return NULL;
    }
    char *data = buf->data;
    data[buf->length] = '\0';
    if (length != NULL) {
        *length = buf->length;
    }
    *buf = (tn_buf_t){0};
    return data;
}
