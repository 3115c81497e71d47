/*
 * bench_load: sends the same requests to several servers in turn, a short slice to each, and prints
 * a line of JSON for each slice with the CPU time it cost that server's process.
 *
 * The first server is the floor: it has a slice before each of the others', so that what a slice is
 * compared with was measured tens of milliseconds before. What disturbs a shared machine for longer
 * than that disturbs both.
 */
#include "client.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERVERS_MAX  64
#define REQUESTS_MAX 10000000
#define ROUNDS_MAX   100000

typedef struct {
    client_t *client;
    unsigned long pid; /* 0: its time is not taken */
    bool is_signing;   /* it signs for each host, now and then */
    uint64_t cpu_ns;   /* at the last look */
} server_t;

typedef struct {
    const char *headers;
    size_t connections;
    size_t requests;
    size_t rounds;
    server_t servers[SERVERS_MAX];
    size_t server_count;
} load_t;

/* User and system time of the process; complete as soon as it has gone to sleep. */
static uint64_t cpu_ns(unsigned long pid)
{
    char path[64];
    uint64_t now = 0, last;
    (void)snprintf(path, sizeof(path), "/proc/%lu/schedstat", pid);
    const struct timespec moment = {.tv_nsec = 200000};
    do {
        last = now;
        (void)nanosleep(&moment, NULL); /* a shorter one does no harm */
        FILE *file = fopen(path, "re");
        if (file == NULL || fscanf(file, "%" SCNu64, &now) != 1) {
            client_fail("%s cannot be read", path);
        }
        (void)fclose(file); /* read only */
    } while (now != last);
    return now;
}

/* The time since the last call for this server, in microseconds a request. */
static double spent_us(server_t *server, size_t requests)
{
    if (server->pid == 0) {
        return 0;
    }
    uint64_t before = server->cpu_ns;
    server->cpu_ns = cpu_ns(server->pid);
    return (double)(server->cpu_ns - before) / 1e3 / (double)requests;
}

static void print_slice(const load_t *load, size_t round, const server_t *server, const char *kind,
                        const client_pass_t *pass, size_t requests, double cpu_us)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    (void)printf(
        "{\"at_s\": %.3f, \"round\": %zu, \"server\": %zu, \"kind\": \"%s\", \"cpu_us\": %.4f, "
        "\"requests_per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
        (double)now.tv_sec + (double)now.tv_nsec / 1e9, round, (size_t)(server - load->servers),
        kind, cpu_us, (double)requests / pass->seconds, pass->p50_us, pass->p99_us);
}

/* Every host once. */
static void ask_all(load_t *load, size_t round, server_t *server, const char *kind)
{
    size_t hosts = client_host_count(server->client);
    client_pass_t pass = client_pass(server->client, hosts, CLIENT_IN_TURN, 0);
    print_slice(load, round, server, kind, &pass, hosts, spent_us(server, hosts));
}

/*
 * Almost every request to a busy edge finds its host's token signed. So that those of a short slice
 * do too, every host is asked for just before; what that costs is told apart.
 */
static void slice(load_t *load, size_t round, server_t *server)
{
    if (server->is_signing) {
        ask_all(load, round, server, "signing");
    }
    client_pass_t pass = client_pass(server->client, load->requests, CLIENT_AT_RANDOM, round + 1);
    double cpu_us = spent_us(server, load->requests);
    print_slice(load, round, server, "slice", &pass, load->requests, cpu_us);
}

/* A first pass for each, not counted: pages and caches are then as they will be. */
static void warm(load_t *load)
{
    for (size_t i = 0; i < load->server_count; i++) {
        ask_all(load, 0, &load->servers[i], "warming");
    }
}

static void run_rounds(load_t *load)
{
    for (size_t round = 0; round < load->rounds; round++) {
        if (load->server_count == 1) {
            slice(load, round, &load->servers[0]);
        }
        for (size_t i = 1; i < load->server_count; i++) {
            slice(load, round, &load->servers[0]);
            slice(load, round, &load->servers[1 + (round + i) % (load->server_count - 1)]);
        }
    }
}

static size_t number(const char *text, size_t max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value > max) {
        client_fail("'%s' is not a number up to %zu", text, max);
    }
    return value;
}

static const char usage[] =
    "usage: bench_load [--headers TEXT] [--connections N] [--requests N] [--rounds N] SERVER...\n"
    "SERVER is PORT:PID:HOSTSFILE or PORT:PID:HOSTSFILE:signing; TEXT is header lines, each\n"
    "ending in CR LF, sent with every request; requests are counted per slice.\n";

static void add_server(load_t *load, char *text)
{
    char *fields[4] = {NULL};
    char *rest = text;
    for (size_t i = 0; i < 4 && rest != NULL; i++) {
        fields[i] = strsep(&rest, ":");
    }
    bool is_signing = fields[3] != NULL && strcmp(fields[3], "signing") == 0;
    if (fields[2] == NULL || rest != NULL || (fields[3] != NULL && !is_signing) ||
        load->server_count == SERVERS_MAX) {
        (void)fputs(usage, stderr);
        exit(2);
    }
    server_t *server = &load->servers[load->server_count++];
    server->pid = number(fields[1], INT32_MAX);
    server->is_signing = is_signing;
    server->client = client_open((uint16_t)number(fields[0], UINT16_MAX), fields[2], load->headers,
                                 load->connections);
}

static void read_options(load_t *load, int argc, char **argv)
{
    static const struct option names[] = {
        {"headers", required_argument, NULL, 'h'},
        {"connections", required_argument, NULL, 'c'},
        {"requests", required_argument, NULL, 'n'},
        {"rounds", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'h') {
            load->headers = optarg;
        } else if (option == 'c') {
            load->connections = number(optarg, CLIENT_CONNECTIONS_MAX);
        } else if (option == 'n') {
            load->requests = number(optarg, REQUESTS_MAX);
        } else if (option == 'r') {
            load->rounds = number(optarg, ROUNDS_MAX);
        } else {
            (void)fputs(usage, stderr);
            exit(2);
        }
    }
    if (optind == argc || load->connections == 0 || load->requests == 0) {
        (void)fputs(usage, stderr);
        exit(2);
    }
    for (int i = optind; i < argc; i++) {
        add_server(load, argv[i]);
    }
}

int main(int argc, char **argv)
{
    load_t load = {.headers = "", .connections = 32, .requests = 2000, .rounds = 1};
    read_options(&load, argc, argv);
    warm(&load);
    run_rounds(&load);
    for (size_t i = 0; i < load.server_count; i++) {
        client_close(load.servers[i].client);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
