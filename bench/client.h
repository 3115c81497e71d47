/*
 * A client of one HTTP server: keep-alive connections over which it asks for hosts of a list, one
 * request at a time each, and holds every answer against what the list expects. A benchmark that
 * counted wrong answers would measure nothing, so the first wrong one ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_CONNECTIONS_MAX 1024

typedef struct client client_t;

/*
 * Connects to 127.0.0.1. hosts_file has a line "HOST EXPECTED" for each host: its answer must be a
 * 200 with the body EXPECTED. headers are header lines, each ending in CR LF. Requests are built
 * here, before any clock starts.
 */
client_t *client_open(uint16_t port, const char *hosts_file, const char *headers,
                      size_t connections);
void client_close(client_t *client);

size_t client_host_count(const client_t *client);

typedef enum { CLIENT_IN_TURN, CLIENT_AT_RANDOM } client_order_t;

typedef struct {
    double seconds;
    double p50_us, p99_us;
    double answer_bytes; /* the mean */
} client_pass_t;

/* Sends that many requests, waits for every answer. The same seed draws the same hosts. */
client_pass_t client_pass(client_t *client, size_t requests, client_order_t order, uint64_t seed);

/* Prints what went wrong and ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) void client_fail(const char *format, ...);
