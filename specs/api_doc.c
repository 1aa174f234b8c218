#include "specs/api_doc.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* ---- reading, as Go's decoder does: null is absent, unknown members are ignored --------------- */

static const char *type_word(const json_t *j) {
        switch (json_typeof(j)) {
        case JSON_OBJECT:
                return "object";
        case JSON_ARRAY:
                return "array";
        case JSON_STRING:
                return "string";
        case JSON_INTEGER:
        case JSON_REAL:
                return "number";
        case JSON_TRUE:
        case JSON_FALSE:
                return "bool";
        case JSON_NULL:
                break;
        }
        return "null";
}

static int wrong_type(const json_t *j, const char *what, const char *wanted, Error *reterr) {
        return error_set(reterr, -EINVAL, "json: cannot unmarshal %s into Go %s of type %s",
                         type_word(j), what, wanted);
}

/* "" if it is not there; borrowed. `field` is "Type.member", as errors call it. */
static int get_string(const json_t *object, const char *field, const char **ret, Error *reterr) {
        const json_t *j = json_object_get(object, strchr(field, '.') + 1);

        if (j && !json_is_string(j) && !json_is_null(j)) {
                _cleanup_free_ char *what = str_printf("struct field %s", field);

                return wrong_type(j, what ? what : "value", "string", reterr);
        }

        *ret = json_is_string(j) ? json_string_value(j) : "";
        return 0;
}

/* Leaves *ret as it is for "". */
static int get_text(const json_t *object, const char *field, char **ret, Error *reterr) {
        const char *s;
        int r;

        r = get_string(object, field, &s, reterr);
        if (r < 0 || *s == '\0')
                return r;

        return str_replace(ret, s);
}

/* ---- units ------------------------------------------------------------------------------------- */

ApiUnit *api_unit_new(const char *name) {
        _cleanup_(api_unit_freep) ApiUnit *u = mem_new(ApiUnit);

        if (!u)
                return NULL;

        u->name = str_dup(name);
        u->options = unit_file_new();
        return u->name && u->options ? TAKE_PTR(u) : NULL;
}

ApiUnit *api_unit_free(ApiUnit *u) {
        if (!u)
                return NULL;

        mem_free(u->name);
        mem_free(u->desired_state);
        mem_free(u->current_state);
        mem_free(u->machine_id);
        (void) unit_file_free(u->options);
        return mem_free(u);
}

static int append_option(json_t *list, const UnitOption *o, bool lines) {
        _cleanup_json_ json_t *j = json_object();
        int r;

        if (!j)
                return -ENOMEM;

        r = json_set_string(j, "name", o->name);
        if (r >= 0)
                r = json_set_string(j, "section", o->section);
        if (r >= 0)
                r = json_set_string(j, "value", o->value);
        if (r >= 0 && lines && o->line > 0 &&
            json_object_set_new(j, "line", json_integer((json_int_t) o->line)) < 0)
                r = -ENOMEM;
        if (r >= 0 && json_array_append_new(list, TAKE_PTR(j)) < 0)
                r = -ENOMEM;
        return r;
}

