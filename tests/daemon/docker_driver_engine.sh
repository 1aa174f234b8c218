#!/usr/bin/env bash
# The docker driver when its engine goes away and comes back, and when the driver itself does.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
. "$ROOT/tests/lib/console.sh"
rig_require

d() { rig_docker e "$@"; }

service() { # NAME: the [Service] section from stdin
        { echo '[Service]' && cat; } >"$T/$1.service"
        say load "$1.service" "$T/$1.service"
        expect 5 "^(done $1.service 0|error)" >/dev/null
}

id_of() { # NAME
        d inspect -f '{{.Id}}' "$1"
}

last_state() { # NAME
        grep "^state $1.service" "$T/console.out" | tail -n 1
}

# Starts it and waits for the answer to that.
start() { # NAME
        CONSOLE_SEEN=$(wc -l <"$T/console.out")
        say start "$1.service"
        t_expect "$1 is started" 15 "^done $1.service 0"
}

t_becomes() { # TEST-NAME SECONDS UNIT REGEX
        t_wait "$1" "$2" state_matches "$3" "$4"
}
state_matches() { # UNIT REGEX
        last_state "$1"
        last_state "$1" | grep -qE "$2"
}

services() {
        service always <<'E'
Restart=always
RestartSec=100ms
TimeoutStopSec=1
ExecStart=/usr/bin/docker run --rm --name always busybox sleep 1000
E
        service failing <<'E'
Restart=on-failure
RestartSec=100ms
TimeoutStopSec=1
ExecStart=/usr/bin/docker run --name failing busybox sleep 1000
ExecStopPost=-/usr/bin/docker rm failing
E
        service never <<'E'
TimeoutStopSec=1
ExecStart=/usr/bin/docker run --rm --name never busybox sleep 1000
E
        for n in always failing never; do
                say start $n.service
                t_expect "$n runs" 15 "^done $n.service 0"
        done
}

# ---- no engine at first ------------------------------------------------------------------------
mkdir -p "$T/e"
console_up e
t_expect "without an engine it is not available, and says why" 10 "^available 0 .*No such file"
say adopt
t_expect "nothing is concluded from that" 5 "^adopted -[0-9]+ "
service early <<'E'
TimeoutStopSec=1
ExecStart=/usr/bin/docker run --rm --name early busybox sleep 1000
E
say start early.service
t_match "a start waits for the engine" "$(last_state early)" "inactive dead"
rig_dockerd e --storage-driver=vfs >"$T/rig.out" || t_fail "dockerd starts" "$(cat "$T/rig.out")"
t_expect "the engine is found when it is there" 15 "^available 1"
t_expect "the image is missing: that is told" 30 "^done early.service -[0-9]+ .*docker run"
console_image e
say start early.service
t_expect "now it runs" 15 "^done early.service 0"
say unload early.service
t_expect "and goes" 15 "^gone early.service"

# ---- killed, and its containers with it --------------------------------------------------------
services
ids=$(d ps -q | wc -l)
t_eq "three run" "$ids" 3
rig_dockerd_kill e
t_expect "the engine is missed" 10 "^available 0 "
read -rt 1 <> <(:) || :
for n in always failing never; do
        t_match "$n is not called failed for it" "$(last_state $n)" "active running"
        t_match "$n says why nothing is known" "$(last_state $n)" "no docker engine"
done
rig_dockerd_start e >"$T/rig.out" || t_fail "dockerd starts again" "$(cat "$T/rig.out")"
t_expect "the engine is found again" 30 "^available 1"
t_becomes "Restart=always runs again" 20 always "active running.*restarts=1"
t_becomes "Restart=on-failure, too" 20 failing "active running.*restarts=1"
t_becomes "Restart=no is failed" 20 never "failed failed exit-code"
t_match "with the reason" "$(last_state never)" "while the engine was away"

# ---- shut down in good order -------------------------------------------------------------------
start never
rig_dockerd_stop e
rig_dockerd_start e >"$T/rig.out" || t_fail "dockerd starts again" "$(cat "$T/rig.out")"
t_becomes "an engine's shutdown is no wish that on-failure units end" 30 failing "active running.*restarts=[2-9]"
t_becomes "nor that the others do" 20 always "active running.*restarts=[2-9]"
t_becomes "Restart=no has ended" 20 never "(failed failed|inactive dead)"

# ---- the driver goes and comes: adoption -------------------------------------------------------
start never
before=$(id_of always)$(id_of failing)$(id_of never)
say recreate
t_expect "a new driver finds the engine" 10 "^available 1"
say adopt
t_expect "it finds what runs" 5 "^found always.service [0-9a-f]{40} active generation=[0-9]+"
t_expect "all of it" 5 "^adopted 0"
t_eq "found" "$(grep -c '^found ' "$T/console.out")" 3
for n in always failing never; do say load $n.service "$T/$n.service"; done
t_expect "loading takes it up as it runs" 5 "^state (always|failing|never).service active running"
t_becomes "all three" 5 never "active running"
t_eq "untouched" "$(id_of always)$(id_of failing)$(id_of never)" "$before"
d kill never >/dev/null
t_becomes "and is supervised" 10 never "failed failed signal"
before_kill=$(last_state always | sed 's/.*restarts=\([0-9]*\).*/\1/')
d kill always >/dev/null
t_becomes "restarts are counted on" 10 always "active running.*restarts=$((before_kill + 1))"

