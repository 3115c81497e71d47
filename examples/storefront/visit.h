/*
 * One request, and the way from it to a handler: who is it for, is that proven, which page.
 */
#pragma once

#include "answer.h"
#include "tenantry.h"

typedef struct {
    struct MHD_Connection *connection;
    const char *method;
    const char *target;   /* as it came: "/demo.localhost/whoami?x=1" */
    size_t path_length;   /* of the target's path, which ends at a '?' or with it */
    const char *own_path; /* what the visitor asked for, "/whoami": in target, not terminated */
    size_t own_path_length;
    tn_token_t token; /* what the edge vouches for, verified */
    answer_t *answer;
} visit_t;

/* Answers the visit, always. */
void visit_answer(visit_t *visit, const tn_directory_t *directory);
