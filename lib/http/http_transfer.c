#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_client_internal.h"
#include "lib/http/http_request.h"

#define RESPONSE_MAX_BYTES_DEFAULT (64 * MIB)

/* ---- transfers ------------------------------------------------------------------------------ */

static void transfer_leave(Transfer *t) {
        HttpClient *c = t->client;

        if (!c)
                return;

        if (t->added) {
                (void) c->curl->multi_remove_handle(c->multi, t->easy);
                t->added = false;
                c->n_active--;
        }
        list_remove(&t->transfers);
        t->timeout = event_drop(t->timeout);
        t->client = NULL;
}

Transfer *transfer_free(Transfer *t, const CurlLibrary *curl) {
        if (!t)
                return NULL;

        transfer_leave(t);
        if (t->easy)
                curl->easy_cleanup(t->easy);
        curl->slist_free_all(t->headers);
        mem_free(t->target);
        buf_done(&t->body);
        return mem_free(t);
}

int transfer_start(Transfer *t) {
        HttpClient *c = t->client;
        CURLMcode code;

        code = c->curl->multi_add_handle(c->multi, t->easy);
        if (code != CURLM_OK)
                return code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;

        t->added = true;
        c->n_active++;
        list_remove(&t->transfers);
        list_append(&c->active, &t->transfers);
        return 0;
}

/* ---- how it ends ---------------------------------------------------------------------------- */

static int connect_error(const Transfer *t, const CurlLibrary *curl, Error *reterr) {
        const char *words;
        int code = -EIO;
        long e = 0;

        (void) curl->easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &e);
        words = e > 0 ? strerrordesc_np((int) e) : NULL;
        /* curl keeps no errno when a unix socket has no room for another one who waits (EAGAIN). */
        if (e == 0 || e == ECONNREFUSED)
                code = -ECONNREFUSED;
        else if (e == ENOENT || e == ETIMEDOUT)
                code = (int) -e;

        return error_set(reterr, code, "cannot connect to '%s': %s", t->target,
                         words ? words : str_or(t->words, "no connection"));
}

static int code_of(CURLcode code, int abort_code) {
        if (abort_code < 0)
                return abort_code;
        if (code == CURLE_OPERATION_TIMEDOUT)
                return -ETIMEDOUT;
        if (code == CURLE_OUT_OF_MEMORY)
                return -ENOMEM;
        if (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
            code == CURLE_PARTIAL_FILE)
                return -ECONNRESET;
        if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY ||
            code == CURLE_BAD_CONTENT_ENCODING)
                return -EPROTO;
        if (code == CURLE_URL_MALFORMAT)
                return -EINVAL;

        return -EIO;
}

int transfer_result(const Transfer *t, CURLcode code, Error *reterr) {
        const CurlLibrary *curl = t->client->curl;
        int r;

        if (code == CURLE_OK && t->headers_complete)
                return 0;
        /* To curl, a connection that closes amid the headers is a response with an empty body. */
        if (code == CURLE_OK)
                return error_set(reterr, -ECONNRESET, "the response of '%s' broke off", t->target);
        if (code == CURLE_COULDNT_CONNECT)
                return connect_error(t, curl, reterr);

        r = code_of(code, t->abort_code);
        if (r == -EFBIG)
                return error_set(reterr, r, "the response of '%s' is larger than %zu bytes",
                                 t->target, t->body.limit);
        if (r == -ECANCELED)
                return error_set(reterr, r, "the request to '%s' was given up", t->target);

        return error_set(reterr, r, "the request to '%s' failed: %s", t->target,
                         str_or(t->words, curl->easy_strerror(code)));
}

void transfer_finish(Transfer *t, int r, const Error *error) {
        HttpClient *c = t->client;
        const CurlLibrary *curl = c->curl;
        HttpCall *call = TAKE_PTR(t->call);
        HttpResponse response = { .body = buf_str(&t->body), .body_size = t->body.size };
        char *content_type = NULL;
        long status = 0;

        (void) curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        (void) curl->easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
        response.status = (unsigned) status;
        response.content_type = content_type;

        transfer_leave(t);
        if (!list_is_empty(&c->waiting))
                client_work_later(c);

        if (call) {
                call->transfer = NULL;
                call->done_fn(call, r, &response, error, call->userdata);
        }
        (void) transfer_free(t, curl);
}

