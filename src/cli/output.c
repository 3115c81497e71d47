/*
 * Printing; see output.h.
 */
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define BOLD  "\033[1m"
#define RESET "\033[0m"

bool tn_output_may_colour(FILE *stream, bool is_switched_off)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return !is_switched_off && (no_colour == NULL || no_colour[0] == '\0') &&
           isatty(fileno(stream)) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

/* The marks that reorder text (Unicode's Bidi_Control): a name with one could pass for another. */
static bool is_reordering(wchar_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* The next character: its bytes and columns; a negative width for what must not be printed. */
static size_t next_character(const char *text, size_t left, int *width)
{
    wchar_t wide;
    mbstate_t state = {0};
    size_t length = mbrtowc(&wide, text, left, &state);
    if (length == 0 || length == (size_t)-1 || length == (size_t)-2) {
        *width = -1;
        return 1;
    }
    *width = iswprint((wint_t)wide) && !is_reordering(wide) ? wcwidth(wide) : -1;
    return length;
}

void tn_output_clean(tn_buf_t *out, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        int width;
        size_t length = next_character(text, left, &width);
        tn_buf_add(out, width < 0 ? "?" : text, width < 0 ? 1 : length);
        text += length;
        left -= length;
    }
}

size_t tn_output_width(const char *text)
{
    size_t total = 0;
    size_t left = strlen(text);
    while (left > 0) {
        int width;
        size_t length = next_character(text, left, &width);
        total += width < 0 ? 1 : (size_t)width;
        text += length;
        left -= length;
    }
    return total;
}

void tn_table_init(tn_table_t *table, const char *const *headings)
{
    *table = (tn_table_t){0};
    while (headings[table->columns] != NULL) {
        table->columns++;
    }
    for (size_t i = 0; i < table->columns; i++) {
        tn_table_add(table, headings[i]);
    }
}

void tn_table_deinit(tn_table_t *table)
{
    for (size_t i = 0; i < table->cells; i++) {
        free(table->texts[i]);
    }
    free(table->texts);
    *table = (tn_table_t){0};
}

void tn_table_add(tn_table_t *table, const char *text)
{
    enum { STEP = 256 };
    if (table->failed) {
        return;
    }
    if (table->cells % STEP == 0) {
        char **texts = realloc(table->texts, (table->cells + STEP) * sizeof(*texts));
        if (texts == NULL) {
            table->failed = true;
            return;
        }
        table->texts = texts;
    }
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_output_clean(&buf, text == NULL || text[0] == '\0' ? "-" : text);
    char *clean = tn_buf_take(&buf, NULL);
    if (clean == NULL) {
        table->failed = true;
        return;
    }
    table->texts[table->cells++] = clean;
}

bool tn_table_print(const tn_table_t *table, FILE *stream, bool colour)
{
    size_t *widths = calloc(table->columns, sizeof(*widths));
    if (widths == NULL || table->failed) {
        free(widths);
        return false;
    }
    for (size_t i = 0; i < table->cells; i++) {
        size_t width = tn_output_width(table->texts[i]);
        if (width > widths[i % table->columns]) {
            widths[i % table->columns] = width;
        }
    }
    for (size_t i = 0; i < table->cells; i++) {
        size_t column = i % table->columns;
        bool is_heading = i < table->columns;
        bool is_last = column + 1 == table->columns;
        size_t padding = is_last ? 0 : widths[column] - tn_output_width(table->texts[i]) + 2;
        fprintf(stream, "%s%s%s%*s%s", colour && is_heading ? BOLD : "", table->texts[i],
                colour && is_heading ? RESET : "", (int)padding, "", is_last ? "\n" : "");
    }
    free(widths);
    return true;
}

void tn_output_pair(FILE *stream, const char *name, const char *value)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_output_clean(&buf, value == NULL || value[0] == '\0' ? "-" : value);
    fprintf(stream, "%-18s %s\n", name, buf.data == NULL ? "" : buf.data);
    tn_buf_deinit(&buf);
}

void tn_output_json(FILE *stream, const json_t *document)
{
    (void)json_dumpf(document, stream, JSON_INDENT(2)); /* main asks ferror(stdout) at the end */
    fputc('\n', stream);
}

const char *tn_output_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

const char *tn_output_scalar(char buffer[TN_OUTPUT_SCALAR_SIZE], const json_t *object,
                             const char *key)
{
    const json_t *value = json_object_get(object, key);
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_STRING:
        return json_string_value(value);
    case JSON_INTEGER:
        (void)snprintf(buffer, TN_OUTPUT_SCALAR_SIZE, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        return buffer;
    case JSON_REAL:
        (void)snprintf(buffer, TN_OUTPUT_SCALAR_SIZE, "%g", json_real_value(value));
        return buffer;
    case JSON_TRUE:
        return "yes";
    case JSON_FALSE:
        return "no";
    default:
        return "";
    }
}
