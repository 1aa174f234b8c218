#include "agent/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agent/config.h"
#include "agent/fleetd.h"
#include "agent/restart_job.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"

/* A file per client: what the kernel lets us have, up to this. */
#define DAEMON_FILES_MAX 65536

typedef struct Daemon {
        const DaemonOptions *options;
        sd_event *event;
        Fleetd *fleetd;
        RestartJob *restart_job;
        bool ending;
} Daemon;

static void daemon_done(Daemon *d) {
        d->restart_job = restart_job_free(d->restart_job);
        d->fleetd = fleetd_free(d->fleetd);
        d->event = sd_event_unref(d->event);
}

/* ---- configuration --------------------------------------------------------------------------- */

static int load_config(const DaemonOptions *options, Config **ret, Error *reterr) {
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        int r;

        r = config_load(options->config_path, ret, &warnings, reterr);
        for (size_t i = 0; i < warnings.n; i++)
                log_warning("%s", warnings.items[i]);
        if (r < 0)
                return r;
        if (options->standalone)
                (*ret)->standalone = true;
        log_set_level((*ret)->verbosity > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
        return 0;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void end(Daemon *d) {
        (void) sd_event_exit(d->event, 0);
}

static void on_left(void *userdata) {
        end(userdata);
}

static void end_by_policy(Daemon *d) {
        if (fleetd_config(d->fleetd)->shutdown_policy == SHUTDOWN_KEEP) {
                log_notice("ending, units are kept running (shutdown_policy=keep)");
                end(d);
        } else
                fleetd_leave(d->fleetd, on_left, d);
}

static void on_restart_job(bool known, bool restart, void *userdata) {
        Daemon *d = userdata;

        if (known && restart) {
                log_notice("being restarted, units are kept running");
                end(d);
        } else
                end_by_policy(d);
}

static int on_end_signal(sd_event_source *source _unused_, const struct signalfd_siginfo *si,
                         void *userdata) {
        Daemon *d = userdata;

        if (d->ending) {
                log_warning("%s again: ending at once, leaving units as they are",
                            sigabbrev_np((int) si->ssi_signo));
                end(d);
                return 0;
        }
        d->ending = true;
        log_info("SIG%s received", sigabbrev_np((int) si->ssi_signo));
        (void) sd_notify(false, "STOPPING=1");
        if (restart_job_ask(d->event, on_restart_job, d, &d->restart_job) < 0)
                end_by_policy(d);
        return 0;
}

/* ---- other signals --------------------------------------------------------------------------- */

static void notify_reloading(Daemon *d) {
        uint64_t now = 0;

        (void) sd_event_now(d->event, CLOCK_MONOTONIC, &now);
        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long) now);
}

static int on_reload_signal(sd_event_source *source _unused_,
                            const struct signalfd_siginfo *si _unused_, void *userdata) {
        _cleanup_error_ Error error = ERROR_INIT;
        Daemon *d = userdata;
        Config *config = NULL;

        notify_reloading(d);
        if (load_config(d->options, &config, &error) < 0)
                log_error("%s; keeping the old configuration", error_text(&error));
        else {
                fleetd_reload(d->fleetd, config);
                log_info("configuration reloaded");
        }
        (void) sd_notify(false, "READY=1");
        return 0;
}

static int on_dump_signal(sd_event_source *source _unused_,
                          const struct signalfd_siginfo *si _unused_, void *userdata) {
        Daemon *d = userdata;
        _cleanup_free_ char *line = fleetd_dump(d->fleetd);

        if (!line)
                log_error("out of memory: nothing to dump");
        else if (printf("%s\n", line) < 0 || fflush(stdout) != 0)
                log_warning("cannot write the dump to the standard output");
        return 0;
}

static int add_signals(Daemon *d) {
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } signals[] = {
                { SIGTERM, on_end_signal },
                { SIGINT, on_end_signal },
                { SIGHUP, on_reload_signal },
                { SIGUSR1, on_dump_signal },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(d->event, NULL, signals[i].number, signals[i].handler, d);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int block_signals(void) {
        sigset_t set;

        if (sigemptyset(&set) < 0 || sigaddset(&set, SIGTERM) < 0 || sigaddset(&set, SIGINT) < 0 ||
            sigaddset(&set, SIGHUP) < 0 || sigaddset(&set, SIGUSR1) < 0 ||
            sigaddset(&set, SIGPIPE) < 0 || /* a write to a closed pipe fails, that is enough */
            sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        return 0;
}

/* ---- starting -------------------------------------------------------------------------------- */

static void raise_file_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = MIN(limit.rlim_max, (rlim_t) DAEMON_FILES_MAX);
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                log_warning("cannot raise the limit of open files: %s", strerror(errno));
}

static int serve(Daemon *d, Error *reterr) {
        int n, r;

        n = sd_listen_fds(true);
        if (n < 0)
                return error_set(reterr, n, "cannot take the sockets that systemd hands over: %s",
                                 strerror(-n));
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
                r = fleetd_add_listener(d->fleetd, fd, reterr);
                if (r < 0)
                        return error_prefix(reterr, "cannot serve on socket %d", fd), r;
        }
        return n > 0 ? 0 : fleetd_listen(d->fleetd, reterr);
}

static int start(Daemon *d, Error *reterr) {
        _cleanup_(config_freep) Config *config = NULL;
        int r;

        r = load_config(d->options, &config, reterr);
        if (r < 0)
                return r;
        raise_file_limit();
        r = block_signals();
        if (r >= 0)
                r = sd_event_new(&d->event);
        if (r >= 0)
                r = add_signals(d);
        if (r < 0)
                return error_fill(reterr, r);
        r = fleetd_new(d->event, config, NULL, &d->fleetd, reterr);
        if (r < 0)
                return r;
        config = NULL; /* fleetd has it */
        return serve(d, reterr);
}

int daemon_run(const DaemonOptions *options) {
        _cleanup_(daemon_done) Daemon d = { .options = options };
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        r = start(&d, &error);
        if (r < 0) {
                log_error("%s", error_text(&error));
                return 1;
        }
        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(d.event);
        if (r < 0)
                log_error("the event loop has failed: %s", strerror(-r));
        return r < 0 ? 1 : 0;
}
