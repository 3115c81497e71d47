/*
 * What reached the application; see whoami.h.
 */
#include "whoami.h"

#include "visit.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*
 * Header bytes are not always UTF-8, and JSON is: what is not is read as ISO 8859-1, as HTTP did of
 * old, so that every byte still shows.
 */
static json_t *text_of(const char *bytes, size_t length)
{
    json_t *text = json_stringn(bytes, length);
    if (text != NULL) {
        return text;
    }
    char *utf8 = malloc(2 * length + 1);
    if (utf8 == NULL) {
        return NULL;
    }
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x80) {
            utf8[used++] = (char)(0xc0 | c >> 6);
            c = 0x80 | (c & 0x3f);
        }
        utf8[used++] = (char)c;
    }
    text = json_stringn(utf8, used);
    free(utf8);
    return text;
}

/*
 * Adds one header. Names are told in lower case, since they are the same in any; a second value is
 * joined to the first, so that none hides another.
 */
static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    json_t *headers = context;
    char key[256];
    size_t length = 0;
    for (; name[length] != '\0' && length < sizeof(key) - 1; length++) {
        key[length] = (char)tolower((unsigned char)name[length]);
    }
    key[length] = '\0';
    json_t *text = value == NULL ? json_string("") : text_of(value, strlen(value));
    const json_t *before = json_object_get(headers, key);
    if (before != NULL && text != NULL) {
        json_t *joined = json_sprintf("%s, %s", json_string_value(before), json_string_value(text));
        json_decref(text);
        text = joined;
    }
    return json_object_set_new(headers, key, text) == 0 ? MHD_YES : MHD_NO;
}

static json_t *tenant_of(const tn_page_t *page)
{
    const tn_tenant_t *tenant = page->tenant;
    return json_pack("{s:s, s:s%, s:s%, s:s%, s:s, s:s}", "id", tenant->id, "slug",
                     tenant->slug.data, tenant->slug.length, "name", tenant->name.data,
                     tenant->name.length, "plan", tenant->plan.data, tenant->plan.length, "status",
                     tn_tenant_status_name(tenant->status), "domain", page->domain->host.name);
}

int whoami(const tn_page_t *page, void *context)
{
    visit_t *visit = context;
    const char *query = visit->target + visit->path_length;
    query += *query == '?';
    json_t *headers = json_object();
    int expected = MHD_get_connection_values(visit->connection, MHD_HEADER_KIND, NULL, NULL);
    int seen = MHD_get_connection_values(visit->connection, MHD_HEADER_KIND, add_header, headers);
    /* jansson takes the new values over, and answers NULL when any of them is */
    json_t *all = json_pack("{s:s, s:o, s:o, s:o, s:b, s:o}", "method", visit->method, "path",
                            text_of(visit->target, visit->path_length), "query",
                            text_of(query, strlen(query)), "headers", headers, "verified", 1,
                            "tenant", tenant_of(page));
    char *text = all == NULL || seen != expected ? NULL : json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (text == NULL) {
        return TN_ENOMEM;
    }
    answer_t *answer = visit->answer;
    answer->status = 200;
    answer->type = "application/json";
    answer->body = text;
    answer->length = strlen(text);
    return TN_OK;
}
