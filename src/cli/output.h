/*
 * What the command prints: aligned tables, colours where a person looks, JSON documents. Every text
 * from outside passes through here, so that none can steer a terminal.
 */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>

/* Whether to colour what goes to stream: a terminal, NO_COLOR (https://no-color.org) not set, and
 * not switched off. */
bool tn_output_may_colour(FILE *stream, bool is_switched_off);

/* Appends text with what is not printable as '?'. Needs a UTF-8 LC_CTYPE for more than ASCII. */
void tn_output_clean(tn_buf_t *out, const char *text);

/* The columns that clean text takes on a terminal. */
size_t tn_output_width(const char *text);

typedef struct {
    size_t columns;
    size_t cells; /* added so far, the headings among them */
    char **texts;
    bool failed;
} tn_table_t;

/* headings: NULL-terminated; they tell the number of columns. */
void tn_table_init(tn_table_t *table, const char *const *headings);
void tn_table_deinit(tn_table_t *table);

/* The next cell, row by row. NULL is an empty one, shown as '-'. */
void tn_table_add(tn_table_t *table, const char *text);

/* false when there was no memory. */
bool tn_table_print(const tn_table_t *table, FILE *stream, bool colour);

/* "NAME   value" lines for one thing; the same cleaning. */
void tn_output_pair(FILE *stream, const char *name, const char *value);

/* One indented document and a newline. */
void tn_output_json(FILE *stream, const json_t *document);

/* The string at a key of an object; "" when there is none. Borrowed from the document. */
const char *tn_output_text(const json_t *object, const char *key);

/* The text at a key of an object; "" when it is not there; numbers and booleans as text. The
 * returned text is in buffer or in the document. */
#define TN_OUTPUT_SCALAR_SIZE 32
const char *tn_output_scalar(char buffer[TN_OUTPUT_SCALAR_SIZE], const json_t *object,
                             const char *key);
