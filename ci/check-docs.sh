#!/usr/bin/env bash
# How many prototypes in our headers are explained: by a comment above their group (a group ends at an
# empty line) or beside them. Fails below 90 %. Each header must begin with what it is for.
#   ci/check-docs.sh [TREE]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "${1:-$(dirname "$0")/..}"
headers=$(files '*.h' $PRODUCT)
[ -n "$headers" ] || { echo "no headers here"; exit 1; }
# shellcheck disable=SC2086 # a list of words
awk '
FNR == 1 {
        if (!/^\/\*/) { print FILENAME ":1: does not begin with a comment on what it is for"; bad++ }
        commented = in_struct = open = 0
}
/^[ \t]*$/ { commented = 0; next }
/^\/\*/ { in_comment = 1 }
in_comment { commented = 1; if (/\*\//) in_comment = 0; next }
/^(typedef|struct|enum|union).*\{/ || /^static inline/ || /^#define/ { in_struct = 1 }
in_struct { if (/^}/ || (/^#define/ && !/\\$/) || !/[{\\,]$/ && /^#/) in_struct = 0; next }
/^[A-Za-z_].*\(/ && !/^(typedef|#|DEFINE_)/ { proto = FILENAME ":" FNR ": " $0; open = 1 }
open && /;/ {
        n++
        open = 0
        if (commented || /\/\*/) documented++
        else list[++n_list] = proto
}
END {
        share = n ? 100 * documented / n : 100
        if (share < 90 || bad) for (i = 1; i <= n_list; i++) print list[i] "   <- not explained"
        printf "prototypes explained in the header: %d of %d (%.0f %%)\n", documented, n, share
        exit share < 90 || bad > 0
}' $headers
