/*
 * Parsing arguments; see options.h.
 */
#include "cli/options.h"

#include "base/err.h"
#include "base/str.h"

#include <stdlib.h>

static const tn_option_t *find(const tn_option_t *table, tn_str_t name)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (tn_str_equal(tn_str(table->name), name)) {
            return table;
        }
    }
    return NULL;
}

typedef struct {
    char *const *strings;
    size_t count;
    size_t at;
    const tn_option_t *own, *common;
} cursor_t;

/* The option at the cursor, which begins with "--" or "-h"; leaves the cursor on what follows. */
static int take_option(tn_arguments_t *out, cursor_t *cursor, tn_err_t *err)
{
    const char *string = cursor->strings[cursor->at++];
    bool is_short_help = strcmp(string, "-h") == 0;
    tn_str_t name = is_short_help ? TN_STR("help") : tn_str(string + strspn(string, "-"));
    const char *equals = strchr(name.data, '=');
    if (equals != NULL) {
        name.length = (size_t)(equals - name.data);
    }
    const tn_option_t *option = NULL;
    if (is_short_help || strncmp(string, "--", 2) == 0) {
        option = find(cursor->own, name);
        option = option != NULL ? option : find(cursor->common, name);
    }
    if (option == NULL) {
        return tn_err_set(err, TN_EINVAL, "option '%.*s' is unknown", (int)strcspn(string, "="),
                          string);
    }
    const char *value = equals != NULL ? equals + 1 : "";
    if (option->kind == TN_OPTION_SWITCH && equals != NULL) {
        return tn_err_set(err, TN_EINVAL, "option '--%s' takes no value", option->name);
    }
    if (option->kind != TN_OPTION_SWITCH && equals == NULL) {
        if (cursor->at == cursor->count) {
            return tn_err_set(err, TN_EINVAL, "option '--%s' needs a value (%s)", option->name,
                              option->value);
        }
        value = cursor->strings[cursor->at++];
    }
    if (option->kind == TN_OPTION_VALUE && tn_arguments_has(out, option->name)) {
        return tn_err_set(err, TN_EINVAL, "option '--%s' is there twice", option->name);
    }
    out->given[out->given_count].option = option;
    out->given[out->given_count++].value = value;
    return TN_OK;
}

int tn_arguments_parse(tn_arguments_t *out, char *const *strings, size_t count,
                       const tn_option_t *own, const tn_option_t *common, tn_err_t *err)
{
    tn_arguments_t arguments = {0};
    cursor_t cursor = {strings, count, 0, own, common};
    bool only_words = false;
    int code = TN_OK;
    arguments.words = calloc(count + 1, sizeof(*arguments.words));
    arguments.given = calloc(count + 1, sizeof(*arguments.given));
    if (arguments.words == NULL || arguments.given == NULL) {
        code = tn_err_set(err, TN_ENOMEM, "no memory for the arguments");
    }
    while (code == TN_OK && cursor.at < count) {
        const char *string = strings[cursor.at];
        if (!only_words && strcmp(string, "--") == 0) {
            only_words = true;
            cursor.at++;
        } else if (!only_words && string[0] == '-' && string[1] != '\0') {
            code = take_option(&arguments, &cursor, err);
        } else {
            arguments.words[arguments.word_count++] = string;
            cursor.at++;
        }
    }
    if (code != TN_OK) {
        tn_arguments_deinit(&arguments);
        return code;
    }
    *out = arguments;
    return TN_OK;
}

void tn_arguments_deinit(tn_arguments_t *arguments)
{
    free(arguments->words);
    free(arguments->given);
    *arguments = (tn_arguments_t){0};
}

const char *tn_arguments_value(const tn_arguments_t *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->given_count; i++) {
        if (strcmp(arguments->given[i].option->name, name) == 0) {
            return arguments->given[i].value;
        }
    }
    return NULL;
}

bool tn_arguments_has(const tn_arguments_t *arguments, const char *name)
{
    return tn_arguments_value(arguments, name) != NULL;
}

int tn_arguments_check_words(const tn_arguments_t *arguments, const char *usage, tn_err_t *err)
{
    size_t expected = 0;
    const char *at = usage;
    while (*at != '\0') {
        size_t length = strcspn(at, " ");
        if (expected >= arguments->word_count && at[0] != '[') {
            return tn_err_set(err, TN_EINVAL, "%.*s is missing", (int)length, at);
        }
        if (length >= 4 && strncmp(at + length - 4, "]...", 4) == 0) {
            return TN_OK;
        }
        expected++;
        at += length;
        at += strspn(at, " ");
    }
    if (arguments->word_count > expected) {
        return tn_err_set(err, TN_EINVAL, "'%s' is too much", arguments->words[expected]);
    }
    return TN_OK;
}
