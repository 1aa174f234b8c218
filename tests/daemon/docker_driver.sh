#!/usr/bin/env bash
# The docker driver by itself against a real engine: what becomes of commands, ends and outside hands.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
. "$ROOT/tests/lib/console.sh"
rig_require
rig_dockerd e --storage-driver=vfs >/dev/null || t_fail "dockerd starts"
console_image e
console_up e

d() { rig_docker e "$@"; }

service() { # NAME: the [Service] section from stdin
        { echo '[Service]' && cat; } >"$T/$1.service"
        say load "$1.service" "$T/$1.service"
        expect 5 "^(done $1.service 0|error)" >/dev/null
}

forget() { # NAME
        say unload "$1.service"
        t_expect "$1 is unloaded" 20 "^gone $1.service"
}

t_expect "the engine is found" 10 "^available 1"
say adopt
t_expect "nothing is adopted at first" 5 "^adopted 0"

# ---- a whole life ----------------------------------------------------------------------------
service life <<'E'
ExecStartPre=-/usr/bin/docker kill life
ExecStartPre=-/usr/bin/docker rm life
ExecStartPre=/usr/bin/docker pull busybox
ExecStart=/usr/bin/docker run --name life busybox /bin/sh -c "trap 'exit 0' INT TERM; while true; do echo Hello World; sleep 0.1; done"
ExecStop=/usr/bin/docker stop life
E
say start life.service
t_expect "it goes through start-pre" 10 "^state life.service activating start-pre"
t_expect "it runs" 10 "^state life.service active running success .* id=[0-9a-f]{12}"
t_expect "the start is told" 5 "^done life.service 0"
t_ok "the pull says that the registry was not there" grep -q 'registry unreachable, using the local image sha256:' "$T/console.out"
t_eq "the container has our labels" \
        "$(d inspect -f '{{index .Config.Labels "flotilla.unit"}} {{index .Config.Labels "flotilla.machine"}}' life)" \
        "life.service 00000000000000000000000000000001"
say logs life.service 2
t_expect "its output is there" 5 "^log life.service stdout Hello World"
t_expect "and ends" 5 "^logend life.service 0"
say stop life.service
t_expect "ExecStop is run" 5 "^state life.service deactivating stop success"
t_expect "it ends in good order" 15 "^state life.service inactive dead success exit=0"
t_expect "the stop is told" 5 "^done life.service 0"
say start life.service
t_expect "it can be started again" 10 "^done life.service 0"
say restart life.service
t_expect "and restarted" 20 "^done life.service 0"
say inspect life.service
t_expect "it runs after the restart" 5 "^state life.service active running"
forget life
t_ok "its container is removed, which nobody wants any more" wait_for 10 rig_no_container e life

# ---- ends ------------------------------------------------------------------------------------
service ends <<'E'
ExecStart=/usr/bin/docker run --rm --name ends busybox sh -c 'sleep 0.3; exit 3'
E
say start ends.service
t_expect "an exit code is told" 10 "^state ends.service failed failed exit-code exit=3"
t_not "with --rm the container is gone" d inspect ends
forget ends

service quick <<'E'
Restart=on-failure
RestartSec=50ms
ExecStart=/usr/bin/docker run --rm --name quick busybox true
E
say start quick.service
t_expect "one that ends at once has ended well" 10 "^state quick.service inactive dead success exit=0"
forget quick

service again <<'E'
TimeoutStopSec=1
Restart=always
RestartSec=50ms
ExecStart=/usr/bin/docker run --rm --name again busybox sleep 1000
E
say start again.service
t_expect "it runs" 10 "^state again.service active running"
d kill again >/dev/null
t_expect "docker kill from outside is a failure" 10 "^state again.service activating auto-restart signal exit=-1 signal=9"
t_expect "after which it is restarted" 10 "^state again.service active running .* restarts=1"
d stop -t 0 again >/dev/null
t_expect "docker stop from outside, too, with Restart=always" 10 "^state again.service active running .* restarts=2"
d rm -f again >/dev/null
t_expect "and docker rm -f" 10 "^state again.service active running .* restarts=3"
forget again
t_not "unloading with --rm leaves no container" d inspect again

