#!/usr/bin/env bash
# clang-tidy over what we ship. A file is looked at again only when it, a header or the settings changed.
#   ci/tidy.sh [FILE…]
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.." || exit
stamps=build/tidy
mkdir -p $stamps
# shellcheck disable=SC2086 # a list of words
headers=$(files '*.h' $PRODUCT | xargs cat .clang-tidy ci/analyzer.h | sha1sum | cut -c1-12)
# shellcheck disable=SC2086
[ $# -gt 0 ] || mapfile -t all < <(files '*.c' $PRODUCT)
todo=()
for f in "${@:-${all[@]}}"; do
        stamp=$stamps/$(sha1sum <"$f" | cut -c1-16)-$headers-${f//\//_}
        [ -e "$stamp" ] || todo+=("$f" "$stamp")
done
[ ${#todo[@]} -gt 0 ] || { echo "nothing has changed"; exit 0; }
# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\0' "${todo[@]}" | xargs -0 -n 2 -P 2 sh -c '
        include="-include ci/analyzer.h"
        [ "$0" != lib/base/error.c ] || include=
        clang-tidy --quiet "$0" -- $include -I. -D_GNU_SOURCE -DVERSION=\"0\" -std=gnu17 2>&1 |
                grep -v "^[0-9]* warnings* \(generated\|treated\)\|^Suppressed\|^Use -header" |
                sed "s|^$PWD/||" >"$1.out"
        if [ -s "$1.out" ]; then cat "$1.out"; rm "$1.out"; exit 1; fi
        mv "$1.out" "$1"' || exit 1
echo "$((${#todo[@]} / 2)) files looked at"
