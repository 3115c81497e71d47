/*
 * The daemon under test; see daemon.h.
 */
#include "daemon.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "control/serve.h"

#include <curl/curl.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static int log_fd = -1, true_stderr = -1;

static void *run(void *context)
{
    const tn_test_daemon_t *daemon = context;
    return (void *)(intptr_t)tn_serve(&daemon->conf);
}

/* Whether somebody accepts on the daemon's socket. */
static bool answers(const tn_test_daemon_t *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", daemon->conf.socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = connect(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)close(fd);
    return failed == 0;
}

void tn_test_daemon_start(tn_test_daemon_t *daemon)
{
    assert_int_equal(pthread_create(&daemon->thread, NULL, run, daemon), 0);
    int64_t until_ms = tn_clock_steady_ms() + PATIENCE_MS;
    while (!answers(daemon)) {
        assert_true(tn_clock_steady_ms() < until_ms);
        (void)usleep(2000);
    }
    daemon->is_running = true;
    char *token = NULL;
    assert_int_equal(tn_file_read(&token, NULL, daemon->conf.operator_token, 256, NULL), TN_OK);
    (void)snprintf(daemon->token, sizeof(daemon->token), "%.*s", (int)strcspn(token, "\n"), token);
    free(token);
}

int tn_test_daemon_stop(tn_test_daemon_t *daemon)
{
    void *result = NULL;
    assert_int_equal(pthread_kill(daemon->thread, SIGTERM), 0);
    assert_int_equal(pthread_join(daemon->thread, &result), 0);
    daemon->is_running = false;
    return (int)(intptr_t)result;
}

/* The environment goes before a file: nobody's own settings may reach into a test. */
static void clear_environment(void)
{
    static const char prefix[] = "TENANTRY_";
    for (size_t i = 0; environ[i] != NULL;) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(environ[i], "="), environ[i]);
        if (strncmp(name, prefix, sizeof(prefix) - 1) == 0) {
            assert_int_equal(unsetenv(name), 0);
        } else {
            i++;
        }
    }
}

static int write_conf(tn_test_daemon_t *daemon)
{
    char path[96], text[160];
    tn_err_t err = {0};
    clear_environment();
    (void)snprintf(path, sizeof(path), "%s/tenantry.conf", daemon->folder);
    int length = snprintf(text, sizeof(text), "state = %s\nlog_level = info\n", daemon->folder);
    int code = tn_file_write(path, text, (size_t)length, 0600, &err);
    return code == TN_OK ? tn_conf_load(&daemon->conf, path, &err) : code;
}

int tn_test_daemon_setup(void **state)
{
    sigset_t stopping;
    /* the daemon takes these in its own thread: no other may have them */
    (void)sigemptyset(&stopping);
    (void)sigaddset(&stopping, SIGTERM);
    (void)sigaddset(&stopping, SIGINT);
    (void)sigaddset(&stopping, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &stopping, NULL);
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    tn_test_daemon_t *daemon = calloc(1, sizeof(*daemon));
    assert_non_null(daemon);
    (void)snprintf(daemon->folder, sizeof(daemon->folder), "/tmp/tenantry-daemon-XXXXXX");
    assert_non_null(mkdtemp(daemon->folder));
    (void)snprintf(daemon->database, sizeof(daemon->database), "%s/tenantry.db", daemon->folder);
    assert_int_equal(write_conf(daemon), TN_OK);
    tn_test_daemon_start(daemon);
    *state = daemon;
    return 0;
}

static void remove_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    (void)closedir(entries);
    assert_int_equal(rmdir(folder), 0);
}

int tn_test_daemon_teardown(void **state)
{
    tn_test_daemon_t *daemon = *state;
    int code = daemon->is_running ? tn_test_daemon_stop(daemon) : 0;
    remove_folder(daemon->folder);
    tn_conf_deinit(&daemon->conf);
    free(daemon);
    curl_global_cleanup();
    return code;
}

void tn_test_log_begin(tn_test_daemon_t *daemon)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/log", daemon->folder);
    (void)fflush(stderr);
    true_stderr = dup(STDERR_FILENO);
    log_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    assert_true(log_fd >= 0);
    assert_int_equal(dup2(log_fd, STDERR_FILENO), STDERR_FILENO);
}

void tn_test_log_await(tn_test_daemon_t *daemon, const char *part)
{
    char path[96];
    int64_t until_ms = tn_clock_steady_ms() + PATIENCE_MS;
    bool is_there = false;
    (void)snprintf(path, sizeof(path), "%s/log", daemon->folder);
    while (!is_there) {
        char *text = NULL;
        assert_true(tn_clock_steady_ms() < until_ms);
        assert_int_equal(tn_file_read(&text, NULL, path, 1 << 20, NULL), TN_OK);
        is_there = strstr(text, part) != NULL;
        free(text);
        (void)usleep(20000);
    }
}

char *tn_test_log_end(tn_test_daemon_t *daemon)
{
    char path[96];
    char *text = NULL;
    (void)snprintf(path, sizeof(path), "%s/log", daemon->folder);
    (void)fflush(stderr);
    assert_int_equal(dup2(true_stderr, STDERR_FILENO), STDERR_FILENO);
    (void)close(true_stderr);
    (void)close(log_fd);
    assert_int_equal(tn_file_read(&text, NULL, path, 1 << 20, NULL), TN_OK);
    return text;
}

