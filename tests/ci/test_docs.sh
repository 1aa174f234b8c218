#!/usr/bin/env bash
# What the code's tables know is in the docs: configuration keys, [Service] keys, docker flags, commands. And the
# files that docs point to exist.
. "$(dirname "$0")/../lib/shell.sh"
cd "$ROOT" || exit

missing() { # DOCUMENT, words on stdin: those that the document does not have
        local doc n=0
        doc=$(sed 's/\\-/-/g' "$1")
        local word
        while read -r word; do
                n=$((n + 1))
                grep -qwF -- "$word" <<<"$doc" || echo "$word"
        done
        [ $n -gt 0 ] || echo "there is no table to compare with"
}

t_eq "fleet.conf(5) has every key" \
        "$(grep -oE 'KEY(_[A-Z]+)?\("?[a-z_0-9]+' agent/config.c | sed 's/.*[("]//' |
                grep -vx 'member\|key' | missing deploy/man/fleet.conf.5)" ""
t_eq "UNITS.md has every key that is followed or checked" \
        "$(grep -oE '(FOLLOWED|CHECKED)\("[A-Za-z]+' drivers/service/service_keys.c |
                sed -E 's/.*"(Condition|Assert)?//' | sort -u | missing docs/UNITS.md)" ""
t_eq "DRIVERS.md has every flag" \
        "$(grep -hoE '^ +(FLAG|COLLECT|[A-Z_]+)\("[a-z0-9-]+"' drivers/docker/docker_flags.c |
                sed 's/.*("//; s/"//; s/^/--/' | sort -u | missing docs/DRIVERS.md)" ""
t_eq "links lead somewhere" \
        "$(for doc in README.md docs/*.md; do
                grep -oE '\]\([^)#:]+' "$doc" | sed 's/..//' | while read -r to; do
                        [ -e "$(dirname "$doc")/$to" ] || echo "$doc: $to"
                done
        done)" ""
t_eq "folders in ARCHITECTURE.md exist" \
        "$(grep -oE '^\| `[a-z/]+`' docs/ARCHITECTURE.md | tr -d '|` ' | while read -r d; do
                [ -e "$d" ] || echo "$d"
        done | grep -vx 'content/\|unit/\|leader\|lib/yaml')" ""
if command -v groff >/dev/null; then
        t_eq "man pages are clean" "$(groff -man -ww -z deploy/man/* 2>&1)" ""
else
        t_skip "man pages are clean" "groff is not installed"
fi
t_done
