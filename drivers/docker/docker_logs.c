/* A unit's output: the logs of its main container, and of the ones after it while it is followed. */
#include <inttypes.h>

#include "drivers/docker/docker_internal.h"
#include "drivers/docker/docker_lines.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define LOG_LINE_MAX_BYTES (1 * MIB)
#define FRAME_HEADER_SIZE 8

struct DriverLog {
        DockerDriver *driver;
        ListLink link; /* in driver->logs */
        char *unit, *id;
        DriverLogOptions options;
        DriverLogLineFn line_fn;
        DriverLogEndFn end_fn;
        void *userdata;
        DockerCall *call;
        sd_event_source *ending;
        Error error;
        int r;

        char *next_id;
        bool raw, known; /* a terminal's output has no frames */
        unsigned char header[FRAME_HEADER_SIZE];
        size_t header_size, frame_left;
        bool is_stderr;
        DockerLines streams[2];
};

static void end_later(DriverLog *l, int r) {
        l->r = r;
        /* Switching on a source that exists cannot fail. */
        (void) event_defer_trigger(l->ending);
}

/* ---- lines -------------------------------------------------------------------------------------- */

/* "2026-11-21T10:00:00.123456789Z text" */
static void on_line(DriverLog *l, const char *text, size_t size, bool is_stderr) {
        const char *space = memchr(text, ' ', MIN(size, (size_t) 64));
        DriverLogLine line = { .is_stderr = is_stderr, .text = text, .size = size };
        char stamp[65];

        if (space) {
                size_t n = (size_t) (space - text);

                memcpy(stamp, text, n);
                stamp[n] = '\0';
                if (clock_parse_rfc3339(stamp, &line.realtime_usec) >= 0) {
                        line.text = space + 1;
                        line.size = size - n - 1;
                }
        }
        if (line.size > 0 && line.text[line.size - 1] == '\r')
                line.size--; /* a terminal's */
        if (l->options.until_usec > 0 && line.realtime_usec > l->options.until_usec)
                return;
        l->line_fn(&line, l->userdata);
}

static void on_stdout(const char *line, size_t size, void *userdata) {
        on_line(userdata, line, size, false);
}

static void on_stderr(const char *line, size_t size, void *userdata) {
        on_line(userdata, line, size, true);
}

static int push(DriverLog *l, const char *data, size_t size, bool is_stderr) {
        return docker_lines_push(&l->streams[is_stderr], data, size,
                                 is_stderr ? on_stderr : on_stdout, l);
}

/* Frames: stream, three zero bytes, the size in big-endian, then as many bytes. */
static int demultiplex(DriverLog *l, const char *data, size_t size) {
        while (size > 0) {
                size_t n;
                int r;

                if (l->frame_left == 0) {
                        l->header[l->header_size++] = (unsigned char) *data++;
                        size--;
                        if (l->header_size < FRAME_HEADER_SIZE)
                                continue;
                        l->header_size = 0;
                        if (l->header[0] > 2 || l->header[1] || l->header[2] || l->header[3])
                                return -EPROTO;
                        l->is_stderr = l->header[0] == 2;
                        l->frame_left = (size_t) l->header[4] << 24 | (size_t) l->header[5] << 16 |
                                        (size_t) l->header[6] << 8 | l->header[7];
                        continue;
                }
                n = MIN(size, l->frame_left);
                r = push(l, data, n, l->is_stderr);
                if (r < 0)
                        return r;
                l->frame_left -= n;
                data += n;
                size -= n;
        }
        return 0;
}

/* With timestamps on, raw output begins with a digit, a frame never does. */
static int on_data(_unused_ DockerCall *call, unsigned status, const char *data, size_t size,
                   void *userdata) {
        DriverLog *l = userdata;

        if (status != 200) {
                if (l->error.code == 0)
                        error_set(&l->error, -EIO, "the engine has no output of it: %.*s",
                                  (int) MIN(size, (size_t) 512), data);
                return 0;
        }
        if (!l->known && size > 0) {
                l->raw = (unsigned char) data[0] > 2;
                l->known = true;
        }
        return l->raw ? push(l, data, size, false) : demultiplex(l, data, size);
}

/* ---- containers --------------------------------------------------------------------------------- */

static void on_reply(DockerCall *call, const DockerReply *reply, void *userdata);

static char *time_argument(const char *name, uint64_t usec) {
        if (usec == 0)
                return str_dup("");
        return str_printf("&%s=%" PRIu64 ".%06" PRIu64, name, usec / USEC_PER_SEC,
                          usec % USEC_PER_SEC);
}

