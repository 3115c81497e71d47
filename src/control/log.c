/*
 * The daemon's log; see log.h. The last lines are remembered whole in a small table: equal text
 * within the window is counted there, and the count is written when the window ends or the place is
 * needed for another line.
 */
#include "control/log.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REMEMBERED = 32 };

typedef struct {
    char text[TN_LOG_LINE_MAX];
    tn_log_level_t level;
    int64_t since_ms;
    unsigned written;
    uint64_t repeats; /* those that were not written */
    bool is_used;
} tn_log_slot_t;

struct tn_log {
    tn_log_options_t options;
    pthread_mutex_t lock;
    tn_log_slot_t slots[REMEMBERED];
};

static const struct {
    const char *name;
    int journal_priority; /* of syslog(3) */
} levels[] = {
    [TN_LOG_ERROR] = {"error", 3},   [TN_LOG_WARNING] = {"warning", 4},
    [TN_LOG_NOTICE] = {"notice", 5}, [TN_LOG_INFO] = {"info", 6},
    [TN_LOG_DEBUG] = {"debug", 7},
};

int tn_log_level_parse(tn_log_level_t *out, const char *text)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(text, levels[i].name) == 0) {
            *out = (tn_log_level_t)i;
            return TN_OK;
        }
    }
    return TN_EINVAL;
}

bool tn_log_is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat info;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(fd, &info) == 0 && (unsigned long long)info.st_dev == device &&
           (unsigned long long)info.st_ino == inode;
}

int tn_log_new(tn_log_t **out, const tn_log_options_t *options, tn_err_t *err)
{
    tn_log_t *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the log");
    }
    log->options = *options;
    if (log->options.now_ms == NULL) {
        log->options.now_ms = tn_clock_steady_ms;
    }
    /* cannot fail for a plain mutex on Linux */
    (void)pthread_mutex_init(&log->lock, NULL);
    *out = log;
    return TN_OK;
}

/* Copies text into a line, escaping what could be read as another line or as a terminal's command.
 */
static void escape(char *out, size_t size, const char *text)
{
    bool is_clean = tn_str_is_clean_utf8(tn_str(text));
    size_t used = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && used + 5 < size; p++) {
        if (*p < 0x20 || *p == 0x7f || (*p >= 0x80 && !is_clean)) {
            used += (size_t)snprintf(out + used, size - used, "\\x%02x", *p);
        } else {
            out[used++] = (char)*p;
        }
    }
    out[used] = '\0';
}

/* One write(2) a line, so that lines of several processes on one stderr stay whole. */
static void emit(const tn_log_t *log, tn_log_level_t level, const char *text)
{
    char line[TN_LOG_LINE_MAX + 128];
    int length;
    if (log->options.is_journal) {
        length = snprintf(line, sizeof(line), "<%d>%s\n", levels[level].journal_priority, text);
    } else {
        char time[TN_TIME_TEXT_SIZE];
        length = snprintf(line, sizeof(line), "%s %-7s %s\n",
                          tn_clock_format(time, tn_clock_wall_ms()), levels[level].name, text);
    }
    if (length > 0) {
        /* there is nowhere to report a log that cannot be written */
        ssize_t ignored = write(log->options.fd, line, (size_t)length);
        (void)ignored;
    }
}

static void emit_repeats(const tn_log_t *log, tn_log_slot_t *slot)
{
    if (slot->repeats > 0) {
        char text[TN_LOG_LINE_MAX + 64];
        (void)snprintf(text, sizeof(text), "%s (repeated %llu times more)", slot->text,
                       (unsigned long long)slot->repeats);
        emit(log, slot->level, text);
    }
    slot->is_used = false;
    slot->repeats = 0;
}

static bool has_expired(const tn_log_slot_t *slot, int64_t now_ms)
{
    return slot->is_used && now_ms - slot->since_ms >= TN_LOG_WINDOW_MS;
}

/* The slot of this text while its window is open, else the one to use for it. */
static tn_log_slot_t *find_slot(tn_log_t *log, const char *text)
{
    tn_log_slot_t *oldest = &log->slots[0];
    for (size_t i = 0; i < REMEMBERED; i++) {
        tn_log_slot_t *slot = &log->slots[i];
        if (slot->is_used && strcmp(slot->text, text) == 0) {
            return slot;
        }
        if (oldest->is_used && (!slot->is_used || slot->since_ms < oldest->since_ms)) {
            oldest = slot;
        }
    }
    emit_repeats(log, oldest);
    return oldest;
}

void tn_log_write(tn_log_t *log, tn_log_level_t level, const char *format, ...)
{
    if (log == NULL || level > log->options.level) {
        return;
    }
    char raw[TN_LOG_LINE_MAX];
    char text[TN_LOG_LINE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    escape(text, sizeof(text), raw);

    (void)pthread_mutex_lock(&log->lock);
    int64_t now_ms = log->options.now_ms();
    tn_log_slot_t *slot = find_slot(log, text);
    if (has_expired(slot, now_ms)) {
        emit_repeats(log, slot);
    }
    if (!slot->is_used) {
        (void)snprintf(slot->text, sizeof(slot->text), "%s", text);
        slot->level = level;
        slot->since_ms = now_ms;
        slot->written = 0;
        slot->is_used = true;
    }
    if (slot->written < TN_LOG_BURST) {
        slot->written++;
        emit(log, level, text);
    } else {
        slot->repeats++;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void tn_log_flush(tn_log_t *log)
{
    if (log == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&log->lock);
    int64_t now_ms = log->options.now_ms();
    for (size_t i = 0; i < REMEMBERED; i++) {
        if (has_expired(&log->slots[i], now_ms)) {
            emit_repeats(log, &log->slots[i]);
        }
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void tn_log_free(tn_log_t *log)
{
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < REMEMBERED; i++) {
        emit_repeats(log, &log->slots[i]);
    }
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}
