#!/usr/bin/env bash
# How long functions and files are, and how many parameters functions take (STYLE: short).
#   ci/check-size.sh [TREE]
#
#   function > 60 lines warns, > 100 fails     file > 600 lines warns, > 1000 fails
#   inputs   > 5 fails unless ci/size-allow.txt gives the reason
#
# A line "ci: size: REASON" in a comment of the file excuses its longest functions and the file.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
allow=${SIZE_ALLOW:-$here/size-allow.txt}
cd "${1:-$here/..}"

product=$(files '*.c' $PRODUCT)
tests=$(files '*.[ch]' tests)
[ -n "$product" ] || { echo "no source here"; exit 1; }
# shellcheck disable=SC2086 # lists of words
excused=$(grep -lE 'ci: size: .+' $product $tests /dev/null || true)
# shellcheck disable=SC2086
measured=$(awk -f "$here/size.awk" $product)
# shellcheck disable=SC2086
test_lines=$(cat $tests /dev/null | wc -l)
shell_lines=$(files '*.sh' tests | xargs -r cat | wc -l)

awk -v allow="$allow" -v excused="$excused" -v test_lines="$test_lines" \
        -v shell_lines="$shell_lines" '
function quantile(a, n, q,    i) { i = int(n * q + 0.999); return n ? a[i < 1 ? 1 : i] : 0 }
function sort(a, n,    i, j, t) {
        for (i = 2; i <= n; i++) {
                t = a[i]
                for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]
                a[j + 1] = t
        }
}
function fail(text) { print text; n_bad++ }
BEGIN {
        while ((getline line <allow) > 0)
                if (line !~ /^#/ && (i = index(line, ":")) && length(line) > i + 1)
                        may[substr(line, 1, i - 1)] = 1
        n = split(excused, e, "\n")
        for (i = 1; i <= n; i++) excuse[e[i]] = 1
}
$1 == "f" {
        where = $2 ":" $3 ": " $4 "()"
        f[++nf] = $5
        if ($5 > 100 && !($2 in excuse)) fail(where " has " $5 " lines, more than 100")
        else if ($5 > 60) print where " has " $5 " lines, more than 60 (warning)"
        if ($6 > 5 && !($4 in may))
                fail(where " has " $6 " inputs (" $7 " parameters), more than 5")
        if ($7 > 5) wide++
}
$1 == "c" {
        c[++nc] = $3; lines += $3
        if ($3 > 1000 && !($2 in excuse)) fail($2 ": has " $3 " lines, more than 1000")
        else if ($3 > 600) print $2 ": has " $3 " lines, more than 600 (warning)"
}
END {
        sort(f, nf); sort(c, nc)
        printf "functions: %d; lines median %d, p95 %d, longest %d; %d with more than 5 parameters of any kind\n", \
                nf, quantile(f, nf, 0.5), quantile(f, nf, 0.95), f[nf], wide
        printf ".c files: %d; lines median %d, p95 %d, longest %d; %d in all\n", \
                nc, quantile(c, nc, 0.5), quantile(c, nc, 0.95), c[nc], lines
        printf "tests : source = %.2f in C (%.2f with shell)\n", test_lines / lines, \
                (test_lines + shell_lines) / lines
        exit n_bad > 0
}' <<<"$measured"