# ---- ends while nobody looks -------------------------------------------------------------------
start never
console_down
d kill never failing >/dev/null
console_up e
t_expect "a new process finds the engine" 10 "^available 1"
say adopt
t_expect "it finds what ended, too" 5 "^found never.service [0-9a-f]{40} inactive"

t_expect "and all" 5 "^adopted 0"
for n in always failing never; do
        say load $n.service "$T/$n.service"
        say start $n.service
done
t_becomes "what ended with Restart=no is not started again" 10 never "failed failed"
t_becomes "what ended with Restart=on-failure is" 10 failing "active running"
t_becomes "what ran runs on" 10 always "active running"
t_not "with --rm its container is gone" d inspect never
say start never.service
t_becomes "an end is told once: the next start starts" 10 never "active running"

# ---- another content, and what nobody wants -----------------------------------------------------
say recreate
t_expect "a new driver finds the engine" 10 "^available 1"
echo '# other' >>"$T/always.service"
say load always.service "$T/always.service"
sed -i 's/sleep 1000/sleep 1001/' "$T/failing.service"
say load failing.service "$T/failing.service"
t_expect "what runs with another content must be unloaded first" 5 "^error -17 .*another content"
say unload failing.service
t_expect "which stops it" 20 "^done failing.service 0"
t_ok "and removes its container, which nobody wants any more" wait_for 10 rig_no_container e failing
say unload never.service
t_expect "what nobody loads can be unloaded" 20 "^done never.service 0"
t_not "with --rm it is gone" d inspect never
say unload always.service
t_expect "the loaded one, too" 20 "^gone always.service"
d create --name crashed --label flotilla.unit=crashed.service \
        --label flotilla.machine=00000000000000000000000000000001 busybox true >/dev/null
d run -d --name foreign busybox sleep 1000 >/dev/null
say recreate
t_expect "a new driver finds the engine" 10 "^available 1"
service crashed <<'E'
ExecStart=/usr/bin/docker run --rm --name crashed busybox sleep 1000
TimeoutStopSec=1
E
t_ok "what a crash left between create and start is taken away" wait_for 5 eval '! rig_docker e inspect crashed'
say start crashed.service
t_expect "and starts afresh" 10 "^done crashed.service 0"
say unload crashed.service
t_expect "it goes" 10 "^gone crashed.service"
t_eq "nobody else's container was touched" "$(d inspect -f '{{.State.Running}}' foreign)" true
d rm -f foreign >/dev/null
console_down
rig_dockerd_stop e

# ---- live-restore ------------------------------------------------------------------------------
RIG_ARGS[e]="${RIG_ARGS[e]} --live-restore"
rig_dockerd_start e >"$T/rig.out" || t_fail "dockerd starts" "$(cat "$T/rig.out")"
console_up e
t_expect "the engine is found" 20 "^available 1"
d rm -f failing >/dev/null 2>&1
services
t_becomes "what had ended with the engine runs again" 10 failing "active running"
before=$(id_of always)$(id_of failing)$(id_of never)
rig_dockerd_kill e
t_expect "the engine is missed" 10 "^available 0 "
rig_dockerd_start e >"$T/rig.out" || t_fail "dockerd starts again" "$(cat "$T/rig.out")"
t_expect "and found" 30 "^available 1"
t_becomes "with live-restore everything runs on" 10 never "active running.*msg=$"
t_eq "untouched" "$(id_of always)$(id_of failing)$(id_of never)" "$before"
d kill always >/dev/null
t_becomes "and is supervised" 10 always "active running.*restarts=1"

# ---- an engine that hangs ----------------------------------------------------------------------
service hang <<'E'
TimeoutStartSec=1
TimeoutStopSec=1
Type=exec
ExecStart=/usr/bin/docker run --rm --name hang busybox sleep 1000
E
kill -STOP "$(rig_pid e)"
say start hang.service
t_expect "an engine that hangs makes a start time out" 20 "^state hang.service failed failed timeout"
kill -CONT "$(rig_pid e)"

say start hang.service
t_expect "the next start waits until what it still made is taken away" 10 "^state hang.service active running"
for n in always failing never hang; do
        say unload $n.service
        t_expect "$n goes" 20 "^gone $n.service"
done
t_eq "no container of ours is left running" "$(d ps -q --filter label=flotilla.unit | wc -l)" 0
console_down
t_eq "and nothing was said on stderr" "$(cat "$T/console.err")" ""
t_done
