#!/usr/bin/env bash
# The engine dies and comes back while units run.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"

loop="sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'"
units() {
        service always <<E
ExecStartPre=-/usr/bin/docker rm -f always
ExecStart=/usr/bin/docker run --name always busybox $loop
Restart=always
RestartSec=100ms
E
        service never <<E
ExecStartPre=-/usr/bin/docker rm -f never
ExecStart=/usr/bin/docker run --name never busybox $loop
E
}
engine_is_back() { rig_docker_answers e; }

# ---- an engine that lets containers live ------------------------------------------------------
daemon_up --live-restore
units
t_ok "units start" ctl start "$T/always.service" "$T/never.service"
before=$(all_started_at)
t_ok "the engine is killed" rig_dockerd_kill e
t_ok "fleetctl works without it" ctl list-units
t_ok "the engine comes back" rig_dockerd_start e
t_is "one unit runs" always active/running
t_is "the other does, too" never active/running
t_eq "neither was restarted" "$(all_started_at)" "$before"

# Supervision goes on over the new connection.
docker_e kill never >/dev/null
t_is "a container killed now is seen" never failed/failed
docker_e kill always >/dev/null
changed() { is always active/running && [ "$(rig_started_at e always)" != "$(grep -w /always <<<"$before" | cut -d' ' -f2)" ]; }
t_wait "and started again where Restart= says so" 15 changed

# A container that dies while the engine is away.
t_ok "never is stopped" ctl stop never.service
t_ok "and starts again" ctl start never.service
t_is "it runs" never active/running
pid=$(docker_e inspect -f '{{.State.Pid}}' never)
[ "$pid" -gt 1 ] || exit 1
t_ok "the engine is killed again" rig_dockerd_kill e
kill -KILL "$pid"
t_ok "and is back" rig_dockerd_start e
t_is "what died meanwhile is seen" never failed/failed 20

# ---- an engine that takes its containers along ------------------------------------------------
RIG_ARGS[e]=${RIG_ARGS[e]/--live-restore/}
t_ok "the engine is stopped" rig_dockerd_stop e
t_ok "and starts without live-restore" rig_dockerd_start e
t_is "always is back" always active/running 20
ctl stop never.service >/dev/null 2>&1
t_ok "never starts" ctl start never.service
t_is "it runs" never active/running
t_ok "it is killed" rig_dockerd_kill e
t_ok "and comes back" rig_dockerd_start e
t_is "Restart=always: running again" always active/running 25
# The engine has ended what it found running with SIGTERM, which this container takes for a clean end.
t_is "Restart=no: not running" never inactive/dead 25
t_ok "with its exit code" status_says never 'code=exited, status=0'
# Killed in the middle of a start: the engine comes back, and the container runs all the same.
service begins <<E
ExecStart=/usr/bin/docker run --name begins busybox $loop
E
RIG_ARGS[e]="${RIG_ARGS[e]} --live-restore"
t_ok "the engine is stopped once more" rig_dockerd_stop e
t_ok "and lets containers live" rig_dockerd_start e
for after in 0.03 0.06 0.09; do
        t_ok "a unit is started" ctl start --no-block "$T/begins.service"
        sleep $after
        t_ok "the engine is killed after $after s" rig_dockerd_kill e
        t_ok "and comes back" rig_dockerd_start e
        t_is "the unit runs" begins active/running 20
        t_ok "it is destroyed" ctl destroy begins.service
        t_eq "and leaves nothing" "$(container begins)" none
done
t_ok "all can be destroyed" ctl destroy always.service never.service
t_eq "no container runs" "$(docker_e ps -q)" ""
t_done
