/*
 * The whole surface of the command in one table: words, arguments, options, handler, help.
 */
#include "cli/command.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, TN_OPTION_SWITCH, NULL                                                         \
    }

const tn_option_t tn_common_options[] = {
    {"config", "FILE", TN_OPTION_VALUE, "read this configuration file"},
    {"json", NULL, TN_OPTION_SWITCH, "print one JSON document; errors too, on stderr"},
    {"no-color", NULL, TN_OPTION_SWITCH, "print no colours (NO_COLOR does the same)"},
    {"help", NULL, TN_OPTION_SWITCH, "say what a subcommand does"},
    {"version", NULL, TN_OPTION_SWITCH, "print the version"},
    END,
};

static const tn_option_t create_options[] = {
    {"name", "NAME", TN_OPTION_VALUE, "the tenant's name, as people read it"},
    {"plan", "PLAN", TN_OPTION_VALUE, "its plan: any word the application knows"},
    {"setting", "KEY=VALUE", TN_OPTION_LIST, "a setting; may be given again"},
    {"unlisted", NULL, TN_OPTION_SWITCH, "keep it off the tenant-selection page"},
    {"upstream", "UPSTREAM", TN_OPTION_VALUE, "its own application: unix:PATH or HOST:PORT"},
    END,
};

static const tn_option_t set_options[] = {
    {"name", "NAME", TN_OPTION_VALUE, "the tenant's name"},
    {"plan", "PLAN", TN_OPTION_VALUE, "its plan"},
    {"setting", "KEY=VALUE", TN_OPTION_LIST, "add or change a setting; may be given again"},
    {"remove-setting", "KEY", TN_OPTION_LIST, "remove a setting; may be given again"},
    {"listed", NULL, TN_OPTION_SWITCH, "show it on the tenant-selection page"},
    {"unlisted", NULL, TN_OPTION_SWITCH, "keep it off that page"},
    {"upstream", "UPSTREAM", TN_OPTION_VALUE, "its own application; '' for the default one"},
    END,
};

static const tn_option_t tenant_list_options[] = {
    {"status", "STATUS", TN_OPTION_VALUE, "only active, maintenance, suspended or archived ones"},
    {"listed", NULL, TN_OPTION_SWITCH, "only those on the tenant-selection page"},
    {"limit", "NUMBER", TN_OPTION_VALUE, "at most so many"},
    END,
};

static const tn_option_t primary_options[] = {
    {"no-redirect", NULL, TN_OPTION_SWITCH, "serve at the other domains too, without a redirect"},
    {"none", NULL, TN_OPTION_SWITCH, "no domain is the primary one any more"},
    END,
};

static const tn_option_t flag_set_options[] = {
    {"tenant", "REF", TN_OPTION_VALUE, "set it for this tenant only"},
    {"description", "TEXT", TN_OPTION_VALUE, "what the flag is for"},
    END,
};

static const tn_option_t tenant_option[] = {
    {"tenant", "REF", TN_OPTION_VALUE, "of this tenant"},
    END,
};

static const tn_option_t rebuild_options[] = {
    {"force", NULL, TN_OPTION_SWITCH,
     "take the present database for the true one, whatever the directory was made from"},
    END,
};

static const tn_option_t audit_options[] = {
    {"tenant", "REF", TN_OPTION_VALUE, "only what was done to this tenant"},
    {"action", "ACTION", TN_OPTION_VALUE, "only this action; 'tenant.*' for all that begin so"},
    {"limit", "NUMBER", TN_OPTION_VALUE, "at most so many, the newest first (50)"},
    END,
};

static const tn_option_t run_options[] = {
    {"demo", NULL, TN_OPTION_SWITCH, "with the example application and three tenants"},
    {"app", "COMMAND", TN_OPTION_VALUE,
     "start the application too, by this shell command; it listens at the configured upstream"},
    END,
};

