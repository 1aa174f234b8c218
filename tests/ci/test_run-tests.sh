#!/usr/bin/env bash
# ci/run-tests.sh adds up right, and finds programs that fail, hang or say nothing.
. "$(dirname "$0")/../lib/shell.sh"

program() { # NAME, body on stdin
        { echo '#!/bin/sh'; cat; } >"$T/$1"
        chmod +x "$T/$1"
}
run() { # PROGRAM… (names)
        local p=()
        for n in "$@"; do p+=("$T/$n"); done
        t_run env CI="${PROMISE:-}" MAY_SKIP="$T/may-skip.txt" TEST_TIMEOUT=2 RESULTS="$T/results" \
                "$ROOT/ci/run-tests.sh" "${p[@]}"
}
last() { tail -n 1 <<<"$T_OUT"; }

program good <<'E'
echo '100%: Checks: 7, Failures: 0, Errors: 0'
E
program bad <<'E'
echo 'a line that explains'
echo '80%: Checks: 5, Failures: 1, Errors: 0'
exit 1
E
program shell <<'E'
echo 'skipped one: no engine'
echo '3 passed, 0 failed, 1 skipped'
E
program unable <<'E'
echo 'no such thing here'
exit 77
E
program silent <<'E'
exit 0
E
program dies <<'E'
echo '3 passed, 0 failed'
kill -SEGV $$
E
program hangs <<'E'
exec sleep 30
E
: >"$T/may-skip.txt"

run good
t_eq "one good program" "$T_RC $(last)" "0 7 passed, 0 failed, 0 skipped"
run good bad
t_eq "a failure is counted and fails" "$T_RC $(last)" "1 11 passed, 1 failed, 0 skipped"
t_match "its output is shown" "$T_OUT" "a line that explains"
run good shell unable
t_eq "skips are counted" "$T_RC $(last)" "0 10 passed, 0 failed, 2 skipped"
t_match "with their reasons" "$T_OUT" "no engine.*no such thing here"
run silent
t_eq "saying nothing is failing" "$T_RC $(last)" "1 0 passed, 1 failed, 0 skipped"
run dies
t_eq "dying is failing" "$T_RC $(last)" "1 3 passed, 1 failed, 0 skipped"
run hangs
t_eq "hanging is failing" "$T_RC $(last)" "1 0 passed, 1 failed, 0 skipped"
run missing
t_eq "a program that is not there is failing" "$T_RC $(last)" "1 0 passed, 1 failed, 0 skipped"
run
t_eq "running nothing is failing" "$T_RC $(last)" "1 0 passed, 0 failed, 0 skipped"
PROMISE=true run good unable
t_eq "CI promises to skip nothing" "$T_RC $(last)" "1 7 passed, 1 failed, 0 skipped"
echo "$T/unable it says why" >"$T/may-skip.txt"
PROMISE=true run good unable
t_eq "except what is listed" "$T_RC $(last)" "0 7 passed, 0 failed, 1 skipped"
t_eq "results are handed on" "$(tail -n 1 "$T/results")" "7 0 1"
t_done
