/*
 * `tenantry config`: every key of the configuration with its value and where that came from.
 */
#include "cli/command.h"
#include "cli/output.h"

#include <stdio.h>

static void add_row(const char *key, const char *value, const char *origin, const char *help,
                    void *context)
{
    tn_table_t *table = context;
    tn_table_add(table, key);
    tn_table_add(table, value);
    tn_table_add(table, origin);
}

static void add_object(const char *key, const char *value, const char *origin, const char *help,
                       void *context)
{
    json_t *keys = context;
    (void)json_array_append_new(keys, json_pack("{s:s, s:s, s:s, s:s}", "key", key, "value", value,
                                                "origin", origin, "help", help));
}

int tn_run_config(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    static const char *const headings[] = {"KEY", "VALUE", "FROM", NULL};
    if (cli->is_json) {
        json_t *keys = json_array();
        tn_conf_each(&cli->conf, add_object, keys);
        json_t *document = json_pack("{s:s?, s:o}", "file", cli->conf.file, "keys", keys);
        tn_output_json(stdout, document);
        json_decref(document);
        return TN_EXIT_OK;
    }
    tn_table_t table;
    tn_table_init(&table, headings);
    tn_conf_each(&cli->conf, add_row, &table);
    return tn_cli_print_table(cli, &table);
}
