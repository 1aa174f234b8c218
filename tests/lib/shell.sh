# The vocabulary of our shell tests. Source it first:
#
#   . "$(dirname "$0")/../lib/shell.sh"
#   t_ok "says its version" "$FLEETCTL" version
#   t_done
#
# Each test has an own directory $T. What at_exit was given runs, last first, when the test ends,
# however it ends. FLEETD, FLEETCTL and TOOLS say which binaries are tested.
set -uo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
FLEETD=${FLEETD:-$ROOT/build/debug/fleetd}
FLEETCTL=${FLEETCTL:-$ROOT/build/debug/fleetctl}
TOOLS=${TOOLS:-$ROOT/build/debug/tests/tools}
T=$(mktemp -d "${TMPDIR:-/tmp}/flotilla.XXXXXX")
export ROOT FLEETD FLEETCTL TOOLS T
t_passed=0 t_failed=0 t_skipped=0 t_ended=
t_main_pid=$BASHPID
t_exits=()

at_exit() { # COMMAND ARG…
        t_exits+=("$(printf '%q ' "$@")")
}

# Nobody's: runs once, in the shell that sourced us only.
t_clean_up() {
        local rc=$? i
        [ "$BASHPID" = "$t_main_pid" ] || return
        trap - EXIT
        trap '' INT TERM
        for ((i = ${#t_exits[@]} - 1; i >= 0; i--)); do eval "${t_exits[i]}"; done
        rm -rf "$T"
        if [ -z "$t_ended" ]; then
                echo "not ok: ended early with exit code $rc"
                [ "$rc" != 0 ] || rc=1
        fi
        exit "$rc"
}
trap t_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

t_pass() { # NAME
        t_passed=$((t_passed + 1))
        echo "ok: $1"
}

t_fail() { # NAME [DETAIL…]
        t_failed=$((t_failed + 1))
        echo "NOT OK: $1"
        [ $# -lt 2 ] || printf '%s\n' "${@:2}" | sed 's/^/    /'
}

t_skip() { # NAME REASON
        t_skipped=$((t_skipped + 1))
        echo "skipped $1: $2"
}

# The whole file cannot run here.
t_skip_all() { # REASON
        t_ended=1
        echo "$1"
        exit 77
}

# Runs a command; T_OUT, T_ERR and T_RC hold what came of it.
t_run() { # COMMAND ARG…
        T_RC=0
        "$@" >"$T/.out" 2>"$T/.err" </dev/null || T_RC=$?
        T_OUT=$(<"$T/.out") T_ERR=$(<"$T/.err")
}

t_rc() { # NAME EXIT-CODE COMMAND ARG…
        local name=$1 want=$2
        shift 2
        t_run "$@"
        if [ "$T_RC" = "$want" ]; then
                t_pass "$name"
        else
                t_fail "$name" "exit code $T_RC, not $want: $*" "$T_OUT" "$T_ERR"
        fi
}

t_ok() { # NAME COMMAND ARG…
        local name=$1
        shift
        t_rc "$name" 0 "$@"
}

t_not() { # NAME COMMAND ARG…: it must fail
        local name=$1
        shift
        t_run "$@"
        if [ "$T_RC" != 0 ]; then
                t_pass "$name"
        else
                t_fail "$name" "succeeded: $*" "$T_OUT" "$T_ERR"
        fi
}

t_eq() { # NAME GOT WANTED
        if [ "$2" = "$3" ]; then
                t_pass "$1"
        else
                t_fail "$1" "got:    $2" "wanted: $3"
        fi
}

t_match() { # NAME GOT EXTENDED-REGEX
        if [[ $2 =~ $3 ]]; then
                t_pass "$1"
        else
                t_fail "$1" "got:     $2" "wanted:  $3"
        fi
}

t_no_match() { # NAME GOT EXTENDED-REGEX
        if [[ $2 =~ $3 ]]; then
                t_fail "$1" "got:     $2" "unwanted: $3"
        else
                t_pass "$1"
        fi
}

# Tries a condition until it holds; fails after SECONDS.
wait_for() { # SECONDS COMMAND ARG…
        local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
        shift
        until "$@" >/dev/null 2>&1; do
                [ "${EPOCHREALTIME/./}" -lt $deadline ] || return 1
                sleep 0.03
        done
}

t_wait() { # NAME SECONDS COMMAND ARG…
        local name=$1 seconds=$2
        shift 2
        if wait_for "$seconds" "$@"; then
                t_pass "$name"
        else
                t_fail "$name" "not within $seconds s: $*" "$("$@" 2>&1 | tail -n 20)"
        fi
}

gone() { # PID
        ! kill -0 "$1" 2>/dev/null || [ "$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null)" = Z ]
}

# Ends one process: TERM, and after SECONDS (10) KILL.
stop_pid() { # PID [SECONDS]
        [ -n "$1" ] || return 0
        kill -TERM "$1" 2>/dev/null || return 0
        wait_for "${2:-10}" gone "$1" || kill -KILL "$1" 2>/dev/null
        wait_for 5 gone "$1"
}

t_done() {
        local i
        # The sum must be the last line, so what at_exit has to say (and to count) comes before it.
        for ((i = ${#t_exits[@]} - 1; i >= 0; i--)); do eval "${t_exits[i]}"; done
        t_exits=()
        t_ended=1
        if [ $t_skipped -gt 0 ]; then
                echo "$t_passed passed, $t_failed failed, $t_skipped skipped"
        else
                echo "$t_passed passed, $t_failed failed"
        fi
        [ $t_failed = 0 ] && [ $((t_passed + t_skipped)) -gt 0 ]
        exit
}
