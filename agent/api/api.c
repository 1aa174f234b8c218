#include "agent/api/api.h"

#include "agent/api/handlers.h"
#include "agent/api/query.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"

typedef struct ApiMethod {
        const char *name;
        ApiHandlerFn handler;
} ApiMethod;

typedef struct ApiRoute {
        const char *path; /* below a base; below none if it is absolute */
        bool item;        /* one more segment follows: the name */
        bool absolute;
        ApiMethod methods[3];
        unsigned refusal_status; /* for other methods; 0 = 405 */
        const char *refusal;
} ApiRoute;

#define ONLY_GET "only GET supported against this resource"

static const ApiRoute routes[] = {
        { "/units", false, false, { { "GET", units_list } }, 0, ONLY_GET },
        { "/units",
          true,
          false,
          { { "GET", units_get }, { "PUT", units_put }, { "DELETE", units_delete } },
          0,
          "only GET, PUT and DELETE supported against this resource" },
        { "/state", false, false, { { "GET", state_list } }, 0, ONLY_GET },
        { "/state", true, false, { { "GET", state_get } }, 0, ONLY_GET },
        { "/machines",
          false,
          false,
          { { "GET", machines_list }, { "PATCH", machines_patch } },
          0,
          "only GET and PATCH supported against this resource" },
        { "/discovery",
          false,
          false,
          { { "GET", discovery_get } },
          400,
          "only HTTP GET supported against this resource" },
        { "/status", true, false, { { "GET", status_get } }, 0, ONLY_GET },
        { "/reasons", false, false, { { "GET", reasons_list } }, 0, ONLY_GET },
        { "/journal", true, false, { { "GET", journal_get } }, 0, ONLY_GET },
        { "/events", false, false, { { "GET", events_get } }, 0, ONLY_GET },
        { "/metrics", false, true, { { "GET", metrics_get } }, 0, ONLY_GET },
        { "/", false, true, { { 0 } }, 0, "" },
        { "", false, false, { { 0 } }, 0, "" },
};

static const char *const bases[] = { "/fleet/v1", "/v1-alpha" };

/* What is behind the base, or NULL: "" for the base itself, else something with a '/' in front. */
static const char *below_base(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(bases); i++) {
                const char *rest = str_after_prefix(path, bases[i]);

                if (rest && (rest[0] == '\0' || rest[0] == '/'))
                        return rest;
        }
        return NULL;
}

static bool route_matches(const ApiRoute *route, const char *path, const char **ret_name) {
        const char *start = route->absolute ? path : below_base(path);
        const char *rest = start ? str_after_prefix(start, route->path) : NULL;

        if (!rest)
                return false;
        if (!route->item)
                return rest[0] == '\0';
        if (rest[0] != '/' || rest[1] == '\0' || strchr(rest + 1, '/'))
                return false;
        *ret_name = rest + 1;
        return true;
}

static const ApiRoute *find_route(const char *path, const char **ret_name) {
        for (size_t i = 0; i < ELEMENTSOF(routes); i++)
                if (route_matches(&routes[i], path, ret_name))
                        return &routes[i];
        return NULL;
}

static void dispatch(ApiRequest *q) {
        const char *method = http_exchange_method(q->x);
        const ApiRoute *route = find_route(q->path, &q->name);

        if (!route) {
                request_reply_error(q, 404, "");
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(route->methods) && route->methods[i].name; i++) {
                if (str_eq(method, route->methods[i].name)) {
                        route->methods[i].handler(q);
                        return;
                }
        }
        request_reply_error(q, route->refusal_status ? route->refusal_status : 405, route->refusal);
}

/* True if the path was not clean and the client was sent to the clean one. */
static bool redirect_to_clean_path(ApiRequest *q) {
        const char *sent = http_exchange_path(q->x), *query = http_exchange_query(q->x);
        _cleanup_free_ char *clean = query_clean_path(sent), *location = NULL;

        if (clean && str_eq(clean, sent))
                return false;
        if (clean)
                location = query[0] ? str_printf("%s?%s", clean, query) : str_dup(clean);
        if (location)
                request_redirect(q, location);
        else
                request_fail(q, -ENOMEM, NULL);
        return true;
}

static void refuse_early(HttpExchange *x, unsigned status, const char *message) {
        _cleanup_free_ char *text = api_error_format(status, message);
        const HttpReply r = {
                .status = status,
                .content_type = "application/json",
                .body = text,
                .body_size = text ? strlen(text) : 0,
        };

        (void) http_exchange_reply(x, &r); /* the connection is closed if even that fails */
}

void api_handle(HttpExchange *x, void *userdata) {
        const char *sent = http_exchange_path(x);
        Api *api = userdata;
        ApiRequest *q;
        char *path = NULL;

        if (http_url_unescape(sent, strlen(sent), &path) < 0) {
                refuse_early(x, 400, "invalid escape in the path");
                return;
        }
        if (request_new(api, x, path, &q) < 0) {
                mem_free(path);
                refuse_early(x, 500, "out of memory");
                return;
        }
        log_debug("%s %s", http_exchange_method(x), q->path);
        if (api->options.active)
                api->options.active(api->options.userdata);
        if (!api->in_contact)
                request_reply_error(q, 503, "fleet server unable to communicate with etcd");
        else if (!redirect_to_clean_path(q))
                dispatch(q);
}

/* ---- life ------------------------------------------------------------------------------------ */

int api_new(const ApiOptions *options, Api **ret, Error *reterr) {
        _cleanup_(api_freep) Api *a = mem_new(Api);
        int r;

        if (!a)
                return error_fill(reterr, -ENOMEM);
        a->options = *options;
        a->in_contact = true;
        list_init(&a->requests);
        a->machine_id = str_dup(options->machine_id);
        if (!a->machine_id)
                return error_fill(reterr, -ENOMEM);
        r = api_configure(a, options->driver, options->token_limit);
        if (r >= 0)
                r = listings_new(options->event, &a->listings);
        if (r >= 0)
                r = events_new(a, &a->events);
        if (r < 0)
                return error_fill(reterr, r);
        *ret = TAKE_PTR(a);
        return 0;
}

Api *api_free(Api *a) {
        if (!a)
                return NULL;
        assert(list_is_empty(&a->requests));
        a->events = events_free(a->events);
        a->listings = listings_free(a->listings);
        a->machine_id = mem_free(a->machine_id);
        a->driver = mem_free(a->driver);
        return mem_free(a);
}

int api_configure(Api *a, const char *driver, uint16_t token_limit) {
        assert(token_limit > 0);
        a->options.token_limit = token_limit;
        return str_replace(&a->driver, driver);
}

void api_set_contact(Api *a, bool in_contact) {
        a->in_contact = in_contact;
}

void api_set_engine(Api *a, const Engine *engine) {
        a->engine = engine;
}

void api_set_server(Api *a, const HttpServer *server) {
        a->server = server;
}
