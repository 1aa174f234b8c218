#!/usr/bin/env bash
# Which libc functions our objects call, against ci/banned.txt. The objects must be of an -O0 build:
# from -O1 on atoi is already strtol. Words that must not be in the source are looked for there.
#   ci/check-banned.sh [OBJECT-FOLDER [TREE]]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "${2:-$here/..}"
objects=$(cd "${1:-build/debug}" && pwd)
allow=${BANNED_ALLOW:-$here/banned-allow.txt}
bad=0

list=$(cd "$objects" && find . -name '*.o' | sort)
[ -n "$list" ] || { echo "no objects in $objects"; exit 1; }
# An object whose source is gone says nothing of the tree.
(cd "$objects" && xargs nm -A -u <<<"$list") | sed 's|^\./||; s|\.o: *U |.c |; s/@.*//' |
        while read -r file function; do [ ! -e "$file" ] || echo "$file $function"; done |
        awk -v banned="$here/banned.txt" -v allow="$allow" '
        BEGIN {
                while ((getline line <banned) > 0)
                        if (line !~ /^#/ && (i = index(line, ":")))
                                instead[substr(line, 1, i - 1)] = substr(line, i + 2)
                while ((getline line <allow) > 0)
                        if (line !~ /^#/ && (i = index(line, ":")) && length(line) > i + 1)
                                may[substr(line, 1, i - 1)] = 1
        }
        {
                test = $1 ~ /^(tests|bench)\//
                if (!($2 in instead) || (($1 " " $2) in may)) next
                if (test && instead[$2] !~ /tests too/) next
                print $1 ": calls " $2 "; use " instead[$2]
                n++
        }
        END { exit n > 0 }' || bad=1

files '*.[ch]' $PRODUCT tests bench |
        xargs -r grep -nHE '\b(FIXME|TODO|XXX)\b|\balloca *\(|NDEBUG|#pragma GCC (poison|diagnostic)' |
        sed 's/$/   <- not on main/' | grep . && bad=1
exit $bad
