/*
 * Where the configuration comes from: the file (libinih), then the environment over it, then the
 * defaults for what neither has. Which keys there are and what they may hold is keys.c's business.
 *
 * A relative path in the file is taken from the file's folder, one in the environment from the
 * current folder: in both cases from where the person who wrote it stood.
 */
#include "conf/conf.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/checks.h"
#include "conf/keys.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_FILE   "/etc/tenantry/tenantry.conf"
#define MODULE_NAME   "ngx_http_tenantry_module.so"
#define MODULE_FOLDER "/usr/lib/nginx/modules"

static int no_memory(tn_err_t *err)
{
    return tn_err_set(err, TN_ENOMEM, "no memory for the configuration");
}

/* An absolute path for one that was given from `folder`; the caller frees it. */
static char *absolute(const char *path, const char *folder)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    if (tn_conf_check_path(&buf, tn_str(path), folder) != NULL) {
        tn_buf_deinit(&buf);
        return NULL;
    }
    return tn_buf_take(&buf, NULL);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    return tn_str_dup((tn_str_t){path, length});
}

/* ---- the file ----------------------------------------------------------------------------- */

typedef struct {
    tn_conf_t *conf;
    FILE *stream;
    char *folder;
    size_t line;
    bool is_continuation; /* the line at hand begins with a blank */
    int code;
    tn_err_t *err;
} reading_t;

static int refuse(reading_t *reading, const char *complaint)
{
    reading->code = tn_err_set(reading->err, TN_EINVAL, "%s:%zu: %s", reading->conf->file,
                               reading->line, complaint);
    return 0;
}

/* libinih's reader: counts lines, does not let a long one be read as two, and takes comments off
 * continuation lines, which libinih does for other lines only. */
static char *read_line(char *buffer, int size, void *context)
{
    reading_t *reading = context;
    if (reading->code != TN_OK || fgets(buffer, size, reading->stream) == NULL) {
        return NULL;
    }
    reading->line++;
    reading->is_continuation = buffer[0] == ' ' || buffer[0] == '\t';
    if (strchr(buffer, '\n') == NULL && !feof(reading->stream)) {
        char complaint[64];
        (void)snprintf(complaint, sizeof(complaint), "the line is longer than %d bytes", size - 2);
        (void)refuse(reading, complaint);
        return NULL;
    }
    char *comment = reading->is_continuation ? strstr(buffer, " ;") : NULL;
    if (comment != NULL) {
        *comment = '\0';
    }
    return buffer;
}

/* Records where the value came from. */
static int set_origin(tn_conf_t *conf, size_t index, const char *format, size_t line)
{
    char *origin;
    if (line == 0) {
        origin = strdup(format);
    } else if (asprintf(&origin, "%s:%zu", format, line) < 0) {
        origin = NULL;
    }
    if (origin == NULL) {
        return TN_ENOMEM;
    }
    free(conf->origins[index]);
    conf->origins[index] = origin;
    return TN_OK;
}

static int refuse_unknown(reading_t *reading, const char *name)
{
    char complaint[200];
    const char *near = tn_conf_key_suggest(name);
    (void)snprintf(complaint, sizeof(complaint), "key '%.80s' is unknown%s%s%s", name,
                   near == NULL ? "" : " (did you mean '", near == NULL ? "" : near,
                   near == NULL ? "" : "'?)");
    return refuse(reading, complaint);
}

/* libinih's handler: 1 goes on, 0 stops (with the reason in reading->err). */
static int take_value(void *context, const char *section, const char *name, const char *value)
{
    reading_t *reading = context;
    char complaint[400];
    if (reading->code != TN_OK) {
        return 0;
    }
    if (section[0] != '\0') {
        return refuse(reading, "the file has keys and no [sections]");
    }
    size_t index = tn_conf_key_find(name);
    if (index == tn_conf_key_count) {
        return refuse_unknown(reading, name);
    }
    const tn_conf_key_t *key = &tn_conf_keys[index];
    bool is_again = reading->conf->origins[index] != NULL;
    if (is_again && !(reading->is_continuation && key->kind == TN_CONF_LIST)) {
        (void)snprintf(
            complaint, sizeof(complaint),
            reading->is_continuation ? "key '%s' takes one line" : "key '%s' is there twice", name);
        return refuse(reading, complaint);
    }
    tn_err_t cause;
    reading->code = tn_conf_value_set(reading->conf, key, value, reading->folder, is_again, &cause);
    if (reading->code == TN_OK && !is_again) {
        reading->code = set_origin(reading->conf, index, reading->conf->file, reading->line);
        return reading->code == TN_OK ? 1 : refuse(reading, "no memory for the configuration");
    }
    if (reading->code != TN_OK) {
        (void)snprintf(complaint, sizeof(complaint), "key '%s': %s", name, cause.detail);
        return refuse(reading, complaint);
    }
    return 1;
}

