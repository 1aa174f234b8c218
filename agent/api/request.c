#include "agent/api/request.h"

#include "agent/api/query.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "specs/api_doc.h"

#define JSON_TYPE "application/json"
#define STREAM_TYPE "application/x-ndjson"

/* ---- life ------------------------------------------------------------------------------------ */

static ApiRequest *request_free(ApiRequest *q) {
        if (!q)
                return NULL;
        list_remove(&q->requests);
        q->call = registry_call_free(q->call);
        if (q->free_data)
                q->data = q->free_data(q->data);
        if (q->streaming)
                q->api->n_streams--;
        q->path = mem_free(q->path);
        return mem_free(q);
}

static void on_closed(HttpExchange *x _unused_, void *userdata) {
        ApiRequest *q = userdata;

        q->x = NULL;
        request_free(q);
}

int request_new(Api *api, HttpExchange *x, char *path, ApiRequest **ret) {
        ApiRequest *q = mem_new(ApiRequest);

        if (!q)
                return -ENOMEM;
        q->api = api;
        q->x = x;
        q->path = path;
        list_append(&api->requests, &q->requests);
        http_exchange_on_closed(x, on_closed, q);
        *ret = q;
        return 0;
}

void request_set_data(ApiRequest *q, void *data, void *(*free_data)(void *data)) {
        assert(!q->data);
        q->data = data;
        q->free_data = free_data;
}

int request_arguments(const ApiRequest *q, const char *name, Strv *ret) {
        return query_values(http_exchange_query(q->x), name, ret);
}

/* ---- replies --------------------------------------------------------------------------------- */

static void reply(ApiRequest *q, const HttpReply *r) {
        HttpExchange *x = TAKE_PTR(q->x);
        int e;

        q->api->n_replies[MIN(r->status / 100, 5U)]++;
        http_exchange_on_closed(x, NULL, NULL);
        e = http_exchange_reply(x, r);
        if (e < 0)
                log_warning("cannot answer %s: %s", q->path, strerror(-e));
        request_free(q);
}

void request_reply_text(ApiRequest *q, unsigned status, const char *content_type,
                        const char *text) {
        const HttpReply r = {
                .status = status,
                .content_type = content_type,
                .body = text,
                .body_size = strlen(text),
        };

        reply(q, &r);
}

void request_reply_json(ApiRequest *q, unsigned status, const json_t *j) {
        _cleanup_free_ char *text = json_format(j);

        if (!text) {
                request_reply_error(q, 500, "out of memory");
                return;
        }
        request_reply_text(q, status, JSON_TYPE, text);
}

void request_reply_error(ApiRequest *q, unsigned status, const char *message) {
        _cleanup_free_ char *text = api_error_format(status, message);

        request_reply_text(q, status, JSON_TYPE, text ? text : "");
}

void request_reply_empty(ApiRequest *q, unsigned status, const char *content_type) {
        request_reply_text(q, status, content_type, "");
}

/* As Go's ServeMux does it: a GET gets a line for people, too. */
void request_redirect(ApiRequest *q, const char *location) {
        _cleanup_(buf_done) Buf body = BUF_INIT;
        bool get = strcmp(http_exchange_method(q->x), "GET") == 0;
        HttpReply r = { .status = 301, .location = location, .body = "" };

        if (get && buf_append_str(&body, "<a href=\"") >= 0 &&
            query_append_html(&body, location) >= 0 &&
            buf_append_str(&body, "\">Moved Permanently</a>.\n\n") >= 0) {
                r.content_type = "text/html; charset=utf-8";
                r.body = body.data;
                r.body_size = body.size;
        }
        reply(q, &r);
}

void request_fail(ApiRequest *q, int r, const Error *error) {
        _cleanup_error_ Error words = ERROR_INIT;
        unsigned status = 500;

        error_copy(&words, error);
        error_fill(&words, r);
        if (r == -EFBIG || r == -E2BIG || r == -EINVAL)
                status = 400;
        if (r == -ENOTCONN || r == -ETIMEDOUT || r == -ECONNRESET || r == -ECONNREFUSED)
                status = 503;
        log_full(status == 400 ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, NULL, "%s %s failed: %s",
                 http_exchange_method(q->x), q->path, error_text(&words));
        request_reply_error(q, status, error_text(&words));
}

void request_reply_unit(ApiRequest *q, int r, const Error *error, const json_t *j) {
        if (r == -ENOENT)
                request_reply_error(q, 404, "unit does not exist");
        else if (r < 0)
                request_fail(q, r, error);
        else
                request_reply_json(q, 200, j);
}

/* ---- streams --------------------------------------------------------------------------------- */

int request_stream(ApiRequest *q) {
        int r;

        if (q->api->n_streams >= API_STREAMS_MAX) {
                request_reply_error(q, 429, "too many streams are open, close one first");
                return -EMFILE;
        }
        http_exchange_on_closed(q->x, NULL, NULL);
        r = http_exchange_stream(q->x, 200, STREAM_TYPE, on_closed, q);
        if (r < 0) {
                http_exchange_on_closed(q->x, on_closed, q);
                request_fail(q, r, NULL);
                return r;
        }
        q->streaming = true;
        q->api->n_streams++;
        q->api->n_replies[2]++;
        return 0;
}

int request_stream_json(ApiRequest *q, const json_t *j) {
        _cleanup_free_ char *text = json_format(j);
        _cleanup_(buf_done) Buf line = BUF_INIT;
        int r;

        if (!text)
                return -ENOMEM;
        r = buf_append_str(&line, text);
        if (r >= 0)
                r = buf_append_char(&line, '\n');
        if (r < 0)
                return r;
        return http_stream_write(q->x, line.data, line.size);
}

void request_stream_end(ApiRequest *q) {
        HttpExchange *x = TAKE_PTR(q->x);

        http_stream_end(x);
        request_free(q);
}
