#!/usr/bin/env bash
# Runs the unit tests of the cov build and says which share of lines and branches they reached. Fails
# when one of the folders that decide (placement core, documents, reconcile) falls below 90 % of lines.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
out=build/cov
find $out -name '*.gcda' -delete
mapfile -t programs < <(find $out/tests/unit -name 'test_*' -type f -perm -u+x ! -name '*.*')
ci/run-tests.sh "${programs[@]}" >$out/tests.log || { tail -n 30 $out/tests.log; exit 1; }

# gcov's JSON, summed up for each source file of ours.
find $out -name '*.gcda' ! -path "$out/tests/*" -print0 |
        xargs -0 -n 50 gcov -b --json-format --stdout 2>/dev/null |
        jq -r '.files[] | select(.file | test("^(lib|specs|scheduler|drivers|agent|ctl|ignition)/.*\\.c$"))
                | [.file, (.lines | length), ([.lines[] | select(.count > 0)] | length),
                   ([.lines[].branches[]] | length),
                   ([.lines[].branches[] | select(.count > 0)] | length)] | @tsv' >$out/coverage.tsv
sort $out/coverage.tsv | awk '
function share(a, b) { return b ? 100 * a / b : 100 }
function add(key) { l[key] += $2; lh[key] += $3; b[key] += $4; bh[key] += $5 }
{
        folder = $1
        sub(/\/[^\/]*$/, "", folder)
        add(folder)
        add("all")
        if (folder == "scheduler/core" || folder == "specs" || $1 ~ /^agent\/reconcile/) add("decides")
        if (!(folder in seen)) { seen[folder] = 1; order[++n] = folder }
}
function show(key, name) {
        printf "%-20s lines %5.1f %% of %5d   branches taken %5.1f %% of %5d\n", name, \
                share(lh[key], l[key]), l[key], share(bh[key], b[key]), b[key]
}
END {
        for (i = 1; i <= n; i++) show(order[i], order[i])
        show("all", "all")
        show("decides", "what decides")
        if (share(lh["decides"], l["decides"]) < 90) {
                print "what decides (scheduler/core, specs, agent/reconcile) is below 90 % of lines"
                exit 1
        }
}'
