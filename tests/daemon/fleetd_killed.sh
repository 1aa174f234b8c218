#!/usr/bin/env bash
# fleetd is killed at any moment: what runs is never touched, what was under way is finished by the next one.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up
rounds=${ROUNDS:-12}
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"

forever="sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'"
for i in 1 2 3; do
        service "steady$i" <<E
ExecStart=/usr/bin/docker run --rm --name steady$i busybox $forever
ExecStop=/usr/bin/docker stop -t 2 steady$i
Restart=always
E
done
t_ok "three units run" ctl start "$T"/steady{1,2,3}.service
before=$(all_started_at)
t_eq "as three containers" "$(wc -l <<<"$before")" 3

service churn <<E
ExecStartPre=-/usr/bin/docker rm -f churn
ExecStartPre=/usr/bin/docker pull busybox
ExecStart=/usr/bin/docker run --name churn busybox $forever
ExecStop=/usr/bin/docker stop -t 2 churn
E
pauses() { # MILLISECONDS
        wait_for "0" false
        sleep "0.$(printf %03d "$1")"
}
untouched=0
for ((i = 1; i <= rounds; i++)); do
        # One unit on its way somewhere while fleetd dies.
        case $((i % 3)) in
        0) ctl destroy churn.service >/dev/null 2>&1 & ;;
        1) ctl start --no-block "$T/churn.service" >/dev/null 2>&1 & ;;
        2) ctl stop --no-block churn.service >/dev/null 2>&1 & ;;
        esac
        client=$!
        pauses $((RANDOM % 400))
        rig_kill f KILL
        wait $client 2>/dev/null
        [ "$(all_started_at | grep steady)" = "$before" ] || t_fail "round $i: after the kill" "$(all_started_at)"
        rig_fleetd_start f || { t_fail "round $i: fleetd does not start again"; break; }
        [ "$(all_started_at | grep steady)" = "$before" ] || t_fail "round $i: after the start" "$(all_started_at)"
        [ "$(all_started_at | grep steady)" != "$before" ] || untouched=$((untouched + 1))
done
t_eq "in $rounds rounds nothing was touched" "$untouched" "$rounds"
for i in 1 2 3; do t_is "steady$i is active" "steady$i" active/running; done

t_ok "what was in between can be had" ctl start "$T/churn.service"
t_is "and runs" churn active/running
t_eq "once" "$(docker_e ps -q -f name=churn | wc -l)" 1

# Supervision goes on for what was taken up.
docker_e kill steady2 >/dev/null
again() { is steady2 active/running && [ "$(container steady2)" = running ]; }
t_wait "a killed container is started again" 10 again
t_eq "its neighbours were not" "$(all_started_at | grep -w 'steady[13]')" "$(grep -w 'steady[13]' <<<"$before")"

# One that ends while nobody looks is treated as its Restart= says.
rig_kill f KILL
docker_e kill steady3 churn >/dev/null
t_ok "fleetd starts after both have died" rig_fleetd_start f
again3() { is steady3 active/running && [ "$(container steady3)" = running ]; }
t_wait "Restart=always: started again" 15 again3
t_is "Restart=no: failed" churn failed/failed

t_ok "all can be destroyed" ctl destroy steady1.service steady2.service steady3.service churn.service
t_eq "no container runs" "$(docker_e ps -q)" ""
t_done
