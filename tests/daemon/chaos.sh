#!/usr/bin/env bash
# Ten units, people at work on them, and at any moment somebody kills fleetd, the engine or a container. In the end all
# is as wanted, nothing is left over, and what nobody killed has never been touched.
#
# SEED=… repeats a run as far as time allows; SECONDS_OF_CHAOS (25) says how long.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
chaos=${SECONDS_OF_CHAOS:-25}
seed=${SEED:-$$}
RANDOM=$seed
echo "seed $seed"
daemon_up --live-restore

forever="sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.2; done'"
# Two that nobody touches, two whose containers are killed, six that people work on; one of them has no name.
for u in calm-1 calm-2 hit-1 hit-2 busy-1 busy-2 busy-3; do
        service $u <<E
ExecStart=/usr/bin/docker run --rm --name $u busybox $forever
ExecStop=/usr/bin/docker stop -t 2 $u
Restart=always
RestartSec=100ms
StartLimitInterval=0
E
done
for u in busy-4 busy-5; do
        service $u <<E
ExecStartPre=-/usr/bin/docker kill $u
ExecStartPre=-/usr/bin/docker rm $u
ExecStartPre=/usr/bin/docker pull busybox
ExecStart=/usr/bin/docker run --name $u busybox $forever
ExecStop=/usr/bin/docker stop -t 2 $u
Restart=always
RestartSec=100ms
StartLimitInterval=0
E
done
service busy-6 <<E
ExecStart=/usr/bin/docker run busybox $forever
Restart=always
RestartSec=100ms
StartLimitInterval=0
E
busy=(busy-1 busy-2 busy-3 busy-4 busy-5 busy-6)
docker_e run -d --name foreign busybox sh -c 'while :; do sleep 1; done' >/dev/null || exit 1
t_ok "ten units run" ctl start "$T"/{calm,hit,busy}-?.service
[ $t_failed = 0 ] || exit 1
calm() { all_started_at | grep -E '/(calm-|foreign)'; }
before=$(calm)
t_eq "three containers are to be left alone" "$(wc -l <<<"$before")" 3

declare -A wanted=()
for u in "${busy[@]}"; do wanted[$u]=launched; done
ask() { # VERB UNIT: what is wanted counts only if fleetd said yes
        local unit=$T/$2.service
        [ "$1" = start ] || unit=$2.service
        RIG_CTL_DEADLINE=5 ctl "$1" --no-block "$unit" >/dev/null 2>&1
}
work() {
        local u=${busy[RANDOM % ${#busy[@]}]} verb want
        case $((RANDOM % 4)) in
        0 | 1) verb=start want=launched ;;
        2) verb=stop want=loaded ;;
        3) verb=destroy want=none ;;
        esac
        if [ "$verb" = stop ] && [ "${wanted[$u]}" = none ]; then
                verb=start want=launched
        fi
        wanted[$u]=$want
        ask "$verb" "$u" || wanted[$u]=unknown
}
pause() { # up to MILLISECONDS
        sleep "0.$(printf %03d $((RANDOM % $1)))"
}
engine_kills=0 fleetd_kills=0 container_kills=0
strike() {
        case $((RANDOM % 8)) in
        0)
                engine_kills=$((engine_kills + 1))
                rig_dockerd_kill e
                pause 500
                rig_dockerd_start e || t_fail "the engine does not come back"
                ;;
        1 | 2 | 3)
                fleetd_kills=$((fleetd_kills + 1))
                rig_kill f KILL
                pause 300
                rig_fleetd_start f || t_fail "fleetd does not start again"
                ;;
        *)
                container_kills=$((container_kills + 1))
                timeout 5 docker -H "unix://$(rig_docker_socket e)" kill "hit-$((RANDOM % 2 + 1))" >/dev/null 2>&1
                ;;
        esac
}
end=$((SECONDS + chaos))
while [ $SECONDS -lt $end ]; do
        for ((i = RANDOM % 3; i >= 0; i--)); do work; done
        pause 400
        strike
        [ "$(calm)" = "$before" ] || { t_fail "what nobody killed was touched" "$(calm)" "$before"; break; }
done
echo "killed: fleetd $fleetd_kills, engine $engine_kills, containers $container_kills times"

# What was asked for while fleetd died may have been heard or not: say it again.
for u in "${busy[@]}"; do
        [ "${wanted[$u]}" != unknown ] || { ask start "$u" && wanted[$u]=launched; }
done
as_wanted() { # UNIT
        case ${wanted[$1]} in
        launched) is "$1" active/running ;;
        loaded) [[ $(rig_active f "$1.service") =~ ^(inactive/dead|failed/failed)$ ]] ;;
        none) [ "$(rig_api f GET "/fleet/v1/units/$1.service" -o /dev/null -w '%{http_code}')" = 404 ] ;;
        *) false ;;
        esac
}
for u in "${busy[@]}"; do
        wait_for 20 as_wanted "$u" && t_pass "$u is ${wanted[$u]}" ||
                t_fail "$u is not ${wanted[$u]}" "$(ctl status "$u.service" 2>&1)"
done
for u in calm-1 calm-2 hit-1 hit-2; do t_is "$u runs" $u active/running; done

# One running container for each unit that is launched, none else.
running_now() { docker_e ps --format '{{.Label "flotilla.unit"}}' | sed 's/.service$//' | grep . | sort; }
running_wanted() {
        local u
        printf '%s\n' calm-1 calm-2 hit-1 hit-2
        for u in "${busy[@]}"; do [ "${wanted[$u]}" != launched ] || echo "$u"; done
}
right_ones_run() { [ "$(running_now)" = "$(running_wanted | sort)" ]; }
wait_for 20 right_ones_run
t_eq "each unit that shall run has one container" "$(running_now)" "$(running_wanted | sort)"
unwanted() { # containers of units that are no more
        local u
        for u in "${busy[@]}"; do
                [ "${wanted[$u]}" != none ] || docker_e ps -a --filter "label=flotilla.unit=$u.service" --format '{{.Label "flotilla.unit"}} {{.Status}}'
        done
}
none_unwanted() { [ -z "$(unwanted)" ]; }
wait_for 20 none_unwanted
t_eq "no container of a destroyed unit is left" "$(unwanted)" ""
never_started() { docker_e ps -a --filter status=created --format '{{.ID}} {{.Label "flotilla.unit"}}'; }
t_eq "none was made and never started" "$(never_started)" ""
t_eq "what nobody killed was never touched" "$(calm)" "$before"
t_ok "all can be destroyed" ctl destroy "$T"/{calm,hit,busy}-?.service
t_eq "only the foreign container is left" "$(docker_e ps -a --format '{{.Names}}')" foreign
t_done
