/*
 * FakeEngine: a Docker Engine that says what a test wants: errors, silence, streams that break off. Without
 * rules it is an engine on which everything works and every container runs until fake_engine_die().
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"

typedef struct FakeEngine FakeEngine;

/* Listens on a new unix socket in a directory of its own. Failures end the test. */
FakeEngine *fake_engine_new(sd_event *event);
FakeEngine *fake_engine_free(FakeEngine *e);
DEFINE_CLEANUP(FakeEngine, fake_engine_free);

const char *fake_engine_address(const FakeEngine *e);   /* unix://… */
const char *fake_engine_directory(const FakeEngine *e); /* of the socket; free for other use */

#define FAKE_ENGINE_SILENCE 0 /* as status: no answer, ever */

/*
 * Requests whose "METHOD /path?query" holds `match` are answered so; the newest rule counts. status 1:
 * as if there were no rule. Borrowed strings must live as long as e.
 */
void fake_engine_rule(FakeEngine *e, const char *match, unsigned status, const char *body);

/* A line on the open streams of events; NULL closes them. */
void fake_engine_event(FakeEngine *e, const char *line);

/* The container (the id of the last create) ends: event, wait and inspect say so. */
void fake_engine_die(FakeEngine *e, int code);

size_t fake_engine_count(const FakeEngine *e, const char *match); /* requests so far */
size_t fake_engine_open_max(const FakeEngine *e); /* most creates that were open at one time */
void fake_engine_answer_creates(FakeEngine *e);   /* those that wait for silence to end */
