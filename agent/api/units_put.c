/* PUT and DELETE /units/N: the checks of FLEET.md B4 in their order, then one write that compares. */
#include "agent/api/handlers.h"

#include <ctype.h>

#include "drivers/driver_registry.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"
#include "specs/requirements.h"
#include "specs/unit_name.h"

/* How often a write is tried again that somebody else's write came before. */
#define UNIT_WRITE_ATTEMPTS_MAX 16

/* What the client wants to be written. */
typedef struct UnitWrite {
        ApiUnit *body;        /* NULL for DELETE */
        DesiredState desired; /* counts if has_desired */
        bool has_desired;
        unsigned attempts;
        unsigned status; /* of the reply once it is written */
} UnitWrite;

static void *unit_write_free(void *p) {
        UnitWrite *w = p;

        if (!w)
                return NULL;
        w->body = api_unit_free(w->body);
        return mem_free(w);
}

static void read_unit(ApiRequest *q);

/* ---- writing --------------------------------------------------------------------------------- */

static void on_written(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        ApiRequest *q = userdata;
        UnitWrite *w = q->data;

        q->call = registry_call_free(q->call);
        if (r == REGISTRY_CONFLICT && ++w->attempts < UNIT_WRITE_ATTEMPTS_MAX)
                read_unit(q);
        else if (r == REGISTRY_CONFLICT)
                request_reply_error(q, 409, "unit is being changed by others, try again");
        else if (r < 0)
                request_fail(q, r, error);
        else
                request_reply_empty(q, w->status, NULL);
}

static int serialise(ApiRequest *q, char **ret_text, char ret_hash[SHA1_HEX_SIZE]) {
        const UnitWrite *w = q->data;
        int r;

        r = unit_file_serialise(w->body->options, ret_text);
        return r < 0 ? r : unit_file_hash(w->body->options, ret_hash);
}

