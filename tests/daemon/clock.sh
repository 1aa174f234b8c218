#!/usr/bin/env bash
# The machine boots again (its clock begins anew) or was away for long: leases of the time before
# neither keep fleetd from leading nor make the machine look gone; what was stored is there.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
for p in curl jq unshare; do command -v $p >/dev/null || t_skip_all "$p is not installed"; done
unshare --time --boottime 1000 true 2>/dev/null || t_skip_all "there are no time name spaces here"

later() { RIG_WRAP="unshare --time --boottime $1 --monotonic $1"; }
leads() { rig_api f GET /metrics | grep -qE '^fleet_engine_leader_start_time [1-9]'; }
known() { [ "$(rig_api f GET /fleet/v1/machines | jq '.machines | length')" = 1 ]; }
# Placing takes a leader, a machine that is there, and a working store.
looked_at() { rig_api f GET /fleet/v1/status/a.service | jq -e .reason; }
life() { # NAME
        t_wait "$1: it leads" 10 leads
        t_wait "$1: the machine is there" 10 known
        t_wait "$1: units are looked at" 10 looked_at
}

rig_fleetd_conf f "$T/no-engine.sock"
later 1000000
t_ok "fleetd starts, days after the boot" rig_fleetd f
[ $t_failed = 0 ] || exit 1
rig_api f PUT /fleet/v1/units/a.service -H 'Content-Type: application/json' --data \
        '{"desiredState":"launched","options":[{"section":"Service","name":"ExecStart","value":"/usr/bin/docker run busybox true"}]}'
life "days after the boot"
rig_kill f KILL
RIG_WRAP=
t_ok "it is killed, the machine boots, it starts" rig_fleetd_start f
life "just after a boot"
rig_kill f KILL
later 90000000
t_ok "it is killed, and starts years later" rig_fleetd_start f
life "years later"
t_ok "SIGTERM ends it" rig_kill f TERM
t_done
