#include "lib/http/http_client.h"

#include <sys/epoll.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/curl_library.h"
#include "lib/http/http_request.h"

enum { IDLE_CONNECTIONS_MAX = 16 }; /* kept for reuse when there is no max_connections */

#define RESPONSE_MAX_BYTES_DEFAULT (64 * MIB)

/*
 * What curl works on, owned by the client. The caller's handle is apart from it, because a callback
 * may free that (or the whole client) while curl is still on the stack: then `call` is NULL, and the
 * transfer goes when curl has returned.
 */
typedef struct Transfer {
        HttpClient *client; /* NULL once it is finished */
        HttpCall *call;     /* NULL once it is cancelled or finished */
        ListLink transfers; /* of client->active or client->waiting */
        bool added;         /* to the multi handle */
        CURL *easy;
        struct curl_slist *headers;
        char *target; /* for words */
        char words[CURL_ERROR_SIZE];
        bool headers_complete; /* the empty line behind them has come */
        int abort_code;        /* why a callback of ours ended it */
        Buf body;
        sd_event_source *timeout;
        uint64_t timeout_usec;
} Transfer;

struct HttpCall {
        Transfer *transfer; /* NULL when it is over */
        HttpBodyFn body_fn;
        HttpDataFn data_fn;
        HttpDoneFn done_fn;
        void *userdata;
};

struct HttpClient {
        sd_event *event;
        const CurlLibrary *curl;
        CURLM *multi;
        size_t max_connections;
        ListLink active, waiting;
        size_t n_active;
        ListLink sockets;
        sd_event_source *timer;
        sd_event_source *work; /* all that must not happen on curl's stack or on the caller's */
        bool kicked;           /* curl wants to be called at once */
        bool in_curl;
        bool orphans; /* some transfers have lost their call while in curl */
        bool dead;    /* freed while in curl */
};

/* One of curl's file descriptors. */
typedef struct Socket {
        HttpClient *client;
        ListLink sockets;
        sd_event_source *source;
} Socket;

static void client_destroy(HttpClient *c);

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

