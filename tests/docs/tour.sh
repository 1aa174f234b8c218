#!/usr/bin/env bash
# README's five-minute tour, as it stands there: every block is run in the same shell, in order.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
rig_require
[ "$FLEETD" = "$ROOT/build/release/fleetd" ] || t_skip_all "the tour is for the release build"
at_exit "$ROOT/ci/demo.sh" end

# Each ```sh block becomes a function; one marked "fails" must.
{
        echo "cd '$ROOT'"
        awk '/^## / { tour = /Five-minute tour/ }
             tour && /^```sh/ { n++; print "block" n "() {"; fails[n] = /fails/; block = 1; next }
             block && /^```/ { print "}"; block = 0; next }
             block
             END { for (i = 1; i <= n; i++) print "wants[" i "]=" (fails[i] ? 1 : 0); print "blocks=" n }' \
                "$ROOT/README.md"
} >"$T/tour"
wants=() blocks=0
# shellcheck disable=SC1091 # made above
. "$T/tour"
t_ok "README has a tour" test "$blocks" -ge 5
for ((i = 1; i <= blocks; i++)); do
        # `set -e` must hold inside, so this is no condition; exports must stay, so no subshell.
        declare -f "block$i" | sed '1,2d; $d' >"$T/block"
        trap - ERR
        rc=0
        set -E
        trap '[ $rc != 0 ] || rc=$?' ERR
        # shellcheck disable=SC1091
        . "$T/block" >"$T/out" 2>&1 </dev/null
        trap - ERR
        [ "$rc" = 0 ] || rc=1
        t_eq "block $i of the tour" "$rc $([ "$rc" = "${wants[i]}" ] || cat "$T/block" "$T/out")" "${wants[i]} "
        [ "$i" = "$blocks" ] || [ "$rc" = "${wants[i]}" ] || break
done
t_not "the end of the tour ends everything" test -e "$ROOT/build/demo/left.sh"
t_done
