#!/usr/bin/env bash
# From submit to destroy: fleet's messages, exactly (FLEET.md B3.5), with and without /events.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"
. "$ROOT/tests/lib/stories.sh"

unit oneshot.service Type=oneshot '[Fake]' Behaviour=oneshot
story_units

fake_start
no_units_story
life_story events
# What was destroyed without waiting goes away by itself.
fake_start --plain --step-ms 1
life_story polling
t_no_match "an original fleetd is asked for nothing it does not know twice" \
        "$(grep -c 'GET /fleet/v1/events' "$T/requests")" '^[3-9][0-9]'

fake_start
expect "not waiting to load" 0 $'Unit hello.service inactive\nTriggered unit hello.service load' "" \
        load --no-block hello.service
wait_for 5 sh -c '"$FLEETCTL" list-units --no-legend | grep -q hello' || t_fail "it was not loaded"
"$FLEETCTL" start web@7.service >/dev/null
expect "not waiting to stop" 0 "Triggered unit web@7.service stop" \
        "Successfully stopped units [web@7.service]." stop --no-block web@7.service
"$FLEETCTL" stop web@7.service >/dev/null 2>&1
expect "not waiting to unload" 0 "Triggered unit web@7.service unload" \
        "Successfully unloaded units [web@7.service]." unload --no-block web@7.service
t_done
