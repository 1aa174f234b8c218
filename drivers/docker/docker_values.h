/*
 * How the docker CLI reads the values of its flags: numbers, sizes, addresses, lists of k=v.
 *
 * Each returns 0, -ENOMEM or -EINVAL with words about the value (not about the flag).
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* Takes `value`; 0 or -ENOMEM (also if value is NULL, as jansson's constructors report it). */
int docker_json_set(json_t *object, const char *key, json_t *value);
int docker_json_append(json_t *array, json_t *value);
/* The array or object at key, made if it is not there; borrowed; NULL = out of memory. */
json_t *docker_json_array(json_t *object, const char *key);
json_t *docker_json_object(json_t *object, const char *key);

int docker_value_bool(const char *s, bool *ret, Error *reterr); /* Go's ParseBool */
int docker_value_int(const char *s, int64_t min, int64_t max, int64_t *ret, Error *reterr);
int docker_value_bytes(const char *s, int64_t *ret, Error *reterr);       /* "1.5g", "64MiB" */
int docker_value_nano_cpus(const char *s, int64_t *ret, Error *reterr);   /* "1.5" */
int docker_value_duration_ns(const char *s, int64_t *ret, Error *reterr); /* Go's ParseDuration */
int docker_value_ip(const char *s, Error *reterr);
int docker_value_port_range(const char *s, size_t size, unsigned *ret_first, unsigned *ret_last);

/* One -p or --expose: into ExposedPorts and (publish) PortBindings. */
int docker_value_publish(const char *s, json_t *body, Error *reterr);
int docker_value_expose(const char *s, json_t *body, Error *reterr);

int docker_value_ulimit(const char *s, json_t **ret, Error *reterr);
int docker_value_device(const char *s, json_t **ret, Error *reterr);
int docker_value_device_rule(const char *s, Error *reterr);
int docker_value_gpus(const char *s, json_t **ret, Error *reterr);
int docker_value_mount(const char *s, json_t **ret, Error *reterr);

/* Fields of one line of comma separated values, with CSV's quotes. The caller owns *ret. */
int docker_value_csv(const char *s, Strv *ret, Error *reterr);

/*
 * An image reference, "[registry/]name[:tag][@digest]", in the parts the Engine's pull wants. tag: the tag, or the
 * digest, or "latest". The caller owns both.
 */
int docker_value_image(const char *s, char **ret_name, char **ret_tag, Error *reterr);
