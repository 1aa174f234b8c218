# A pretended fleetd (tests/tools/fake_api.c) for tests of fleetctl. Source it behind shell.sh.
#
#   fake_start [OPTION…]     starts it; FLEETCTL_ENDPOINT leads there; requests are in $T/requests
#   fake_stop

. "$ROOT/tests/lib/expect.sh"
fake_pid=

fake_stop() {
        [ -n "$fake_pid" ] || return 0
        kill "$fake_pid" 2>/dev/null
        wait "$fake_pid" 2>/dev/null
        fake_pid=
}

fake_start() { # OPTION…
        fake_stop
        rm -f "$T/fleet.sock" "$T/requests"
        "$TOOLS/fake_api" "$T/fleet.sock" "$@" >>"$T/requests" 2>"$T/fake.err" &
        fake_pid=$!
        export FLEETCTL_ENDPOINT=unix://$T/fleet.sock
        wait_for 10 grep -q ready "$T/requests" || {
                cat "$T/fake.err"
                exit 1
        }
}
at_exit fake_stop
