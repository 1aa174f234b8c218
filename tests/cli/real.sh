#!/usr/bin/env bash
# The same stories with the real fleetd and a real engine: its answers must make fleetctl say what
# the pretended one makes it say (FLEET.md B3.4, B3.5, B3.6).
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
. "$ROOT/tests/lib/expect.sh"
. "$ROOT/tests/lib/stories.sh"

id=aaaaaaaabbbb4ccc8dddeeeeeeeeeeee
rig_require
t_ok "an engine starts" rig_dockerd e
t_ok "it has busybox" rig_busybox_image "$(rig_docker_socket e)"
rig_fleetd_conf f "$(rig_docker_socket e)" machine_id=$id public_ip=10.0.0.1 metadata=region=eu,disk=ssd
t_ok "fleetd starts" rig_fleetd f
[ $t_failed = 0 ] || exit 1
export FLEETCTL_ENDPOINT=unix://$T/f/fleet.sock

OTHER=other.service # the docker driver has services only
run='/usr/bin/docker run --rm --name %p-%i busybox'
UNIT_LINES=(Type=oneshot "ExecStart=$run true")
unit oneshot.service
UNIT_LINES=("ExecStart=$run sh -c \"trap 'exit 0' TERM; while :; do sleep 0.05; done\"")
story_units

no_units_story
life_story real
t_wait "what was destroyed without waiting is gone" 10 container_is hello- none
mkdir "$T/create"
cd "$T/create" || exit 1
create_story
t_ok "all of it goes" ctl destroy '*'

# ---- tables: columns, their widths, their order ----
cd "$T" || exit 1
expect "machines" 0 $'MACHINE\t\tIP\t\tMETADATA\naaaaaaaa...\t10.0.0.1\tdisk=ssd,region=eu' "" list-machines
expect "machines, whole ids" 0 "$id"$'\t10.0.0.1' "" list-machines --full --no-legend --fields machine,ip
expect "no units" 0 $'UNIT\tMACHINE\tACTIVE\tSUB' "" list-units
expect "no unit files" 0 $'UNIT\tHASH\tDSTATE\tSTATE\tTARGET' "" list-unit-files
unit b.service '[Unit]' 'Description=What it is for'
unit nowhere.service '[X-Fleet]' MachineMetadata=region=us
"$FLEETCTL" start --no-block nowhere.service >/dev/null
"$FLEETCTL" submit b.service web@.service >/dev/null
"$FLEETCTL" start hello.service global.service >/dev/null
t_is "a global runs" global active/running
hash() { "$FLEETCTL" cat "$1" | sha1sum | cut -c1-7; }
h=$(hash hello.service) g=$(hash global.service) b=$(hash b.service) n=$(hash nowhere.service) w=$(hash web@.service)
expect "units" 0 $'UNIT\t\tMACHINE\t\t\tACTIVE\tSUB
global.service\taaaaaaaa.../10.0.0.1\tactive\trunning
hello.service\taaaaaaaa.../10.0.0.1\tactive\trunning' "" list-units
expect "other fields" 0 "global.service"$'\tloaded\t'"$g"$'\nhello.service\tloaded\t'"$h" "" \
        list-units --no-legend --fields unit,load,hash
expect "unit files" 0 $'UNIT\t\tHASH\tDSTATE\t\tSTATE\t\tTARGET
b.service\t'"$b"$'\tinactive\tinactive\t-
global.service\t'"$g"$'\tlaunched\t-\t\tglobal
hello.service\t'"$h"$'\tlaunched\tlaunched\taaaaaaaa.../10.0.0.1
nowhere.service\t'"$n"$'\tlaunched\tinactive\t-
web@.service\t'"$w"$'\tinactive\tinactive\t-' "" list-unit-files
expect "what they are for, and which are global" 0 $'b.service\tfalse\tWhat it is for
global.service\ttrue\t-
hello.service\tfalse\t-
nowhere.service\tfalse\t-
web@.service\tfalse\t-' "" list-unit-files --no-legend --fields unit,global,desc

# ---- why not ----
expect "a wait that ends" 1 "" "Unit nowhere.service cannot be placed: 1 machine lacks metadata region=us
Error waiting for units: timed out waiting for unit nowhere.service to report state loaded
Error waiting for unit states, exit status: timed out waiting for unit nowhere.service to report state loaded" \
        load --block-attempts=1 nowhere.service
expect "status says why it is nowhere" 1 "" "Unit nowhere.service does not appear to be loaded.
Unit nowhere.service cannot be placed: 1 machine lacks metadata region=us" status nowhere.service
expect "the journal of what runs nowhere" 1 "" "Unit nowhere.service does not appear to be running." \
        journal nowhere.service
expect "the journal of what is not there" 1 "" "Unit nope.service does not exist." journal nope
expect "the status of what is not there" 1 "" "Unit nope.service does not exist." status nope

# ---- what a driver refuses, with the line of the user's own file ----
printf '# why\n\n[Service]\n# what\nExecStart=/usr/bin/docker run --no-such-flag busybox\n' >flag.service
expect "an unknown docker flag, by name and line" 1 "" \
        "Error creating units: failed creating unit flag.service: googleapi: Error 400: line 5: unknown flag '--no-such-flag' of 'docker run'" \
        submit flag.service
printf '[Unit]\n\n[Service]\nExecStart=/usr/bin/docker run busybox "x\n' >quote.service
expect "a quote that is left open, by line" 1 "" \
        "Error creating units: failed creating unit quote.service: googleapi: Error 400: line 4: ExecStart: unbalanced quotes" \
        submit quote.service
t_done
