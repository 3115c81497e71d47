/*
 * /auth/tenant-selection: the tenants that want to be listed, each with its direct link, and how
 * names are set up where such a link does not open.
 */
#include "control/cursor.h"
#include "control/origin.h"
#include "control/page.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"
#include "base/str.h"
#include "store/tenant.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SHOWN_MAX = 200,
    SCANNED_MAX = 10000, /* rows that a search for a part of a name looks at: it is open to all */
    SCAN_PAGE = 1000,
    SEARCH_SIZE = 101,
};

typedef struct {
    char slug[TN_SLUG_MAX + 1];
    char name[TN_NAME_MAX + 1];
} tn_choice_t;

typedef struct {
    tn_choice_t choices[SHOWN_MAX];
    size_t count;
    bool has_more;
    char search[SEARCH_SIZE];    /* as typed, "" for none */
    char after[TN_SLUG_MAX + 1]; /* the page begins after this slug, "" for the first */
    char prefix[SEARCH_SIZE]; /* the search as the beginning of a slug, "" when it cannot be one */
    /* of a scan */
    size_t scanned;
    char last_slug[TN_SLUG_MAX + 1];
} tn_selection_t;

/* ---- choosing ----------------------------------------------------------------------------- */

/* Adds a tenant; non-zero when there are enough. */
static int add_choice(const tn_tenant_row_t *row, void *context)
{
    tn_selection_t *selection = context;
    if (selection->count == SHOWN_MAX) {
        selection->has_more = true;
        return 1;
    }
    tn_choice_t *choice = &selection->choices[selection->count++];
    memcpy(choice->slug, row->slug, sizeof(choice->slug));
    memcpy(choice->name, row->name, sizeof(choice->name));
    return 0;
}

static bool has_prefix(const tn_selection_t *selection, const char *slug)
{
    return selection->prefix[0] != '\0' && tn_str_starts(tn_str(slug), tn_str(selection->prefix));
}

/* Slugs come in order: the first without the prefix ends those that have it. */
static int add_with_prefix(const tn_tenant_row_t *row, void *context)
{
    return has_prefix(context, row->slug) ? add_choice(row, context) : 1;
}

/* Those that have the search elsewhere, in slug or name. */
static int add_with_part(const tn_tenant_row_t *row, void *context)
{
    tn_selection_t *selection = context;
    selection->scanned++;
    memcpy(selection->last_slug, row->slug, sizeof(selection->last_slug));
    if (has_prefix(selection, row->slug) || (strcasestr(row->name, selection->search) == NULL &&
                                             strcasestr(row->slug, selection->search) == NULL)) {
        return 0;
    }
    return add_choice(row, selection);
}

/* One listing after `after`; a callback that has enough is no error. */
static int list(tn_selection_t *selection, tn_tx_t *tx, const char *after, size_t limit,
                tn_tenant_row_fn call, tn_err_t *err)
{
    tn_tenant_filter_t filter = {
        .after_slug = after,
        .limit = limit,
        .status = TN_STATUS_ACTIVE,
        .only_listed = true,
    };
    int code = tn_tenant_list(tx, &filter, call, selection, err);
    return code > 0 ? TN_OK : code;
}

