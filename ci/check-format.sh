#!/usr/bin/env bash
# clang-format decides how our C looks; no file has tabs, spaces at line ends, or lacks its last newline.
#   ci/check-format.sh [TREE]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}"
mapfile -t files < <(files '*.[ch]' $PRODUCT bench tests)
bad=0
if [ ${#files[@]} -gt 0 ]; then
        printf '%s\0' "${files[@]}" | xargs -0 -P 2 -n 20 \
                clang-format --style="file:$here/../.clang-format" --dry-run -Werror || bad=1
        grep -nP '\t| +$' "${files[@]}" /dev/null && bad=1
        for f in "${files[@]}"; do
                [ -z "$(tail -c 1 "$f")" ] || { echo "$f: no newline at its end"; bad=1; }
        done
fi
exit $bad
