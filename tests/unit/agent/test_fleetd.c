/* Stories of a whole fleetd: from PUT to the driver and back, restarts, reloads, leaving, streams. */
#include "agent/known_drivers.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/fleetd_rig.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/suite.h"

#define RUN "[Unit]\nDescription=d\n[Service]\nExecStart=/bin/run\n"
#define RUN_2 "[Unit]\nDescription=e\n[Service]\nExecStart=/bin/run\n"
#define FALSE "[Service]\nExecStart=/bin/false\n"
#define LAUNCHED "\"currentState\":\"launched\",\"desiredState\":\"launched\""
#define RUNNING                                                                                    \
        "\"systemdActiveState\":\"active\",\"systemdLoadState\":\"loaded\","                       \
        "\"systemdSubState\":\"running\""

static void put_state(FleetdRig *rig, const char *unit, const char *desired) {
        _cleanup_free_ char *body = str_printf("{\"desiredState\":\"%s\"}", desired);

        fleetd_rig_put(rig, unit, body, 204);
}

static void destroy(FleetdRig *rig, const char *unit) {
        _cleanup_free_ char *path = str_printf("/fleet/v1/units/%s", unit);
        _cleanup_rig_reply_ RigReply r = fleetd_rig_call(rig, "DELETE", path, NULL, NULL);

        ck_assert_uint_eq(r.status, 204);
}

START_TEST(test_life_of_a_unit) {
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/units/a.service", LAUNCHED);
        fleetd_rig_wait(&rig, "/fleet/v1/units/a.service", "\"machineID\":\"m1\"");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/state?machineID=m1&unitName=a.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/state?machineID=m", "{}");
        fleetd_rig_wait(&rig, "/fleet/v1/state?unitName=b.service", "{}");
        fleetd_rig_wait(&rig, "/fleet/v1/status/a.service", "\"description\":\"d\"");

        put_state(&rig, "a.service", "loaded");
        fleetd_rig_wait(&rig, "/fleet/v1/units/a.service", "\"currentState\":\"loaded\"");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", "\"systemdActiveState\":\"inactive\"");

        put_state(&rig, "a.service", "launched");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        put_state(&rig, "a.service", "inactive");
        fleetd_rig_wait(&rig, "/fleet/v1/state", "{}");
        fleetd_rig_wait(&rig, "/fleet/v1/units/a.service", "\"currentState\":\"inactive\"");

        put_state(&rig, "a.service", "launched");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        destroy(&rig, "a.service");
        fleetd_rig_wait(&rig, "/fleet/v1/state", "{}");
        fleetd_rig_wait(&rig, "/fleet/v1/status/a.service", "unit does not exist");
}
END_TEST

/* In place: it never leaves its machine, and its state never vanishes. */
START_TEST(test_replace) {
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        fleetd_rig_unit(&rig, "a.service", RUN_2, "launched", 201);
        for (;;) {
                _cleanup_rig_reply_ RigReply status = fleetd_rig_get(&rig,
                                                                     "/fleet/v1/status/a.service");
                _cleanup_json_ json_t *j = rig_reply_json(&status);
                const json_t *state = json_array_get(json_object_get(j, "states"), 0);

                ck_assert_ptr_nonnull(state);
                if (str_eq(json_string_value(json_object_get(state, "hash")),
                           json_string_value(json_object_get(j, "hash"))))
                        break;
        }
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
}
END_TEST

START_TEST(test_failures_stay_with_their_unit) {
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "bad.service", FALSE, "launched", 201);
        fleetd_rig_unit(&rig, "good.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/good.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/state/bad.service", "\"systemdActiveState\":\"failed\"");
        fleetd_rig_wait(&rig, "/fleet/v1/units/bad.service", LAUNCHED);
}
END_TEST

START_TEST(test_restart_takes_up_what_runs) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_(strv_done) Strv known = STRV_INIT;
        _cleanup_free_ char *names = NULL;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        for (int i = 0; i < 5; i++) {
                fleetd_rig_down(&rig);
                fleetd_rig_up(&rig);
                fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
                fleetd_rig_wait(&rig, "/fleet/v1/units/a.service", LAUNCHED);
                fleetd_rig_wait(&rig, "/metrics", "fleet_agent_units 1\n");
                /* It was loaded; nothing was started. */
                fleetd_rig_wait(&rig, "/metrics", "fleet_agent_step_count_total 1\n");
        }

        /* Destroyed it is by the process that took it up. */
        destroy(&rig, "a.service");
        fleetd_rig_wait(&rig, "/fleet/v1/state", "{}");
        names = str_printf("%s/drivers", rig.directory);
        ck_assert_int_eq(known_drivers_read(names, &known), 0);
        ck_assert(strv_contains(&known, "fake"));
}
END_TEST

