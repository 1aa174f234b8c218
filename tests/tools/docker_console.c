/*
 * docker_console SOCKET STATE_DIRECTORY: the docker driver, driven by lines on stdin; what it reports goes to
 * stdout, a line each. For tests with a real engine.
 *
 *   load UNIT FILE | start UNIT | stop UNIT | restart UNIT | reload UNIT | unload UNIT | adopt
 *   logs UNIT LINES | follow UNIT | inspect UNIT | claim UNIT FILE | recreate | quit
 *
 *   available 0|1 [why]          state UNIT ACTIVE SUB RESULT exit=N signal=N restarts=N id=… msg=…
 *   gone UNIT                    done UNIT R [words]             found UNIT HASH STATE
 *   adopted R                    log UNIT stdout|stderr TEXT     logend UNIT R
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "drivers/docker/docker_driver.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Console {
        sd_event *event;
        DriverOptions options;
        Driver *driver;
        DriverLog *log;
        char log_unit[256];
        Buf input;
        uint64_t generation;
} Console;

static const char *words(const Error *e) {
        return e ? error_text(e) : "";
}

static void print_state(const UnitState *s) {
        printf("state %s %s %s %s exit=%d signal=%d restarts=%llu id=%.12s msg=%s\n", s->unit,
               s->active, s->sub, s->result, s->exit_code, s->exit_signal,
               (unsigned long long) s->restarts, str_or(s->main_id, ""), str_or(s->message, ""));
}

static void on_state(const char *unit, const UnitState *state, _unused_ void *userdata) {
        if (state)
                print_state(state);
        else
                printf("gone %s\n", unit);
}

static void on_available(_unused_ Driver *d, bool available, const Error *why,
                         _unused_ void *userdata) {
        printf("available %d %s\n", available, words(why));
}

static void on_done(const char *unit, int r, const Error *error, _unused_ void *userdata) {
        printf("done %s %d %s\n", unit, r, words(error));
}

static void on_adopted(_unused_ Driver *d, int r, const DriverFound *found, size_t n,
                       const Error *error, _unused_ void *userdata) {
        for (size_t i = 0; i < n; i++)
                printf("found %s %s %s generation=%llu\n", found[i].unit, found[i].hash,
                       found[i].state->active, (unsigned long long) found[i].generation);
        printf("adopted %d %s\n", r, words(error));
}

static void on_log_line(const DriverLogLine *line, void *userdata) {
        Console *c = userdata;

        printf("log %s %s %.*s\n", c->log_unit, line->is_stderr ? "stderr" : "stdout",
               (int) line->size, line->text);
}

static void on_log_end(int r, const Error *error, void *userdata) {
        Console *c = userdata;

        printf("logend %s %d %s\n", c->log_unit, r, words(error));
}

static void logs(Console *c, const char *unit, const char *lines, bool follow) {
        DriverLogOptions o = { .lines = UINT64_MAX, .follow = follow };
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (lines)
                (void) str_to_u64(lines, &o.lines);
        c->log = docker_driver_type.log_free(c->log);
        (void) snprintf(c->log_unit, sizeof(c->log_unit), "%s", unit);
        r = docker_driver_type.logs(c->driver, unit, &o, on_log_line, on_log_end, c, &c->log,
                                    &error);
        if (r < 0)
                printf("error %d %s\n", r, words(&error));
}

static int read_unit(const char *path, UnitFile **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = fs_read_file(path, UNIT_FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set(reterr, r, "%s", path);
        return unit_file_parse(text, size, ret, reterr);
}

static int load(Console *c, const char *name, const char *path, Error *reterr) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        char hash[SHA1_HEX_SIZE];
        DriverUnit unit = { .name = name, .hash = hash, .generation = ++c->generation };
        int r;

        r = read_unit(path, &file, reterr);
        if (r < 0)
                return r;
        r = unit_file_hash(file, hash);
        if (r < 0)
                return r;
        unit.file = file;
        return docker_driver_type.load(c->driver, &unit, on_done, NULL, reterr);
}

static void claim(const char *name, const char *path) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        r = read_unit(path, &file, &error);
        if (r >= 0)
                r = docker_driver_type.claim(name, file, &error);
        printf("claim %s %d %u %s\n", name, r, error.line, error.text ? error.text : "");
}

static int new_driver(Console *c, Error *reterr) {
        c->log = docker_driver_type.log_free(c->log);
        c->driver = docker_driver_type.free(c->driver);
        return docker_driver_type.new(&c->options, &c->driver, reterr);
}

static int operation(Console *c, const Strv *w, Error *reterr) {
        const DriverType *t = &docker_driver_type;
        const char *verb = w->items[0], *unit = w->n > 1 ? w->items[1] : "";

        if (str_eq(verb, "load") && w->n == 3)
                return load(c, unit, w->items[2], reterr);
        if (str_eq(verb, "start"))
                return t->start(c->driver, unit, on_done, NULL, reterr);
        if (str_eq(verb, "stop"))
                return t->stop(c->driver, unit, on_done, NULL, reterr);
        if (str_eq(verb, "restart"))
                return t->restart(c->driver, unit, on_done, NULL, reterr);
        if (str_eq(verb, "reload"))
                return t->reload(c->driver, unit, on_done, NULL, reterr);
        if (str_eq(verb, "unload"))
                return t->unload(c->driver, unit, on_done, NULL, reterr);
        if (str_eq(verb, "adopt"))
                return t->adopt(c->driver, on_adopted, NULL, reterr);
        if (str_eq(verb, "recreate"))
                return new_driver(c, reterr);
        if (str_eq(verb, "quit"))
                return sd_event_exit(c->event, 0);
        return error_set(reterr, -EINVAL, "'%s' is not known here", verb);
}

static void command(Console *c, const char *line) {
        _cleanup_(strv_done) Strv w = STRV_INIT;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (strv_split(&w, line, " ") < 0 || w.n == 0)
                return;
        if (str_eq(w.items[0], "logs") && w.n == 3)
                logs(c, w.items[1], w.items[2], false);
        else if (str_eq(w.items[0], "follow") && w.n == 2)
                logs(c, w.items[1], NULL, true);
        else if (str_eq(w.items[0], "claim") && w.n == 3)
                claim(w.items[1], w.items[2]);
        else if (str_eq(w.items[0], "inspect") && w.n == 2) {
                const UnitState *s = docker_driver_type.inspect(c->driver, w.items[1]);

                if (s)
                        print_state(s);
                else
                        printf("nothing %s\n", w.items[1]);
        } else {
                r = operation(c, &w, &error);
                if (r < 0)
                        printf("error %d %s\n", r, words(&error));
        }
}

static int on_input(_unused_ sd_event_source *s, int fd, _unused_ uint32_t revents,
                    void *userdata) {
        Console *c = userdata;
        char buffer[4096], *newline;
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n <= 0)
                return sd_event_exit(c->event, 0);
        (void) buf_append(&c->input, buffer, (size_t) n);
        while ((newline = memchr(c->input.data, '\n', c->input.size))) {
                *newline = '\0';
                command(c, c->input.data);
                buf_consume(&c->input, (size_t) (newline + 1 - c->input.data));
        }
        return 0;
}

int main(int argc, char **argv) {
        _cleanup_error_ Error error = ERROR_INIT;
        Console c = { .options = { .docker_parallelism = 8,
                                   .machine_id = "00000000000000000000000000000001",
                                   .state_fn = on_state,
                                   .available_fn = on_available } };
        int r;

        if (argc != 3) {
                fprintf(stderr, "usage: docker_console unix://SOCKET STATE_DIRECTORY\n");
                return EXIT_FAILURE;
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        r = sd_event_new(&c.event);
        c.options.event = c.event;
        c.options.docker_socket = argv[1];
        c.options.state_directory = argv[2];
        if (r >= 0)
                r = sd_event_add_io(c.event, NULL, STDIN_FILENO, EPOLLIN, on_input, &c);
        if (r >= 0)
                r = new_driver(&c, &error);
        if (r >= 0)
                r = sd_event_loop(c.event);
        if (r < 0)
                fprintf(stderr, "docker_console: %s\n", words(&error));
        docker_driver_type.log_free(c.log);
        docker_driver_type.free(c.driver);
        buf_done(&c.input);
        sd_event_unref(c.event);
        error_done(&error);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
