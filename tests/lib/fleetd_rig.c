#include "tests/lib/fleetd_rig.h"

#include <check.h>
#include <stdlib.h>

#include "drivers/fake/fake_driver.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "specs/unit_file.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/suite.h"

#define RIG_DEADLINE_USEC (20 * USEC_PER_SEC)

static const DriverType *const drivers[] = { &fake_driver_type, NULL };
static const char *const no_environment[] = { NULL };

void fleetd_rig_init(FleetdRig *rig, const char *config) {
        *rig = (FleetdRig){ 0 };
        log_set_level(getenv("FLEETD_RIG_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
        ck_assert_int_ge(sd_event_new(&rig->event), 0);
        ck_assert_int_eq(fs_temp_directory("fleetd-", &rig->directory), 0);
        rig->address = str_printf("unix://%s/fleet.sock", rig->directory);
        rig->config = str_dup(str_or(config, ""));
}

static Config *make_config(const FleetdRig *rig) {
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_free_ char *text = NULL;
        Config *config = NULL;

        text = str_printf("standalone=true\nmachine_id=m1\npublic_ip=10.0.0.1\ndriver=fake\n"
                          "state_directory=%s\nlisten=%s\n%s",
                          rig->directory, rig->address, rig->config);
        ck_assert_msg(config_parse("rig", text, strlen(text), no_environment, &config, &warnings,
                                   &error) == 0,
                      "%s", error_text(&error));
        ck_assert_msg(warnings.n == 0, "%s", warnings.items ? warnings.items[0] : "");
        return config;
}

void fleetd_rig_up(FleetdRig *rig) {
        _cleanup_error_ Error error = ERROR_INIT;

        ck_assert_msg(fleetd_new(rig->event, make_config(rig), drivers, &rig->fleetd, &error) == 0,
                      "%s", error_text(&error));
        ck_assert_msg(fleetd_listen(rig->fleetd, &error) == 0, "%s", error_text(&error));
}

void fleetd_rig_down(FleetdRig *rig) {
        rig->fleetd = fleetd_free(rig->fleetd);
}

void fleetd_rig_done(FleetdRig *rig) {
        fleetd_rig_down(rig);
        rig->event = sd_event_unref(rig->event);
        if (rig->directory)
                ck_assert_int_eq(fs_remove_tree(rig->directory), 0);
        rig->directory = mem_free(rig->directory);
        rig->address = mem_free(rig->address);
        rig->config = mem_free(rig->config);
}

/* ---- requests -------------------------------------------------------------------------------- */

void rig_reply_done(RigReply *r) {
        r->head = mem_free(r->head);
        r->body = mem_free(r->body);
}

char *rig_reply_header(const RigReply *r, const char *name) {
        _cleanup_free_ char *start = str_printf("\r\n%s: ", name);
        const char *found = strcasestr(r->head, start);

        if (!found)
                return NULL;
        found += strlen(start);
        return str_ndup(found, strcspn(found, "\r\n"));
}

json_t *rig_reply_json(const RigReply *r) {
        _cleanup_error_ Error error = ERROR_INIT;
        json_t *j = NULL;

        ck_assert_msg(json_parse(r->body, strlen(r->body), &j, &error) == 0, "%s: %s", r->body,
                      error_text(&error));
        return j;
}

RigReply fleetd_rig_call(FleetdRig *rig, const char *method, const char *path, const char *headers,
                         const char *body) {
        _cleanup_(raw_client_freep) RawClient *c = raw_client_new(rig->event, rig->address);
        _cleanup_free_ char *request = NULL;
        const char *text, *end;
        RigReply reply = { 0 };

        request = str_printf("%s %s HTTP/1.1\r\nHost: fleet\r\nConnection: close\r\n"
                             "Content-Length: %zu\r\n%s\r\n%s",
                             method, path, strlen(str_or(body, "")), str_or(headers, ""),
                             str_or(body, ""));
        ck_assert(raw_client_say(c, request));
        raw_client_wait_closed(c);

        text = raw_client_received(c);
        end = strstr(text, "\r\n\r\n");
        ck_assert_msg(end && strlen(text) > 12, "no reply: '%s'", text);
        reply.status = (unsigned) strtoul(text + 9, NULL, 10);
        reply.head = str_ndup(text, (size_t) (end + 2 - text));
        reply.body = str_dup(end + 4);
        return reply;
}

RigReply fleetd_rig_get(FleetdRig *rig, const char *path) {
        return fleetd_rig_call(rig, "GET", path, NULL, NULL);
}

void fleetd_rig_put(FleetdRig *rig, const char *unit, const char *body, unsigned status) {
        _cleanup_free_ char *path = str_printf("/fleet/v1/units/%s", unit);
        _cleanup_rig_reply_ RigReply r = fleetd_rig_call(rig, "PUT", path,
                                                         "Content-Type: application/json\r\n",
                                                         body);

        ck_assert_msg(r.status == status, "PUT %s: %u %s", unit, r.status, r.body);
}

char *rig_unit_body(const char *unit_file, const char *desired) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        _cleanup_json_ json_t *body = json_object(), *options = json_array();

        ck_assert_int_eq(unit_file_parse(unit_file, strlen(unit_file), &file, NULL), 0);
        for (size_t i = 0; i < file->n_options; i++)
                ck_assert_int_eq(json_array_append_new(options,
                                                       json_pack("{s:s,s:s,s:s}", "section",
                                                                 file->options[i].section, "name",
                                                                 file->options[i].name, "value",
                                                                 file->options[i].value)),
                                 0);
        ck_assert_int_eq(json_object_set(body, "options", options), 0);
        ck_assert_int_eq(json_set_string(body, "desiredState", desired), 0);
        return json_format(body);
}

void fleetd_rig_unit(FleetdRig *rig, const char *unit, const char *unit_file, const char *desired,
                     unsigned status) {
        _cleanup_free_ char *body = rig_unit_body(unit_file, desired);

        fleetd_rig_put(rig, unit, body, status);
}

static void wait_for_body(FleetdRig *rig, const char *path, const char *text, bool present) {
        uint64_t deadline = clock_boottime_usec() + RIG_DEADLINE_USEC;

        for (;;) {
                _cleanup_rig_reply_ RigReply r = fleetd_rig_get(rig, path);

                if ((strstr(r.body, text) != NULL) == present)
                        return;
                ck_assert_msg(clock_boottime_usec() < deadline, "%s: %s '%s' in %s", path,
                              present ? "no" : "still", text, r.body);
                ck_assert_int_ge(sd_event_run(rig->event, 5 * USEC_PER_MSEC), 0);
        }
}

void fleetd_rig_wait(FleetdRig *rig, const char *path, const char *text) {
        wait_for_body(rig, path, text, true);
}

void fleetd_rig_wait_absent(FleetdRig *rig, const char *path, const char *text) {
        wait_for_body(rig, path, text, false);
}
