#!/usr/bin/env bash
# Restart= against every way a container can end. RestartSec=1h: what is going to be started again waits in
# auto-restart and can be looked at.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up

variants='no on-success on-failure on-abnormal on-abort on-watchdog always'
units=()
for restart in $variants; do
        for end in clean code kill stop; do
                name=$restart-$end
                case $end in
                clean) command="/bin/sh -c 'sleep 1; exit 0'" ;;
                code) command="/bin/sh -c 'sleep 1; exit 3'" ;;
                *) command="/bin/sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'" ;;
                esac
                service "$name" <<E
ExecStart=/usr/bin/docker run --name $name busybox $command
Restart=$restart
RestartSec=1h
E
                units+=("$T/$name.service")
        done
done
t_ok "all start" ctl start --no-block "${units[@]}"
# Those that end by themselves have, and the others run.
for restart in $variants; do
        for end in kill stop; do
                t_is "$restart-$end runs" "$restart-$end" active/running 30
        done
done
# shellcheck disable=SC2206 # one word each
each=($variants)
t_ok "docker kill" docker_e kill "${each[@]/%/-kill}"
t_ok "docker stop" docker_e stop -t 5 "${each[@]/%/-stop}"

want() { # RESTART END: does it start again?
        case $1-$2 in
        always-*) echo again ;;
        on-success-clean | on-success-stop) echo again ;;
        on-failure-code | on-failure-kill) echo again ;;
        on-abnormal-kill | on-abort-kill) echo again ;;
        *-clean | *-stop) echo inactive ;;
        *) echo failed ;;
        esac
}
for restart in $variants; do
        for end in clean code kill stop; do
                case $(want $restart $end) in
                again) t_is "Restart=$restart, $end: again" "$restart-$end" activating/auto-restart ;;
                inactive) t_is "Restart=$restart, $end: no more" "$restart-$end" inactive/dead ;;
                failed) t_is "Restart=$restart, $end: failed" "$restart-$end" failed/failed ;;
                esac
        done
done
t_ok "status of one that exited" status_says no-code 'code=exited, status=3'
t_ok "status of one that was killed" status_says no-kill 'code=killed, signal=KILL'
t_ok "destroy all" ctl destroy "${units[@]##*/}"
t_eq "no container runs" "$(docker_e ps -q)" ""
t_done
