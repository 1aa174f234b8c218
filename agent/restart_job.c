#include "agent/restart_job.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

struct RestartJob {
        sd_bus *bus;
        sd_bus_slot *slot;
        char *unit; /* ours */
        RestartJobFn fn;
        void *userdata;
};

/* ListJobs: a(usssoo), of each id, unit, type, state, and two paths. 1 = ours is a restart. */
static int read_jobs(sd_bus_message *m, const char *own_unit) {
        const char *unit, *type;
        bool restart = false;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(usssoo)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(usssoo)", NULL, &unit, &type, NULL, NULL, NULL)) > 0)
                if (str_eq(unit, own_unit) && strstr(type, "restart"))
                        restart = true;
        return r < 0 ? r : restart;
}

static int on_jobs(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        RestartJob *j = userdata;
        int r = -EIO;

        if (!sd_bus_message_is_method_error(m, NULL))
                r = read_jobs(m, j->unit);
        j->fn(r >= 0, r > 0, j->userdata);
        return 0;
}

static int own_unit(char **ret) {
        _cleanup_free_ char *unit = NULL;
        int r;

        r = sd_pid_get_unit(0, &unit);
        if (r < 0)
                return r;
        *ret = str_dup(unit);
        return *ret ? 0 : -ENOMEM;
}

int restart_job_ask(sd_event *event, RestartJobFn fn, void *userdata, RestartJob **ret) {
        _cleanup_(restart_job_freep) RestartJob *j = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (sd_booted() <= 0)
                return -ENOENT;
        j = mem_new(RestartJob);
        if (!j)
                return -ENOMEM;
        j->fn = fn;
        j->userdata = userdata;
        r = own_unit(&j->unit);
        if (r >= 0)
                r = sd_bus_open_system(&j->bus);
        if (r >= 0)
                r = sd_bus_attach_event(j->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_message_new_method_call(j->bus, &m, "org.freedesktop.systemd1",
                                                   "/org/freedesktop/systemd1",
                                                   "org.freedesktop.systemd1.Manager", "ListJobs");
        if (r >= 0)
                r = sd_bus_call_async(j->bus, &j->slot, m, on_jobs, j, RESTART_JOB_TIMEOUT_USEC);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

RestartJob *restart_job_free(RestartJob *j) {
        if (!j)
                return NULL;
        j->slot = sd_bus_slot_unref(j->slot);
        if (j->bus)
                (void) sd_bus_detach_event(j->bus);
        j->bus = sd_bus_close_unref(j->bus);
        j->unit = mem_free(j->unit);
        return mem_free(j);
}