static int set_options(json_t *unit, const UnitFile *u, bool lines) {
        json_t *list;
        int r;

        if (u->n_options == 0)
                return 0;

        list = json_array();
        if (json_object_set_new(unit, "options", list) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < u->n_options; i++) {
                r = append_option(list, &u->options[i], lines);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int unit_to_json(const ApiUnit *u, bool lines, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        int r;

        if (!j)
                return -ENOMEM;

        r = json_set_string(j, "currentState", u->current_state);
        if (r >= 0)
                r = json_set_string(j, "desiredState", u->desired_state);
        if (r >= 0)
                r = json_set_string(j, "machineID", u->machine_id);
        if (r >= 0)
                r = json_set_string(j, "name", u->name);
        if (r >= 0)
                r = set_options(j, u->options, lines);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

int api_unit_to_json(const ApiUnit *u, json_t **ret) {
        return unit_to_json(u, false, ret);
}

int api_unit_to_json_with_lines(const ApiUnit *u, json_t **ret) {
        return unit_to_json(u, true, ret);
}

/* Ours: where the client read it, so that what is refused can be found. 0 = not said. */
static unsigned get_line(const json_t *j) {
        json_int_t line = json_integer_value(json_object_get(j, "line"));

        return line > 0 && line <= INT32_MAX ? (unsigned) line : 0;
}

static int read_option(const json_t *j, UnitFile *u, Error *reterr) {
        const char *section, *name, *value;
        size_t n = u->n_options;
        int r;

        if (!json_is_object(j))
                return wrong_type(j, "struct field Unit.options", "schema.UnitOption", reterr);

        r = get_string(j, "UnitOption.section", &section, reterr);
        if (r >= 0)
                r = get_string(j, "UnitOption.name", &name, reterr);
        if (r >= 0)
                r = get_string(j, "UnitOption.value", &value, reterr);
        if (r < 0)
                return r;

        r = unit_file_add(u, section, name, value, reterr);
        if (r < 0)
                return r;

        if (u->n_options > n)
                u->options[n].line = get_line(j);
        return 0;
}

static int read_options(const json_t *unit, UnitFile *u, Error *reterr) {
        const json_t *list = json_object_get(unit, "options");
        int r;

        if (!list || json_is_null(list))
                return 0;
        if (!json_is_array(list))
                return wrong_type(list, "struct field Unit.options", "[]*schema.UnitOption",
                                  reterr);

        for (size_t i = 0; i < json_array_size(list); i++) {
                r = read_option(json_array_get(list, i), u, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int api_unit_from_json(const json_t *j, ApiUnit **ret, Error *reterr) {
        _cleanup_(api_unit_freep) ApiUnit *u = api_unit_new("");
        int r;

        if (!u)
                return -ENOMEM;
        if (!json_is_object(j) && !json_is_null(j))
                return wrong_type(j, "value", "schema.Unit", reterr);

        r = get_text(j, "Unit.name", &u->name, reterr);
        if (r >= 0)
                r = get_text(j, "Unit.desiredState", &u->desired_state, reterr);
        if (r >= 0)
                r = get_text(j, "Unit.currentState", &u->current_state, reterr);
        if (r >= 0)
                r = get_text(j, "Unit.machineID", &u->machine_id, reterr);
        if (r >= 0)
                r = read_options(j, u->options, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(u);
        return 0;
}

/* ---- unit states ------------------------------------------------------------------------------- */

int api_unit_state_to_json(const UnitState *s, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        int r;

        if (!j)
                return -ENOMEM;

        r = json_set_string(j, "hash", s->hash);
        if (r >= 0)
                r = json_set_string(j, "machineID", s->machine);
        if (r >= 0)
                r = json_set_string(j, "name", s->unit);
        if (r >= 0)
                r = json_set_string(j, "systemdActiveState", s->active);
        if (r >= 0)
                r = json_set_string(j, "systemdLoadState", s->load);
        if (r >= 0)
                r = json_set_string(j, "systemdSubState", s->sub);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

int api_unit_state_from_json(const json_t *j, UnitState **ret, Error *reterr) {
        _cleanup_(unit_state_freep) UnitState *s = unit_state_new("", "");
        const char *hash;
        int r;

        if (!s)
                return -ENOMEM;
        if (!json_is_object(j))
                return wrong_type(j, "value", "schema.UnitState", reterr);

        r = get_string(j, "UnitState.hash", &hash, reterr);
        if (r >= 0)
                r = get_text(j, "UnitState.machineID", &s->machine, reterr);
        if (r >= 0)
                r = get_text(j, "UnitState.name", &s->unit, reterr);
        if (r >= 0)
                r = get_text(j, "UnitState.systemdActiveState", &s->active, reterr);
        if (r >= 0)
                r = get_text(j, "UnitState.systemdLoadState", &s->load, reterr);
        if (r >= 0)
                r = get_text(j, "UnitState.systemdSubState", &s->sub, reterr);
        if (r < 0)
                return r;
        if (strlen(hash) >= sizeof(s->hash))
                return error_set(reterr, -EINVAL, "'hash' is longer than %d characters",
                                 SHA1_HEX_SIZE - 1);

        memcpy(s->hash, hash, strlen(hash) + 1);
        *ret = TAKE_PTR(s);
        return 0;
}

/* ---- machines ---------------------------------------------------------------------------------- */

int api_machine_to_json(const Machine *m, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        json_t *metadata;
        int r;

        if (!j)
                return -ENOMEM;

        r = json_set_string(j, "id", m->id);
        if (r >= 0)
                r = json_set_string(j, "primaryIP", m->public_ip);
        if (r >= 0 && m->metadata.n > 0) {
                r = metadata_to_json(&m->metadata, &metadata);
                if (r >= 0 && json_object_set_new(j, "metadata", metadata) < 0)
                        r = -ENOMEM;
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

int api_machine_from_json(const json_t *j, Machine **ret, Error *reterr) {
        _cleanup_(machine_freep) Machine *m = machine_new("");
        const json_t *metadata;
        int r;

        if (!m)
                return -ENOMEM;
        if (!json_is_object(j))
                return wrong_type(j, "value", "schema.Machine", reterr);

        r = get_text(j, "Machine.id", &m->id, reterr);
        if (r >= 0)
                r = get_text(j, "Machine.primaryIP", &m->public_ip, reterr);
        if (r < 0)
                return r;

        metadata = json_object_get(j, "metadata");
        if (metadata && !json_is_null(metadata)) {
                r = metadata_from_json(metadata, &m->metadata, reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(m);
        return 0;
}

/* ---- errors ------------------------------------------------------------------------------------ */

char *api_error_format(unsigned code, const char *message) {
        /* A message that is not UTF-8 cannot be quoted. */
        _cleanup_json_ json_t *j = json_pack("{s:{s:i,s:s}}", "error", "code", (int) code,
                                             "message",
                                             str_is_utf8(message, strlen(message)) ? message : "");

        return j ? json_format(j) : NULL;
}

char *api_error_parse(const char *body, size_t size) {
        _cleanup_json_ json_t *j = NULL;
        const json_t *error, *message;

        if (json_parse(body, size, &j, NULL) < 0)
                return NULL;

        error = json_object_get(j, "error");
        if (!json_is_object(error))
                return NULL;

        message = json_object_get(error, "message");
        return str_dup(json_is_string(message) ? json_string_value(message) : "");
}