static Transfer *transfer_free(Transfer *t, const CurlLibrary *curl) {
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

static void work_later(HttpClient *c) {
        /* Switching on a source that exists cannot fail (sd_event_source_set_enabled(3)). */
        (void) event_defer_trigger(c->work);
}

static int transfer_start(Transfer *t) {
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

static bool may_start(const HttpClient *c) {
        return !c->in_curl && (c->max_connections == 0 || c->n_active < c->max_connections);
}

/* ---- how it ends ---------------------------------------------------------------------------- */

static int connect_error(const Transfer *t, const CurlLibrary *curl, Error *reterr) {
        const char *words;
        long e = 0;

        (void) curl->easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &e);
        words = e > 0 ? strerrordesc_np((int) e) : NULL;
        return error_set(reterr,
                         e == ENOENT         ? -ENOENT
                         : e == ETIMEDOUT    ? -ETIMEDOUT
                         : e == ECONNREFUSED ? -ECONNREFUSED
                                             : -EIO,
                         "cannot connect to '%s': %s", t->target,
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

/* Maps curl's result; returns 0 or the code, with words in *reterr. */
static int result_of(const Transfer *t, const CurlLibrary *curl, CURLcode code, Error *reterr) {
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

/* Ends t: calls back, and frees it. The client may be gone after it. */
static void transfer_finish(Transfer *t, int r, const Error *error) {
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
                work_later(c);

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

static Socket *socket_free(Socket *s) {
        list_remove(&s->sockets);
        s->source = event_drop(s->source);
        return mem_free(s);
}

/* Calls curl, then clears away what could not be freed meanwhile. The client may be gone after it. */
static bool drive(HttpClient *c, curl_socket_t fd, int events) {
        int running;

        /* A result here would be of the multi handle itself; each transfer has its own message. */
        c->in_curl = true;
        (void) c->curl->multi_socket_action(c->multi, fd, events, &running);
        c->in_curl = false;

        if (c->dead) {
                client_destroy(c);
                return false;
        }

        if (c->orphans)
                LIST_FOREACH (Transfer, t, &c->active, transfers)
                        if (!t->call)
                                (void) transfer_free(t, c->curl);
        c->orphans = false;
        work_later(c);
        return true;
}

static int on_io(sd_event_source *source _unused_, int fd, uint32_t revents, void *userdata) {
        Socket *s = userdata;
        int events = 0;

        if (revents & (EPOLLIN | EPOLLHUP))
                events |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                events |= CURL_CSELECT_OUT;
        if (revents & EPOLLERR)
                events |= CURL_CSELECT_ERR;
        (void) drive(s->client, fd, events);
        return 0;
}

static int socket_new(HttpClient *c, curl_socket_t fd, uint32_t events, Socket **ret) {
        Socket *s = mem_new(Socket);
        int r;

        if (!s)
                return -ENOMEM;

        r = sd_event_add_io(c->event, &s->source, fd, events, on_io, s);
        if (r < 0) {
                mem_free(s);
                return r;
        }

        (void) sd_event_source_set_description(s->source, "http-client-socket");
        s->client = c;
        list_append(&c->sockets, &s->sockets);
        *ret = s;
        return 0;
}

/* CURLMOPT_SOCKETFUNCTION(3); -1 makes curl fail what it is doing. */
static int on_socket(CURL *easy _unused_, curl_socket_t fd, int what, void *userdata, void *of_fd) {
        HttpClient *c = userdata;
        Socket *s = of_fd;
        uint32_t events = 0;
        int r;

        if (what == CURL_POLL_REMOVE) {
                if (s)
                        (void) socket_free(s);
                (void) c->curl->multi_assign(c->multi, fd, NULL);
                return 0;
        }

        if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
                events |= EPOLLIN;
        if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
                events |= EPOLLOUT;

        if (s)
                return sd_event_source_set_io_events(s->source, events) < 0 ? -1 : 0;

        r = socket_new(c, fd, events, &s);
        if (r < 0)
                return -1;

        (void) c->curl->multi_assign(c->multi, fd, s);
        return 0;
}

/* CURLMOPT_TIMERFUNCTION(3): curl must not be called back from in here. */
static int on_timer_wanted(CURLM *multi _unused_, long timeout_msec, void *userdata) {
        HttpClient *c = userdata;

        event_timer_disarm(c->timer);
        if (timeout_msec == 0) {
                c->kicked = true;
                work_later(c);
        } else if (timeout_msec > 0 &&
                   event_timer_arm(c->timer, (uint64_t) timeout_msec * USEC_PER_MSEC) < 0)
                return -1;

        return 0;
}

static void on_timer(void *userdata) {
        (void) drive(userdata, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- work ----------------------------------------------------------------------------------- */

static bool start_waiting(HttpClient *c, Transfer **ret_failed, int *ret_code) {
        LIST_FOREACH (Transfer, t, &c->waiting, transfers) {
                if (!may_start(c))
                        break;

                *ret_code = transfer_start(t);
                if (*ret_code < 0) {
                        *ret_failed = t;
                        return false;
                }
        }
        return true;
}

/* At most one call ends per turn: its callback may free everything here (STYLE.md, trap 3). */
static void on_work(void *userdata) {
        HttpClient *c = userdata;
        _cleanup_error_ Error e = ERROR_INIT;
        Transfer *t = NULL;
        CURLMsg *message;
        int left, r;

        if (!start_waiting(c, &t, &r)) {
                work_later(c);
                (void) error_set(&e, r, "cannot start the request to '%s'", t->target);
                transfer_finish(t, r, &e);
                return;
        }

        if (c->kicked) {
                c->kicked = false;
                if (!drive(c, CURL_SOCKET_TIMEOUT, 0))
                        return;
        }

        message = c->curl->multi_info_read(c->multi, &left);
        if (!message)
                return;

        work_later(c);
        if (message->msg != CURLMSG_DONE)
                return;

        (void) c->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &t);
        r = result_of(t, c->curl, message->data.result, &e);
        transfer_finish(t, r, &e);
}

/* ---- calls ---------------------------------------------------------------------------------- */

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

int http_client_call(HttpClient *c, const HttpRequest *request, HttpCall **ret, Error *reterr) {
        _cleanup_free_ HttpCall *call = NULL;
        Transfer *t;
        int r;

        assert(request->url && request->done_fn);
        assert(!request->body || !request->body_fn);

        call = mem_new(HttpCall);
        t = call ? mem_new(Transfer) : NULL;
        if (!t)
                return error_fill(reterr, -ENOMEM);

        *call = (HttpCall){
                .transfer = t,
                .body_fn = request->body_fn,
                .data_fn = request->data_fn,
                .done_fn = request->done_fn,
                .userdata = request->userdata,
        };
        t->client = c;
        t->call = call;
        list_append(&c->waiting, &t->transfers);

        r = transfer_fill(t, request, reterr);
        if (r < 0) {
                (void) transfer_free(t, c->curl);
                return r;
        }

        work_later(c);
        *ret = TAKE_PTR(call);
        return 0;
}

HttpCall *http_call_free(HttpCall *call) {
        Transfer *t;

        if (!call)
                return NULL;

        t = call->transfer;
        if (t) {
                HttpClient *c = t->client;

                t->call = NULL;
                if (t->added && c->in_curl)
                        c->orphans = true;
                else
                        (void) transfer_free(t, c->curl);
                work_later(c);
        }
        return mem_free(call);
}

/* ---- the client ----------------------------------------------------------------------------- */

static int multi_setup(HttpClient *c) {
        long idle_max = c->max_connections > 0 ? (long) c->max_connections : IDLE_CONNECTIONS_MAX;
        const CurlLibrary *curl = c->curl;

        c->multi = curl->multi_init();
        if (!c->multi)
                return -ENOMEM;

        if (curl->multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
            curl->multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) != CURLM_OK ||
            curl->multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
            curl->multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) != CURLM_OK ||
            curl->multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, idle_max) != CURLM_OK)
                return -EIO;

        return 0;
}

int http_client_new(sd_event *event, size_t max_connections, HttpClient **ret, Error *reterr) {
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        const CurlLibrary *curl;
        int r;

        r = curl_library_get(&curl, reterr);
        if (r < 0)
                return r;

        c = mem_new(HttpClient);
        if (!c)
                return error_fill(reterr, -ENOMEM);

        c->curl = curl;
        c->event = sd_event_ref(event);
        c->max_connections = max_connections;
        list_init(&c->active);
        list_init(&c->waiting);
        list_init(&c->sockets);

        r = event_timer_new(event, "http-client-timer", on_timer, c, &c->timer);
        if (r >= 0)
                r = event_defer_new(event, "http-client-work", on_work, c, &c->work);
        if (r >= 0)
                r = multi_setup(c);
        if (r < 0)
                return error_fill(reterr, r);

        *ret = TAKE_PTR(c);
        return 0;
}

static void orphan_all(ListLink *transfers) {
        LIST_FOREACH (Transfer, t, transfers, transfers) {
                if (t->call)
                        t->call->transfer = NULL;
                t->call = NULL;
                t->timeout = event_drop(t->timeout);
        }
}

static void free_all(HttpClient *c, ListLink *transfers) {
        LIST_FOREACH (Transfer, t, transfers, transfers)
                (void) transfer_free(t, c->curl);
}

static void client_destroy(HttpClient *c) {
        free_all(c, &c->active);
        free_all(c, &c->waiting);
        if (c->multi)
                (void) c->curl->multi_cleanup(c->multi);
        LIST_FOREACH (Socket, s, &c->sockets, sockets)
                (void) socket_free(s);
        c->timer = event_drop(c->timer);
        c->work = event_drop(c->work);
        c->event = sd_event_unref(c->event);
        mem_free(c);
}

HttpClient *http_client_free(HttpClient *c) {
        if (!c)
                return NULL;

        orphan_all(&c->active);
        orphan_all(&c->waiting);
        if (c->in_curl)
                c->dead = true;
        else
                client_destroy(c);
        return NULL;
}