static void on_timeout(void *userdata) {
        Transfer *t = userdata;
        _cleanup_error_ Error e = ERROR_INIT;
        _cleanup_free_ char *span = timespan_format(t->timeout_usec);
        int r;

        r = error_set(&e, -ETIMEDOUT, "the request to '%s' timed out after %s", t->target,
                      str_or(span, "a while"));
        transfer_finish(t, r, &e);
}
/* ---- curl's callbacks ----------------------------------------------------------------------- */

static size_t on_write(char *data, size_t size, size_t n, void *userdata) {
        Transfer *t = userdata;
        HttpCall *call = t->call;
        long status = 0;
        int r;

        n *= size;
        if (!call)
                r = -ECANCELED;
        else if (call->data_fn) {
                (void) t->client->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
                r = call->data_fn(call, (unsigned) status, data, n, call->userdata);
                r = r < 0 || !t->call ? -ECANCELED : 0;
        } else
                r = buf_append(&t->body, data, n);

        if (r < 0) {
                t->abort_code = r;
                return n + 1; /* any other number than n ends the transfer */
        }
        return n;
}

static size_t on_header(char *line, size_t size, size_t n, void *userdata) {
        Transfer *t = userdata;

        t->headers_complete = size * n > 0 && (line[0] == '\r' || line[0] == '\n');
        return size * n;
}

static size_t on_read(char *buffer, size_t size, size_t n, void *userdata) {
        Transfer *t = userdata;
        ssize_t got = -ECANCELED;

        if (t->call)
                got = t->call->body_fn(t->call, buffer, size * n, t->call->userdata);
        if (got < 0 || !t->call) {
                t->abort_code = -ECANCELED;
                return CURL_READFUNC_ABORT;
        }

        assert((size_t) got <= size * n);
        return (size_t) got;
}
/* ---- the beginning ---------------------------------------------------------------------------------- */

/* Gives the easy handle what http_request.c cannot know: our callbacks. */
static int set_callbacks(Transfer *t, const HttpRequest *request) {
        const CurlLibrary *curl = t->client->curl;

        if (curl->easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_write) != CURLE_OK ||
            curl->easy_setopt(t->easy, CURLOPT_WRITEDATA, t) != CURLE_OK ||
            curl->easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
            curl->easy_setopt(t->easy, CURLOPT_HEADERDATA, t) != CURLE_OK ||
            curl->easy_setopt(t->easy, CURLOPT_PRIVATE, t) != CURLE_OK ||
            curl->easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->words) != CURLE_OK)
                return -ENOMEM;

        if (request->body_fn &&
            (curl->easy_setopt(t->easy, CURLOPT_READFUNCTION, on_read) != CURLE_OK ||
             curl->easy_setopt(t->easy, CURLOPT_READDATA, t) != CURLE_OK))
                return -ENOMEM;

        return 0;
}

static int arm_timeout(Transfer *t, uint64_t timeout_usec) {
        int r;

        if (timeout_usec == 0 || timeout_usec == USEC_INFINITY)
                return 0;

        t->timeout_usec = timeout_usec;
        r = event_timer_new(t->client->event, "http-call-timeout", on_timeout, t, &t->timeout);
        if (r < 0)
                return r;

        return event_timer_arm(t->timeout, timeout_usec);
}

/* The target for words: the socket, or the URL without its query. */
static char *target_of(const HttpRequest *request) {
        if (request->unix_socket)
                return str_dup(request->unix_socket);

        return str_ndup(request->url, strcspn(request->url, "?"));
}

static int transfer_fill(Transfer *t, const HttpRequest *request, Error *reterr) {
        int r;

        t->body.limit = request->response_max_bytes > 0 ? request->response_max_bytes
                                                        : RESPONSE_MAX_BYTES_DEFAULT;
        t->target = target_of(request);
        t->easy = t->client->curl->easy_init();
        if (!t->target || !t->easy)
                return error_fill(reterr, -ENOMEM);

        r = http_request_apply(request, t->client->curl, t->easy, &t->headers, reterr);
        if (r < 0)
                return r;

        r = set_callbacks(t, request);
        if (r >= 0)
                r = arm_timeout(t, request->timeout_usec);
        return r < 0 ? error_fill(reterr, r) : 0;
}

int transfer_new(HttpClient *c, HttpCall *call, const HttpRequest *request, Transfer **ret,
                 Error *reterr) {
        Transfer *t = mem_new(Transfer);
        int r;

        if (!t)
                return error_fill(reterr, -ENOMEM);

        t->client = c;
        t->call = call;
        list_append(&c->waiting, &t->transfers);
        r = transfer_fill(t, request, reterr);
        if (r < 0) {
                (void) transfer_free(t, c->curl);
                return r;
        }

        *ret = t;
        return 0;
}