/* tail: what the caller asked for of the first container, everything of those after it. */
static int open_logs(DriverLog *l, const char *id, bool first) {
        _cleanup_free_ char *path = NULL, *tail = NULL, *since = NULL, *until = NULL;
        DockerRequest request = { .method = "GET",
                                  .lane = DOCKER_LANE_FREE,
                                  .data_fn = on_data,
                                  .reply_fn = on_reply,
                                  .userdata = l };
        int r;

        l->known = l->raw = false;
        l->header_size = l->frame_left = 0;
        tail = first && l->options.lines != UINT64_MAX ? str_printf("%" PRIu64, l->options.lines)
                                                       : str_dup("all");
        r = str_replace(&l->id, id);
        if (r < 0 || !tail)
                return -ENOMEM;
        since = time_argument("since", l->options.since_usec);
        until = time_argument("until", l->options.until_usec);
        if (since && until)
                path = str_printf("/containers/%s/logs?stdout=1&stderr=1&timestamps=1&follow=%d"
                                  "&tail=%s%s%s",
                                  l->id, l->options.follow, tail, since, until);
        request.path = path;
        return path ? docker_engine_call(l->driver->engine, &request, &l->call) : -ENOMEM;
}

static void flush_rest(DriverLog *l) {
        for (size_t i = 0; i < 2; i++) {
                Buf *rest = &l->streams[i].rest;

                if (rest->size > 0)
                        on_line(l, rest->data, rest->size, i == 1);
                docker_lines_clear(&l->streams[i]);
        }
}

static void on_reply(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        DriverLog *l = userdata;
        _cleanup_free_ char *next = TAKE_PTR(l->next_id);
        int r = 0;

        l->call = docker_call_free(l->call);
        flush_rest(l);
        if (reply->r < 0) {
                error_set(&l->error, reply->r, "the output broke off: %s",
                          error_text(reply->error));
                end_later(l, reply->r);
        } else if (l->error.code < 0)
                end_later(l, l->error.code);
        else if (next) {
                r = open_logs(l, next, false);
                if (r < 0)
                        end_later(l, r);
        } else if (!l->options.follow)
                end_later(l, 0);
        /* Else the next container of the unit is waited for. */
}

void docker_logs_follow(DockerUnit *u) {
        LIST_FOREACH (DriverLog, l, &u->driver->logs, link) {
                if (!l->options.follow || !str_eq(l->unit, u->name) || str_eq(l->id, u->last_id))
                        continue;
                if (l->call)
                        (void) str_replace(&l->next_id, u->last_id);
                else if (l->r == 0 && open_logs(l, u->last_id, false) < 0)
                        end_later(l, -ENOMEM);
        }
}

/* ---- life --------------------------------------------------------------------------------------- */

static void on_ending(void *userdata) {
        DriverLog *l = userdata;
        DriverLogEndFn fn = l->end_fn;

        if (l->r < 0)
                error_fill(&l->error, l->r);
        if (fn) {
                l->end_fn = NULL;
                fn(l->r, l->r < 0 ? &l->error : NULL, l->userdata);
        }
}

static int log_init(DriverLog *l, const char *id, Error *reterr) {
        int r;

        r = event_defer_new(l->driver->options.event, "docker-log-end", on_ending, l, &l->ending);
        if (r >= 0 && id)
                r = open_logs(l, id, true);
        if (r < 0)
                return error_fill(reterr, r);
        if (!id && !l->options.follow)
                end_later(l, 0); /* it has not said anything yet */
        return 0;
}

int docker_logs(Driver *driver, const char *unit, const DriverLogOptions *options,
                DriverLogLineFn line_fn, DriverLogEndFn end_fn, void *userdata, DriverLog **ret,
                Error *reterr) {
        DockerDriver *d = CONTAINER_OF(driver, DockerDriver, base);
        const DockerUnit *u = map_get(d->units, unit);
        DriverLog *l;
        int r;

        if (!u)
                return error_set(reterr, -ENOENT, "unit '%s' is not loaded", unit);
        l = mem_new(DriverLog);
        if (!l)
                return error_fill(reterr, -ENOMEM);
        *l = (DriverLog){ .driver = d,
                          .unit = str_dup(unit),
                          .options = *options,
                          .line_fn = line_fn,
                          .end_fn = end_fn,
                          .userdata = userdata,
                          .streams = { { .limit = LOG_LINE_MAX_BYTES },
                                       { .limit = LOG_LINE_MAX_BYTES } } };
        list_append(&d->logs, &l->link);
        r = l->unit ? log_init(l, u->last_id, reterr) : error_fill(reterr, -ENOMEM);
        if (r < 0) {
                (void) docker_log_free(l);
                return r;
        }
        *ret = l;
        return 0;
}

DriverLog *docker_log_free(DriverLog *l) {
        if (!l)
                return NULL;
        list_remove(&l->link);
        event_drop(l->ending);
        docker_call_free(l->call);
        for (size_t i = 0; i < 2; i++)
                docker_lines_done(&l->streams[i]);
        error_done(&l->error);
        mem_free(l->unit);
        mem_free(l->id);
        mem_free(l->next_id);
        return mem_free(l);
}

/* The driver goes: their owners still free them, but nothing comes any more. */
void docker_logs_orphan(DockerDriver *d) {
        LIST_FOREACH (DriverLog, l, &d->logs, link) {
                list_remove(&l->link);
                l->call = docker_call_free(l->call);
                l->ending = event_drop(l->ending);
                l->end_fn = NULL;
        }
}
