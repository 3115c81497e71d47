/*
 * What a client would like to get: the language of a page (Accept-Language) and whether it is a
 * browser that wants one (Accept). RFC 9110 section 12.5.
 */
#pragma once

#include "tenantry.h"

typedef enum { TN_LANGUAGE_EN, TN_LANGUAGE_FR } tn_language_t;

/* The tag for lang attributes and Content-Language: "en" or "fr". */
const char *tn_language_tag(tn_language_t language);

/*
 * The language with the highest quality; of equals the one named first; English when the header is
 * empty, unreadable, or wants neither. "fr-CA" counts as French; "*" stands for what is not named.
 */
tn_language_t tn_language_choose(tn_str_t accept_language);

/* Whether Accept names text/html or application/xhtml+xml with a quality above 0 ("*" does not). */
bool tn_accept_names_html(tn_str_t accept);
