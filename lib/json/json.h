/*
 * What we add to jansson: errors with our words, fleet's canonical output, and typed look-ups that
 * name the key they fail on.
 *
 * Ownership is jansson's: `_new` setters take, getters lend.
 */
#pragma once

#include <jansson.h>

#include "lib/base/base.h"
#include "lib/base/error.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

/* Deeper documents are refused. */
#define JSON_DEPTH_MAX 64

/* One document and nothing behind it; repeated keys are refused. 0, -EINVAL or -ENOMEM; the caller owns *ret. */
int json_parse(const char *text, size_t size, json_t **ret, Error *reterr);

/*
 * Compact, keys sorted, and `<`, `>`, `&`, U+2028, U+2029 \u-escaped as Go's encoder does: fleet's
 * wire form and the form in the store. The caller owns it; NULL = out of memory.
 */
char *json_format(const json_t *j);

/*
 * Members of an object. *_get return NULL/absent if the key is not there (or null, which is the
 * same to Go's decoder) and fail with -EINVAL and words ("'hash' is not a string") if it has
 * another type. Strings are borrowed from the object.
 */
int json_get_string(const json_t *object, const char *key, const char **ret, Error *reterr);
int json_get_u64(const json_t *object, const char *key, uint64_t *ret,
                 Error *reterr); /* 0 if absent */
int json_get_bool(const json_t *object, const char *key, bool *ret,
                  Error *reterr); /* false if absent */
int json_get_object(const json_t *object, const char *key, json_t **ret, Error *reterr);
int json_get_array(const json_t *object, const char *key, json_t **ret, Error *reterr);

/* As above, and the key must be there (-EINVAL, "'hash' is missing"). */
int json_need_string(const json_t *object, const char *key, const char **ret, Error *reterr);

/* Sets unless value is NULL or "" (fleet omits empty fields). 0, -ENOMEM, or -EINVAL if it is not UTF-8. */
int json_set_string(json_t *object, const char *key, const char *value);

/* Sets unless value is 0; what does not fit into JSON's integers becomes the largest. 0 or -ENOMEM. */
int json_set_u64(json_t *object, const char *key, uint64_t value);

/* First key that is not in the NULL-terminated list, or NULL: unknown keys are refused by name. */
const char *json_unknown_key(const json_t *object, const char *const *known);
