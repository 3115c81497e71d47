/*
 * The visitor's pages; see page.h. Everything that a tenant can write goes through put_text, which
 * escapes it, or through a parser of its own (the colour, the language).
 */
#include "page.h"

#include "visit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ---- what a tenant can change ------------------------------------------------------------- */

typedef struct {
    unsigned char red, green, blue;
} colour_t;

/* What this application offers to those who have it switched on. */
static const struct {
    const char *flag, *name, *text;
} features[] = {
    {"beta", "Beta catalogue", "What is being tried out, before everybody gets it."},
    {"gift-cards", "Gift cards", "Bought here, redeemed here, and nowhere else."},
    {"reviews", "Reviews", "What this shop's own customers say about it."},
};

static tn_str_t setting(const tn_page_t *page, const char *key)
{
    tn_str_t value = {"", 0};
    return tn_tenant_setting(&value, page->tenant, key) == TN_OK ? value : (tn_str_t){"", 0};
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)((at - digits) % 16);
}

/* "#rrggbb" or "#rgb". */
static bool parse_colour(colour_t *out, tn_str_t text)
{
    int digits[6];
    if ((text.length != 7 && text.length != 4) || text.data[0] != '#') {
        return false;
    }
    for (size_t i = 0; i < 6; i++) {
        digits[i] = hex_value(text.data[text.length == 7 ? 1 + i : 1 + i / 2]);
        if (digits[i] < 0) {
            return false;
        }
    }
    *out = (colour_t){(unsigned char)(digits[0] << 4 | digits[1]),
                      (unsigned char)(digits[2] << 4 | digits[3]),
                      (unsigned char)(digits[4] << 4 | digits[5])};
    return true;
}

/* The tenant's colour; who has chosen none gets one that stays with its id. */
static colour_t colour_of(const tn_page_t *page)
{
    static const colour_t palette[] = {{0x1f, 0x4f, 0x8b}, {0x7a, 0x2e, 0x4d}, {0x1d, 0x5c, 0x4a},
                                       {0x5b, 0x3a, 0x8c}, {0x8a, 0x40, 0x1c}, {0x2b, 0x45, 0x58}};
    colour_t colour;
    if (!parse_colour(&colour, setting(page, "color"))) {
        unsigned sum = 0;
        for (const char *c = page->tenant->id; *c != '\0'; c++) {
            sum = sum * 31 + (unsigned char)*c;
        }
        colour = palette[sum % (sizeof(palette) / sizeof(palette[0]))];
    }
    return colour;
}

