/*
 * The daemon in a thread of the test's own process, over a private folder and its real socket, and
 * a client for it: what the routes' unit tests talk to.
 */
#pragma once

#include "conf/conf.h"

#include <jansson.h>
#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
    char folder[64];
    char database[96]; /* the database's file */
    tn_conf_t conf;
    pthread_t thread;
    bool is_running;
    char token[64]; /* the operator's */
} tn_test_daemon_t;

/* cmocka's setup and teardown of a group; *state is a tn_test_daemon_t that runs. The teardown
 * fails on an unclean exit, and removes the folder. */
int tn_test_daemon_setup(void **state);
int tn_test_daemon_teardown(void **state);

/* To stop and start it within a test: start waits until it answers, stop returns its exit code. */
void tn_test_daemon_start(tn_test_daemon_t *daemon);
int tn_test_daemon_stop(tn_test_daemon_t *daemon);

/* What stderr gets between these two, as a text that the caller frees. */
void tn_test_log_begin(tn_test_daemon_t *daemon);
char *tn_test_log_end(tn_test_daemon_t *daemon);
/* Waits at most 10 seconds, between these two, until part is in it. */
void tn_test_log_await(tn_test_daemon_t *daemon, const char *part);

typedef struct {
    const char *method;
    const char *path;
    const char *body;              /* sent as application/json; NULL: none */
    bool is_anonymous;             /* without the operator's token */
    const char *const headers[12]; /* "Name: value" */
} tn_test_call_t;

typedef struct {
    long status;
    char *headers; /* as they came */
    char *text;
    json_t *body; /* NULL when it is no JSON */
} tn_test_answer_t;

/* Fails the test when there is no answer. The answer is freed by tn_test_answer_deinit. */
tn_test_answer_t tn_test_call(const tn_test_daemon_t *daemon, const tn_test_call_t *call);
void tn_test_answer_deinit(tn_test_answer_t *answer);

/* A call by the operator; body may be NULL. */
tn_test_answer_t tn_test_ask(const tn_test_daemon_t *daemon, const char *method, const char *path,
                             const char *body);

/* The same, for which only the status counts, and for a problem its code ("" else). */
void tn_test_expect(const tn_test_daemon_t *daemon, const char *method, const char *path,
                    const char *body, long status, const char *code);

/* A member of the answer by its way, as in "tenant.slug" or "domains.0.host"; NULL without it. */
const json_t *tn_test_member(const tn_test_answer_t *answer, const char *way);
/* These fail the test when it is not there or of another type. */
const char *tn_test_text_of(const tn_test_answer_t *answer, const char *way);
int64_t tn_test_number_of(const tn_test_answer_t *answer, const char *way);
bool tn_test_boolean_of(const tn_test_answer_t *answer, const char *way);

/* Waits at most 10 seconds until the cache is in this state. */
void tn_test_await_state(const tn_test_daemon_t *daemon, const char *cache_state);

/* The value of a header in a static buffer, "" without it. */
const char *tn_test_header_of(const tn_test_answer_t *answer, const char *name);