/* LAB-9: the whole state is lost. What runs is kept, shown, taken up again, or let go of by name. */
START_TEST(test_lost_state) {
        static const char *const files[] = { "fleet.db", "fleet.db-wal", "fleet.db-shm" };
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_unit(&rig, "b.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/state/b.service", RUNNING);
        fleetd_rig_down(&rig);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_free_ char *path = str_printf("%s/%s", rig.directory, files[i]);

                ck_assert_int_eq(fs_remove_tree(path), 0);
        }
        fleetd_rig_up(&rig);
        fleetd_rig_wait(&rig, "/fleet/v1/status/a.service", "registry was found empty");
        fleetd_rig_wait(&rig, "/fleet/v1/state/b.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/units", "{}");

        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/units/a.service", LAUNCHED);
        fleetd_rig_wait(&rig, "/fleet/v1/state/b.service", RUNNING);
        destroy(&rig, "b.service");
        fleetd_rig_wait(&rig, "/fleet/v1/state/b.service", "unit state does not exist");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
}
END_TEST

static void set_done(void *userdata) {
        *(bool *) userdata = true;
}

START_TEST(test_leaving) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        bool left = false;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_unit(&rig, "b.service", RUN, "loaded", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/units/b.service", "\"currentState\":\"loaded\"");
        fleetd_leave(rig.fleetd, set_done, &left);
        suite_wait(rig.event, &left);
        fleetd_rig_wait(&rig, "/fleet/v1/state", "{}");
        fleetd_rig_wait(&rig, "/fleet/v1/machines", "{}");

        /* What is wanted is started again by the next one. */
        fleetd_rig_down(&rig);
        fleetd_rig_up(&rig);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
}
END_TEST

START_TEST(test_reload) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        static const char *const no_environment[] = { NULL };
        _cleanup_free_ char *text = NULL;
        Config *config = NULL;

        fleetd_rig_init(&rig, "metadata=a=b\n");
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_unit(&rig, "b.service", RUN, NULL, 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/machines", "\"metadata\":{\"a\":\"b\"}");
        text = str_printf("standalone=true\nmachine_id=m1\npublic_ip=10.0.0.2\ndriver=fake\n"
                          "state_directory=%s\nlisten=%s\nmetadata=c=d\ntoken_limit=1\n"
                          "agent_ttl=10s\nengine_reconcile_interval=1\n",
                          rig.directory, rig.address);
        ck_assert_int_eq(
                config_parse("c", text, strlen(text), no_environment, &config, &warnings, NULL), 0);
        fleetd_reload(rig.fleetd, config);
        fleetd_rig_wait(&rig, "/fleet/v1/machines",
                        "\"metadata\":{\"c\":\"d\"},\"primaryIP\":\"10.0.0.2\"");
        fleetd_rig_wait(&rig, "/fleet/v1/units", "\"nextPageToken\":\"AQACAA==\"");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);

        /* The engine goes on, too. */
        put_state(&rig, "b.service", "launched");
        fleetd_rig_wait(&rig, "/fleet/v1/state/b.service", RUNNING);
}
END_TEST

START_TEST(test_dump) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_free_ char *line = NULL;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        line = fleetd_dump(rig.fleetd);
        ck_assert_str_eq(line, "{\"Agent\":{\"Cache\":{\"TargetStates\":{}}},"
                               "\"UnitStatePublisher\":{\"Cache\":{},\"ToPublish\":{}},"
                               "\"UnitStateGenerator\":{\"Subscribed\":[]}}");
        mem_freep(&line);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        line = fleetd_dump(rig.fleetd);
        ck_assert_ptr_nonnull(strstr(line, "{\"TargetStates\":{\"a.service\":\"launched\"}}"));
        ck_assert_ptr_nonnull(strstr(line, "{\"Subscribed\":[\"a.service\"]}"));
}
END_TEST

#define STREAM_REQUEST(path) "GET " path " HTTP/1.1\r\nHost: fleet\r\n\r\n"