/* Relative luminance, as WCAG 2.1 defines it. */
static double luminance(colour_t colour)
{
    const double parts[3] = {colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0};
    double linear[3];
    for (int i = 0; i < 3; i++) {
        linear[i] = parts[i] <= 0.04045 ? parts[i] / 12.92 : pow((parts[i] + 0.055) / 1.055, 2.4);
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

/* A language tag of letters, digits and hyphens, for the tenant's own words; "en" otherwise. */
static tn_str_t language_of(const tn_page_t *page)
{
    tn_str_t tag = setting(page, "locale");
    bool is_tag = tag.length >= 2 && tag.length <= 35;
    for (size_t i = 0; is_tag && i < tag.length; i++) {
        char c = tag.data[i];
        is_tag = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 (c == '-' && i > 0);
    }
    return is_tag ? tag : (tn_str_t){"en", 2};
}

/* ---- writing HTML ------------------------------------------------------------------------- */

static void put_text(FILE *out, tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        switch (text.data[i]) {
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        case '\'':
            (void)fputs("&#39;", out);
            break;
        default:
            (void)fputc(text.data[i], out);
        }
    }
}

/* The first character of a name, whole when it is longer than a byte. */
static void put_initial(FILE *out, tn_str_t name)
{
    size_t length = name.length > 0;
    while (length < name.length && (name.data[length] & 0xc0) == 0x80) {
        length++;
    }
    if (length == 1 && name.data[0] >= 'a' && name.data[0] <= 'z') {
        (void)fputc(name.data[0] - 'a' + 'A', out);
    } else {
        put_text(out, (tn_str_t){name.data, length});
    }
}

static const char style[] =
    ":root{--ground:#f6f4f0;--card:#fff;--ink:#1d1b19;--soft:#5d5953;--line:#ddd8cf;"
    "--on:#1d6b3f;--on-ground:#e2f2e8;color-scheme:light dark}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#151412;--card:#1f1d1b;--ink:#f3f0ea;"
    "--soft:#b8b2a8;--line:#3a3631;--on:#8fdcae;--on-ground:#173323}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--ground);color:var(--ink);"
    "font:1.0625rem/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}\n"
    "header,main,footer{max-width:66rem;margin:0 auto;padding:0 clamp(1rem,4vw,2rem)}\n"
    "a{color:inherit}\n"
    "a:focus-visible{outline:3px solid currentColor;outline-offset:3px;border-radius:.25rem}\n"
    "header{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;"
    "gap:.5rem 1rem;padding-top:1rem;padding-bottom:1rem}\n"
    ".name{display:flex;align-items:center;gap:.75rem;font-weight:650;text-decoration:none;"
    "min-width:0;overflow-wrap:anywhere}\n"
    ".initial{flex:none;display:grid;place-items:center;width:2.5rem;height:2.5rem;"
    "border-radius:.7rem;background:var(--brand);color:var(--on-brand);font-weight:700}\n"
    ".pill{flex:none;max-width:100%;padding:.1rem .75rem;border:1px solid var(--line);"
    "border-radius:1rem;font-size:.875rem;color:var(--soft);overflow-wrap:anywhere}\n"
    ".hero{background:linear-gradient(150deg,var(--brand) 35%,var(--brand-far));"
    "color:var(--on-brand);border-radius:1.5rem;"
    "padding:clamp(1.75rem,6vw,4.5rem) clamp(1.25rem,5vw,4rem)}\n"
    ".hero p{margin:0;max-width:38rem}\n"
    ".over{font-size:.9375rem;font-weight:600;letter-spacing:.02em;overflow-wrap:anywhere}\n"
    "h1{margin:.6rem 0 .9rem;max-width:18ch;font-size:clamp(2.1rem,6.5vw,4rem);line-height:1.08;"
    "letter-spacing:-.025em;text-wrap:balance;overflow-wrap:anywhere}\n"
    ".lead{font-size:clamp(1.0625rem,2.4vw,1.3rem);line-height:1.5;overflow-wrap:anywhere}\n"
    ".button{display:inline-block;margin-top:1.9rem;padding:.7rem 1.35rem;border-radius:2rem;"
    "background:var(--on-brand);color:var(--brand);font-weight:650;text-decoration:none}\n"
    ".button:hover{text-decoration:underline}\n"
    "h2{margin:3rem 0 1rem;font-size:1.4rem;line-height:1.25;letter-spacing:-.01em;"
    "overflow-wrap:anywhere}\n"
    "ul,ol,dl,dd{margin:0;padding:0}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));"
    "gap:1rem;list-style:none}\n"
    ".cards li,dl,.steps li{background:var(--card);border:1px solid var(--line);"
    "border-radius:1rem}\n"
    ".cards li{padding:1.25rem 1.35rem}\n"
    "h3{display:flex;align-items:center;justify-content:space-between;gap:1rem;margin:0 0 .35rem;"
    "font-size:1.0625rem}\n"
    ".state{padding:.05rem .6rem;border-radius:1rem;border:1px solid var(--line);"
    "font-size:.8125rem;font-weight:600;color:var(--soft)}\n"
    ".is-on .state{border-color:transparent;background:var(--on-ground);color:var(--on)}\n"
    ".cards p,.steps p{margin:0;color:var(--soft)}\n"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));"
    "gap:1.1rem 2rem;padding:1.5rem 1.35rem}\n"
    "dt{font-size:.875rem;color:var(--soft)}\n"
    "dd{overflow-wrap:anywhere}\n"
    ".mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;"
    "font-size:.9375em}\n"
    ".steps{counter-reset:step;display:grid;"
    "grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:1rem;list-style:none}\n"
    ".steps li{counter-increment:step;padding:1.25rem 1.35rem;overflow-wrap:anywhere}\n"
    ".steps li::before{content:counter(step);display:grid;place-items:center;width:1.9rem;"
    "height:1.9rem;margin-bottom:.7rem;border-radius:50%;background:var(--brand);"
    "color:var(--on-brand);font-size:.9375rem;font-weight:700}\n"
    ".steps b{color:var(--ink)}\n"
    "footer p{margin:3.5rem 0 0;padding:1.5rem 0 2.5rem;border-top:1px solid var(--line);"
    "color:var(--soft);font-size:.9375rem}\n";

/*
 * The tenant's colour, black or white on it (whichever reads better: at least 4.5:1 for any
 * colour), and a second colour for the gradient that is further from the text, never nearer.
 */
