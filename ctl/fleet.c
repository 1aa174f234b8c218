#include "ctl/fleet.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"

/* ---- requests and answers --------------------------------------------------------------------- */

static void requests_free(ClientRequest *q, size_t n) {
        for (size_t i = 0; q && i < n; i++)
                client_request_done(q + i);
        mem_free(q);
}

/* The requests of one call. */
typedef struct Requests {
        ClientRequest *items;
        size_t n;
} Requests;

static void requests_done(Requests *q) {
        requests_free(q->items, q->n);
        *q = (Requests){ 0 };
}
#define _cleanup_requests_ _cleanup_(requests_done)

/* "METHOD <directory>/<name>" for each name. */
static int requests_init(Requests *q, const char *method, const char *directory,
                         const Strv *names) {
        q->items = mem_new_array(ClientRequest, names->n);
        if (!q->items)
                return -ENOMEM;
        q->n = names->n;
        for (size_t i = 0; i < q->n; i++) {
                _cleanup_free_ char *escaped = http_url_escape(names->items[i]);

                if (!escaped)
                        return -ENOMEM;
                q->items[i].method = method;
                q->items[i].path = str_printf("%s%s", directory, escaped);
                if (!q->items[i].path)
                        return -ENOMEM;
        }
        return 0;
}

static int run(Client *c, Requests *q, Error *reterr) {
        int r = client_run(c, q->items, q->n);

        return r < 0 ? error_fill(reterr, r) : 0;
}

static int parse_answer(const ClientRequest *q, json_t **ret, Error *reterr) {
        int r = json_parse(q->answer, q->answer_size, ret, reterr);

        if (r < 0)
                error_prefix(reterr, "fleetd's answer to GET %s cannot be read", q->path);
        return r;
}

/* ---- lists ------------------------------------------------------------------------------------ */

/* Appends what one item of a page says to the list. */
typedef int (*ItemFn)(const json_t *item, void *list, Error *reterr);

/* A fleetd of ours gives such large pages; the original ignores the wish. Each page is a round trip. */
#define FLEET_PAGE_LIMIT 2000

static int get_page(Client *c, const char *path, const char *token, json_t **ret, Error *reterr) {
        _cleanup_requests_ Requests q = { .items = mem_new(ClientRequest), .n = 1 };
        _cleanup_free_ char *escaped = token ? http_url_escape(token) : NULL;
        int r;

        if (!q.items || (token && !escaped))
                return error_fill(reterr, -ENOMEM);
        q.items->method = "GET";
        q.items->path = str_printf("%s%climit=%d%s%s", path, strchr(path, '?') ? '&' : '?',
                                   FLEET_PAGE_LIMIT, token ? "&nextPageToken=" : "",
                                   str_or(escaped, ""));
        if (!q.items->path)
                return error_fill(reterr, -ENOMEM);

        r = run(c, &q, reterr);
        if (r < 0)
                return r;
        r = client_request_check(q.items, reterr);
        if (r < 0)
                return r;
        return parse_answer(q.items, ret, reterr);
}