/* ---- the client --------------------------------------------------------------------------- */

static size_t collect(char *data, size_t size, size_t count, void *context)
{
    tn_buf_add(context, data, size * count);
    return size * count;
}

static struct curl_slist *headers_of(const tn_test_daemon_t *daemon, const tn_test_call_t *call)
{
    char text[160];
    /* curl's own type for a body is never meant */
    struct curl_slist *headers =
        curl_slist_append(NULL, call->body == NULL ? "Content-Type:"
                                                   : "Content-Type: application/"
                                                     "json");
    if (!call->is_anonymous) {
        (void)snprintf(text, sizeof(text), "Authorization: Bearer %s", daemon->token);
        headers = curl_slist_append(headers, text);
    }
    for (size_t i = 0; call->headers[i] != NULL; i++) {
        headers = curl_slist_append(headers, call->headers[i]);
    }
    return headers;
}

tn_test_answer_t tn_test_call(const tn_test_daemon_t *daemon, const tn_test_call_t *call)
{
    tn_buf_t head, text, url;
    tn_test_answer_t answer = {0};
    tn_buf_init(&head);
    tn_buf_init(&text);
    tn_buf_init(&url);
    tn_buf_add_format(&url, "http://daemon%s", call->path);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = headers_of(daemon, call);
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, daemon->conf.socket);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url.data);
    (void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    (void)curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(call->method, "HEAD") == 0 ? 1L : 0L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (call->body != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(call->body));
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    }
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    tn_buf_deinit(&url);
    answer.headers = tn_buf_take(&head, NULL);
    answer.text = tn_buf_take(&text, NULL);
    if (code != CURLE_OK) {
        fail_msg("%s %s: %s", call->method, call->path, curl_easy_strerror(code));
    }
    answer.body = json_loads(answer.text, JSON_REJECT_DUPLICATES, NULL);
    return answer;
}

void tn_test_answer_deinit(tn_test_answer_t *answer)
{
    free(answer->headers);
    free(answer->text);
    json_decref(answer->body);
    *answer = (tn_test_answer_t){0};
}

tn_test_answer_t tn_test_ask(const tn_test_daemon_t *daemon, const char *method, const char *path,
                             const char *body)
{
    return tn_test_call(daemon, &(tn_test_call_t){.method = method, .path = path, .body = body});
}

void tn_test_expect(const tn_test_daemon_t *daemon, const char *method, const char *path,
                    const char *body, long status, const char *code)
{
    tn_test_answer_t answer = tn_test_ask(daemon, method, path, body);
    const char *found = json_string_value(json_object_get(answer.body, "code"));
    if (answer.status != status || strcmp(found == NULL ? "" : found, code) != 0) {
        fail_msg("%s %s %s: %ld %s", method, path, body == NULL ? "" : body, answer.status,
                 answer.text);
    }
    tn_test_answer_deinit(&answer);
}

const json_t *tn_test_member(const tn_test_answer_t *answer, const char *way)
{
    const json_t *at = answer->body;
    char name[64];
    while (at != NULL && *way != '\0') {
        size_t length = strcspn(way, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, way);
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(name, NULL, 10))
                               : json_object_get(at, name);
        way += length + (way[length] == '.');
    }
    return at;
}

const char *tn_test_text_of(const tn_test_answer_t *answer, const char *way)
{
    const json_t *value = tn_test_member(answer, way);
    if (!json_is_string(value)) {
        fail_msg("no text '%s' in %s", way, answer->text);
    }
    return json_string_value(value);
}

int64_t tn_test_number_of(const tn_test_answer_t *answer, const char *way)
{
    const json_t *value = tn_test_member(answer, way);
    if (!json_is_integer(value)) {
        fail_msg("no number '%s' in %s", way, answer->text);
    }
    return json_integer_value(value);
}

bool tn_test_boolean_of(const tn_test_answer_t *answer, const char *way)
{
    const json_t *value = tn_test_member(answer, way);
    if (!json_is_boolean(value)) {
        fail_msg("no boolean '%s' in %s", way, answer->text);
    }
    return json_is_true(value);
}

void tn_test_await_state(const tn_test_daemon_t *daemon, const char *cache_state)
{
    int64_t until_ms = tn_clock_steady_ms() + PATIENCE_MS;
    bool is_there = false;
    while (!is_there) {
        tn_test_answer_t answer = tn_test_ask(daemon, "GET", "/api/tenant/cache?limit=1", NULL);
        is_there = strcmp(tn_test_text_of(&answer, "state"), cache_state) == 0;
        if (!is_there && tn_clock_steady_ms() > until_ms) {
            fail_msg("the cache does not become '%s': %s", cache_state, answer.text);
        }
        tn_test_answer_deinit(&answer);
        if (!is_there) {
            (void)usleep(20000);
        }
    }
}

const char *tn_test_header_of(const tn_test_answer_t *answer, const char *name)
{
    static char value[1024];
    size_t length = strlen(name);
    value[0] = '\0';
    for (const char *line = answer->headers; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *begin = line + length + 1;
            begin += strspn(begin, " ");
            (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(begin, "\r\n"), begin);
            break;
        }
    }
    return value;
}
