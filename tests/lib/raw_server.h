/*
 * RawServer: the other end of a connection that says exactly what a test wants, HTTP or not.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"

typedef struct RawServer RawServer;

typedef enum RawThen {
        RAW_KEEP,  /* stay open, answer the next request alike */
        RAW_CLOSE, /* close after the reply */
        RAW_RESET, /* close at once with unread data thrown away: the peer sees a reset */
} RawThen;

/*
 * Listens on a new unix socket in a directory of its own (tcp: on a free port of 127.0.0.1), and sends
 * `reply` for each "\r\n\r\n" that comes in. NULL: says nothing. Failures end the test.
 */
RawServer *raw_server_new(sd_event *event, bool tcp, const char *reply, RawThen then);
RawServer *raw_server_free(RawServer *s);
DEFINE_CLEANUP(RawServer, raw_server_free);

const char *raw_server_path(const RawServer *s); /* of the unix socket */
const char *raw_server_url(const RawServer *s);  /* http://127.0.0.1:PORT, or http://raw */

void raw_server_set_reply(RawServer *s, const char *reply, RawThen then);

/* What came in on all connections so far, and how many of them there were. */
const char *raw_server_received(const RawServer *s);
size_t raw_server_accepted(const RawServer *s);
size_t raw_server_open(const RawServer *s); /* of these, not closed by the peer */

/* Sends more on every open connection. */
void raw_server_send(RawServer *s, const char *data);
void raw_server_close_all(RawServer *s);