static void put_colours(FILE *out, const tn_page_t *page)
{
    colour_t brand = colour_of(page);
    double light = luminance(brand);
    bool is_white = 1.05 / (light + 0.05) >= (light + 0.05) / 0.05;
    int far = is_white ? 0 : 255;
    (void)fprintf(out, ":root{--brand:#%02x%02x%02x;--on-brand:%s;--brand-far:#%02x%02x%02x}\n",
                  brand.red, brand.green, brand.blue, is_white ? "#fff" : "#000",
                  (unsigned)(brand.red * 7 + far * 3) / 10,
                  (unsigned)(brand.green * 7 + far * 3) / 10,
                  (unsigned)(brand.blue * 7 + far * 3) / 10);
}

static void put_head(FILE *out, const tn_page_t *page, const char *prefix, const char *nonce)
{
    colour_t brand = colour_of(page);
    tn_str_t title = setting(page, "title");
    (void)fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
                out);
    (void)fputs(prefix, out);
    put_text(out, title.length > 0 ? title : page->tenant->name);
    (void)fprintf(out,
                  "</title>\n<link rel=\"icon\" href=\"data:image/svg+xml,"
                  "%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%%3E"
                  "%%3Crect width='8' height='8' rx='2' fill='%%23%02x%02x%02x'/%%3E%%3C/svg%%3E\">"
                  "\n<style nonce=\"%s\">\n",
                  brand.red, brand.green, brand.blue, nonce);
    put_colours(out, page);
    (void)fputs(style, out);
    (void)fputs("</style>\n</head>\n<body>\n<header>\n<a class=\"name\" href=\"/\">"
                "<span class=\"initial\" aria-hidden=\"true\">",
                out);
    put_initial(out, page->tenant->name);
    (void)fputs("</span><span>", out);
    put_text(out, page->tenant->name);
    (void)fputs("</span></a>\n", out);
    if (page->tenant->plan.length > 0) {
        (void)fputs("<span class=\"pill\">Plan: ", out);
        put_text(out, page->tenant->plan);
        (void)fputs("</span>\n", out);
    }
    (void)fputs("</header>\n<main>\n", out);
}

static void put_foot(FILE *out)
{
    (void)fputs("</main>\n<footer><p>An example application behind Tenantry. It knows nothing but "
                "what it has verified.</p></footer>\n</body>\n</html>\n",
                out);
}

static void put_hero(FILE *out, const tn_page_t *page)
{
    tn_str_t title = setting(page, "title");
    tn_str_t welcome = setting(page, "welcome");
    tn_str_t language = language_of(page);
    (void)fprintf(out, "<section class=\"hero\">\n<p class=\"over\">%s</p>\n<h1 lang=\"",
                  page->domain->host.name);
    put_text(out, language);
    (void)fputs("\">", out);
    put_text(out, title.length > 0 ? title : page->tenant->name);
    (void)fputs("</h1>\n<p class=\"lead\" lang=\"", out);
    put_text(out, welcome.length > 0 ? language : (tn_str_t){"en", 2});
    (void)fputs("\">", out);
    if (welcome.length > 0) {
        put_text(out, welcome);
    } else {
        (void)fputs("Welcome. This page is for ", out);
        put_text(out, page->tenant->name);
        (void)fputs(" alone: the same program serves every other tenant, and shows each its own.",
                    out);
    }
    (void)fputs("</p>\n<a class=\"button\" href=\"/whoami\">What this page was told</a>\n"
                "</section>\n",
                out);
}

/* The features, with those that are on in front. A flag that nobody has defined is off. */
static int put_features(FILE *out, const tn_page_t *page)
{
    enum { count = sizeof(features) / sizeof(features[0]) };
    bool is_on[count] = {false};
    for (size_t i = 0; i < count; i++) {
        int code = tn_flag_is_on(&is_on[i], page->directory, page->tenant, features[i].flag);
        if (code != TN_OK && code != TN_ENOTFOUND) {
            return code;
        }
    }
    (void)fputs("<section aria-labelledby=\"features\">\n<h2 id=\"features\">Features of ", out);
    put_text(out, page->tenant->name);
    (void)fputs("</h2>\n<ul class=\"cards\">\n", out);
    for (size_t i = 0; i < 2 * (size_t)count; i++) {
        size_t at = i % count;
        if (is_on[at] != (i < count)) {
            continue;
        }
        (void)fprintf(out, "<li%s><h3>%s <span class=\"state\">%s</span></h3>\n<p>%s</p></li>\n",
                      is_on[at] ? " class=\"is-on\"" : "", features[at].name,
                      is_on[at] ? "On" : "Off", features[at].text);
    }
    (void)fputs("</ul>\n</section>\n", out);
    return TN_OK;
}

static void put_fact(FILE *out, const char *name, const char *css, tn_str_t value)
{
    (void)fprintf(out, "<div><dt>%s</dt><dd%s>", name, css);
    put_text(out, value);
    (void)fputs("</dd></div>\n", out);
}

