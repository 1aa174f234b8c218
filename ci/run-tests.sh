#!/usr/bin/env bash
# Runs test programs, two at a time, and adds up what they say.
#
#   ci/run-tests.sh PROGRAM…
#
# A program reports through its last result line: libcheck's "NN%: Checks: N, Failures: N, Errors: N"
# or "N passed, N failed[, N skipped]" of tests/lib/shell.sh. Exit 77: it cannot run here, its last
# line says why. Single skipped cases are lines "skipped NAME: REASON".
# A program that fails, dies, hangs or says nothing of its tests has failed.
#
#   JOBS=2            programs at a time
#   TEST_TIMEOUT=180  seconds for each
#   RESULTS=FILE      appends "passed failed skipped", for ci/check.sh
#   CI=true           a skip that ci/may-skip.txt does not list is a failure
#
# The last line is the sum; the exit code is 0 when something ran and nothing failed.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
jobs=${JOBS:-2}
limit=${TEST_TIMEOUT:-180}
may_skip=${MAY_SKIP:-$root/ci/may-skip.txt}
logs=$(mktemp -d "${TMPDIR:-/tmp}/run-tests.XXXXXX")
running=()
# shellcheck disable=SC2317 # called by the trap
clean_up() {
        local pid
        for pid in "${running[@]}"; do kill -TERM "$pid" 2>/dev/null; done
        wait
        rm -rf "$logs"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The name under which a program is shown and listed in may-skip.txt.
name_of() {
        local n=${1#"$root"/}
        n=${n#build/*/}
        echo "$n"
}

run_one() { # INDEX PROGRAM
        local start=$EPOCHREALTIME rc=0
        timeout -k 20 "$limit" "$2" >"$logs/$1.out" 2>&1 </dev/null || rc=$?
        echo "$rc $(((${EPOCHREALTIME/./} - ${start/./}) / 1000))" >"$logs/$1.rc"
}

allowed_to_skip() { # NAME
        [ "${CI:-}" != true ] || awk -v n="$1" '$1 == n && NF > 1 { found = 1 } END { exit !found }' \
                "$may_skip" 2>/dev/null
}

passed=0 failed=0 skipped=0
failures=()

count_skip() { # NAME REASON
        if allowed_to_skip "$1"; then
                skipped=$((skipped + ${3:-1}))
                echo "SKIP  $1: $2"
        else
                failed=$((failed + ${3:-1}))
                echo "FAIL  $1: skipped, but CI promised to run it: $2"
        fi
}

# Sets p, f and s from the result lines in a log; s counts for the shell's form only.
read_result() { # FILE
        local line
        p=0 f=0 s=0 said=
        while IFS= read -r line; do
                if [[ $line =~ ^[0-9]+%:\ Checks:\ ([0-9]+),\ Failures:\ ([0-9]+),\ Errors:\ ([0-9]+) ]]; then
                        f=$((f + BASH_REMATCH[2] + BASH_REMATCH[3]))
                        p=$((p + BASH_REMATCH[1] - BASH_REMATCH[2] - BASH_REMATCH[3]))
                        said=1
                fi
        done < <(grep -aE '^[0-9]+%: Checks: ' "$1")
        line=$(tail -n 1 "$1" | tr -d '\0')
        if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
                p=$((p + BASH_REMATCH[1])) f=$((f + BASH_REMATCH[2])) s=${BASH_REMATCH[4]:-0} said=1
        fi
}

judge() { # INDEX PROGRAM
        local name rc ms p f s said what=
        name=$(name_of "$2")
        read -r rc ms <"$logs/$1.rc"
        if [ "$rc" = 77 ]; then
                count_skip "$name" "$(grep -a . "$logs/$1.out" | tail -n 1)"
                return
        fi

        read_result "$logs/$1.out"
        case $rc in
        0) [ -n "$said" ] || { f=1 what="exit 0, but no result line"; } ;;
        124 | 137) what="killed, or not done after $limit s" ;;
        *) what="exit $rc" ;;
        esac
        [ "$rc" = 0 ] || [ "$f" -gt 0 ] || f=1
        if [ "$s" -gt 0 ]; then
                count_skip "$name" \
                        "$(sed -n 's/^skipped //p' "$logs/$1.out" | paste -sd ';')" "$s"
        fi
        passed=$((passed + p)) failed=$((failed + f))
        if [ "$f" -gt 0 ]; then
                failures+=("$1 $name")
                echo "FAIL  $name: $f failed, $p passed${what:+ ($what)}"
        else
                printf 'ok    %-52s %4d passed %6d ms\n' "$name" "$p" "$ms"
        fi
}

programs=("$@")
next=0 done_to=0
while [ $done_to -lt ${#programs[@]} ]; do
        while [ $next -lt ${#programs[@]} ] && [ ${#running[@]} -lt "$jobs" ]; do
                run_one $next "${programs[next]}" &
                running+=($!)
                next=$((next + 1))
        done
        wait -n
        still=()
        for pid in "${running[@]}"; do kill -0 "$pid" 2>/dev/null && still+=("$pid"); done
        running=("${still[@]}")
        # Results are shown in the order given, each as soon as all before it are done.
        while [ $done_to -lt $next ] && [ -e "$logs/$done_to.rc" ]; do
                judge $done_to "${programs[done_to]}"
                done_to=$((done_to + 1))
        done
done

for entry in "${failures[@]}"; do
        echo
        echo "---- ${entry#* }"
        tail -n "${SHOW_LINES:-80}" "$logs/${entry%% *}.out"
done
[ -z "${RESULTS:-}" ] || echo "$passed $failed $skipped" >>"$RESULTS"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
