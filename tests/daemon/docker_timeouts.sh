#!/usr/bin/env bash
# What does not end or begin in time.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up
run='/usr/bin/docker run'
deaf="sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'"

service deaf <<E
ExecStart=$run --name deaf busybox $deaf
TimeoutStopSec=1s
E
service deaf-stop <<E
ExecStart=$run --name deaf-stop busybox $deaf
ExecStop=/usr/bin/docker stop -t 600 deaf-stop
TimeoutStopSec=1s
E
service slow-pre <<E
ExecStartPre=$run --name slow-pre-pre busybox sleep 1000
ExecStart=$run --name slow-pre busybox sleep 1000
TimeoutStartSec=1s
TimeoutStopSec=1s
E
service patient <<E
ExecStartPre=$run --rm busybox sleep 2
ExecStart=$run --name patient busybox sleep 1000
ExecStop=/usr/bin/docker stop -t 0 patient
TimeoutStartSec=0
E
service hup <<E
ExecStart=$run --name hup busybox sh -c 'trap "exit 0" HUP; trap "" TERM; while :; do sleep 0.1; done'
KillSignal=SIGHUP
E
service mortal <<E
ExecStart=$run --name mortal busybox sleep 1000
RuntimeMaxSec=1s
TimeoutStopSec=1s
E

timed() { # COMMAND…: T_MSEC is how long it took
        local start=${EPOCHREALTIME/./}
        "$@" >/dev/null 2>&1
        T_MSEC=$(((${EPOCHREALTIME/./} - start) / 1000))
}

t_ok "they start" ctl start "$T/deaf.service" "$T/deaf-stop.service" "$T/hup.service"
timed ctl stop deaf.service
t_is "one that is deaf is killed after TimeoutStopSec" deaf failed/failed
t_ok "and says that it was the timeout" status_says deaf 'timeout'
t_eq "its container is dead" "$(container deaf)" exited
t_ok "not before, and not much later ($T_MSEC ms)" test "$T_MSEC" -ge 900 -a "$T_MSEC" -lt 8000
timed ctl stop deaf-stop.service
t_is "so is one whose ExecStop waits for ever" deaf-stop failed/failed
t_eq "its container is dead, too" "$(container deaf-stop)" exited
t_ok "in time ($T_MSEC ms)" test "$T_MSEC" -lt 10000
t_ok "KillSignal is what ends it" ctl stop hup.service
t_is "and that is clean" hup inactive/dead

t_not "a start that takes too long fails" ctl start "$T/slow-pre.service"
t_is "it is failed" slow-pre failed/failed
t_ok "and says why" status_says slow-pre 'timeout'
t_eq "the main command was not started" "$(container slow-pre)" none
t_wait "what it waited for does not run on" 5 bash -c \
        "[ -z \"\$(docker -H unix://$(rig_docker_socket e) ps -q -f name=slow-pre-pre)\" ]"
t_ok "TimeoutStartSec=0 has patience" ctl start "$T/patient.service"
t_is "it runs" patient active/running
t_ok "one with RuntimeMaxSec starts" ctl start "$T/mortal.service"
t_is "and is ended" mortal failed/failed
t_done
