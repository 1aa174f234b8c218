#!/usr/bin/env bash
# Which containers are left lying: those of stopped units are, to be looked at; those of no unit are not.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up
loop="sh -c 'trap \"exit 0\" TERM; echo hello; while :; do sleep 0.1; done'"
for u in unit-a unit-b; do
        service $u <<E
ExecStartPre=-/usr/bin/docker rm $u
ExecStart=/usr/bin/docker run --name $u -v /data -v named-$u:/more busybox $loop
E
done
service nameless <<E
ExecStart=/usr/bin/docker run busybox $loop
Restart=always
RestartSec=100ms
E
all() { docker_e ps -aq | wc -l; }
volumes() { docker_e volume ls -q | wc -l; }
docker_e run -d --name foreign busybox sleep 1000 >/dev/null || exit 1

t_ok "two units start" ctl start "$T/unit-a.service" "$T/unit-b.service"
t_ok "stop" ctl stop unit-a.service
t_eq "a stopped unit keeps its container" "$(container unit-a)" exited
t_ok "its output can be read" bash -c "'$FLEETCTL' --endpoint 'unix://$T/f/fleet.sock' journal unit-a.service | grep hello"
t_ok "it starts again" ctl start unit-a.service
t_ok "stop again" ctl stop unit-a.service
t_ok "unload" ctl unload unit-a.service
t_eq "an unloaded unit leaves no container" "$(container unit-a)" none
t_ok "it can be started once more" ctl start unit-a.service
kept=$(volumes)
t_ok "destroy of what runs" ctl destroy unit-b.service
t_eq "leaves no container" "$(container unit-b)" none
t_eq "but its volumes" "$(volumes)" "$kept"

t_ok "a unit without a name for its container starts" ctl start "$T/nameless.service"
before=$(all)
docker_e kill "$(docker_e ps -q -l)" >/dev/null
t_wait "it is started again, in another container" 10 eval '[ "$(all)" -gt '"$before"' ] && is nameless active/running'
t_ok "destroy" ctl destroy nameless.service
t_eq "all of its containers have gone" "$(all)" 2

# With the daemon, too.
t_ok "stop before fleetd ends" ctl stop unit-a.service
t_ok "one more" ctl start "$T/unit-b.service"
rig_kill f TERM
t_eq "SIGTERM leaves none of ours" "$(docker_e ps -a --format '{{.Names}}')" foreign

# What a daemon that was killed has left.
machine=$(sed -n 's/^machine_id=//p' "$T/f/fleet.conf")
ours=(--label flotilla.unit=ghost.service --label flotilla.hash=1 --label "flotilla.machine=$machine")
docker_e run -d --name ghost-runs "${ours[@]}" busybox sleep 1000 >/dev/null || exit 1
docker_e create --name ghost-made "${ours[@]}" busybox true >/dev/null || exit 1
docker_e run --name ghost-ended "${ours[@]}" busybox true
docker_e run -d --name others --label flotilla.unit=ghost.service --label flotilla.machine=0 \
        busybox sleep 1000 >/dev/null || exit 1
t_ok "fleetd starts" rig_fleetd_start f
t_is "what shall run runs" unit-b active/running
only_wanted() { [ "$(docker_e ps -a --format '{{.Names}}' | sort | paste -sd ' ')" = "foreign others unit-b" ]; }
t_wait "what nobody wants goes, what is not ours stays" 20 only_wanted

# A content that is replaced leaves nothing of the old one.
before=$(all)
sed -i 's/echo hello/echo again/; s/--name unit-b/--name other-b/' "$T/unit-b.service"
t_ok "replace" ctl start --replace "$T/unit-b.service"
t_wait "the new one runs" 10 container_is other-b running
t_eq "the old one has gone" "$(container unit-b)" none
t_eq "the foreign container was left alone" "$(container foreign)" running
t_done