static int read_file(tn_conf_t *conf, tn_err_t *err)
{
    reading_t reading = {.conf = conf, .err = err};
    reading.stream = fopen(conf->file, "re");
    if (reading.stream == NULL) {
        return tn_err_errno(err, errno, "cannot open '%s'", conf->file);
    }
    reading.folder = folder_of(conf->file);
    if (reading.folder == NULL) {
        reading.code = no_memory(err);
        goto out;
    }
    int fault = ini_parse_stream(read_line, &reading, take_value, &reading);
    if (reading.code == TN_OK && ferror(reading.stream)) {
        reading.code = tn_err_errno(err, errno, "cannot read '%s'", conf->file);
    } else if (reading.code == TN_OK && fault != 0) {
        reading.line = fault > 0 ? (size_t)fault : reading.line;
        (void)refuse(&reading, "the line is not of the form 'key = value'");
    }
out:
    free(reading.folder);
    (void)fclose(reading.stream);
    return reading.code;
}

/* The file to read, into conf->file; it stays NULL when there is none. */
static int find_file(tn_conf_t *conf, const char *path, const char *current, tn_err_t *err)
{
    const char *named = path != NULL ? path : getenv("TENANTRY_CONFIG");
    const char *state = getenv("TENANTRY_STATE");
    char *candidate = NULL;
    if (named != NULL && named[0] != '\0') {
        conf->file = absolute(named, current);
        return conf->file == NULL ? tn_err_set(err, TN_EINVAL, "'%s' is not a path", named) : TN_OK;
    }
    if (state != NULL && state[0] != '\0') {
        char *folder = absolute(state, current);
        candidate = folder == NULL ? NULL : absolute("tenantry.conf", folder);
        free(folder);
    }
    if (candidate == NULL || access(candidate, F_OK) != 0) {
        free(candidate);
        candidate = access(SYSTEM_FILE, F_OK) == 0 ? strdup(SYSTEM_FILE) : NULL;
    }
    conf->file = candidate;
    return TN_OK;
}

/* ---- the environment ---------------------------------------------------------------------- */

static void variable_of(char *buffer, size_t size_bytes, const char *key)
{
    size_t at = (size_t)snprintf(buffer, size_bytes, "TENANTRY_");
    for (; *key != '\0' && at + 1 < size_bytes; key++) {
        buffer[at++] = *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') : *key;
    }
    buffer[at] = '\0';
}

static int read_environment(tn_conf_t *conf, const char *current, tn_err_t *err)
{
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        char variable[64];
        variable_of(variable, sizeof(variable), tn_conf_keys[i].name);
        const char *value = getenv(variable);
        if (value == NULL || value[0] == '\0') {
            continue;
        }
        tn_err_t cause;
        int code = tn_conf_value_set(conf, &tn_conf_keys[i], value, current, false, &cause);
        if (code == TN_OK) {
            code = set_origin(conf, i, "environment", 0);
        } else {
            return tn_err_field(err, code, tn_conf_keys[i].name, "%s: %s", variable, cause.detail);
        }
        if (code != TN_OK) {
            return no_memory(err);
        }
    }
    return TN_OK;
}

/* ---- the defaults ------------------------------------------------------------------------- */

static char *default_module(void)
{
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - sizeof(MODULE_NAME) - 1);
    if (length > 0) {
        folder[length] = '\0';
        strcpy(strrchr(folder, '/') + 1, MODULE_NAME);
        if (access(folder, R_OK) == 0) {
            return strdup(folder);
        }
    }
    return strdup(MODULE_FOLDER "/" MODULE_NAME);
}

