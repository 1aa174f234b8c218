#!/usr/bin/env bash
# A short run of every fuzz target, two at a time. tests/fuzz/corpus/<target>/ are its seeds; what it
# finds is kept in build/fuzz/found/ and belongs into the corpus together with the fix.
#   FUZZ_SECONDS=20 ci/fuzz.sh [TARGET…]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export seconds=${FUZZ_SECONDS:-20}
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
        for f in tests/fuzz/fuzz_*.c; do [ ! -e "$f" ] || targets+=("$(basename "$f" .c)"); done
fi
mkdir -p build/fuzz/found
run_one() { # TARGET
        local new=build/fuzz/work/$1 seeds=tests/fuzz/corpus/${1#fuzz_} log=build/fuzz/$1.log
        mkdir -p "$new"
        [ -d "$seeds" ] || seeds=
        # shellcheck disable=SC2086 # seeds may be nothing
        if "build/fuzz/tests/fuzz/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
                -max_len=65536 -artifact_prefix="build/fuzz/found/$1-" "$new" $seeds \
                >"$log" 2>&1 </dev/null; then
                echo "ok: $1 ($(grep -ac . "$log") lines; $(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' "$log"))"
        else
                echo "NOT OK: $1"
                grep -aE -A 25 'ERROR|runtime error|SUMMARY' "$log" | head -n 60
        fi
}
export -f run_one
out=$(printf '%s\n' "${targets[@]}" | xargs -r -P 2 -I{} bash -c 'run_one {}')
echo "$out"
passed=$(grep -c '^ok: ' <<<"$out")
failed=$((${#targets[@]} - passed))
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ "$passed" -gt 0 ]
