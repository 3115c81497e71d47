/*
 * Host headers, slugs and keys; see host.h and include/tenantry.h.
 *
 * A host name here is what both DNS and a URL agree on: LDH labels (RFC 1123 section 2.1), and a
 * last label that is no number, because everything from inet_aton to browsers reads such a name as
 * an IPv4 address (WHATWG URL, "ends in a number"). So 127.0.0.1 is an address, while 127.1, 0x7f.1
 * and 1.2.3.4.5 are neither address nor name and are refused: nothing may read them in two ways.
 */
#include "core/host.h"

#include "base/err.h"
#include "base/str.h"

#include <arpa/inet.h>

#define LABEL_MAX       63 /* RFC 1035 section 2.3.4 */
#define PORT_DIGITS_MAX 5

/* Every byte that a host name may hold, as its lower-case self; 0 for all others. */
static const char name_bytes[256] = {
    ['-'] = '-', ['.'] = '.', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
    ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['A'] = 'a', ['B'] = 'b',
    ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i',
    ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p',
    ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w',
    ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd',
    ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',
    ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y',
    ['z'] = 'z',
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    c = tn_ascii_lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Reads what follows the name: nothing, ':' (RFC 3986 section 3.2.3 allows an empty port), or a
 * port between 1 and 65535. */
static int parse_port(bool *has_port, uint16_t *port, tn_str_t text)
{
    *has_port = false;
    *port = 0;
    if (text.length == 0) {
        return TN_OK;
    }
    if (text.data[0] != ':') {
        return TN_EHOST;
    }
    tn_str_t digits = {text.data + 1, text.length - 1};
    if (digits.length == 0) {
        return TN_OK;
    }
    uint64_t number;
    if (digits.length > PORT_DIGITS_MAX || tn_str_number(&number, digits, UINT16_MAX) != TN_OK ||
        number == 0) {
        return TN_EHOST;
    }
    *has_port = true;
    *port = (uint16_t)number;
    return TN_OK;
}

/* Whether a label reads as a number to those who read addresses: digits, or 0x and hexadecimal. */
static bool is_number(tn_str_t label)
{
    size_t at = 0;
    while (at < label.length && is_digit(label.data[at])) {
        at++;
    }
    if (at == label.length) {
        return true;
    }
    if (at != 1 || label.data[0] != '0' || tn_ascii_lower(label.data[1]) != 'x') {
        return false;
    }
    at = 2;
    while (at < label.length && is_hex(label.data[at])) {
        at++;
    }
    return at == label.length;
}

/* Four decimal numbers without leading zeros: what inet_pton takes, and nothing else. */
static bool is_ipv4(tn_str_t text)
{
    char copy[INET_ADDRSTRLEN];
    struct in_addr address;
    return tn_str_copy(copy, sizeof(copy), text) == TN_OK &&
           inet_pton(AF_INET, copy, &address) == 1;
}

/* The inside of the brackets. Zone ids name an interface of the sender and mean nothing here. */
static bool is_ipv6(tn_str_t text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    return memchr(text.data, '\0', text.length) == NULL &&
           tn_str_copy(copy, sizeof(copy), text) == TN_OK &&
           inet_pton(AF_INET6, copy, &address) == 1;
}

/* Checks labels and bytes of a name that has neither port nor trailing dot. */
static int check_name(bool *is_ip, tn_str_t name)
{
    if (name.length == 0 || name.length > TN_HOST_MAX) {
        return TN_EHOST;
    }
    size_t label = 0; /* where the present label begins */
    for (size_t i = 0; i < name.length; i++) {
        char c = name_bytes[(unsigned char)name.data[i]];
        if (c == '\0' || (c == '-' && i == label)) {
            return TN_EHOST;
        }
        if (c == '.') {
            if (i == label || i - label > LABEL_MAX || name.data[i - 1] == '-') {
                return TN_EHOST;
            }
            label = i + 1;
        }
    }
    tn_str_t last = {name.data + label, name.length - label};
    if (last.length == 0 || last.length > LABEL_MAX || last.data[last.length - 1] == '-') {
        return TN_EHOST;
    }
    *is_ip = false;
    if (is_number(last)) {
        *is_ip = true;
        return is_ipv4(name) ? TN_OK : TN_EHOST;
    }
    return TN_OK;
}

/* Divides text into the name (brackets included, no trailing dot) and what follows it. */
static int split(tn_str_t *name, tn_str_t *rest, bool *is_ip, tn_str_t text)
{
    size_t end;
    if (text.length > 0 && text.data[0] == '[') {
        const char *close = memchr(text.data, ']', text.length);
        if (close == NULL) {
            return TN_EHOST;
        }
        end = (size_t)(close - text.data) + 1;
        *name = (tn_str_t){text.data, end};
        *is_ip = true;
        if (!is_ipv6((tn_str_t){text.data + 1, end - 2})) {
            return TN_EHOST;
        }
    } else {
        const char *colon = text.length > 0 ? memchr(text.data, ':', text.length) : NULL;
        end = colon == NULL ? text.length : (size_t)(colon - text.data);
        *name = (tn_str_t){text.data, end};
        if (end > 0 && text.data[end - 1] == '.') {
            name->length--;
        }
        int code = check_name(is_ip, *name);
        if (code != TN_OK) {
            return code;
        }
    }
    *rest = (tn_str_t){text.data + end, text.length - end};
    return TN_OK;
}

int tn_host_parse(tn_host_t *out, const char *text, size_t length)
{
    tn_str_t name, rest;
    bool is_ip, has_port;
    uint16_t port;
    if (split(&name, &rest, &is_ip, (tn_str_t){text, length}) != TN_OK ||
        parse_port(&has_port, &port, rest) != TN_OK) {
        return TN_EHOST;
    }
    for (size_t i = 0; i < name.length; i++) {
        out->name[i] = tn_ascii_lower(name.data[i]);
    }
    out->name[name.length] = '\0';
    out->length = name.length;
    out->is_ip = is_ip;
    out->has_port = has_port;
    out->port = port;
    return TN_OK;
}

int tn_slug_check(tn_str_t slug, tn_err_t *err)
{
    if (slug.length == 0) {
        return tn_err_field(err, TN_EINVAL, "slug", "a slug cannot be empty");
    }
    if (slug.length > TN_SLUG_MAX) {
        return tn_err_field(err, TN_EINVAL, "slug", "a slug has at most %d characters, not %zu",
                            TN_SLUG_MAX, slug.length);
    }
    for (size_t i = 0; i < slug.length; i++) {
        char c = slug.data[i];
        if (c == '.' || name_bytes[(unsigned char)c] != c || c == '\0') {
            return tn_err_field(err, TN_EINVAL, "slug",
                                "a slug is made of a-z, 0-9 and hyphens; character %zu is none",
                                i + 1);
        }
    }
    if (slug.data[0] == '-' || slug.data[slug.length - 1] == '-') {
        return tn_err_field(err, TN_EINVAL, "slug", "a slug cannot begin or end with a hyphen");
    }
    if (slug.length >= 4 && slug.data[2] == '-' && slug.data[3] == '-') {
        return tn_err_field(err, TN_EINVAL, "slug",
                            "a slug cannot have hyphens as its third and fourth characters, "
                            "which mark encoded names such as xn--…");
    }
    return TN_OK;
}

/* clang-format off */
static const char *const reserved_slugs[] = {
    /* mailboxes that others expect to find somebody at: RFC 2142, and those that certificate
     * authorities send proofs of control to */
    "abuse", "administrator", "ftp", "hostmaster", "info", "mailer-daemon", "marketing", "news",
    "noc", "noreply", "postmaster", "root", "sales", "security", "ssl", "support", "sysadmin",
    "usenet", "uucp", "webmaster", "www",
    /* names that software asks for by itself */
    "autoconfig", "autodiscover", "broadcasthost", "isatap", "localdomain", "localhost", "mta-sts",
    "wpad",
    /* the usual names of a provider's own services */
    "dns", "email", "imap", "mail", "mx", "mx1", "mx2", "ns", "ns1", "ns2", "ns3", "ns4", "pop",
    "pop3", "sftp", "smtp", "webmail",
    /* what a visitor would take for the platform itself */
    "account", "accounts", "admin", "api", "assets", "auth", "billing", "cdn", "console",
    "dashboard", "edge", "help", "internal", "login", "logout", "media", "oauth", "openid",
    "operator", "platform", "signin", "signup", "sso", "static", "status", "system", "tenantry",
};
/* clang-format on */

bool tn_slug_is_reserved(tn_str_t slug)
{
    for (size_t i = 0; i < sizeof(reserved_slugs) / sizeof(reserved_slugs[0]); i++) {
        if (tn_str_equal(slug, tn_str(reserved_slugs[i]))) {
            return true;
        }
    }
    return false;
}

bool tn_key_is_valid(tn_str_t key)
{
    if (key.length == 0 || key.length > 63) {
        return false;
    }
    char first = tn_ascii_lower(key.data[0]);
    if (first < 'a' || first > 'z') {
        return false;
    }
    for (size_t i = 1; i < key.length; i++) {
        char c = key.data[i];
        if (name_bytes[(unsigned char)c] == '\0' && c != '_') {
            return false;
        }
    }
    return true;
}
