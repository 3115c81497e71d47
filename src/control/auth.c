/*
 * The operator's token; see auth.h.
 */
#include "control/auth.h"

#include "base/err.h"
#include "base/file.h"
#include "base/random.h"
#include "base/str.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

static const tn_str_t prefix = {"tno_", 4};

static void hash_token(unsigned char hash[32], tn_str_t token)
{
    (void)crypto_generichash(hash, 32, (const unsigned char *)token.data, token.length, NULL, 0);
}

static bool is_token(tn_str_t text)
{
    if (text.length != TN_OPERATOR_TOKEN_LENGTH || !tn_str_starts(text, prefix)) {
        return false;
    }
    for (size_t i = prefix.length; i < text.length; i++) {
        char c = text.data[i];
        char lower = tn_ascii_lower(c);
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

static int make_token(tn_operator_t *out, const char *path, tn_err_t *err)
{
    unsigned char secret[32];
    char line[TN_OPERATOR_TOKEN_LENGTH + 2];
    tn_random_bytes(secret, sizeof(secret));
    memcpy(line, prefix.data, prefix.length);
    (void)sodium_bin2base64(line + prefix.length, sizeof(line) - prefix.length, secret,
                            sizeof(secret), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    hash_token(out->hash, (tn_str_t){line, TN_OPERATOR_TOKEN_LENGTH});
    line[TN_OPERATOR_TOKEN_LENGTH] = '\n';
    int code = tn_file_write(path, line, TN_OPERATOR_TOKEN_LENGTH + 1, 0600, err);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(line, sizeof(line));
    return code;
}

static int check_mode(const char *path, tn_err_t *err)
{
    struct stat info;
    if (stat(path, &info) < 0) {
        return tn_err_errno(err, errno, "cannot read the mode of '%s'", path);
    }
    if ((info.st_mode & 077) != 0) {
        return tn_err_set(err, TN_EPERM, "'%s' may be read by others: its mode must be 0600", path);
    }
    return TN_OK;
}

int tn_operator_load(tn_operator_t *out, bool *is_new, const char *path, tn_err_t *err)
{
    char *text = NULL;
    size_t length = 0;
    int code = tn_file_read(&text, &length, path, 256, err);
    if (code == TN_ENOTFOUND) {
        *is_new = true;
        return make_token(out, path, err);
    }
    if (code != TN_OK) {
        return code;
    }
    tn_str_t token = {text, length};
    while (token.length > 0 && strchr(" \t\r\n", token.data[token.length - 1]) != NULL) {
        token.length--;
    }
    code = check_mode(path, err);
    if (code == TN_OK && !is_token(token)) {
        code = tn_err_set(err, TN_EINVAL, "'%s' does not hold an operator's token", path);
    }
    if (code == TN_OK) {
        *is_new = false;
        hash_token(out->hash, token);
    }
    sodium_memzero(text, length);
    free(text);
    return code;
}

bool tn_operator_check(const tn_operator_t *known, tn_str_t authorization)
{
    unsigned char hash[32];
    static const tn_str_t scheme = {"Bearer ", 7};
    if (authorization.length <= scheme.length ||
        !tn_str_equal_nocase((tn_str_t){authorization.data, scheme.length}, scheme)) {
        return false;
    }
    hash_token(hash, tn_str_trim((tn_str_t){authorization.data + scheme.length,
                                            authorization.length - scheme.length}));
    return sodium_memcmp(hash, known->hash, sizeof(hash)) == 0;
}
