#!/usr/bin/env bash
# Everything there is to check, cheap things first.
#   ci/check.sh [STAGE…]     static build sanitize system deep (all of them)
#
# Each step's output is kept in build/check/<step>.log and shown when it fails. The last line is the sum
# of all steps and tests. CI=true: skips must be listed in ci/may-skip.txt.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
root=$PWD
logs=$root/build/check
mkdir -p "$logs"
export RESULTS=$logs/results JOBS=${JOBS:-2}
: >"$RESULTS"
began=$SECONDS
trap 'exit 130' INT
trap 'exit 143' TERM

stage() {
        printf '\n== %s (%d s)\n' "$1" $((SECONDS - began))
}

# One step: a command that is good or not. One that runs tests adds to RESULTS what it ran itself.
step() { # NAME COMMAND ARG…
        local name=$1 start=$SECONDS rc=0 before after reason
        shift
        before=$(wc -l <"$RESULTS")
        "$@" >"$logs/$name.log" 2>&1 </dev/null || rc=$?
        after=$(wc -l <"$RESULTS")
        if [ $rc = 77 ]; then
                reason=$(tail -n 1 "$logs/$name.log")
                if [ "${CI:-}" = true ] && ! grep -qE "^$name +[^ ]" ci/may-skip.txt; then
                        echo "FAIL  $name: skipped, but CI promised to run it: $reason"
                        echo "0 1 0" >>"$RESULTS"
                else
                        echo "SKIP  $name: $reason"
                        echo "0 0 1" >>"$RESULTS"
                fi
                return 0
        fi
        if [ $rc != 0 ]; then
                [ "$after" != "$before" ] || echo "0 1 0" >>"$RESULTS"
                printf 'FAIL  %-24s %4d s   build/check/%s.log:\n' "$name" $((SECONDS - start)) "$name"
                tail -n 100 "$logs/$name.log" | sed 's/^/    /'
                return 1
        fi
        [ "$after" != "$before" ] || echo "1 0 0" >>"$RESULTS"
        printf 'ok    %-24s %4d s   %s\n' "$name" $((SECONDS - start)) \
                "$(grep -a . "$logs/$name.log" | tail -n 1 | cut -c1-90)"
        grep -aE '^SKIP  ' "$logs/$name.log" | sed 's/^/    /'
        return 0
}

build() { # NAME MAKE-ARG…
        step "$1" make -s -j2 DEVELOPER=1 "${@:2}"
}

unit_tests() { # STEP BUILD
        local programs
        mapfile -t programs < <(find tests/unit -name 'test_*.c' | sort | sed "s|^|build/$2/|; s|\.c$||")
        step "$1" ci/run-tests.sh "${programs[@]}"
}

# The tests that drive the programs: command line, daemon with real engines, README's tour.
shell_tests() { # STEP BUILD FOLDER…
        local name=$1 out=$root/build/$2 programs
        shift 2
        mapfile -t programs < <(for d in "$@"; do find "tests/$d" -name '*.sh' 2>/dev/null; done | sort)
        [ ${#programs[@]} -gt 0 ] || return 0
        step "$name" env FLEETD="$out/fleetd" FLEETCTL="$out/fleetctl" TOOLS="$out/tests/tools" \
                ci/run-tests.sh "${programs[@]}"
}

stage_static() {
        stage "static checks"
        for c in layers headers format size docs commits shell; do step check-$c ci/check-$c.sh; done
        local programs
        mapfile -t programs < <(find tests/ci -name '*.sh' | sort)
        step selftests ci/run-tests.sh "${programs[@]}"
}

stage_build() {
        stage "gcc, clang, unit tests"
        build build-gcc BUILD=debug all unit-tests tools benches || return
        step check-banned ci/check-banned.sh
        unit_tests unit-gcc debug
        build build-clang BUILD=debug CC=clang all unit-tests tools benches
}

stage_sanitize() {
        stage "sanitizers, analyzers"
        # Leaks of a program that is killed on purpose are none; others are found at its exit.
        export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
        if build build-asan BUILD=asan all unit-tests tools; then
                unit_tests unit-asan asan
                shell_tests system-asan asan cli daemon
        fi
        unset ASAN_OPTIONS UBSAN_OPTIONS
        build gcc-analyzer BUILD=analyze objects
        step clang-tidy ci/tidy.sh
}

stage_system() {
        stage "the release build against real engines"
        build build-release BUILD=release all tools benches || return
        shell_tests system-release release cli daemon docs
        if [ "$(id -u)" = 0 ]; then step demo ci/demo.sh; fi
}

stage_deep() {
        stage "fuzzing, valgrind, coverage"
        build build-fuzz BUILD=fuzz CC=clang fuzzers &&
                TEST_TIMEOUT=900 step fuzz ci/run-tests.sh ci/fuzz.sh
        # Without what sanitizers and optimisation add; there already if the stage 'build' came before.
        build build-valgrind BUILD=debug all tools && shell_tests valgrind debug valgrind
        build build-cov BUILD=cov unit-tests && step coverage ci/coverage.sh
}

stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=(static build sanitize system deep)
for s in "${stages[@]}"; do
        declare -F "stage_$s" >/dev/null || { echo "check.sh: no stage '$s'" >&2; exit 2; }
done
for s in "${stages[@]}"; do "stage_$s"; done

printf '\n%d s in all\n' $((SECONDS - began))
awk '{ p += $1; f += $2; s += $3 }
     END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' "$RESULTS"