service failure <<'E'
TimeoutStopSec=1
Restart=on-failure
RestartSec=50ms
ExecStart=/usr/bin/docker run --rm --name failure busybox sleep 1000
E
say start failure.service
t_expect "it runs" 10 "^state failure.service active running"
d kill failure >/dev/null
t_expect "Restart=on-failure restarts after docker kill" 10 "^state failure.service active running .* restarts=1"
d stop -t 1 failure >/dev/null
t_expect "but not after docker stop, whatever the status" 10 "^state failure.service inactive dead success .* signal=9"
say start failure.service
t_expect "it runs again" 10 "^state failure.service active running"
d kill -s TERM failure >/dev/null
d kill failure >/dev/null
t_expect "TERM that did nothing and KILL are no stop" 10 "^state failure.service activating auto-restart signal .*signal=9"
t_expect "so it is restarted" 10 "^state failure.service active running"
say stop failure.service
t_expect "without ExecStop, TERM that nobody hears is followed by KILL" 20 "^state failure.service (failed|inactive)"
forget failure

service trap <<'E'
TimeoutStopSec=2
ExecStart=/usr/bin/docker run --rm --name trap busybox sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
E
say start trap.service
t_expect "it runs" 10 "^done trap.service 0"
say stop trap.service
t_expect "KillSignal reaches it, and its own status counts" 10 "^state trap.service failed failed exit-code exit=7"
forget trap

service deaf <<'E'
TimeoutStopSec=1
ExecStart=/usr/bin/docker run --rm --name deaf busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done'
E
say start deaf.service
t_expect "it runs" 10 "^done deaf.service 0"
say stop deaf.service
t_expect "what does not hear TERM is killed" 10 "^state deaf.service failed failed timeout exit=-1 signal=9"
forget deaf

service memory <<'E'
ExecStart=/usr/bin/docker run --rm --name memory -m 8m --memory-swap 8m busybox dd if=/dev/zero of=/dev/null bs=100m count=1
E
say start memory.service
t_expect "lack of memory is told as such, or as the status of what died of it" 20 \
        "^state memory.service failed failed (oom-kill|exit-code|signal)"
forget memory

# ---- what the engine will not do --------------------------------------------------------------
service missing <<'E'
ExecStart=/usr/bin/docker run --rm --name missing no-such-image:nowhere
E
say start missing.service
t_expect "a missing image that cannot be pulled is status 125" 20 "^state missing.service failed failed exit-code exit=125"
t_expect "and the start says why" 5 "^done missing.service -[0-9]+ .*docker run: .*"
forget missing

service pulls <<'E'
ExecStartPre=/usr/bin/docker pull no-such-image:nowhere
ExecStart=/usr/bin/docker run --rm --name pulls busybox true
E
say start pulls.service
t_expect "a pull of what is not here fails" 20 "^state pulls.service failed failed exit-code exit=-1 .*status 1"
forget pulls

d run -d --name taken busybox sleep 1000 >/dev/null
service taken <<'E'
ExecStart=/usr/bin/docker run --rm --name taken busybox sleep 1000
E
say start taken.service
t_expect "a name that is taken is a failure in the engine's words" 10 \
        "^state taken.service failed failed exit-code exit=125 .*The container name \"/taken\" is already in use"
t_eq "its owner was not touched" "$(d inspect -f '{{.State.Running}}' taken)" true
forget taken
d rm -f taken >/dev/null

service nothing <<'E'
ExecStart=/usr/bin/docker run --rm --name nothing busybox /no/such/command
E
say start nothing.service
t_expect "a command that is not there is status 127" 10 "^state nothing.service failed failed exit-code exit=127"
t_not "and its container is gone" d inspect nothing
forget nothing

