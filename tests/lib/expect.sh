# fleetctl's words, exactly: against the pretended fleetd (fake_api.sh) or a real one.
# Source it behind shell.sh.
#
#   expect NAME RC STDOUT STDERR ARG…      runs fleetctl, compares all three exactly
#                            (EXPECT_SORTED=1: the lines of stdout come in any order)
#   unit NAME [LINE…]        writes a unit file into the current directory; it starts with UNIT_LINES

export TZ=UTC LC_ALL=C.UTF-8
unset "${!FLEETCTL_@}"
FLEETCTL=${FLEETCTL:-$ROOT/build/debug/fleetctl}
UNIT_LINES=(ExecStart=/bin/true)
cd "$T" || exit 1

unit() { # NAME LINE…
        local name=$1
        shift
        mkdir -p "$(dirname "$name")"
        printf '%s\n' '[Service]' "${UNIT_LINES[@]}" "$@" >"$name"
}

expect() { # NAME RC STDOUT STDERR ARG…
        local name=$1 rc=$2 out=$3 err=$4 seconds=${EXPECT_SECONDS:-20}
        shift 4
        t_run timeout "$seconds" "$FLEETCTL" "$@"
        if [ -n "${EXPECT_SORTED:-}" ]; then
                T_OUT=$(sort <<<"$T_OUT")
                out=$(sort <<<"$out")
        fi
        if [ "$T_RC" = "$rc" ] && [ "$T_OUT" = "$out" ] && [ "$T_ERR" = "$err" ]; then
                t_pass "$name"
        else
                t_fail "$name" "fleetctl $*" "exit code $T_RC, wanted $rc" \
                        "stdout:" "$T_OUT" "wanted:" "$out" "stderr:" "$T_ERR" "wanted:" "$err"
        fi
}
