/*
 * Whether a directory says what a database says: for the publisher's tests. Of the settings,
 * "title" is taken to be published.
 */
#pragma once

#include "database.h"

#include "sync/publisher.h"

/* The options of the tests: base domain "localhost", setting "title", one key. */
extern const tn_publisher_options_t tn_test_options; /* without a path */

/* A publisher of that path with the options above. */
tn_publisher_t *tn_test_publisher(const char *path);

/* Synchronises and expects the directory to be at the database's generation, and equal to it. */
void tn_test_sync(tn_publisher_t *publisher, tn_test_database_t *database, const char *path);

/* Compares every tenant and flag, both ways. The test fails at the first difference. */
void tn_test_expect_published(tn_test_database_t *database, const char *path);
