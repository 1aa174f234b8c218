#include "lib/http/http_client.h"

#include <sys/epoll.h>

#include "lib/base/alloc.h"
#include "lib/event/event.h"
#include "lib/http/http_client_internal.h"

enum { IDLE_CONNECTIONS_MAX = 16 }; /* kept for reuse when there is no max_connections */

/* One of curl's file descriptors. */
typedef struct Socket {
        HttpClient *client;
        ListLink sockets;
        sd_event_source *source;
} Socket;

static void client_destroy(HttpClient *c);

void client_work_later(HttpClient *c) {
        /* Switching on a source that exists cannot fail (sd_event_source_set_enabled(3)). */
        (void) event_defer_trigger(c->work);
}

static bool may_start(const HttpClient *c) {
        return !c->in_curl && (c->max_connections == 0 || c->n_active < c->max_connections);
}

/* ---- curl on the loop ----------------------------------------------------------------------- */

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
        client_work_later(c);
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
                client_work_later(c);
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
                client_work_later(c);
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

        client_work_later(c);
        if (message->msg != CURLMSG_DONE)
                return;

        (void) c->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &t);
        r = transfer_result(t, message->data.result, &e);
        transfer_finish(t, r, &e);
}

/* ---- calls ---------------------------------------------------------------------------------- */

int http_client_call(HttpClient *c, const HttpRequest *request, HttpCall **ret, Error *reterr) {
        _cleanup_free_ HttpCall *call = NULL;
        int r;

        assert(request->url && request->done_fn);
        assert(!request->body || !request->body_fn);

        call = mem_new(HttpCall);
        if (!call)
                return error_fill(reterr, -ENOMEM);

        *call = (HttpCall){
                .body_fn = request->body_fn,
                .data_fn = request->data_fn,
                .done_fn = request->done_fn,
                .userdata = request->userdata,
        };
        r = transfer_new(c, call, request, &call->transfer, reterr);
        if (r < 0)
                return r;

        client_work_later(c);
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
                client_work_later(c);
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
