/*
 * SHA-1 and base64, as fleet's formats need them. Done by nettle, which GnuTLS brings anyway.
 */
#pragma once

#include "lib/base/base.h"

#define SHA1_HEX_SIZE 41 /* 40 lower-case hex digits and NUL */

void sha1_hex(const void *data, size_t size, char ret[SHA1_HEX_SIZE]);

/* Standard and URL-safe alphabet (RFC 4648), padded. The caller owns the result; NULL = out of memory. */
char *base64_encode(const void *data, size_t size);
char *base64url_encode(const void *data, size_t size);

/*
 * Strict: padding required, CR and LF ignored as Go's decoder does. Returns 0 or -ENOMEM, or
 * -EINVAL with the offset of the first bad byte in *ret_bad_offset (may be NULL).
 */
int base64_decode(const char *s, void **ret, size_t *ret_size, size_t *ret_bad_offset);
int base64url_decode(const char *s, void **ret, size_t *ret_size, size_t *ret_bad_offset);
