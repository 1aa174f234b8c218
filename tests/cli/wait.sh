#!/usr/bin/env bash
# Waiting: units that fail, hang, end, cannot be placed; and a fleetd that goes away meanwhile.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

on='on aaaaaaaa.../10.0.0.1'
unit good.service
unit fail.service '[Fake]' Behaviour=fail
unit hang.service '[Fake]' Behaviour=hang
unit stuck.service '[Fake]' Behaviour=stuck
unit restart.service '[Fake]' Behaviour=restart
unit nowhere.service '[Fake]' Behaviour=unschedulable
why="unit fail.service failed: exit-code: the main process ended with 7"

fake_start
expect "a unit that fails says why; the others come up" 1 \
        "Unit fail.service inactive
Unit good.service inactive
Unit fail.service launched $on
Unit good.service launched $on" \
        "Error waiting for units: $why" start fail.service good.service
expect "it stays wanted: nothing to do" 0 "" "" start fail.service
expect "after a stop it fails anew" 0 "Unit fail.service loaded $on" \
        "Successfully stopped units [fail.service]." stop fail.service
expect "and says so anew" 1 "Unit fail.service launched $on" "Error waiting for units: $why" start fail.service
expect "one that is started again by itself" 0 \
        $'Unit restart.service inactive\nUnit restart.service launched '"$on" \
        "Unit restart.service failed (exit-code: ExecStartPre= ended with 1) and will be started again" \
        start restart.service
expect "one that hangs" 1 $'Unit hang.service inactive\nUnit hang.service launched '"$on" \
        "Error waiting for units: Failed to find an active unit hang.service within 2s, err: Failed to fetch states within 2s
Error waiting for systemd unit states, err: Failed to find an active unit hang.service within 2s, err: Failed to fetch states within 2s" \
        start --block-attempts=1 hang.service
expect "one that cannot be placed" 1 "Unit nowhere.service inactive" \
        "Unit nowhere.service cannot be placed: 1 machine lacks metadata disk=tape
Error waiting for units: timed out waiting for unit nowhere.service to report state launched
Error waiting for unit states, exit status: timed out waiting for unit nowhere.service to report state launched" \
        start --block-attempts 1 nowhere.service
t_eq "all that took three streams a command at most" \
        "$(($(grep -c 'GET /fleet/v1/events' "$T/requests") < 10))" 1
"$FLEETCTL" start --no-block stuck.service >/dev/null
wait_for 5 sh -c '"$FLEETCTL" list-units --no-legend | grep -q "stuck.*running"'
expect "a stop that does not end" 1 "" \
        "Error waiting for units: timed out waiting for unit stuck.service to report state loaded
Failed to stop units [stuck.service]. err: timed out waiting for unit stuck.service to report state loaded" \
        stop --block-attempts 1 stuck.service

# Streams that break off: connect again, look again, go on.
fake_start --step-ms 300
"$FLEETCTL" start good.service >out 2>err &
pid=$!
for _ in 1 2 3; do
        wait_for 5 grep -q events "$T/requests"
        kill -USR1 "$fake_pid"
        sleep 0.1
done
wait "$pid"
t_eq "a stream that breaks off is opened again" "$?:$(<out):$(<err)" \
        "0:Unit good.service inactive
Unit good.service launched $on:"

# Nobody there any more.
fake_start --step-ms 60000
"$FLEETCTL" start hang.service >out 2>err &
pid=$!
wait_for 5 grep -q events "$T/requests"
fake_stop
wait_for 10 grep -q Lost err
t_match "a fleetd that is gone is waited for, and that is said" "$(<err)" \
        '^Lost contact with fleetd \(.*\), waiting for it$'
fake_start
unit hang.service
"$FLEETCTL" submit hang.service >/dev/null
"$FLEETCTL" start hang.service >/dev/null
wait "$pid"
t_eq "when it is back, the wait goes on and ends" "$?:$(tail -n 1 out)" "0:Unit hang.service launched $on"

# The original fleetd: asked every 250 ms.
fake_start --plain
expect "polling: a unit that fails" 1 $'Unit fail.service inactive\nUnit fail.service launched '"$on" \
        "Error waiting for units: unit fail.service failed: failed (failed)" start fail.service
expect "polling: one that cannot be placed" 1 "Unit nowhere.service inactive" \
        "Error waiting for units: timed out waiting for unit nowhere.service to report state launched
Error waiting for unit states, exit status: timed out waiting for unit nowhere.service to report state launched" \
        start --block-attempts 1 nowhere.service
t_match "it asks some eight times in two seconds" "$(grep -c 'GET /fleet/v1/units/nowhere' "$T/requests")" \
        '^([6-9]|1[0-2])$'

# Interrupted.
fake_start
"$FLEETCTL" start --no-block hang.service >/dev/null
bash -c 'trap - INT; exec "$FLEETCTL" start nowhere.service' >out 2>err &
pid=$!
wait_for 5 grep -q placed err
kill -INT "$pid" 2>/dev/null
sleep 0.1
kill -TERM "$pid" 2>/dev/null
wait "$pid"
t_match "interrupted" "$?" '^(130|143)$'
t_done