static char *default_public_url(const tn_conf_t *conf)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    tn_buf_add_format(&buf, "http://%s", conf->base_domains.items[0]);
    if (conf->port != 80) {
        tn_buf_add_format(&buf, ":%u", conf->port);
    }
    return tn_buf_take(&buf, NULL);
}

/* The table's default text with STATE put in; the caller frees it. */
static char *default_text(const tn_conf_t *conf, const char *fallback)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    const char *mark = strstr(fallback, "STATE");
    if (mark == NULL) {
        tn_buf_add_text(&buf, fallback);
    } else {
        tn_buf_add(&buf, fallback, (size_t)(mark - fallback));
        tn_buf_add_text(&buf, strcmp(conf->state, "/") == 0 ? "" : conf->state);
        tn_buf_add_text(&buf, mark + strlen("STATE"));
    }
    return tn_buf_take(&buf, NULL);
}

/* In the table's order: `state`, `base_domains` and `port` stand before what is made of them. */
static int fill_defaults(tn_conf_t *conf, tn_err_t *err)
{
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        const tn_conf_key_t *key = &tn_conf_keys[i];
        if (conf->origins[i] != NULL) {
            continue;
        }
        if (set_origin(conf, i, "default", 0) != TN_OK) {
            return no_memory(err);
        }
        if (key->fallback == NULL) {
            char **field =
                key->offset == offsetof(tn_conf_t, module) ? &conf->module : &conf->public_url;
            *field = field == &conf->module ? default_module() : default_public_url(conf);
            if (*field == NULL) {
                return no_memory(err);
            }
            continue;
        }
        char *text = default_text(conf, key->fallback);
        int code =
            text == NULL ? no_memory(err) : tn_conf_value_set(conf, key, text, "/", false, err);
        free(text);
        if (code != TN_OK) {
            return code;
        }
    }
    return TN_OK;
}

/* A list may be set to nothing only where nothing makes sense. */
static int check_lists(const tn_conf_t *conf, tn_err_t *err)
{
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        const tn_conf_key_t *key = &tn_conf_keys[i];
        if (key->kind == TN_CONF_LIST && conf->origins[i] != NULL) {
            const tn_conf_list_t *list =
                (const tn_conf_list_t *)(const void *)((const char *)conf + key->offset);
            if (list->count < key->min) {
                return tn_err_field(err, TN_EINVAL, key->name, "%s: key '%s': needs a value",
                                    conf->origins[i], key->name);
            }
        }
    }
    return TN_OK;
}

/* ---- outside ------------------------------------------------------------------------------ */

int tn_conf_load(tn_conf_t *out, const char *path, tn_err_t *err)
{
    tn_conf_t conf = {0};
    int code = TN_OK;
    char *current = get_current_dir_name();
    conf.origins = calloc(tn_conf_key_count, sizeof(*conf.origins));
    if (conf.origins == NULL) {
        code = no_memory(err);
    } else if (current == NULL) {
        code = tn_err_errno(err, errno, "cannot tell the current folder");
    }
    if (code == TN_OK) {
        code = find_file(&conf, path, current, err);
    }
    if (code == TN_OK && conf.file != NULL) {
        code = read_file(&conf, err);
    }
    if (code == TN_OK) {
        code = read_environment(&conf, current, err);
    }
    if (code == TN_OK) {
        code = check_lists(&conf, err);
    }
    if (code == TN_OK) {
        code = fill_defaults(&conf, err);
    }
    free(current);
    if (code == TN_OK) {
        *out = conf;
    } else {
        tn_conf_deinit(&conf);
    }
    return code;
}

void tn_conf_deinit(tn_conf_t *conf)
{
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        tn_conf_value_clear(conf, &tn_conf_keys[i]);
        if (conf->origins != NULL) {
            free(conf->origins[i]);
        }
    }
    free(conf->origins);
    free(conf->file);
    *conf = (tn_conf_t){0};
}

void tn_conf_each(const tn_conf_t *conf, tn_conf_fn call, void *context)
{
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        tn_buf_t buf;
        tn_buf_init(&buf);
        tn_conf_value_format(&buf, conf, &tn_conf_keys[i]);
        call(tn_conf_keys[i].name, buf.data == NULL ? "" : buf.data, conf->origins[i],
             tn_conf_keys[i].help, context);
        tn_buf_deinit(&buf);
    }
}