static void put_facts(FILE *out, const tn_page_t *page)
{
    const tn_tenant_t *tenant = page->tenant;
    const tn_domain_t *domain = page->domain;
    const char *kind =
        domain->kind == TN_DOMAIN_CUSTOM ? "the tenant's own domain" : "sub-domain of the platform";
    const char *mono = " class=\"mono\"";
    (void)fputs("<section aria-labelledby=\"facts\">\n<h2 id=\"facts\">Whose page this is</h2>\n"
                "<dl>\n",
                out);
    put_fact(out, "Tenant", "", tenant->name);
    put_fact(out, "Slug", mono, tenant->slug);
    put_fact(out, "Plan", "", tenant->plan.length > 0 ? tenant->plan : (tn_str_t){"none", 4});
    put_fact(out, "Domain", mono, (tn_str_t){domain->host.name, domain->host.length});
    put_fact(out, "Kind of domain", "", (tn_str_t){kind, strlen(kind)});
    put_fact(out, "Tenant id", mono, (tn_str_t){tenant->id, strlen(tenant->id)});
    (void)fputs("</dl>\n</section>\n", out);
}

static void put_way(FILE *out, const tn_page_t *page, const visit_t *visit)
{
    time_t issued = (time_t)visit->token.issued_at_s;
    struct tm parts = {0};
    char at[16];
    (void)gmtime_r(&issued, &parts);
    (void)strftime(at, sizeof(at), "%H:%M:%S", &parts);
    (void)fprintf(out,
                  "<section aria-labelledby=\"way\">\n<h2 id=\"way\">How it came to you</h2>\n"
                  "<ol class=\"steps\">\n"
                  "<li><p><b>You asked</b> <span class=\"mono\">%s</span> for <span class=\"mono\">"
                  "/</span>, and your address bar still says so.</p></li>\n",
                  page->domain->host.name);
    (void)fprintf(out,
                  "<li><p><b>The edge looked it up</b> in the directory, without a database, and "
                  "asked this application for <span class=\"mono\">/%s/</span>.</p></li>\n",
                  page->domain->host.name);
    (void)fprintf(
        out,
        "<li><p><b>This application checked</b> the edge&#39;s signature (of %s UTC, good "
        "for %lld seconds) and the domain for itself, and then drew the page.</p></li>\n"
        "</ol>\n</section>\n",
        at, (long long)(visit->token.expires_at_s - visit->token.issued_at_s));
}

/* ---- pages -------------------------------------------------------------------------------- */

static int make_nonce(char out[NONCE_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[NONCE_SIZE - 1];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        return TN_EIO;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[i] = digits[bytes[i] % 64];
    }
    out[NONCE_SIZE - 1] = '\0';
    return TN_OK;
}

/* Takes over what was written to the stream, which made answer->body. */
static int finish(answer_t *answer, FILE *out, unsigned status)
{
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        return TN_ENOMEM;
    }
    answer->status = status;
    answer->type = "text/html; charset=utf-8";
    return TN_OK;
}

static FILE *start(answer_t *answer)
{
    return make_nonce(answer->nonce) == TN_OK ? open_memstream(&answer->body, &answer->length)
                                              : NULL;
}

int page_home(const tn_page_t *page, void *context)
{
    visit_t *visit = context;
    FILE *out = start(visit->answer);
    if (out == NULL) {
        return TN_ENOMEM;
    }
    put_head(out, page, "", visit->answer->nonce);
    put_hero(out, page);
    int code = put_features(out, page);
    put_facts(out, page);
    put_way(out, page, visit);
    put_foot(out);
    int finished = finish(visit->answer, out, 200);
    return code == TN_OK ? finished : code;
}

int page_missing(const tn_page_t *page, void *context)
{
    visit_t *visit = context;
    FILE *out = start(visit->answer);
    if (out == NULL) {
        return TN_ENOMEM;
    }
    enum { shown_max = 200 };
    size_t shown = visit->own_path_length < shown_max ? visit->own_path_length : shown_max;
    put_head(out, page, "Not found · ", visit->answer->nonce);
    (void)fputs("<section class=\"hero\">\n<p class=\"over\">404 · Not found</p>\n"
                "<h1>There is nothing here</h1>\n<p class=\"lead\">",
                out);
    put_text(out, page->tenant->name);
    (void)fputs(" has no page at <span class=\"mono\">", out);
    put_text(out, (tn_str_t){visit->own_path, shown});
    (void)fputs(shown < visit->own_path_length ? "…" : "", out);
    (void)fputs("</span>.</p>\n<a class=\"button\" href=\"/\">To the home page</a>\n</section>\n",
                out);
    put_foot(out);
    return finish(visit->answer, out, 404);
}
