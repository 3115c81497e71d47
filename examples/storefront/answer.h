/*
 * What goes back to the visitor: a status, a body and its headers, however it was made.
 */
#pragma once

#include <microhttpd.h>
#include <stddef.h>

#define NONCE_SIZE 25 /* 24 random characters, 144 bits, terminated */

typedef struct {
    unsigned status;
    const char *type;  /* Content-Type */
    const char *allow; /* Allow, or NULL */
    char *body;        /* from malloc; NULL: there was no memory for one */
    size_t length;
    char nonce[NONCE_SIZE]; /* of the page's own style sheet, "" for all but pages */
} answer_t;

/*
 * An RFC 9457 problem document. detail is one sentence for a person and may be NULL; code is for
 * programs.
 */
void answer_problem(answer_t *out, unsigned status, const char *code, const char *detail);

/* Hands the answer and its body over to libmicrohttpd. */
enum MHD_Result answer_send(struct MHD_Connection *connection, answer_t *answer);
