/*
 * Content negotiation; see accept.h. Both headers are lists of `range;q=0.5`; a member that is not
 * of this form is passed over.
 */
#include "control/accept.h"

#include "base/str.h"

enum { Q_MAX = 1000, Q_NOT_NAMED = -1 };

/* A quality in thousandths: 0, 0.5, 1.000 (RFC 9110 section 12.4.2); -1 when it is not one. */
static int parse_quality(tn_str_t text)
{
    if (text.length == 0 || text.length > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.length > 1 && text.data[1] != '.')) {
        return -1;
    }
    int quality = text.data[0] == '1' ? Q_MAX : 0;
    int unit = 100;
    for (size_t i = 2; i < text.length; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        quality += (text.data[i] - '0') * unit;
    }
    return quality > Q_MAX ? -1 : quality;
}

/* Cuts the text before the next separator off *rest. */
static tn_str_t cut(tn_str_t *rest, char separator)
{
    const char *at = memchr(rest->data, separator, rest->length);
    size_t length = at == NULL ? rest->length : (size_t)(at - rest->data);
    tn_str_t head = {rest->data, length};
    size_t skipped = at == NULL ? length : length + 1;
    *rest = (tn_str_t){rest->data + skipped, rest->length - skipped};
    return tn_str_trim(head);
}

/* The next member of a list: its range and quality. False at the end. */
static bool next_member(tn_str_t *range, int *quality, tn_str_t *list)
{
    while (list->length > 0) {
        tn_str_t member = cut(list, ',');
        *range = cut(&member, ';');
        *quality = Q_MAX;
        while (member.length > 0) {
            tn_str_t value = cut(&member, ';');
            tn_str_t name = cut(&value, '=');
            if (tn_str_equal_nocase(name, TN_STR("q"))) {
                *quality = parse_quality(value);
            }
        }
        if (range->length > 0 && *quality >= 0) {
            return true;
        }
    }
    return false;
}

static bool is_language(tn_str_t range, const char *tag)
{
    tn_str_t primary = cut(&range, '-');
    return tn_str_equal_nocase(primary, tn_str(tag));
}

const char *tn_language_tag(tn_language_t language)
{
    return language == TN_LANGUAGE_FR ? "fr" : "en";
}

tn_language_t tn_language_choose(tn_str_t accept_language)
{
    int quality[2] = {Q_NOT_NAMED, Q_NOT_NAMED};
    int any = 0;
    tn_language_t first = TN_LANGUAGE_EN;
    tn_str_t range = {"", 0};
    int q = 0;
    while (next_member(&range, &q, &accept_language)) {
        if (tn_str_equal(range, TN_STR("*"))) {
            any = q;
            continue;
        }
        for (tn_language_t i = TN_LANGUAGE_EN; i <= TN_LANGUAGE_FR; i++) {
            if (is_language(range, tn_language_tag(i)) && q > quality[i]) {
                bool is_first = quality[0] == Q_NOT_NAMED && quality[1] == Q_NOT_NAMED;
                first = is_first ? i : first;
                quality[i] = q;
            }
        }
    }
    for (tn_language_t i = TN_LANGUAGE_EN; i <= TN_LANGUAGE_FR; i++) {
        quality[i] = quality[i] == Q_NOT_NAMED ? any : quality[i];
    }
    if (quality[TN_LANGUAGE_EN] == quality[TN_LANGUAGE_FR]) {
        return quality[TN_LANGUAGE_EN] == 0 ? TN_LANGUAGE_EN : first;
    }
    return quality[TN_LANGUAGE_FR] > quality[TN_LANGUAGE_EN] ? TN_LANGUAGE_FR : TN_LANGUAGE_EN;
}

bool tn_accept_names_html(tn_str_t accept)
{
    tn_str_t range = {"", 0};
    int q = 0;
    while (next_member(&range, &q, &accept)) {
        if (q > 0 && (tn_str_equal_nocase(range, TN_STR("text/html")) ||
                      tn_str_equal_nocase(range, TN_STR("application/xhtml+xml")))) {
            return true;
        }
    }
    return false;
}