/* The search in lower case, if it could begin a slug. */
static void set_prefix(tn_selection_t *selection)
{
    size_t length = strlen(selection->search);
    for (size_t i = 0; i < length; i++) {
        char c = tn_ascii_lower(selection->search[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
            selection->prefix[0] = '\0';
            return;
        }
        selection->prefix[i] = c;
    }
    selection->prefix[length] = '\0';
}

/* First the slugs that begin with the search, whose place is known, then a bounded look at all. */
static int search(tn_selection_t *selection, tn_tx_t *tx, tn_err_t *err)
{
    char before[SEARCH_SIZE + 1];
    int code = TN_OK;
    set_prefix(selection);
    size_t length = strlen(selection->prefix);
    if (length > 0) {
        /* the greatest text below the prefix: DEL sorts after every byte of a slug */
        memcpy(before, selection->prefix, length);
        before[length - 1]--;
        memcpy(before + length, "\x7f", 2);
        code = list(selection, tx, before, SHOWN_MAX + 1, add_with_prefix, err);
    }
    size_t seen = 0;
    do {
        seen = selection->scanned;
        if (code == TN_OK && !selection->has_more) {
            const char *after = selection->last_slug[0] == '\0' ? NULL : selection->last_slug;
            code = list(selection, tx, after, SCAN_PAGE, add_with_part, err);
        }
    } while (code == TN_OK && !selection->has_more && selection->scanned < SCANNED_MAX &&
             selection->scanned - seen == SCAN_PAGE);
    selection->has_more |= selection->scanned >= SCANNED_MAX;
    return code;
}

static int read_query(tn_selection_t *selection, const tn_request_t *request, tn_err_t *err)
{
    char cursor[TN_CURSOR_TEXT_MAX];
    bool is_given;
    int code = tn_request_query(selection->search, sizeof(selection->search), &is_given, request,
                                "q", err);
    if (code == TN_OK) {
        code = tn_request_query(cursor, sizeof(cursor), &is_given, request, "cursor", err);
    }
    if (code == TN_OK && is_given) {
        code = tn_cursor_read(selection->after, sizeof(selection->after), 's', tn_str(cursor), err);
    }
    return code;
}

static int choose(tn_selection_t *selection, tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    int code = read_query(selection, exchange->request, err);
    const char *after = selection->after[0] == '\0' ? NULL : selection->after;
    if (code == TN_OK) {
        code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = selection->search[0] == '\0'
               ? list(selection, transaction.tx, after, SHOWN_MAX + 1, add_choice, err)
               : search(selection, transaction.tx, err);
    tn_transaction_end(&transaction);
    return code;
}

/* ---- the page ----------------------------------------------------------------------------- */

typedef struct {
    const char *title;
    const char *lead;
    const char *none;
    const char *not_found;
    const char *more;
    const char *search_label;
    const char *search_button;
    const char *all;
    const char *next;
    const char *setup;
    const char *local_title;
    const char *local;
    const char *hosts_title;
    const char *hosts_local;
    const char *hosts_other;
    const char *hosts_command;
    const char *dns_title;
    const char *dns;
    const char *dns_after;
} tn_selection_texts_t;

static const tn_selection_texts_t texts[] = {
    [TN_LANGUAGE_EN] =
        {
            .title = "Choose your site",
            .lead = "Each site has an address of its own. Go straight to yours:",
            .none = "No site is listed here yet.",
            .not_found = "No listed site has this in its name or address.",
            .more = "There are more: search for a part of the name or the address.",
            .search_label = "Name or address",
            .search_button = "Search",
            .all = "Show all",
            .next = "Next page",
            .setup = "An address does not open? How names are set up",
            .local_title = "On this machine: nothing to do",
            .local = "Names of the form <code>*.localhost</code> already lead to this machine in "
                     "browsers and in curl.",
            .hosts_title = "Where a name is not found: the hosts file",
            .hosts_local = "Some programs ask the system, which may not know these names. Then add "
                           "these lines to <code>/etc/hosts</code> (on Windows "
                           "<code>C:\\Windows\\System32\\drivers\\etc\\hosts</code>):",
            .hosts_other = "To try it on this machine before there is a DNS record, add these "
                           "lines to <code>/etc/hosts</code> (on Windows "
                           "<code>C:\\Windows\\System32\\drivers\\etc\\hosts</code>); instead of "
                           "<code>127.0.0.1</code> write the server’s address when it is another "
                           "machine:",
            .hosts_command = "One click selects them all. <code>tenantry hosts</code> prints them "
                             "for every active tenant.",
            .dns_title = "With a domain of your own: one wildcard record",
            .dns = "A wildcard DNS record leads every present and future site here, with the "
                   "server’s address in place of <code>203.0.113.10</code>:",
            .dns_after = "The domain itself is set as <code>base_domains</code> in the "
                         "configuration.",
        },
    [TN_LANGUAGE_FR] =
        {
            .title = "Choisissez votre site",
            .lead = "Chaque site a sa propre adresse. Allez directement au vôtre&nbsp;:",
            .none = "Aucun site n’est encore proposé ici.",
            .not_found = "Aucun site proposé ici n’a cela dans son nom ou son adresse.",
            .more = "Il y en a d’autres&nbsp;: cherchez une partie du nom ou de l’adresse.",
            .search_label = "Nom ou adresse",
            .search_button = "Chercher",
            .all = "Tout afficher",
            .next = "Page suivante",
            .setup = "Une adresse ne s’ouvre pas&nbsp;? Comment les noms sont configurés",
            .local_title = "Sur cette machine&nbsp;: rien à faire",
            .local = "Les noms de la forme <code>*.localhost</code> mènent déjà à cette "
                     "machine dans les navigateurs et avec curl.",
            .hosts_title = "Là où un nom n’est pas trouvé&nbsp;: le fichier hosts",
            .hosts_local = "Certains programmes interrogent le système, qui peut ignorer ces noms. "
                           "Ajoutez alors ces lignes à <code>/etc/hosts</code> (sous Windows, "
                           "<code>C:\\Windows\\System32\\drivers\\etc\\hosts</code>)&nbsp;:",
            .hosts_other =
                "Pour essayer sur cette machine avant l’enregistrement DNS, ajoutez ces "
                "lignes à <code>/etc/hosts</code> (sous Windows, "
                "<code>C:\\Windows\\System32\\drivers\\etc\\hosts</code>)&nbsp;; à la place "
                "de <code>127.0.0.1</code>, écrivez l’adresse du serveur si c’est une "
                "autre machine&nbsp;:",
            .hosts_command = "Un clic les sélectionne toutes. <code>tenantry hosts</code> les "
                             "affiche pour chaque espace actif.",
            .dns_title = "Avec votre propre domaine&nbsp;: un seul enregistrement générique",
            .dns = "Un enregistrement DNS générique mène ici tous les sites, présents et à venir, "
                   "avec l’adresse du serveur à la place de <code>203.0.113.10</code>&nbsp;:",
            .dns_after = "Le domaine lui-même se règle par <code>base_domains</code> dans la "
                         "configuration.",
        },
};

static bool is_local(const char *base)
{
    return strcmp(base, "localhost") == 0 || tn_str_ends(tn_str(base), TN_STR(".localhost"));
}

static void add_search(tn_buf_t *out, const tn_selection_t *selection,
                       const tn_selection_texts_t *text)
{
    tn_buf_add_format(out,
                      "<form role=\"search\" action=\"/auth/tenant-selection\" method=\"get\">\n"
                      "<label>%s<input type=\"search\" name=\"q\" maxlength=\"%d\" value=\"",
                      text->search_label, SEARCH_SIZE - 1);
    tn_buf_add_html(out, tn_str(selection->search));
    tn_buf_add_format(out, "\"></label>\n<button type=\"submit\">%s</button>\n</form>\n",
                      text->search_button);
    if (selection->has_more) {
        tn_buf_add_format(out, "<p class=\"soft\">%s</p>\n", text->more);
    }
    if (selection->search[0] != '\0' || selection->after[0] != '\0') {
        tn_buf_add_format(out, "<p><a href=\"/auth/tenant-selection\">%s</a></p>\n", text->all);
    }
}

/* The way on, where all of them are shown page by page. */
static void add_next(tn_buf_t *out, const tn_selection_t *selection,
                     const tn_selection_texts_t *text)
{
    char cursor[TN_CURSOR_TEXT_MAX];
    if (!selection->has_more || selection->search[0] != '\0') {
        return;
    }
    tn_cursor_write(cursor, 's', selection->choices[selection->count - 1].slug);
    tn_buf_add_format(out,
                      "<p><a rel=\"next\" href=\"/auth/tenant-selection?cursor=%s\">%s</a></p>\n",
                      cursor, text->next);
}

static void add_choices(tn_buf_t *out, const tn_selection_t *selection, const tn_origin_t *origin,
                        const tn_selection_texts_t *text)
{
    if (selection->count == 0) {
        tn_buf_add_format(out, "<p class=\"soft\">%s</p>\n",
                          selection->search[0] == '\0' ? text->none : text->not_found);
        return;
    }
    tn_buf_add_text(out, "<ul class=\"tenants\">\n");
    for (size_t i = 0; i < selection->count; i++) {
        const tn_choice_t *choice = &selection->choices[i];
        tn_buf_add_text(out, "<li><a href=\"");
        tn_origin_link(out, origin, choice->slug);
        tn_buf_add_text(out, "/\"><span class=\"name\">");
        tn_buf_add_html(out, tn_str(choice->name));
        tn_buf_add_format(out, "</span><span class=\"host\">%s.%s</span></a></li>\n", choice->slug,
                          origin->base);
    }
    tn_buf_add_text(out, "</ul>\n");
}

static void add_hosts(tn_buf_t *out, const tn_selection_t *selection, const tn_origin_t *origin,
                      const tn_selection_texts_t *text)
{
    tn_buf_add_format(out, "<h3>%s</h3>\n<p>%s</p>\n<pre tabindex=\"0\" aria-label=\"hosts\">",
                      text->hosts_title,
                      is_local(origin->base) ? text->hosts_local : text->hosts_other);
    for (size_t i = 0; i < selection->count; i++) {
        tn_buf_add_format(out, "%s127.0.0.1 %s.%s", i == 0 ? "" : "\n", selection->choices[i].slug,
                          origin->base);
    }
    tn_buf_add_format(out, "</pre>\n<p class=\"soft\">%s</p>\n", text->hosts_command);
}

/* Closed where the names are real ones: there it is the operator's business, not the visitor's. */
static void add_setup(tn_buf_t *out, const tn_selection_t *selection, const tn_origin_t *origin,
                      const tn_selection_texts_t *text)
{
    bool local = is_local(origin->base);
    tn_buf_add_format(out, "<details%s>\n<summary><h2>%s</h2></summary>\n", local ? " open" : "",
                      text->setup);
    if (local) {
        tn_buf_add_format(out, "<h3>%s</h3>\n<p>%s</p>\n", text->local_title, text->local);
    }
    if (selection->count > 0) {
        add_hosts(out, selection, origin, text);
    }
    tn_buf_add_format(out,
                      "<h3>%s</h3>\n<p>%s</p>\n<pre tabindex=\"0\" aria-label=\"DNS\">"
                      "*.%s. 3600 IN A 203.0.113.10</pre>\n<p class=\"soft\">%s</p>\n</details>\n",
                      text->dns_title, text->dns, local ? "example.com" : origin->base,
                      text->dns_after);
}

int tn_page_selection(tn_exchange_t *exchange, tn_err_t *err)
{
    if (atomic_load(&exchange->control->is_refused)) {
        return tn_err_set(err, TN_EUNAVAILABLE,
                          "the database is not the one that the directory was made from");
    }
    tn_selection_t *selection = calloc(1, sizeof(*selection));
    if (selection == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a page");
    }
    int code = choose(selection, exchange, err);
    if (code == TN_OK) {
        tn_language_t language = tn_page_language(exchange->request);
        const tn_selection_texts_t *text = &texts[language];
        tn_buf_t *out = &exchange->response->body;
        tn_origin_t origin;
        tn_origin_of_request(&origin, exchange->control->conf, exchange->control->has_public_url,
                             exchange->request);
        tn_page_begin(out, language, text->title);
        tn_buf_add_format(out, "<h1>%s</h1>\n<p>%s</p>\n", text->title, text->lead);
        if (selection->has_more || selection->search[0] != '\0' || selection->after[0] != '\0') {
            add_search(out, selection, text);
        }
        add_choices(out, selection, &origin, text);
        add_next(out, selection, text);
        add_setup(out, selection, &origin, text);
        tn_page_end(out);
        tn_page_headers(exchange->response, 200, language);
    }
    free(selection);
    return code;
}
