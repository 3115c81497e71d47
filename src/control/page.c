/*
 * Pages; see page.h.
 */
#include "control/page.h"

#include "base/str.h"

#include <sodium.h>

/* Light and dark by the visitor's own choice. Every text has a contrast of 4.5 or more with what is
 * behind it; links are told by more than their colour. */
static const char style[] =
    ":root{color-scheme:light dark;--text:#1d2733;--soft:#586472;--back:#f5f6f8;--card:#fff;"
    "--line:#d9dee4;--accent:#1f5fbf}"
    "*{box-sizing:border-box}"
    "body{margin:0;font:1.0625rem/1.6 system-ui,sans-serif;color:var(--text);"
    "background:var(--back);overflow-wrap:anywhere}"
    "main{max-width:46rem;margin:0 auto;padding:3rem 1.5rem 4rem}"
    "body.short{min-height:100vh;display:flex;align-items:center;justify-content:center}"
    "body.short main{max-width:34rem;width:100%;padding:2rem 1.5rem}"
    "h1{margin:.25rem 0 .75rem;font-size:1.75rem;line-height:1.25}"
    "h2{margin:0;font-size:1.0625rem;display:inline}"
    "h3{margin:1.5rem 0 .25rem;font-size:1rem}"
    "p{margin:0 0 .75rem}"
    "p.status,p.soft{color:var(--soft);font-size:1rem}"
    "p.status{margin:0}"
    "a{color:var(--accent)}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:2px}"
    "ul.tenants{list-style:none;margin:1.5rem 0 2.5rem;padding:0;display:grid;gap:.75rem;"
    "grid-template-columns:repeat(auto-fill,minmax(min(17rem,100%),1fr))}"
    "ul.tenants a{display:block;height:100%;padding:.9rem 1.1rem;border:1px solid var(--line);"
    "border-radius:.6rem;background:var(--card);color:inherit;text-decoration:none}"
    "ul.tenants a:hover{border-color:var(--accent)}"
    "ul.tenants a:hover .name,ul.tenants a:focus-visible .name{text-decoration:underline}"
    ".name{display:block;font-weight:600;color:var(--accent)}"
    ".host{display:block;font-size:.9375rem;color:var(--soft)}"
    "form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:1.5rem 0}"
    "label{flex:1 1 14rem;font-size:.9375rem;color:var(--soft)}"
    "input{display:block;width:100%;margin-top:.25rem;padding:.55rem "
    ".7rem;font:inherit;font-size:1.0625rem;"
    "color:var(--text);background:var(--card);border:1px solid #7d8895;border-radius:.4rem}"
    "button{padding:.55rem 1.1rem;font:inherit;font-weight:600;color:#fff;background:#1f5fbf;"
    "border:1px solid #1f5fbf;border-radius:.4rem;cursor:pointer}"
    "details{border-top:1px solid var(--line);padding-top:1.25rem}"
    "summary{cursor:pointer}"
    "code,pre{font:.875rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    "pre{margin:.5rem 0 .75rem;padding:.8rem 1rem;overflow:auto;max-height:20rem;"
    "white-space:pre-wrap;"
    "border:1px solid var(--line);border-radius:.4rem;background:var(--card);"
    "-webkit-user-select:all;user-select:all}"
    "@media (prefers-color-scheme:dark){:root{--text:#e7eaee;--soft:#9aa6b3;--back:#14181d;"
    "--card:#1c222a;--line:#343d48;--accent:#8ab4f8}}"
    "@media (max-width:30rem){main{padding-top:1.75rem}}";

/* What a visitor is told, by status and language: what happened, and what to do. The problem's own
 * words are for programs and for who runs this. */
typedef struct {
    unsigned status; /* 0: every other one */
    const char *heading[2];
    const char *text[2];
} tn_page_message_t;

static const tn_page_message_t messages[] = {
    {404,
     {"There is nothing at this address", "Il n’y a rien à cette adresse"},
     {"Check the address for typing mistakes, or start from the list of sites.",
      "Vérifiez que l’adresse est bien écrite, ou repartez de la liste des sites."}},
    {405,
     {"This cannot be done here", "Ceci n’est pas possible ici"},
     {"This address does not answer this kind of request: start again from the list of sites.",
      "Cette adresse ne répond pas à ce type de requête&nbsp;: repartez de la liste des sites."}},
    {503,
     {"Unavailable for a moment", "Indisponible pour un moment"},
     {"We cannot show you this page right now, and it is our fault: please try again in a moment.",
      "Nous ne pouvons pas vous montrer cette page maintenant, et c’est de notre fait&nbsp;: "
      "réessayez "
      "dans un moment."}},
    {500,
     {"Something went wrong", "Quelque chose s’est mal passé"},
     {"The fault is ours, and it has been noted: please try again later.",
      "La faute est de notre côté, et elle est notée&nbsp;: réessayez plus tard."}},
    {0,
     {"We did not understand this", "Nous n’avons pas compris"},
     {"Check the address for typing mistakes, or start from the list of sites.",
      "Vérifiez que l’adresse est bien écrite, ou repartez de la liste des sites."}},
};

tn_language_t tn_page_language(const tn_request_t *request)
{
    return tn_language_choose(tn_request_header(request, "Accept-Language"));
}

static void begin(tn_buf_t *out, tn_language_t language, const char *title, const char *body_class)
{
    tn_buf_add_format(out,
                      "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"robots\" content=\"noindex\">\n<title>",
                      tn_language_tag(language));
    tn_buf_add_html(out, tn_str(title));
    tn_buf_add_format(out, "</title>\n<style>%s</style>\n</head>\n<body%s>\n<main>\n", style,
                      body_class);
}

void tn_page_begin(tn_buf_t *out, tn_language_t language, const char *title)
{
    begin(out, language, title, "");
}

void tn_page_end(tn_buf_t *out)
{
    tn_buf_add_text(out, "</main>\n</body>\n</html>\n");
}

void tn_page_headers(tn_response_t *response, unsigned status, tn_language_t language)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];
    (void)crypto_hash_sha256(hash, (const unsigned char *)style, sizeof(style) - 1);
    (void)sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
    response->status = status;
    response->content_type = "text/html; charset=utf-8";
    tn_response_header(response, "Content-Language", "%s", tn_language_tag(language));
    tn_response_header(response, "Vary", "Accept, Accept-Language");
    tn_response_header(response, "Referrer-Policy", "same-origin");
    tn_response_header(response, "Content-Security-Policy",
                       "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
                       "base-uri 'none'; frame-ancestors 'none'",
                       text);
}

static const tn_page_message_t *message_for(unsigned status)
{
    const tn_page_message_t *message = messages;
    while (message->status != 0 && message->status != status) {
        message++;
    }
    return message;
}

void tn_page_problem(tn_response_t *response, const tn_request_t *request)
{
    unsigned status = response->problem->status;
    tn_language_t language = tn_page_language(request);
    const tn_page_message_t *message = message_for(status);
    const char *heading = message->heading[language];
    tn_buf_t *out = &response->body;
    begin(out, language, heading, " class=\"short\"");
    tn_buf_add_format(out,
                      "<p class=\"status\">%u</p>\n<h1>%s</h1>\n<p>%s</p>\n"
                      "<p><a href=\"/auth/tenant-selection\">%s</a></p>\n",
                      status, heading, message->text[language],
                      language == TN_LANGUAGE_FR ? "Liste des sites" : "List of sites");
    tn_page_end(out);
    tn_page_headers(response, status, language);
}
