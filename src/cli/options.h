/*
 * Parsing of a subcommand's arguments against a const table: `--name VALUE`, `--name=VALUE`,
 * switches, repeatable options, words, and `--` before words that begin with a hyphen. Knows
 * nothing of what the options mean.
 */
#pragma once

#include "tenantry.h"

typedef enum {
    TN_OPTION_SWITCH, /* takes no value */
    TN_OPTION_VALUE,  /* takes one, and may be given once */
    TN_OPTION_LIST,   /* takes one, and may be given again */
} tn_option_kind_t;

/* A table of options ends with an entry without a name. */
typedef struct {
    const char *name;  /* without the hyphens */
    const char *value; /* what its value is called in the usage; NULL for a switch */
    tn_option_kind_t kind;
    const char *help;
} tn_option_t;

/* Borrows from argv and the tables. */
typedef struct {
    const char **words;
    size_t word_count;
    struct tn_given {
        const tn_option_t *option;
        const char *value; /* "" for a switch */
    } * given;
    size_t given_count;
} tn_arguments_t;

/*
 * Parses count strings, looking options up in `own`, then in `common` (either may be NULL).
 * TN_EINVAL: the detail names the option and what is wrong with it. The caller deinits *out after
 * success.
 */
TN_CHECK int tn_arguments_parse(tn_arguments_t *out, char *const *strings, size_t count,
                                const tn_option_t *own, const tn_option_t *common, tn_err_t *err);
void tn_arguments_deinit(tn_arguments_t *arguments);

/* NULL when the option was not given. */
const char *tn_arguments_value(const tn_arguments_t *arguments, const char *name);
bool tn_arguments_has(const tn_arguments_t *arguments, const char *name);

/*
 * Whether the number of words is right for a usage such as "REF HOST" or "[REF]" (words in brackets
 * may be left out). TN_EINVAL: the detail names the missing word or the first one too many.
 */
TN_CHECK int tn_arguments_check_words(const tn_arguments_t *arguments, const char *usage,
                                      tn_err_t *err);
