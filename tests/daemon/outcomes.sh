#!/usr/bin/env bash
# What is over is not done again because fleetd was restarted.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up
mkdir "$T/count"
once() { # UNIT EXIT-CODE [LINE…]
        service "$1" <<E
$(printf '%s\n' "${@:3}")
ExecStart=/usr/bin/docker run --rm -v $T/count:/count busybox sh -c 'echo x >>/count/$1; exit $2'
E
}
runs() { wc -l <"$T/count/$1"; }
once one 0 Type=oneshot
once stays 0 Type=oneshot RemainAfterExit=yes
once fails 3 Type=oneshot
once loops 4 Restart=always RestartSec=10ms
once simple 0 Type=simple
for u in one stays fails loops simple; do ctl start "$T/$u.service" >/dev/null 2>&1; done
check() { # WHEN
        t_is "$1 a oneshot is done" one inactive/dead
        t_is "$1 one that remains is active" stays active/exited
        t_is "$1 one that failed is failed" fails failed/failed
        t_is "$1 one that failed too often is failed" loops failed/failed
        t_is "$1 a service that ended is dead" simple inactive/dead
        t_ok "$1 the exit code is known" status_says fails 'code=exited, status=3'
        t_ok "$1 the reason, too" status_says loops 'start limit hit'
}
check "at first"
before=$(cd "$T/count" && wc -l *)
for i in 1 2; do
        rig_kill f KILL
        t_ok "fleetd starts after SIGKILL $i" rig_fleetd_start f
        check "after SIGKILL $i"
done
t_eq "nothing was run again" "$(cd "$T/count" && wc -l *)" "$before"

t_ok "stop of what remains" ctl stop stays.service
t_ok "start" ctl start stays.service
t_eq "runs it again" "$(runs stays)" 2
t_is "it is active again" stays active/exited
rig_kill f KILL
t_ok "fleetd starts again" rig_fleetd_start f
t_is "it still is" stays active/exited
t_ok "stop of what was taken up" ctl stop stays.service
t_is "works" stays inactive/dead
once simple 1
t_ok "replace" ctl start --replace --no-block "$T/simple.service"
t_wait "another content runs" 10 eval '[ "$(runs simple)" = 2 ]'
t_is "and has its own end" simple failed/failed

# Leaving is not a restart: everything begins anew.
before=$(runs fails)
rig_kill f TERM
t_ok "fleetd starts after SIGTERM" rig_fleetd_start f
t_wait "what is wanted runs" 10 eval '[ "$(runs fails)" = $((before + 1)) ]'
t_ok "all can be destroyed" ctl destroy one.service stays.service fails.service loops.service simple.service
t_eq "nothing is remembered of them" "$(ls "$T/f/state/docker-outcomes")" ""
t_done
