#!/usr/bin/env bash
# What ends with fleetd and what does not: SIGTERM with either policy, SIGHUP, damaged and foreign state.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up
unit="ExecStart=/usr/bin/docker run --rm --name unit busybox sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'"
service u <<<"$unit"
t_ok "a unit runs" ctl start "$T/u.service"
before=$(all_started_at)

kill -HUP "$(rig_pid f)"
t_ok "after SIGHUP the API answers" ctl list-units
t_eq "and nothing was touched" "$(all_started_at)" "$before"

rig_kill f TERM
t_eq "SIGTERM stops units (shutdown_policy=stop)" "$(docker_e ps -q)" ""
t_ok "fleetd starts again" rig_fleetd_start f
t_is "what is wanted runs again" u active/running

rig_fleetd_conf f "$(rig_docker_socket e)" shutdown_policy=keep
rig_kill f TERM
t_ok "fleetd starts with shutdown_policy=keep" rig_fleetd_start f
t_is "the unit runs" u active/running
before=$(all_started_at)
rig_kill f TERM
t_eq "SIGTERM leaves it running now" "$(all_started_at)" "$before"
t_ok "fleetd takes it up" rig_fleetd_start f
t_is "it is active" u active/running
t_eq "and was not restarted" "$(all_started_at)" "$before"

# A second fleetd on the same state must not start.
t_run timeout 10 "$FLEETD" --standalone --config <(sed "s|fleet.sock|other.sock|" "$T/f/fleet.conf")
t_eq "a second fleetd on the same state ends" "$T_RC" 1
t_match "and says why" "$T_ERR" 'in use'

# Damaged state: refused, with advice, untouched; what runs goes on.
rig_kill f KILL
store=$(find "$T/f/state" -type f -size +4k ! -name '*-wal' ! -name '*-shm' | head -n 1)
t_ok "there is a state file" test -n "$store"
rm -f "$store-wal" "$store-shm"
printf 'garbage%.0s' {1..600} | dd of="$store" bs=1 seek=100 conv=notrunc status=none
sum=$(sha1sum <"$store")
t_run timeout 10 "$FLEETD" --standalone --config "$T/f/fleet.conf"
t_eq "fleetd refuses a damaged state" "$T_RC" 1
t_match "and says what to do" "$T_ERR" 'move it'
t_eq "the file is as it was" "$(sha1sum <"$store")" "$sum"
t_eq "the unit runs on" "$(all_started_at)" "$before"
docker_e rm -f unit >/dev/null
t_done