service directory <<'E'
ExecStart=/usr/bin/docker run --rm --name directory --entrypoint /bin busybox
E
say start directory.service
t_expect "a command that cannot be executed is status 126" 10 "^state directory.service failed failed exit-code exit=126"
forget directory

# ---- other shapes ------------------------------------------------------------------------------
service created <<'E'
ExecStartPre=-/usr/bin/docker rm -f created
ExecStartPre=/usr/bin/docker create --name created busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
ExecStart=/usr/bin/docker start -a created
ExecStop=/usr/bin/docker stop created
E
say start created.service
t_expect "docker start of what was created before" 10 "^state created.service active running"
t_eq "it has our labels, too" "$(d inspect -f '{{index .Config.Labels "flotilla.unit"}}' created)" created.service
say stop created.service
t_expect "and stops in good order" 15 "^state created.service inactive dead success exit=0"
forget created

service detached <<'E'
ExecStart=/usr/bin/docker run -d --name detached --rm busybox sleep 1000
ExecStop=-/usr/bin/docker stop -t 0 detached
E
say start detached.service
t_expect "docker run -d is supervised" 10 "^state detached.service active running"
say stop detached.service
t_expect "and stopped" 10 "^state detached.service inactive dead success"
forget detached

service oneshot <<'E'
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/docker run --rm busybox true
ExecStart=/usr/bin/docker run --rm busybox sh -c 'sleep 0.2'
E
say start oneshot.service
t_expect "a oneshot is active when its last command is through" 10 "^state oneshot.service active exited"
forget oneshot

service before <<'E'
ExecStartPre=/usr/bin/docker run --rm busybox sh -c 'exit 5'
ExecStart=/usr/bin/docker run --rm --name before busybox true
E
say start before.service
t_expect "docker run as a pre command is waited for, its status counts" 10 "^state before.service failed failed exit-code .*status 5"
forget before

service flag <<'E'
ExecStart=/usr/bin/docker run --rm --nonsense busybox true
E
say claim flag.service "$T/flag.service"
t_expect "an unknown flag is refused by name and line" 5 "^claim flag.service -22 2 unknown flag '--nonsense' of 'docker run'"

service slow <<'E'
TimeoutStartSec=1
ExecStartPre=/usr/bin/docker run --rm --name slowpre busybox sleep 1000
ExecStart=/usr/bin/docker run --rm --name slow busybox true
E
say start slow.service
t_expect "a pre command that takes too long is killed" 100 "^state slow.service failed failed timeout"
t_ok "and its container is taken away" wait_for 10 eval '! rig_docker e inspect slowpre'
forget slow

service output <<'E'
ExecStart=/usr/bin/docker run --name output busybox sh -c 'echo one; echo two >&2; sleep 0.2; echo three; exit 1'
ExecStopPost=-/usr/bin/docker kill output
E
say follow output.service
say start output.service
t_expect "it fails" 10 "^state output.service failed"
t_wait "output is followed from before the start" 5 grep -q "^log output.service stdout one" "$T/console.out"
t_wait "errors are told apart" 5 grep -q "^log output.service stderr two" "$T/console.out"
say logs output.service 1
t_expect "the output of what has ended is there" 5 "^log output.service stdout three"
forget output

service tty <<'E'
ExecStart=/usr/bin/docker run --rm -t --name tty busybox sh -c 'echo from a terminal; sleep 1000'
ExecStop=/usr/bin/docker kill tty
E
say follow tty.service
say start tty.service
t_expect "a terminal's output is read" 10 "^log tty.service stdout from a terminal$"
say stop tty.service
t_expect "docker kill as ExecStop is a good order, too" 10 "^state tty.service inactive dead success"
forget tty

t_eq "no container of ours is left running" "$(d ps -q --filter label=flotilla.unit | wc -l)" 0
say quit
t_ok "the console ends well" wait "$CONSOLE"
CONSOLE=
t_eq "and said nothing on stderr" "$(cat "$T/console.err")" ""
t_done