static int take_page(const json_t *page, const char *key, ItemFn fn, void *list, Error *reterr) {
        json_t *items = NULL;
        int r;

        r = json_get_array(page, key, &items, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_array_size(items); i++) {
                r = fn(json_array_get(items, i), list, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int get_pages(Client *c, const char *path, const char *key, ItemFn fn, void *list,
                     Error *reterr) {
        _cleanup_free_ char *token = NULL;
        int r;

        for (size_t pages = 0; pages < FLEET_PAGES_MAX; pages++) {
                _cleanup_json_ json_t *page = NULL;
                const char *next = NULL;

                r = get_page(c, path, token, &page, reterr);
                if (r < 0)
                        return r;
                r = take_page(page, key, fn, list, reterr);
                if (r < 0)
                        return r;
                r = json_get_string(page, "nextPageToken", &next, reterr);
                if (r < 0)
                        return r;
                if (str_empty(next))
                        return 0;
                r = str_replace(&token, next);
                if (r < 0)
                        return error_fill(reterr, r);
        }
        return error_set(reterr, -E2BIG, "fleetd's list %s has more than %d pages", path,
                         FLEET_PAGES_MAX);
}

/* Room for one more item of pointer size, within the limit. */
static int grow(void *items, size_t *capacity, size_t n, Error *reterr) {
        int r;

        if (n >= FLEET_LIST_MAX)
                return error_set(reterr, -E2BIG, "fleetd's list has more than %d entries",
                                 FLEET_LIST_MAX);
        r = mem_grow(items, capacity, n + 1, sizeof(void *));
        return r < 0 ? error_fill(reterr, r) : 0;
}

static int add_unit(const json_t *item, void *list, Error *reterr) {
        UnitList *l = list;
        int r;

        r = grow(&l->items, &l->capacity, l->n, reterr);
        if (r < 0)
                return r;
        r = api_unit_from_json(item, l->items + l->n, reterr);
        if (r < 0)
                return r;
        l->n++;
        return 0;
}

static int add_state(const json_t *item, void *list, Error *reterr) {
        StateList *l = list;
        int r;

        r = grow(&l->items, &l->capacity, l->n, reterr);
        if (r < 0)
                return r;
        r = api_unit_state_from_json(item, l->items + l->n, reterr);
        if (r < 0)
                return r;
        l->n++;
        return 0;
}

static int add_machine(const json_t *item, void *list, Error *reterr) {
        MachineList *l = list;
        int r;

        r = grow(&l->items, &l->capacity, l->n, reterr);
        if (r < 0)
                return r;
        r = api_machine_from_json(item, l->items + l->n, reterr);
        if (r < 0)
                return r;
        l->n++;
        return 0;
}

int fleet_list_units(Client *c, UnitList *ret, Error *reterr) {
        _cleanup_(unit_list_done) UnitList l = { 0 };
        int r = get_pages(c, "/units", "units", add_unit, &l, reterr);

        if (r < 0)
                return r;
        *ret = l;
        l = (UnitList){ 0 };
        return 0;
}

int fleet_list_states(Client *c, StateList *ret, Error *reterr) {
        _cleanup_(state_list_done) StateList l = { 0 };
        int r = get_pages(c, "/state", "states", add_state, &l, reterr);

        if (r < 0)
                return r;
        *ret = l;
        l = (StateList){ 0 };
        return 0;
}

int fleet_list_machines(Client *c, MachineList *ret, Error *reterr) {
        _cleanup_(machine_list_done) MachineList l = { 0 };
        int r = get_pages(c, "/machines", "machines", add_machine, &l, reterr);

        if (r < 0)
                return r;
        *ret = l;
        l = (MachineList){ 0 };
        return 0;
}

void unit_list_done(UnitList *l) {
        for (size_t i = 0; i < l->n; i++)
                api_unit_free(l->items[i]);
        mem_free(l->items);
        *l = (UnitList){ 0 };
}

void state_list_done(StateList *l) {
        for (size_t i = 0; i < l->n; i++)
                unit_state_free(l->items[i]);
        mem_free(l->items);
        *l = (StateList){ 0 };
}

void machine_list_done(MachineList *l) {
        for (size_t i = 0; i < l->n; i++)
                machine_free(l->items[i]);
        mem_free(l->items);
        *l = (MachineList){ 0 };
}

void json_list_done(JsonList *l) {
        for (size_t i = 0; i < l->n; i++)
                json_decref(l->items[i]);
        mem_free(l->items);
        *l = (JsonList){ 0 };
}

const Machine *machine_list_find(const MachineList *l, const char *id) {
        for (size_t i = 0; i < l->n; i++)
                if (str_eq(l->items[i]->id, id))
                        return l->items[i];
        return NULL;
}

/* ---- units ------------------------------------------------------------------------------------ */

static int take_unit(const ClientRequest *q, ApiUnit **ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        int r;

        if (q->r == 0 && q->status == 404)
                return 0;
        r = client_request_check(q, reterr);
        if (r < 0)
                return r;
        r = parse_answer(q, &j, reterr);
        if (r < 0)
                return r;
        return api_unit_from_json(j, ret, reterr);
}

int fleet_get_units(Client *c, const Strv *names, UnitList *ret, Error *reterr) {
        _cleanup_requests_ Requests q = { 0 };
        _cleanup_(unit_list_done) UnitList l = { 0 };
        int r;

        l.items = mem_new_array(ApiUnit *, names->n);
        if (!l.items || requests_init(&q, "GET", "/units/", names) < 0)
                return error_fill(reterr, -ENOMEM);
        l.n = l.capacity = names->n;
        r = run(c, &q, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l.n; i++) {
                r = take_unit(q.items + i, l.items + i, reterr);
                if (r < 0) {
                        error_prefix(reterr, "error retrieving Unit(%s) from Registry",
                                     names->items[i]);
                        return r;
                }
        }
        *ret = l;
        l = (UnitList){ 0 };
        return 0;
}

int fleet_get_unit(Client *c, const char *name, ApiUnit **ret, Error *reterr) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        _cleanup_(unit_list_done) UnitList l = { 0 };
        int r;

        r = strv_push(&names, name);
        if (r < 0)
                return error_fill(reterr, r);
        r = fleet_get_units(c, &names, &l, reterr);
        if (r < 0)
                return r;
        if (!l.items[0])
                return FLEET_NOT_FOUND;
        *ret = TAKE_PTR(l.items[0]);
        return 0;
}

static int put_request(ApiUnit *u, ClientRequest *q) {
        _cleanup_free_ char *escaped = http_url_escape(u->name);
        _cleanup_json_ json_t *j = NULL;
        int r;

        r = api_unit_to_json_with_lines(u, &j);
        if (r < 0)
                return r;
        q->method = "PUT";
        q->path = escaped ? str_printf("/units/%s", escaped) : NULL;
        q->body = json_format(j);
        return q->path && q->body ? 0 : -ENOMEM;
}

int fleet_put_units(Client *c, ApiUnit *const *units, size_t n, size_t *ret_failed, Error *reterr) {
        _cleanup_requests_ Requests q = { .items = mem_new_array(ClientRequest, n), .n = n };
        int r;

        *ret_failed = 0;
        if (!q.items)
                return error_fill(reterr, -ENOMEM);
        for (size_t i = 0; i < n; i++)
                if (put_request(units[i], q.items + i) < 0)
                        return error_fill(reterr, -ENOMEM);
        r = run(c, &q, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = client_request_check(q.items + i, reterr);
                if (r < 0) {
                        *ret_failed = i;
                        return r;
                }
        }
        return 0;
}

int fleet_delete_units(Client *c, const Strv *names, Error *errors) {
        _cleanup_requests_ Requests q = { 0 };
        int r;

        r = requests_init(&q, "DELETE", "/units/", names);
        if (r < 0)
                return r;
        r = client_run(c, q.items, q.n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < q.n; i++)
                if (q.items[i].r < 0 || q.items[i].status != 404)
                        (void) client_request_check(q.items + i, errors + i);
        return 0;
}

/* ---- what is only ours ------------------------------------------------------------------------ */

/* A 404 of a path that the server does not know has no message; one of a unit has. */
static bool no_such_path(const ClientRequest *q) {
        _cleanup_free_ char *message = NULL;

        if (q->r < 0 || q->status != 404)
                return false;
        message = api_error_parse(q->answer, q->answer_size);
        return str_empty(message);
}

static int take_status(const ClientRequest *q, json_t **ret, Error *reterr) {
        int r;

        if (no_such_path(q))
                return FLEET_NOT_FOUND;
        if (q->r == 0 && q->status == 404)
                return 0;
        r = client_request_check(q, reterr);
        if (r < 0)
                return r;
        return parse_answer(q, ret, reterr);
}

int fleet_get_status(Client *c, const Strv *names, JsonList *ret, Error *reterr) {
        _cleanup_requests_ Requests q = { 0 };
        _cleanup_(json_list_done) JsonList l = { 0 };
        int r;

        l.items = mem_new_array(json_t *, names->n);
        if (!l.items || requests_init(&q, "GET", "/status/", names) < 0)
                return error_fill(reterr, -ENOMEM);
        l.n = l.capacity = names->n;
        r = run(c, &q, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l.n; i++) {
                r = take_status(q.items + i, l.items + i, reterr);
                if (r != 0)
                        return r;
        }
        *ret = l;
        l = (JsonList){ 0 };
        return 0;
}

/* One state of /state, as /status would show it. */
static int add_plain_state(const json_t *item, void *list, Error *reterr) {
        _cleanup_(unit_state_freep) UnitState *state = NULL;
        json_t *j;
        int r;

        r = api_unit_state_from_json(item, &state, reterr);
        if (r < 0)
                return r;
        r = unit_state_to_json(state, &j);
        if (r < 0)
                return error_fill(reterr, r);
        return json_array_append_new(list, j) < 0 ? error_fill(reterr, -ENOMEM) : 0;
}

static int unit_facts(const ApiUnit *u, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        char hash[SHA1_HEX_SIZE];
        int r;

        if (!j)
                return -ENOMEM;
        r = unit_file_hash(u->options, hash);
        if (r < 0)
                return r;
        if (json_set_string(j, "unit", u->name) < 0 || json_set_string(j, "hash", hash) < 0 ||
            json_set_string(j, "desiredState", u->desired_state) < 0 ||
            json_set_string(j, "currentState", u->current_state) < 0 ||
            json_set_string(j, "machineID", u->machine_id) < 0 ||
            json_set_string(j, "description",
                            unit_file_get_first(u->options, "Unit", "Description")) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(j);
        return 0;
}

static int plain_status(Client *c, const ApiUnit *u, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_json_ json_t *states = json_array();
        _cleanup_free_ char *escaped = http_url_escape(u->name);
        _cleanup_free_ char *path = str_printf("/state?unitName=%s", str_or(escaped, ""));
        int r;

        if (!states || !escaped || !path || unit_facts(u, &j) < 0)
                return error_fill(reterr, -ENOMEM);
        r = get_pages(c, path, "states", add_plain_state, states, reterr);
        if (r < 0)
                return r;
        if (json_object_set(j, "states", states) < 0)
                return error_fill(reterr, -ENOMEM);
        *ret = TAKE_PTR(j);
        return 0;
}

int fleet_get_plain_status(Client *c, const Strv *names, JsonList *ret, Error *reterr) {
        _cleanup_(unit_list_done) UnitList units = { 0 };
        _cleanup_(json_list_done) JsonList l = { 0 };
        int r;

        r = fleet_get_units(c, names, &units, reterr);
        if (r < 0)
                return r;
        l.items = mem_new_array(json_t *, names->n);
        if (!l.items)
                return error_fill(reterr, -ENOMEM);
        l.n = l.capacity = names->n;
        for (size_t i = 0; i < l.n; i++) {
                r = units.items[i] ? plain_status(c, units.items[i], l.items + i, reterr) : 0;
                if (r < 0)
                        return r;
        }
        *ret = l;
        l = (JsonList){ 0 };
        return 0;
}

static int take_reasons(const json_t *answer, Map *reasons, Error *reterr) {
        json_t *items = NULL;
        int r;

        r = json_get_array(answer, "reasons", &items, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_array_size(items); i++) {
                const char *unit, *text;
                char *copy;

                r = json_need_string(json_array_get(items, i), "unit", &unit, reterr);
                if (r < 0)
                        return r;
                r = json_need_string(json_array_get(items, i), "text", &text, reterr);
                if (r < 0)
                        return r;
                copy = str_dup(text);
                if (!copy || map_put(reasons, unit, copy) < 0) {
                        mem_free(copy);
                        return error_fill(reterr, -ENOMEM);
                }
        }
        return 0;
}

int fleet_get_reasons(Client *c, Map **ret, Error *reterr) {
        _cleanup_requests_ Requests q = { .items = mem_new(ClientRequest), .n = 1 };
        _cleanup_(map_freep) Map *reasons = map_new(mem_free);
        _cleanup_json_ json_t *j = NULL;
        int r;

        if (!q.items || !reasons)
                return error_fill(reterr, -ENOMEM);
        q.items->method = "GET";
        q.items->path = str_dup("/reasons");
        if (!q.items->path)
                return error_fill(reterr, -ENOMEM);
        r = run(c, &q, reterr);
        if (r < 0)
                return r;
        if (!no_such_path(q.items)) {
                r = client_request_check(q.items, reterr);
                if (r < 0)
                        return r;
                r = parse_answer(q.items, &j, reterr);
                if (r < 0)
                        return r;
                r = take_reasons(j, reasons, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(reasons);
        return 0;
}
