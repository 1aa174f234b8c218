#!/usr/bin/env bash
# The main job: fleet's own example unit and a template run, are kept running, are seen, and go.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up --bridge

t_ok "myapp starts, unchanged" ctl start "$ROOT/tests/data/legacy/myapp.service"
t_match "start says where" "$T_OUT" 'Unit myapp.service inactive.Unit myapp.service launched on [0-9a-f]{8}\.\.\.'
t_eq "when start returns, it runs" "$(rig_active f myapp.service)" active/running
t_eq "as the container its unit names" "$(container busybox1)" running
cp "$ROOT/examples/hello@.service" "$T/"
t_ok "three instances start from a template beside them" \
        ctl start "$T/hello@1.service" "$T/hello@2.service" "$T/hello@3.service"
t_ok "units are listed" ctl list-units --no-legend --fields unit,active,sub
t_eq "all run" "$(awk '{ print $1, $2, $3 }' <<<"$T_OUT" | paste -sd ,)" \
        "hello@1.service active running,hello@2.service active running,hello@3.service active running,myapp.service active running"
t_ok "unit files are listed" ctl list-unit-files --no-legend --fields unit,dstate,state
t_eq "all are launched" "$(awk '{ print $2 "/" $3 }' <<<"$T_OUT" | sort -u)" launched/launched

t_ok "status" ctl status myapp.service
t_match "status says active (running)" "$T_OUT" 'Active: active \(running\)'
t_wait "the journal has its output" 10 bash -c \
        "'$FLEETCTL' --endpoint 'unix://$T/f/fleet.sock' journal --lines 2 myapp.service | grep -q 'Hello World'"
t_ok "cat" ctl cat myapp.service
t_eq "cat gives what was submitted" "$T_OUT" "$(cat "$ROOT/tests/data/legacy/myapp.service")"
t_ok "a second start is nothing new" ctl start myapp.service
t_eq "and says nothing" "$T_OUT$T_ERR" ""

old=$(rig_started_at e hello-2)
t_ok "a container is killed" docker_e kill hello-2
back() { [ "$(container hello-2)" = running ] && [ "$(rig_started_at e hello-2)" != "$old" ]; }
t_wait "Restart=always brings it back" 10 back
t_is "and fleet says so" hello@2 active/running
t_eq "the others were left alone" "$(docker_e inspect -f '{{.RestartCount}}' hello-1)" 0

t_ok "stop" ctl stop hello@3.service
t_match "stop says so" "$T_ERR" 'Successfully stopped units \[hello@3.service\]'
t_is "it is stopped" hello@3 inactive/dead
t_eq "its container is gone (--rm)" "$(container hello-3)" none
t_ok "start again" ctl start hello@3.service
t_eq "it runs again" "$(container hello-3)" running
t_ok "unload" ctl unload hello@3.service
t_wait "nothing of it is left" 5 container_is hello-3 none

t_ok "destroy" ctl destroy myapp.service hello@1.service hello@2.service hello@3.service
t_match "destroy says so" "$T_OUT" 'Destroyed myapp.service'
t_eq "no unit is left" "$(ctl list-unit-files --no-legend)" ""
t_eq "no container runs" "$(docker_e ps -q)" ""
t_done
