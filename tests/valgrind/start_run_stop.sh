#!/usr/bin/env bash
# fleetd under valgrind, from start to SIGTERM with units in between: no bad access, nothing lost.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
rig_require
command -v valgrind >/dev/null || t_skip_all "valgrind is not installed"
. "$ROOT/tests/lib/daemon.sh"

RIG_WRAP="valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect --num-callers=20
        --show-leak-kinds=definite,indirect --track-fds=no --log-file=$T/valgrind.log"
RIG_DEADLINE=60
daemon_up
cp "$ROOT/examples/hello@.service" "$T/"
service wrong <<<'ExecStart=/usr/bin/docker run --no-such-flag busybox'
service short <<<'ExecStart=/usr/bin/docker run --rm busybox false'

t_ok "units start" ctl start "$T/hello@1.service" "$T/hello@2.service"
t_is "and run" hello@1 active/running 30
t_not "a wrong one is refused" ctl start "$T/wrong.service"
ctl start --no-block "$T/short.service" >/dev/null 2>&1
t_is "one fails" short failed/failed 30
docker_e kill hello-1 >/dev/null
again() { is hello@1 active/running && [ "$(container hello-1)" = running ]; }
t_wait "a killed one comes back" 30 again
t_ok "lists" ctl list-units
t_ok "status" ctl status hello@1.service
t_ok "journal" ctl journal --lines 5 hello@1.service
t_eq "a request that is none" "$(rig_api f GET /nowhere -o /dev/null -w '%{http_code}')" 404
t_ok "stop" ctl stop hello@2.service
t_ok "destroy" ctl destroy hello@1.service
t_ok "SIGTERM ends it" rig_kill f TERM
t_ok "valgrind watched" test -e "$T/valgrind.log"
t_eq "valgrind has nothing to say" "$(head -n 80 "$T/valgrind.log")" ""
t_done
