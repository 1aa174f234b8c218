#include "ctl/client.h"

#include <inttypes.h>

#include "ctl/endpoint.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"
#include "specs/api_doc.h"

struct Client {
        sd_event *event;
        HttpClient *http;
        Endpoint endpoint;
        uint64_t timeout_usec;
};

struct ClientStream {
        Client *client;
        HttpCall *call;
        Buf buffer; /* an unfinished line, or the body of an error */
        unsigned status;
        ClientLineFn line_fn;
        ClientEndFn end_fn;
        void *userdata;
};

/* What is under way in one client_run(). */
typedef struct Batch {
        Client *client;
        ClientRequest *requests;
        struct Slot *slots;
        size_t n, next, finished;
        int r;
} Batch;

typedef struct Slot {
        Batch *batch;
        ClientRequest *request;
        HttpCall *call;
        uint64_t start_usec;
} Slot;

static const char *const json_headers[] = { "Content-Type: application/json", NULL };

void client_request_done(ClientRequest *q) {
        mem_free(q->path);
        mem_free(q->body);
        mem_free(q->answer);
        error_done(&q->error);
        *q = (ClientRequest){ 0 };
}

int client_new(const Options *options, Client **ret, char **ret_warning, Error *reterr) {
        _cleanup_(client_freep) Client *c = mem_new(Client);
        _cleanup_free_ char *warning = NULL;
        int r;

        if (!c)
                return error_fill(reterr, -ENOMEM);
        c->timeout_usec = options->request_timeout_given
                                  ? (uint64_t) (options->request_timeout * USEC_PER_SEC)
                                  : CLIENT_TIMEOUT_USEC;

        r = endpoint_parse(options, &c->endpoint, &warning, reterr);
        if (r < 0)
                return r;
        r = sd_event_new(&c->event);
        if (r < 0)
                return error_fill(reterr, r);
        r = http_client_new(c->event, CLIENT_PARALLEL_MAX, &c->http, reterr);
        if (r < 0)
                return r;

        *ret_warning = TAKE_PTR(warning);
        *ret = TAKE_PTR(c);
        return 0;
}

Client *client_free(Client *c) {
        if (!c)
                return NULL;
        http_client_free(c->http);
        sd_event_unref(c->event);
        endpoint_done(&c->endpoint);
        return mem_free(c);
}

sd_event *client_event(Client *c) {
        return c->event;
}

int client_turn(Client *c) {
        return sd_event_run(c->event, USEC_INFINITY);
}

/* The URL of a path; every request carries alt=json (B3.6). The caller owns it. */
static char *request_url(const Client *c, const char *path) {
        return str_printf("%s" CLIENT_BASE "%s%calt=json", c->endpoint.base_url, path,
                          strchr(path, '?') ? '&' : '?');
}

static HttpRequest http_request(const Client *c, const char *url) {
        return (HttpRequest){
                .url = url,
                .unix_socket = c->endpoint.unix_socket,
                .ca_file = c->endpoint.ca_file,
                .cert_file = c->endpoint.cert_file,
                .key_file = c->endpoint.key_file,
        };
}

/* "cannot reach fleetd at unix:///run/fleet.sock: no such file or directory" */
static void explain(const Client *c, int r, const Error *from, Error *to) {
        if (r == -ENOENT)
                (void) error_set(to, r,
                                 "cannot reach fleetd at %s: no such socket (is fleetd running?)",
                                 c->endpoint.text);
        else if (r == -ECONNREFUSED)
                (void) error_set(
                        to, r, "cannot reach fleetd at %s: connection refused (is fleetd running?)",
                        c->endpoint.text);
        else
                (void) error_set(to, r, "cannot reach fleetd at %s: %s", c->endpoint.text,
                                 error_text(from));
}

/* ---- requests that are answered whole --------------------------------------------------------- */

static void on_done(HttpCall *call, int r, const HttpResponse *response, const Error *error,
                    void *userdata) {
        Slot *slot = userdata;
        Batch *b = slot->batch;
        ClientRequest *q = slot->request;

        q->r = r;
        if (r == 0) {
                q->status = response->status;
                q->answer_size = response->body_size;
                q->answer = mem_dup(response->body, response->body_size);
                if (!q->answer)
                        b->r = -ENOMEM;
                log_debug("%s %s: %u, %zu bytes, %" PRIu64 " us", q->method, q->path, q->status,
                          q->answer_size, clock_boottime_usec() - slot->start_usec);
        } else {
                explain(b->client, r, error, &q->error);
                log_debug("%s %s: %s", q->method, q->path, error_text(error));
        }
        slot->call = http_call_free(call);
        b->finished++;
}

