#include "lib/base/digest.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "lib/base/alloc.h"

void sha1_hex(const void *data, size_t size, char ret[SHA1_HEX_SIZE]) {
        static const char digits[] = "0123456789abcdef";
        uint8_t digest[SHA1_DIGEST_SIZE];
        struct sha1_ctx ctx;

        sha1_init(&ctx);
        sha1_update(&ctx, size, data);
        sha1_digest(&ctx, sizeof(digest), digest);

        for (size_t i = 0; i < sizeof(digest); i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 15];
        }
        ret[SHA1_HEX_SIZE - 1] = '\0';
}

char *base64_encode(const void *data, size_t size) {
        size_t length = BASE64_ENCODE_RAW_LENGTH(size);
        char *s = size > SIZE_MAX / 2 ? NULL : mem_alloc(length + 1);

        if (!s)
                return NULL;

        base64_encode_raw(s, size, data);
        s[length] = '\0';
        return s;
}

char *base64url_encode(const void *data, size_t size) {
        char *s = base64_encode(data, size);

        for (char *p = s; p && *p; p++)
                *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;

        return s;
}

/* Value of one digit, or -1. */
static int digit_value(unsigned char c, bool url) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == (url ? '-' : '+'))
                return 62;
        if (c == (url ? '_' : '/'))
                return 63;

        return -1;
}

static size_t skip_newlines(const char *s, size_t i) {
        return i + strspn(s + i, "\r\n");
}

/*
 * After `digits` digits of a group the '=' at s[i] was met: checks the rest of the text. Returns
 * true if it is as it must be, else the offset that Go's encoding/base64 would name.
 */
static bool padding_ends(const char *s, size_t i, unsigned digits, size_t *ret_bad_offset) {
        size_t next = skip_newlines(s, i + 1);

        if (digits < 2) {
                *ret_bad_offset = i;
                return false;
        }

        if (digits == 2) {
                if (s[next] != '=') {
                        *ret_bad_offset = s[next] == '\0' ? next : next - 1;
                        return false;
                }
                next = skip_newlines(s, next + 1);
        }

        *ret_bad_offset = next;
        return s[next] == '\0';
}

/* Decodes into `out`, which has room; returns false with the offset of the first bad byte. */
static bool decode_into(const char *s, bool url, uint8_t *out, size_t *ret_size, size_t *ret_bad) {
        unsigned digits = 0;
        uint32_t bits = 0;
        size_t n = 0, i;

        for (i = 0; s[i] != '\0' && s[i] != '='; i++) {
                int v = digit_value((unsigned char) s[i], url);

                if (s[i] == '\r' || s[i] == '\n')
                        continue;
                if (v < 0) {
                        *ret_bad = i;
                        return false;
                }

                bits = bits << 6 | (uint32_t) v;
                if (digits > 0)
                        out[n++] = (uint8_t) (bits >> (6 - 2 * digits));
                digits = (digits + 1) % 4;
        }

        *ret_size = n;
        if (s[i] == '=')
                return padding_ends(s, i, digits, ret_bad);

        *ret_bad = i - digits;
        return digits == 0;
}

static int decode(const char *s, bool url, void **ret, size_t *ret_size, size_t *ret_bad_offset) {
        _cleanup_free_ uint8_t *out = mem_alloc(strlen(s) / 4 * 3 + 4);
        size_t size, bad;

        if (!out)
                return -ENOMEM;

        if (!decode_into(s, url, out, &size, &bad)) {
                if (ret_bad_offset)
                        *ret_bad_offset = bad;
                return -EINVAL;
        }

        out[size] = '\0';
        *ret = TAKE_PTR(out);
        *ret_size = size;
        return 0;
}

int base64_decode(const char *s, void **ret, size_t *ret_size, size_t *ret_bad_offset) {
        return decode(s, false, ret, ret_size, ret_bad_offset);
}

int base64url_decode(const char *s, void **ret, size_t *ret_size, size_t *ret_bad_offset) {
        return decode(s, true, ret, ret_size, ret_bad_offset);
}
