#!/usr/bin/env bash
# Installs the Debian packages that building, the demo or the tests need; asks apt only for what is missing.
#   ci/packages.sh        everything      ci/packages.sh build|demo   only that
set -euo pipefail

build=(gcc make pkg-config libc6-dev libsystemd-dev libcurl4-gnutls-dev libmicrohttpd-dev
       libjansson-dev libsqlite3-dev nettle-dev)
demo=(docker.io busybox-static iproute2 iptables curl jq)
tests=(check shellcheck groff clang clang-format clang-tidy libclang-rt-14-dev valgrind strace sqlite3 git procps
       util-linux zsh openssl python3)

case ${1:-all} in
build) want=("${build[@]}") ;;
demo) want=("${build[@]}" "${demo[@]}") ;;
all) want=("${build[@]}" "${demo[@]}" "${tests[@]}") ;;
*) echo "packages.sh: unknown set '$1' (build, demo or none)" >&2; exit 2 ;;
esac

missing=()
for p in "${want[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" != 0 ]; then
        echo "packages.sh: these packages are missing, and installing them takes root: ${missing[*]}" >&2
        exit 1
fi
echo "installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# Nothing that is installed here may start a daemon by itself.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        trap 'rm -f '$policy EXIT
fi
apt-get update -qq >&2
apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
