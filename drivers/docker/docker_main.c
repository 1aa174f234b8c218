/* The main container of a unit: how its end is noticed, what it was, and when that is told. */
#include <signal.h>
#include <stdlib.h>

#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_client.h"

void docker_main_forget(DockerUnit *u) {
        DockerMain *m = &u->main;

        event_timer_disarm(u->grace);
        docker_call_free(m->wait);
        docker_call_free(m->inspect);
        docker_call_free(m->removing);
        docker_call_free(m->signalling);
        mem_free(m->id);
        mem_free(m->name);
        mem_free(m->events_of);
        u->main = (DockerMain){ 0 };
}

static int ask(DockerUnit *u, DockerRequest *request, const char *rest, DockerCall **ret) {
        _cleanup_free_ char *path = str_printf("/containers/%s%s", u->main.id, rest);

        request->path = path;
        request->userdata = u;
        return path ? docker_engine_call(u->driver->engine, request, ret) : -ENOMEM;
}

/* Is that name or (part of the) id this container's? */
bool docker_main_is(const DockerUnit *u, const char *name) {
        const DockerMain *m = &u->main;

        if (name[0] == '/')
                name++;
        return str_eq(name, m->name) ||
               (m->id && strlen(name) >= 4 && str_after_prefix(m->id, name));
}

/* ---- its end is told ---------------------------------------------------------------------------- */

static char *exit_message(const DockerExitFacts *f) {
        if (f->oom_killed && !f->stopped_by_us)
                return str_dup("the container was killed for lack of memory");
        if (f->engine_was_away)
                return str_printf("the container ended with status %d while the engine was away",
                                  f->code);
        return NULL;
}

static void tell(DockerUnit *u) {
        DockerMain *m = &u->main;
        DockerExitFacts facts = { .code = m->code,
                                  .oom_killed = m->oom_killed,
                                  .stopped_by_us = m->stopped_by_us,
                                  .stopped_outside = m->stop_seen && !m->with_engine,
                                  .engine_was_away = m->with_engine,
                                  .signals = m->with_engine ? m->our_signals : m->signals };
        _cleanup_free_ char *message = exit_message(&facts);
        ServiceExit exit;

        docker_exit_decide(&facts, &exit);
        exit.message = message;
        if (!m->remove)
                docker_ended_add(u->driver, m->id);
        docker_main_forget(u);
        service_exited(u->service, SERVICE_MAIN, &exit);
        docker_unit_changed(u);
}

static void removed(DockerCall *call, const DockerReply *reply, void *userdata);

/* Somebody else is removing it: that is waited for. */
static bool wait_until_removed(DockerUnit *u, const DockerReply *reply, const char *words) {
        DockerRequest request = { .method = "POST", .lane = DOCKER_LANE_FREE, .reply_fn = removed };

        return reply->status == 409 && strstr(words, "already in progress") &&
               ask(u, &request, "/wait?condition=removed", &u->main.removing) >= 0;
}

static void removed(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        DockerUnit *u = userdata;
        _cleanup_free_ char *words = NULL, *note = NULL;

        u->main.removing = docker_call_free(u->main.removing);
        if (reply->r < 0 || (reply->status >= 400 && reply->status != 404)) {
                words = docker_reply_message(reply);
                if (wait_until_removed(u, reply, str_or(words, "")))
                        return;
                note = str_printf("the container could not be removed: %s",
                                  str_or(words, "out of memory"));
                docker_unit_note(u, note);
        }
        tell(u);
}

/* With --rm the container goes before its end is told: the next one may have its name. */
static void conclude(DockerUnit *u) {
        DockerRequest request = { .method = "DELETE",
                                  .lane = DOCKER_LANE_URGENT,
                                  .reply_fn = removed };

        if (u->main.removing)
                return;
        event_timer_disarm(u->grace);
        if (!u->main.remove || ask(u, &request, "?v=1", &u->main.removing) < 0)
                tell(u);
}

/* ---- finding out how it ended ------------------------------------------------------------------- */

static bool may_be_outside_stop(const DockerMain *m) {
        return (m->signals & ~m->our_signals & ~docker_signal_bit(SIGKILL)) != 0;
}

/* Looks like the end by a signal that nobody has been heard to send; a crash explains itself. */
static bool is_unexplained(const DockerMain *m) {
        const uint64_t crashes = docker_signal_bit(SIGILL) | docker_signal_bit(SIGTRAP) |
                                 docker_signal_bit(SIGABRT) | docker_signal_bit(SIGBUS) |
                                 docker_signal_bit(SIGFPE) | docker_signal_bit(SIGSEGV) |
                                 docker_signal_bit(SIGSYS);

        return !m->oom_killed && (docker_signal_bit(m->code - 128) & ~(m->signals | crashes)) != 0;
}

/*
 * The events that explain the end come on another connection: they may be behind. And the engine tells
 * of `kill` only after the signal was sent: `die` may come before it.
 */
static bool must_wait_for_events(const DockerMain *m) {
        if (m->grace_over || m->with_engine || m->stopped_by_us)
                return false;
        return !m->die_seen || is_unexplained(m) || (may_be_outside_stop(m) && !m->stop_seen);
}

static void inspected(DockerCall *call, const DockerReply *reply, void *userdata);

