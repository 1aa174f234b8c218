#!/usr/bin/env bash
# The disk under fleetd's state fills up while units run: what cannot be stored is refused with the
# reason, what runs goes on and is kept running, and with space again all is as if nothing had been.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
rig_require
state=$T/f/state
mkdir -p "$state"
mount -t tmpfs -o size=2m tmpfs "$state" 2>/dev/null || t_skip_all "tmpfs cannot be mounted here"
at_exit umount -l "$state"
daemon_up
cp "$ROOT/examples/hello@.service" "$T/"
fill() { # what is left, to the last byte
        dd if=/dev/zero of="$state/filler" bs=4k 2>/dev/null
        dd if=/dev/zero of="$state/filler2" bs=1 2>/dev/null
        [ "$(df --output=avail "$state" | tail -n 1)" -eq 0 ]
}
space() { rm -f "$state"/filler*; }
put_state() { # UNIT STATE
        rig_api f PUT "/fleet/v1/units/$1" -H 'Content-Type: application/json' \
                --data "{\"desiredState\":\"$2\"}" -w '%{http_code}'
}
# Until the store takes no write any more: its log may have room that is its own already.
is_full() { [[ $(put_state spare.service loaded)$(put_state spare.service inactive) == *500* ]]; }

service spare <<<'ExecStart=/usr/bin/docker run --rm busybox true'
t_ok "units run" ctl start "$T/hello@1.service" "$T/hello@2.service"
t_ok "one is only known" ctl submit "$T/spare.service"
started=$(all_started_at)
t_ok "the disk fills up" fill
t_wait "until nothing can be stored" 30 is_full

big=$(head -c 60000 /dev/zero | tr '\0' x)
T_OUT=$(jq -nc --arg v "$big" '{options: [{section: "Unit", name: "Description", value: $v},
        {section: "Service", name: "ExecStart", value: "/usr/bin/docker run busybox true"}]}' |
        rig_api f PUT /fleet/v1/units/big.service -H 'Content-Type: application/json' --data-binary @- -w '%{http_code}')
t_match "a new unit is refused, with the reason" "$T_OUT" 'no space left.*500$'
t_not "fleetctl says so, too" ctl stop hello@1.service
t_match "in words" "$T_ERR" 'Error 500: .*no space left'
t_ok "lists are served" ctl list-units
t_eq "nothing of it is there" "$(rig_api f GET /fleet/v1/units/big.service -o /dev/null -w '%{http_code}')" 404
t_eq "what runs was left alone" "$(all_started_at)" "$started"

docker_e kill hello-1 >/dev/null
again() { [ "$(container hello-1)" = running ] && [ "$(rig_started_at e hello-1)" != "$old" ]; }
old=$(awk '$1 == "/hello-1" { print $2 }' <<<"$started")
t_wait "what ends is started again all the same" 15 again

cpu() { awk '{ print $14 + $15 }' "/proc/$(rig_pid f)/stat"; }
before=$(cpu)
sleep 3
t_ok "it does not spin meanwhile" test $(($(cpu) - before)) -lt 60
t_ok "nor write its log without end" test "$(wc -l <"$T/f/fleetd.log")" -lt 200

# Killed and started again with a full disk: it may refuse to start, but nothing stops.
started=$(all_started_at)
rig_kill f KILL
RIG_DEADLINE=5
if rig_fleetd_start f >/dev/null; then
        t_pass "started again with a full disk, it serves"
        rig_kill f KILL
else
        t_match "started again with a full disk, it says why not" "$(tail -n 5 "$T/f/fleetd.log")" 'no space left'
fi
unset RIG_DEADLINE
t_eq "and the units go on" "$(all_started_at)" "$started"
space
t_ok "with space it starts" rig_fleetd_start f
t_is "what it knew is there" hello@1 active/running
t_is "all of it" hello@2 active/running
t_eq "and was left alone" "$(all_started_at)" "$started"

t_ok "the disk fills up again" fill
t_wait "until nothing can be stored" 30 is_full
docker_e kill hello-2 >/dev/null
old=$(awk '$1 == "/hello-2" { print $2 }' <<<"$started")
again2() { [ "$(container hello-2)" = running ] && [ "$(rig_started_at e hello-2)" != "$old" ]; }
t_wait "a unit is started again" 15 again2
space
t_ok "without a new start it stores again" ctl start "$T/hello@3.service"
t_is "and shows what it could not store" hello@2 active/running
t_ok "a unit stops" ctl stop hello@1.service
t_is "and is stopped" hello@1 inactive/dead
t_ok "SIGTERM ends it with a full disk, too" fill
t_ok "in good time" rig_kill f TERM
t_eq "with all units stopped" "$(docker_e ps -q)" ""
t_done
