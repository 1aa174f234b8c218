#!/usr/bin/env bash
# Each header compiles alone and can be included twice.
#   ci/check-headers.sh [TREE]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "${1:-$(dirname "$0")/..}"
export CC=${CC:-gcc}
# shellcheck disable=SC2016 # expanded by the inner shell
files '*.h' $PRODUCT tests/lib |
        xargs -r -P 2 -I{} sh -c '
        printf "#include \"{}\"\n#include \"{}\"\nint check_headers_dummy;\n" |
                $CC -I. -D_GNU_SOURCE -DVERSION=\"0\" -std=gnu17 -Wall -Wextra -Werror -fsyntax-only \
                        -x c - || { echo "{}: does not compile alone"; exit 1; }' || exit 1