static int send_next(Batch *b) {
        Slot *slot = b->slots + b->next;
        ClientRequest *q = b->requests + b->next;
        _cleanup_free_ char *url = request_url(b->client, q->path);
        HttpRequest h = http_request(b->client, url);

        if (!url)
                return -ENOMEM;
        h.method = q->method;
        h.done_fn = on_done;
        h.userdata = slot;
        h.timeout_usec = b->client->timeout_usec;
        if (q->body) {
                h.headers = json_headers;
                h.body = q->body;
                h.body_size = strlen(q->body);
        }
        *slot = (Slot){ .batch = b, .request = q, .start_usec = clock_boottime_usec() };
        b->next++;
        return http_client_call(b->client->http, &h, &slot->call, &q->error);
}

static int run_batch(Batch *b) {
        while (b->finished < b->n) {
                int r;

                while (b->next < b->n && b->next - b->finished < CLIENT_PARALLEL_MAX) {
                        r = send_next(b);
                        if (r < 0)
                                return r;
                }
                r = client_turn(b->client);
                if (r < 0)
                        return r;
                if (b->r < 0)
                        return b->r;
        }
        return 0;
}

int client_run(Client *c, ClientRequest *requests, size_t n) {
        Batch b = { .client = c, .requests = requests, .n = n };
        int r;

        b.slots = mem_new_array(Slot, n);
        if (!b.slots)
                return -ENOMEM;
        r = run_batch(&b);
        for (size_t i = 0; i < n; i++)
                http_call_free(b.slots[i].call);
        mem_free(b.slots);
        return r;
}

/* An answer that is no success, in the words of Google's API client, which fleet used. */
static int answer_error(unsigned status, const char *body, size_t size, Error *reterr) {
        _cleanup_free_ char *message = api_error_parse(body, size);

        if (!str_empty(message))
                return error_set(reterr, -EREMOTEIO, "googleapi: Error %u: %s", status, message);
        return error_set(reterr, -EREMOTEIO, "googleapi: got HTTP response code %u with body: %s",
                         status, body);
}

int client_request_check(const ClientRequest *q, Error *reterr) {
        if (q->r < 0) {
                error_copy(reterr, &q->error);
                return q->r;
        }
        if (q->status / 100 == 2)
                return 0;
        return answer_error(q->status, q->answer, q->answer_size, reterr);
}

/* ---- streams of lines ------------------------------------------------------------------------- */

/* Hands out the complete lines. line_fn must not free the stream. */
static void deliver_lines(ClientStream *s) {
        size_t start = 0;

        for (;;) {
                char *line = s->buffer.data + start, *end;

                if (start >= s->buffer.size)
                        break;
                end = memchr(line, '\n', s->buffer.size - start);
                if (!end)
                        break;
                *end = '\0';
                if (end > line)
                        s->line_fn(s, line, (size_t) (end - line), s->userdata);
                start += (size_t) (end - line) + 1;
        }
        buf_consume(&s->buffer, start);
}

static int on_stream_data(HttpCall *call, unsigned status, const char *data, size_t size,
                          void *userdata) {
        ClientStream *s = userdata;
        int r;

        (void) call;
        s->status = status;
        r = buf_append(&s->buffer, data, size);
        if (r < 0)
                return r;
        if (status == 200)
                deliver_lines(s);
        return 0;
}

static void on_stream_done(HttpCall *call, int r, const HttpResponse *response, const Error *error,
                           void *userdata) {
        ClientStream *s = userdata;
        _cleanup_error_ Error e = ERROR_INIT;

        (void) call;
        if (r < 0)
                explain(s->client, r, error, &e);
        else {
                s->status = response->status;
                if (s->status / 100 != 2)
                        (void) answer_error(s->status, buf_str(&s->buffer), s->buffer.size, &e);
        }
        log_debug("stream ends: %u %s", s->status, e.code ? error_text(&e) : "");
        s->end_fn(s, s->status, e.code ? &e : NULL, s->userdata);
}

int client_stream_new(Client *c, const char *path, ClientLineFn line_fn, ClientEndFn end_fn,
                      void *userdata, ClientStream **ret, Error *reterr) {
        _cleanup_(client_stream_freep) ClientStream *s = mem_new(ClientStream);
        _cleanup_free_ char *url = request_url(c, path);
        HttpRequest h = http_request(c, url);
        int r;

        if (!s || !url)
                return error_fill(reterr, -ENOMEM);
        s->client = c;
        s->buffer.limit = CLIENT_LINE_MAX;
        s->line_fn = line_fn;
        s->end_fn = end_fn;
        s->userdata = userdata;
        h.data_fn = on_stream_data;
        h.done_fn = on_stream_done;
        h.userdata = s;
        log_debug("GET %s: a stream", path);
        r = http_client_call(c->http, &h, &s->call, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

ClientStream *client_stream_free(ClientStream *s) {
        if (!s)
                return NULL;
        http_call_free(s->call);
        buf_done(&s->buffer);
        return mem_free(s);
}
