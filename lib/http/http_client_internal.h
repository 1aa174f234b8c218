/*
 * What http_client.c (the loop, calls, the client) and http_transfer.c (one request on its way through
 * curl) share. Nobody else includes this.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/buf.h"
#include "lib/base/list.h"
#include "lib/http/curl_library.h"
#include "lib/http/http_client.h"

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

/* A transfer in client->waiting; on failure the call is left alone. The client owns *ret. */
int transfer_new(HttpClient *c, HttpCall *call, const HttpRequest *request, Transfer **ret,
                 Error *reterr);

/* Takes it from its client, if it has one; accepts NULL, returns NULL. */
Transfer *transfer_free(Transfer *t, const CurlLibrary *curl);

/* Hands it to curl, from client->waiting to ->active. 0, -ENOMEM or -EIO. Not on curl's stack. */
int transfer_start(Transfer *t);

/* Maps how curl says it ended; returns 0 or the code for done_fn, with words in *reterr. */
int transfer_result(const Transfer *t, CURLcode code, Error *reterr);

/* Ends it: calls done_fn, and frees it. The client may be gone after it. */
void transfer_finish(Transfer *t, int r, const Error *error);

/* Has the client look, in the next turn of the loop, at what there is to do. */
void client_work_later(HttpClient *c);
