#!/usr/bin/env bash
# Commit messages: "area: imperative summary" (<= 60), blank, a body. 95 % must be so.
#   ci/check-commits.sh [RANGE]
set -euo pipefail
range=${1:-HEAD}
git rev-parse -q --verify HEAD >/dev/null 2>&1 || { echo "this is not a git checkout"; exit 77; }
[ "$(git rev-parse --is-shallow-repository)" = false ] ||
        { echo "the history is cut off here"; exit 77; }

n=0 good=0
while read -r id; do
        n=$((n + 1))
        why=
        subject=$(git log -1 --format=%s "$id")
        body=$(git log -1 --format=%b "$id")
        [[ $subject =~ ^[a-z0-9_/,.*\ -]+:\ [^\ ] ]] || why="no 'area: summary'"
        [ ${#subject} -le 60 ] || why+="${why:+; }subject has ${#subject} characters, more than 60"
        [ -n "$body" ] || why+="${why:+; }no body"
        if [ -z "$why" ]; then good=$((good + 1)); else echo "$(git log -1 --format='%h %s' "$id"): $why"; fi
done < <(git rev-list --no-merges "$range")

[ $n -gt 0 ] || { echo "no commits in $range"; exit 0; }
echo "commits with area and body: $good of $n ($((100 * good / n)) %)"
[ $((100 * good)) -ge $((95 * n)) ]
