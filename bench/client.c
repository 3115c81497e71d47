/*
 * See client.h. One thread and one epoll instance a client; nothing is pipelined.
 */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX     8192
#define SILENCE_MAX_MS 30000

typedef struct {
    char *request;
    size_t request_length;
    char *expected;
    size_t expected_length;
} target_t;

typedef struct {
    int fd;
    const target_t *target;
    uint64_t sent_at_ns;
    size_t length;
    char answer[ANSWER_MAX + 1]; /* and a terminator, for the search in its header */
} connection_t;

struct client {
    target_t *targets;
    size_t target_count, target_capacity;
    connection_t *connections;
    size_t connection_count;
    int epoll;
    /* of the pass that is running */
    client_order_t order;
    uint64_t random;
    size_t requests, sent, answered;
    uint32_t *latencies_ns; /* one an answer */
    uint64_t answer_bytes;
};

void client_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("bench_load: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        client_fail("out of memory");
    }
    return memory;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* xorshift64* */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dULL;
}

static void add_target(client_t *client, const char *host, const char *expected,
                       const char *headers)
{
    if (client->target_count == client->target_capacity) {
        client->target_capacity = client->target_capacity * 2 + 64;
        client->targets =
            realloc(client->targets, client->target_capacity * sizeof(*client->targets));
        if (client->targets == NULL) {
            client_fail("out of memory");
        }
    }
    target_t *target = &client->targets[client->target_count++];
    int length = asprintf(&target->request, "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, headers);
    target->expected = strdup(expected);
    if (length < 0 || target->expected == NULL) {
        client_fail("out of memory");
    }
    target->request_length = (size_t)length;
    target->expected_length = strlen(expected);
}

static void read_targets(client_t *client, const char *path, const char *headers)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        client_fail("%s: %s", path, strerror(errno));
    }
    char line[1024], host[512], expected[512];
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%511s %511s", host, expected) != 2) {
            client_fail("%s: a line is not 'HOST EXPECTED'", path);
        }
        add_target(client, host, expected, headers);
    }
    (void)fclose(file); /* read only */
    if (client->target_count == 0) {
        client_fail("%s: no hosts", path);
    }
}

static void connect_one(client_t *client, connection_t *connection, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0) {
        client_fail("connect to port %u: %s", port, strerror(errno));
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        client_fail("epoll_ctl: %s", strerror(errno));
    }
}

client_t *client_open(uint16_t port, const char *hosts_file, const char *headers,
                      size_t connections)
{
    client_t *client = allocate(1, sizeof(*client));
    client->connections = allocate(connections, sizeof(*client->connections));
    client->connection_count = connections;
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (client->epoll < 0) {
        client_fail("epoll_create1: %s", strerror(errno));
    }
    read_targets(client, hosts_file, headers);
    for (size_t i = 0; i < connections; i++) {
        connect_one(client, &client->connections[i], port);
    }
    return client;
}

void client_close(client_t *client)
{
    for (size_t i = 0; i < client->connection_count; i++) {
        (void)close(client->connections[i].fd);
    }
    for (size_t i = 0; i < client->target_count; i++) {
        free(client->targets[i].request);
        free(client->targets[i].expected);
    }
    (void)close(client->epoll);
    free(client->targets);
    free(client->connections);
    free(client);
}

size_t client_host_count(const client_t *client)
{
    return client->target_count;
}

static void send_next(client_t *client, connection_t *connection)
{
    size_t place = client->order == CLIENT_IN_TURN ? client->sent : next_random(&client->random);
    const target_t *target = &client->targets[place % client->target_count];
    connection->target = target;
    connection->length = 0;
    connection->sent_at_ns = now_ns();
    client->sent++;
    ssize_t written = send(connection->fd, target->request, target->request_length, MSG_NOSIGNAL);
    /* nothing else is on its way on this connection: a request always fits in its buffer */
    if (written != (ssize_t)target->request_length) {
        client_fail("send: %s", written < 0 ? strerror(errno) : "short write");
    }
}

/* Whether the answer is there whole; ends the program when it is a wrong one. */
static bool is_answered(const connection_t *connection)
{
    const char *answer = connection->answer;
    const char *blank = strstr(answer, "\r\n\r\n");
    if (blank == NULL) {
        return false;
    }
    const char *field = strcasestr(answer, "\r\nContent-Length:");
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || field == NULL || field > blank) {
        client_fail("not an answer to count: %.200s", answer);
    }
    size_t body_length = strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
    const char *body = blank + 4;
    size_t received = connection->length - (size_t)(body - answer);
    if (received < body_length) {
        return false;
    }
    const target_t *target = connection->target;
    if (received != target->expected_length ||
        memcmp(body, target->expected, target->expected_length) != 0) {
        client_fail("'%.*s' instead of '%s' to:\n%s", (int)received, body, target->expected,
                    target->request);
    }
    return true;
}

static void receive(client_t *client, connection_t *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->length,
                       ANSWER_MAX - connection->length, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        client_fail("recv: %s", got < 0 ? strerror(errno) : "closed, or an answer too long");
    }
    connection->length += (size_t)got;
    connection->answer[connection->length] = '\0';
    if (!is_answered(connection)) {
        return;
    }
    uint64_t taken_ns = now_ns() - connection->sent_at_ns;
    client->latencies_ns[client->answered++] =
        taken_ns > UINT32_MAX ? UINT32_MAX : (uint32_t)taken_ns;
    client->answer_bytes += connection->length;
    if (client->sent < client->requests) {
        send_next(client, connection);
    }
}

static void exchange(client_t *client)
{
    struct epoll_event events[CLIENT_CONNECTIONS_MAX];
    for (size_t i = 0; i < client->connection_count && client->sent < client->requests; i++) {
        send_next(client, &client->connections[i]);
    }
    while (client->answered < client->requests) {
        int count = epoll_wait(client->epoll, events, CLIENT_CONNECTIONS_MAX, SILENCE_MAX_MS);
        if (count == 0) {
            client_fail("no answer for %d ms", SILENCE_MAX_MS);
        }
        if (count < 0 && errno != EINTR) {
            client_fail("epoll_wait: %s", strerror(errno));
        }
        for (int i = 0; i < count; i++) {
            receive(client, events[i].data.ptr);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

client_pass_t client_pass(client_t *client, size_t requests, client_order_t order, uint64_t seed)
{
    client->order = order;
    client->random = seed * 0x9e3779b97f4a7c15ULL | 1; /* its state must not be 0 */
    client->requests = requests;
    client->sent = client->answered = 0;
    client->answer_bytes = 0;
    client->latencies_ns = allocate(requests, sizeof(*client->latencies_ns));
    uint64_t began_ns = now_ns();
    exchange(client);
    uint64_t elapsed_ns = now_ns() - began_ns;
    qsort(client->latencies_ns, requests, sizeof(*client->latencies_ns), compare);
    client_pass_t pass = {
        .seconds = (double)elapsed_ns / 1e9,
        .p50_us = client->latencies_ns[(requests - 1) / 2] / 1e3,
        .p99_us = client->latencies_ns[(requests - 1) * 99 / 100] / 1e3,
        .answer_bytes = (double)client->answer_bytes / (double)requests,
    };
    free(client->latencies_ns);
    client->latencies_ns = NULL;
    return pass;
}
