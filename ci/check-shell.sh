#!/usr/bin/env bash
# The shell linter over every script.
#   ci/check-shell.sh [TREE]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "${1:-$(dirname "$0")/..}"
files '*.sh' ci tests bench |
        xargs -r -P 2 -n 8 shellcheck -x -s bash -S warning -P SCRIPTDIR -e SC1090,SC1091 || exit 1
