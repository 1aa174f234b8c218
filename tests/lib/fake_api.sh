# A pretended fleetd (tests/tools/fake_api.c) for tests of fleetctl. Source it behind shell.sh.
#
#   fake_start [OPTION…]     starts it; FLEETCTL_ENDPOINT leads there; requests are in $T/requests
#   fake_stop
#   expect NAME RC STDOUT STDERR ARG…      runs fleetctl, compares all three exactly
#   unit NAME [LINE…]        writes a unit file into the current directory

export TZ=UTC LC_ALL=C.UTF-8
unset "${!FLEETCTL_@}"
FLEETCTL=${FLEETCTL:-$ROOT/build/debug/fleetctl}
cd "$T" || exit 1
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

unit() { # NAME LINE…
        local name=$1
        shift
        mkdir -p "$(dirname "$name")"
        printf '[Service]\nExecStart=/bin/true\n' >"$name"
        [ $# = 0 ] || printf '%s\n' "$@" >>"$name"
}

expect() { # NAME RC STDOUT STDERR ARG…
        local name=$1 rc=$2 out=$3 err=$4 seconds=${EXPECT_SECONDS:-20}
        shift 4
        t_run timeout "$seconds" "$FLEETCTL" "$@"
        if [ "$T_RC" = "$rc" ] && [ "$T_OUT" = "$out" ] && [ "$T_ERR" = "$err" ]; then
                t_pass "$name"
        else
                t_fail "$name" "fleetctl $*" "exit code $T_RC, wanted $rc" \
                        "stdout:" "$T_OUT" "wanted:" "$out" "stderr:" "$T_ERR" "wanted:" "$err"
        fi
}