const tn_command_t tn_commands[] = {
    {"tenant create", "SLUG", create_options, tn_run_tenant_create, false,
     "make a tenant; it is served at SLUG.BASE at once", NULL},
    {"tenant list", "", tenant_list_options, tn_run_tenant_list, false, "list the tenants", NULL},
    {"tenant show", "REF", NULL, tn_run_tenant_show, false, "show a tenant (REF: slug or id)",
     NULL},
    {"tenant set", "REF", set_options, tn_run_tenant_set, false,
     "change a tenant's name, plan, settings, upstream or listing", NULL},
    {"tenant rename", "REF NEW", NULL, tn_run_tenant_rename, false,
     "give a tenant another slug; the former one redirects to it", NULL},
    {"tenant suspend", "REF", NULL, tn_run_tenant_status, false, "answer 403 in its place", NULL},
    {"tenant resume", "REF", NULL, tn_run_tenant_status, false,
     "serve it again, after suspend or maintenance", NULL},
    {"tenant maintenance", "REF", NULL, tn_run_tenant_status, false,
     "answer 503 with Retry-After in its place", NULL},
    {"tenant archive", "REF", NULL, tn_run_tenant_status, false, "answer 410 in its place", NULL},
    {"tenant restore", "REF", NULL, tn_run_tenant_status, false, "bring an archived tenant back",
     NULL},
    {"domain add", "REF HOST", NULL, tn_run_domain_add, false,
     "let a host of its own lead to a tenant", NULL},
    {"domain remove", "REF HOST", NULL, tn_run_domain_remove, false, "take a host away again",
     NULL},
    {"domain list", "[REF]", NULL, tn_run_domain_list, false,
     "list the custom domains, of all tenants or of one", NULL},
    {"domain primary", "REF [HOST]", primary_options, tn_run_domain_primary, false,
     "say which domain is the tenant's primary one; the others redirect to it", NULL},
    {"flag set", "KEY on|off", flag_set_options, tn_run_flag_set, false,
     "set a flag's default, or its value for one tenant", NULL},
    {"flag unset", "KEY", tenant_option, tn_run_flag_unset, false,
     "let a tenant follow the flag's default again", NULL},
    {"flag list", "", tenant_option, tn_run_flag_list, false,
     "list the flags, or their values for one tenant", NULL},
    {"flag remove", "KEY", NULL, tn_run_flag_remove, false,
     "remove a flag and every tenant's value", NULL},
    {"cache show", "", NULL, tn_run_cache_show, false,
     "show the directory's state (from its file when there is no daemon)", NULL},
    {"cache init", "", NULL, tn_run_cache_init, false, "build the directory if there is none",
     NULL},
    {"cache rebuild", "", rebuild_options, tn_run_cache_rebuild, false,
     "build the directory anew from the database", NULL},
    {"hosts", "", NULL, tn_run_hosts, false,
     "print hosts-file lines for every active tenant (needs no daemon)", NULL},
    {"audit list", "", audit_options, tn_run_audit_list, false, "show who changed what", NULL},
    {"audit verify", "", NULL, tn_run_audit_verify, false,
     "check that no audit entry was changed, removed or reordered", NULL},
    {"status", "", NULL, tn_run_status, false, "show the daemon, database and directory", NULL},
    {"serve", "", NULL, tn_run_serve, false, "run the daemon in the foreground", NULL},
    {"run", "", run_options, tn_run_run, false,
     "run daemon and nginx (and the application) in the foreground, until Ctrl-C",
     "Writes STATE/nginx.conf, starts everything and prints a line for each request\n"
     "(request_log = off, or TENANTRY_REQUEST_LOG=off, switches the lines off). Ctrl-C\n"
     "stops all of it in order; a second Ctrl-C stops it at once. What dies is\n"
     "started again."},
    {"nginx-config", "", NULL, tn_run_nginx_config, false,
     "print the nginx configuration that 'run' would use", NULL},
    {"config", "", NULL, tn_run_config, false,
     "show every configuration key, its value and where it came from", NULL},
    {"version", "", NULL, tn_run_version, true, "print the version", NULL},
    {"help", "[SUBCOMMAND]...", NULL, tn_run_help, true, "say what a subcommand does", NULL},
};
const size_t tn_command_count = sizeof(tn_commands) / sizeof(tn_commands[0]);