void docker_main_ended(DockerUnit *u) {
        DockerMain *m = &u->main;
        DockerRequest request = { .method = "GET",
                                  .lane = DOCKER_LANE_FREE,
                                  .reply_fn = inspected };

        if (!m->id || m->removing)
                return;
        m->ending = true;
        if (!m->inspected) {
                if (!m->inspect && ask(u, &request, "/json", &m->inspect) < 0) {
                        m->inspected = true;
                        m->code = m->die_seen ? m->die_code : 128 + SIGKILL;
                }
                if (!m->inspected)
                        return;
        }
        if (must_wait_for_events(m)) {
                if (!event_timer_is_armed(u->grace))
                        (void) event_timer_arm(u->grace, DOCKER_EVENTS_GRACE_USEC);
                return;
        }
        /* An engine that shuts down stops its containers as a person would: that is no wish. */
        if (!m->with_engine && !m->stopped_by_us && !docker_engine_accepts(u->driver->engine)) {
                m->with_engine = true;
                docker_unit_changed(u);
                return;
        }
        conclude(u);
}

void docker_main_grace_over(void *userdata) {
        DockerUnit *u = userdata;

        u->main.grace_over = true;
        docker_main_ended(u);
}

static void inspected(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        DockerUnit *u = userdata;
        DockerMain *m = &u->main;
        _cleanup_json_ json_t *body = NULL;
        const json_t *state;

        m->inspect = docker_call_free(m->inspect);
        if (reply->r >= 0 && reply->status == 200)
                body = json_loadb(reply->body, reply->size, 0, NULL);
        state = json_object_get(body, "State");
        if (json_is_true(json_object_get(state, "Running"))) {
                /* It runs (again): somebody has restarted it, or what we heard was not true. */
                m->ending = m->die_seen = m->stop_seen = m->grace_over = m->with_engine = false;
                m->signals = m->our_signals = 0;
                event_timer_disarm(u->grace);
                docker_main_watch(u);
                return;
        }
        m->inspected = true;
        if (state) {
                m->code = (int) json_integer_value(json_object_get(state, "ExitCode"));
                m->oom_killed = json_is_true(json_object_get(state, "OOMKilled"));
        } else
                m->code = m->die_seen ? m->die_code : 128 + SIGKILL; /* it was removed */
        docker_main_ended(u);
}

/* ---- watching it -------------------------------------------------------------------------------- */

static void waited(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        DockerUnit *u = userdata;

        u->main.wait = docker_call_free(u->main.wait);
        /* Without an answer nothing is known: what is found when the engine is back decides. */
        if (reply->r >= 0)
                docker_main_ended(u);
}

void docker_main_watch(DockerUnit *u) {
        DockerMain *m = &u->main;
        DockerRequest request = { .method = "POST", .lane = DOCKER_LANE_FREE, .reply_fn = waited };

        if (!m->id || m->wait || m->ending)
                return;
        /* Without it, there are still the events. */
        (void) ask(u, &request, "/wait?condition=not-running", &m->wait);
}

void docker_main_started(DockerUnit *u, const char *id) {
        DockerMain *m = &u->main;

        if (!str_eq(m->events_of, id)) {
                m->die_seen = m->stop_seen = false;
                m->signals = m->our_signals = 0;
        }
        if (str_replace(&m->id, id) < 0 || str_replace(&u->last_id, id) < 0)
                return;
        if (m->die_seen)
                docker_main_ended(u);
        else
                docker_main_watch(u);
        docker_logs_follow(u);
}

static void signalled(_unused_ DockerCall *call, _unused_ const DockerReply *reply,
                      void *userdata) {
        DockerUnit *u = userdata;

        /* What has just ended cannot be killed: its end is told anyway. */
        u->main.signalling = docker_call_free(u->main.signalling);
}

void docker_main_kill(DockerUnit *u, int signal_number) {
        DockerMain *m = &u->main;
        DockerRequest request = { .method = "POST",
                                  .lane = DOCKER_LANE_FREE,
                                  .reply_fn = signalled };
        _cleanup_free_ char *rest = str_printf("/kill?signal=%d", signal_number);

        m->our_signals |= docker_signal_bit(signal_number);
        m->signals |= docker_signal_bit(signal_number);
        m->signalling = docker_call_free(m->signalling);
        if (rest)
                (void) ask(u, &request, rest, &m->signalling);
}

/* ---- events ------------------------------------------------------------------------------------- */

static const char *attribute(const json_t *event, const char *key) {
        const json_t *actor = json_object_get(event, "Actor");

        return json_string_value(json_object_get(json_object_get(actor, "Attributes"), key));
}

static int number(const char *s) {
        int64_t v;

        return s && str_to_i64(s, &v) >= 0 && v >= 0 && v <= 255 ? (int) v : 0;
}

void docker_main_event(DockerUnit *u, const json_t *event) {
        DockerMain *m = &u->main;
        const char *action = json_string_value(json_object_get(event, "Action"));
        const char *id = json_string_value(json_object_get(json_object_get(event, "Actor"), "ID"));

        if (!action || !id || (m->id ? !str_eq(m->id, id) : !u->main_job))
                return;
        if (!m->id && !str_eq(m->events_of, id)) {
                m->die_seen = m->stop_seen = false;
                m->signals = 0;
                if (str_replace(&m->events_of, id) < 0)
                        return;
        }
        if (str_eq(action, "kill")) {
                m->signals |= docker_signal_bit(number(attribute(event, "signal")));
                if (m->ending)
                        docker_main_ended(u);
        } else if (str_eq(action, "die")) {
                m->die_seen = true;
                m->die_code = number(attribute(event, "exitCode"));
                docker_main_ended(u);
        } else if (str_eq(action, "stop") && m->die_seen) {
                m->stop_seen = true;
                if (m->ending)
                        docker_main_ended(u);
        }
}
