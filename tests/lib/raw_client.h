/*
 * RawClient: a peer that sends what a test wants, at the pace it wants, and keeps what comes back.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"

typedef struct RawClient RawClient;

/* Connects to "unix:///path" or "http://127.0.0.1:port". Failures end the test. */
RawClient *raw_client_new(sd_event *event, const char *address);
RawClient *raw_client_free(RawClient *c); /* closes the connection */
DEFINE_CLEANUP(RawClient, raw_client_free);

/* Sends it whole, turning the loop while the peer does not take it; false if the peer closed first. */
bool raw_client_send(RawClient *c, const void *data, size_t size);
bool raw_client_say(RawClient *c, const char *text);

void raw_client_set_reading(RawClient *c, bool on);
void raw_client_half_close(RawClient *c); /* nothing more to say, still listening */

const char *raw_client_received(const RawClient *c);
size_t raw_client_received_bytes(const RawClient *c);
void raw_client_forget(RawClient *c); /* what was received */
bool raw_client_closed(const RawClient *c);

/* Turns the loop until the text has come, or the peer has closed. */
void raw_client_wait(RawClient *c, const char *text);
void raw_client_wait_closed(RawClient *c);
