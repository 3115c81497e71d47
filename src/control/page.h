/*
 * HTML pages for people: the frame and look they share (the edge's own pages have the same colours
 * and type), and the page for a problem. No scripts, no pictures, nothing from elsewhere: the
 * Content-Security-Policy allows one style sheet, by its hash.
 */
#pragma once

#include "control/accept.h"
#include "control/message.h"

/* The language that the request asks for. */
tn_language_t tn_page_language(const tn_request_t *request);

/* Appends everything up to the content of <main>; title is plain text. */
void tn_page_begin(tn_buf_t *out, tn_language_t language, const char *title);
void tn_page_end(tn_buf_t *out);

/* Status, type and the headers that every page has. */
void tn_page_headers(tn_response_t *response, unsigned status, tn_language_t language);

/* The page for the problem that the response has. */
void tn_page_problem(tn_response_t *response, const tn_request_t *request);
