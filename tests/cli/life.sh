#!/usr/bin/env bash
# From submit to destroy: fleet's messages, exactly (FLEET.md B3.5), with and without /events.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

on='on aaaaaaaa.../10.0.0.1'
unit hello.service
unit other.timer
unit web@.service
unit global.service '[X-Fleet]' Global=true
unit fail.service '[Fake]' Behaviour=fail
unit oneshot.service Type=oneshot '[Fake]' Behaviour=oneshot

for verb in start load stop unload destroy submit; do
        expect "$verb without units" 0 "" "No units given" $verb
done

story() { # MODE
        local m=$1
        expect "$m: submit" 0 "Unit hello.service inactive" "" submit hello.service
        expect "$m: submit again" 0 "" "" submit hello.service
        expect "$m: submit a global" 0 "Unit global.service " "" submit global.service
        expect "$m: start what is there, without suffix" 0 "Unit hello.service launched $on" "" \
                start hello
        expect "$m: start what is started" 0 "" "" start hello.service
        expect "$m: stop" 0 "Unit hello.service loaded $on" \
                "Successfully stopped units [hello.service]." stop hello.service
        expect "$m: stop what is stopped" 0 "" "Successfully stopped units []." stop hello.service
        expect "$m: start again" 0 "Unit hello.service launched $on" "" start hello.service
        expect "$m: load stops" 0 "Unit hello.service loaded $on" "" load hello.service
        expect "$m: unload" 0 "Unit hello.service inactive" \
                "Successfully unloaded units [hello.service]." unload hello.service
        expect "$m: unload again" 0 "" "Successfully unloaded units []." unload hello.service
        expect "$m: stop what is inactive" 1 "" \
                "Unable to stop unit hello.service in state inactive" stop hello.service
        expect "$m: load a new one" 0 $'Unit other.timer inactive\nUnit other.timer loaded '"$on" "" \
                load other.timer
        expect "$m: start instances, one given twice" 0 \
                "Unit web@1.service inactive
Unit web@2.service inactive
Unit web@1.service launched $on
Unit web@2.service launched $on" "" start web@1.service web@2.service ./web@1.service
        expect "$m: start a global" 0 "Triggered global unit global.service start" "" \
                start global.service
        expect "$m: load a global" 0 "Triggered global unit global.service load" "" \
                load global.service
        expect "$m: start it again" 0 "Triggered global unit global.service start" "" start global
        expect "$m: stop a global" 0 "Triggered global unit global.service stop" \
                "Successfully stopped units []." stop global
        expect "$m: unload a global" 0 "Triggered global unit global.service unload" \
                "Successfully unloaded units []." unload global
        expect "$m: a oneshot" 0 $'Unit oneshot.service inactive\nUnit oneshot.service launched '"$on" \
                "" start oneshot.service
        expect "$m: unknown names among known ones" 0 "Unit web@1.service loaded $on" \
                "Successfully stopped units [web@1.service]." stop nope web@1.service nope2.service
        for verb in stop unload destroy; do
                expect "$m: $verb of what nobody knows" 0 "" "Units not found in registry" $verb nope
        done
        expect "$m: patterns" 0 $'Unit web@1.service inactive\nUnit web@2.service inactive' \
                "Successfully unloaded units [web@1.service web@2.service]." unload 'web@?'
        expect "$m: destroy" 0 "Destroyed hello.service" "" destroy hello.service nope
        expect "$m: destroy by pattern" 0 $'Destroyed web@1.service\nDestroyed web@2.service' "" \
                destroy 'web@*.service'
        expect "$m: destroy all the rest" 0 \
                $'Destroyed global.service\nDestroyed oneshot.service\nDestroyed other.timer' "" destroy '*'
        expect "$m: nothing is left" 0 "" "" list-unit-files --no-legend
        expect "$m: not waiting to start" 0 \
                $'Unit hello.service inactive\nTriggered unit hello.service start' "" \
                start --no-block hello.service
        expect "$m: not waiting to destroy" 0 "Destroyed hello.service" "" \
                destroy --no-block hello.service
}

fake_start
story events
# What was destroyed without waiting goes away by itself.
fake_start --plain --step-ms 1
story polling
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