START_TEST(test_events) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_(raw_client_freep) RawClient *all = NULL, *one = NULL, *late = NULL;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        all = raw_client_new(rig.event, rig.address);
        one = raw_client_new(rig.event, rig.address);
        ck_assert(raw_client_say(all, STREAM_REQUEST("/fleet/v1/events")));
        ck_assert(raw_client_say(one, STREAM_REQUEST("/v1-alpha/events?unit=b.service")));
        raw_client_wait(all, "{\"revision\":");
        raw_client_wait(one, "{\"revision\":");
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 2\n");
        late = raw_client_new(rig.event, rig.address);
        ck_assert(raw_client_say(late, STREAM_REQUEST("/fleet/v1/events?unit=a.service")));
        raw_client_wait(late, "{\"revision\":");

        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        raw_client_wait(all, "\"kind\":\"unit\"");
        raw_client_wait(all, "\"kind\":\"placement\"");
        raw_client_wait(all, "\"kind\":\"state\"");
        raw_client_wait(all, "\"active\":\"active\"");
        raw_client_wait(late, "\"active\":\"active\"");
        fleetd_rig_unit(&rig, "b.service", RUN, NULL, 201);
        raw_client_wait(one, "\"unit\":\"b.service\"");
        ck_assert_ptr_null(strstr(raw_client_received(one), "a.service"));
        destroy(&rig, "b.service");
        raw_client_wait(one, "\"deleted\":true");

        one = raw_client_free(one);
        late = raw_client_free(late);
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 1\n");
        all = raw_client_free(all);
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 0\n");

        /* Followed again when somebody listens again. */
        all = raw_client_new(rig.event, rig.address);
        ck_assert(raw_client_say(all, STREAM_REQUEST("/fleet/v1/events")));
        raw_client_wait(all, "{\"revision\":");
}
END_TEST

START_TEST(test_too_many_streams) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        RawClient *clients[256];

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
                clients[i] = raw_client_new(rig.event, rig.address);
                ck_assert(raw_client_say(clients[i], STREAM_REQUEST("/fleet/v1/events")));
        }
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 256\n");
        fleetd_rig_wait(&rig, "/fleet/v1/events",
                        "{\"error\":{\"code\":429,\"message\":\"too many streams are open, close "
                        "one first\"}}");
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                raw_client_free(clients[i]);
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 0\n");
}
END_TEST

START_TEST(test_journal) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_(raw_client_freep) RawClient *c = NULL;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, NULL, 201);
        fleetd_rig_wait(&rig, "/fleet/v1/journal/a.service", "unit is not loaded on any machine");
        put_state(&rig, "a.service", "launched");
        fleetd_rig_wait(&rig, "/fleet/v1/state/a.service", RUNNING);
        fleetd_rig_wait(&rig, "/fleet/v1/journal/a.service?machine=m2",
                        "the journal of a.service is on machine m2: ask the fleetd there");
        fleetd_rig_wait(&rig, "/fleet/v1/journal/a.service?lines=5", "\"stream\":\"std");

        c = raw_client_new(rig.event, rig.address);
        ck_assert(raw_client_say(c, STREAM_REQUEST("/fleet/v1/journal/a.service?follow=1")));
        raw_client_wait(c, "\"text\":");
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 1\n");
        c = raw_client_free(c);
        fleetd_rig_wait(&rig, "/metrics", "fleet_api_streams 0\n");
}
END_TEST

/* Open requests when the daemon goes: nothing leaks, nothing is called any more. */
START_TEST(test_going_down_with_streams) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_(raw_client_freep) RawClient *events = NULL, *list = NULL;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        fleetd_rig_unit(&rig, "a.service", RUN, "launched", 201);
        events = raw_client_new(rig.event, rig.address);
        list = raw_client_new(rig.event, rig.address);
        ck_assert(raw_client_say(events, STREAM_REQUEST("/fleet/v1/events")));
        raw_client_wait(events, "{\"revision\":");
        ck_assert(raw_client_say(list, STREAM_REQUEST("/fleet/v1/units")));
        fleetd_rig_down(&rig);
        raw_client_wait_closed(events);
}
END_TEST

START_TEST(test_what_keeps_it_from_starting) {
        static const struct {
                const char *config, *words;
        } cases[] = {
                { "machine_id=m1\nstate_directory=/nonexistent/x\n", "this build keeps its state" },
                { "standalone=true\nmachine_id=a/b\n", "machine id of machine_id= may hold" },
                { "standalone=true\nmachine_id=m1\nstate_directory=/dev/null/x\n",
                  "cannot make the state directory '/dev/null/x'" },
        };
        static const char *const no_environment[] = { NULL };
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_done) Strv warnings = STRV_INIT;
                _cleanup_(config_freep) Config *config = NULL;
                _cleanup_error_ Error error = ERROR_INIT;

                ck_assert_int_eq(config_parse("c", cases[i].config, strlen(cases[i].config),
                                              no_environment, &config, &warnings, NULL),
                                 0);
                ck_assert_int_lt(fleetd_new(rig.event, config, NULL, &rig.fleetd, &error), 0);
                ck_assert_msg(str_after_prefix(error_text(&error), cases[i].words), "%s",
                              error_text(&error));
        }
}
END_TEST

TEST_MAIN("fleetd", test_life_of_a_unit, test_replace, test_failures_stay_with_their_unit,
          test_restart_takes_up_what_runs, test_lost_state, test_leaving, test_reload, test_dump,
          test_events, test_too_many_streams, test_journal, test_going_down_with_streams,
          test_what_keeps_it_from_starting);