/* Creates it, or puts new content in its place. */
static void write_content(ApiRequest *q, const RegistryUnit *present, const char *text,
                          const char *hash) {
        _cleanup_error_ Error error = ERROR_INIT;
        UnitWrite *w = q->data;
        RegistryUnit u = {
                .name = w->body->name,
                .desired = w->has_desired ? w->desired : DESIRED_INACTIVE,
                .generation = present ? present->generation : 0,
                .revision = present ? present->revision : 0,
        };
        int r;

        memcpy(u.hash, hash, SHA1_HEX_SIZE);
        w->status = 201;
        r = registry_unit_put(q->api->options.registry, &u, text, on_written, q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}

static void write_desired(ApiRequest *q, const RegistryUnit *present) {
        _cleanup_error_ Error error = ERROR_INIT;
        UnitWrite *w = q->data;
        RegistryUnit u = *present;
        int r;

        u.desired = w->desired;
        w->status = 204;
        r = registry_unit_set(q->api->options.registry, &u, on_written, q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}

/* ---- deciding, with the unit as it is -------------------------------------------------------- */

static char *error_with_line(const Error *e) {
        return e->line > 0 ? str_printf("line %u: %s", e->line, error_text(e))
                           : str_dup(error_text(e));
}

/* True if the options may be stored; else it has been answered. */
static bool check_options(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_free_ char *text = NULL;
        const UnitWrite *w = q->data;
        int r;

        r = unit_validate(w->body->name, w->body->options, &error);
        if (r >= 0)
                r = driver_validate(w->body->name, w->body->options, q->api->driver, &error);
        if (r >= 0)
                return true;
        if (r == -ENOMEM) {
                request_fail(q, r, &error);
                return false;
        }
        text = error_with_line(&error);
        request_reply_error(q, 400, text ? text : error_text(&error));
        return false;
}

/* True if the desired state is one that can be wanted of this unit; else it has been answered. */
static bool check_desired(ApiRequest *q) {
        _cleanup_free_ char *text = NULL;
        UnitWrite *w = q->data;

        w->has_desired = !str_empty(w->body->desired_state);
        if (!w->has_desired || desired_state_from_string(w->body->desired_state, &w->desired) >= 0)
                return true;
        text = str_printf("invalid desiredState \"%s\": expect inactive, loaded or launched",
                          w->body->desired_state);
        request_reply_error(q, 400, text ? text : "invalid desiredState");
        return false;
}

static void decide_absent(ApiRequest *q, const char *text, const char *hash) {
        const UnitWrite *w = q->data;

        if (w->body->options->n_options == 0) {
                request_reply_error(q, 409, "unit does not exist and options field empty");
                return;
        }
        if (check_options(q) && check_desired(q))
                write_content(q, NULL, text, hash);
}

static void decide_present(ApiRequest *q, const RegistryUnit *present, const char *text,
                           const char *hash) {
        UnitWrite *w = q->data;

        if (w->body->options->n_options > 0 && !str_eq(present->hash, hash)) {
                if (check_options(q) && check_desired(q))
                        write_content(q, present, text, hash);
                return;
        }
        if (str_empty(w->body->desired_state)) {
                request_reply_error(q, 409, "must provide DesiredState to update existing unit");
                return;
        }
        if (!check_desired(q))
                return;
        if (unit_name_is_template(w->body->name) && w->desired != DESIRED_INACTIVE) {
                _cleanup_free_ char *words = str_printf("cannot activate template \"%s\"",
                                                        w->body->name);

                request_reply_error(q, 400, words ? words : "cannot activate template");
                return;
        }
        write_desired(q, present);
}

static void decide_put(ApiRequest *q, const RegistryUnit *present) {
        _cleanup_free_ char *text = NULL;
        char hash[SHA1_HEX_SIZE];
        int r;

        r = serialise(q, &text, hash);
        if (r < 0)
                request_fail(q, r, NULL);
        else if (present)
                decide_present(q, present, text, hash);
        else
                decide_absent(q, text, hash);
}

static void decide_delete(ApiRequest *q, const RegistryUnit *present) {
        _cleanup_error_ Error error = ERROR_INIT;
        UnitWrite *w = q->data;
        int r;

        if (!present) {
                /* One that this machine keeps although the registry has lost it may go now. */
                if (agent_release(q->api->options.agent, q->name))
                        request_reply_empty(q, 204, NULL);
                else
                        request_reply_error(q, 404, "unit does not exist");
                return;
        }
        w->status = 204;
        r = registry_unit_delete(q->api->options.registry, q->name, present->revision, on_written,
                                 q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        ApiRequest *q = userdata;
        const UnitWrite *w = q->data;

        q->call = registry_call_free(q->call);
        if (r < 0)
                request_fail(q, r, error);
        else if (w->body)
                decide_put(q, registry_snapshot_unit(s, w->body->name));
        else
                decide_delete(q, registry_snapshot_unit(s, q->name));
}

static void read_unit(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        const UnitWrite *w = q->data;
        int r;

        r = registry_read(q->api->options.registry, REGISTRY_UNIT,
                          w->body ? w->body->name : q->name, on_read, q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}

/* ---- what can be checked without the unit ---------------------------------------------------- */

static bool is_json_type(const char *content_type) {
        size_t n = strcspn(content_type, ";");

        while (n > 0 && isspace((unsigned char) content_type[n - 1]))
                n--;
        return n == strlen("application/json") &&
               strncasecmp(content_type, "application/json", n) == 0;
}

static bool check_content_type(ApiRequest *q) {
        size_t n = 0;
        const char *type = http_exchange_header(q->x, "Content-Type", &n);
        _cleanup_free_ char *text = NULL;

        if (n == 1 && is_json_type(type))
                return true;
        if (n == 1) {
                request_reply_error(q, 415, "only acceptable Content-Type is application/json");
                return false;
        }
        text = str_printf("expected 1 Content-Type, got %zu", n);
        request_reply_error(q, 415, text ? text : "");
        return false;
}

static bool decode_body(ApiRequest *q, ApiUnit **ret) {
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        const char *body = http_exchange_body(q->x, &size);
        int r;

        r = json_parse(body, size, &j, &error);
        if (r >= 0)
                r = api_unit_from_json(j, ret, &error);
        if (r >= 0)
                return true;
        error_fill(&error, r);
        text = str_printf("unable to decode body: %s", error_text(&error));
        request_reply_error(q, 400, text ? text : "unable to decode body");
        return false;
}

static bool check_name(ApiRequest *q, ApiUnit *unit) {
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_free_ char *text = NULL;

        if (str_empty(unit->name) && str_replace(&unit->name, q->name) < 0) {
                request_fail(q, -ENOMEM, NULL);
                return false;
        }
        if (!str_eq(unit->name, q->name)) {
                text = str_printf(
                        "name in URL \"%s\" differs from unit name in request body \"%s\"", q->name,
                        unit->name);
                request_reply_error(q, 400, text ? text : "");
                return false;
        }
        if (unit_name_validate(unit->name, &error) < 0) {
                request_reply_error(q, 400, error_text(&error));
                return false;
        }
        return true;
}

void units_put(ApiRequest *q) {
        _cleanup_(api_unit_freep) ApiUnit *unit = NULL;
        UnitWrite *w;

        if (!check_content_type(q) || !decode_body(q, &unit) || !check_name(q, unit))
                return;
        w = mem_new(UnitWrite);
        if (!w) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        w->body = TAKE_PTR(unit);
        request_set_data(q, w, unit_write_free);
        read_unit(q);
}

void units_delete(ApiRequest *q) {
        UnitWrite *w;

        if (unit_name_validate(q->name, NULL) < 0) {
                request_reply_error(q, 404, "unit does not exist");
                return;
        }
        w = mem_new(UnitWrite);
        if (!w) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        request_set_data(q, w, unit_write_free);
        read_unit(q);
}
