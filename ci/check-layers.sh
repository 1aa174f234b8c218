#!/usr/bin/env bash
# Who may include whom: ci/layers.txt for our folders, ci/header-homes.txt for third-party headers.
#   ci/check-layers.sh [TREE]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}"

files '*.[ch]' $PRODUCT |
        xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include' |
        awk -v layers="$here/layers.txt" -v homes="$here/header-homes.txt" '
        function offence(text) { print where ": " text; n_bad++ }
        function starts(s, p) { return substr(s, 1, length(p)) == p }
        BEGIN {
                while ((getline line <layers) > 0)
                        if (line !~ /^#/ && (i = index(line, ":")))
                                may[substr(line, 1, i - 1)] = substr(line, i + 1)
                while ((getline line <homes) > 0)
                        if (line !~ /^#/ && (i = index(line, ":")))
                                home[substr(line, 1, i - 1)] = substr(line, i + 1)
        }
        {
                split($0, f, ":")
                file = f[1]; where = f[1] ":" f[2]
                folder = file
                while (!(folder in may) && sub(/\/[^\/]*$/, "", folder)) ;
                if (!(folder in may)) { offence("its folder is not in ci/layers.txt"); next }

                if (match($0, /"[^"]*"/)) {
                        h = substr($0, RSTART + 1, RLENGTH - 2)
                        n = split(may[folder], allowed, " ")
                        ok = 0
                        for (i = 1; i <= n; i++) ok = ok || starts(h, allowed[i])
                        if (!ok) offence(folder " may not include \"" h "\" (ci/layers.txt)")
                } else if (match($0, /<[^>]*>/)) {
                        h = substr($0, RSTART + 1, RLENGTH - 2)
                        for (third in home) {
                                if (!starts(h, third)) continue
                                n = split(home[third], allowed, " ")
                                ok = 0
                                for (i = 1; i <= n; i++) {
                                        split(allowed[i], limit, "=")
                                        if (!starts(file, limit[1])) continue
                                        if (!(file in guest) && limit[2] != "" &&
                                            ++guests[third] > limit[2] + 0) continue
                                        guest[file] = ok = 1
                                }
                                if (!ok)
                                        offence("<" h "> has its home in" home[third] \
                                                " (ci/header-homes.txt)")
                        }
                }
        }
        END { if (n_bad) { print n_bad " wrong includes"; exit 1 } }'
