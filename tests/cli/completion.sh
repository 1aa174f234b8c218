#!/usr/bin/env bash
# What the shells complete, asked of the completion functions themselves.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

fake_start
unit hello.service
unit web@.service
"$FLEETCTL" submit hello.service web@.service >/dev/null
mkdir bin
ln -s "$FLEETCTL" bin/fleetctl
PATH=$T/bin:$PATH
. "$ROOT/deploy/completion/fleetctl.bash"

completed() { # WORD…: what the last of them may become, on one line
        COMP_WORDS=(fleetctl "$@")
        COMP_CWORD=$#
        COMPREPLY=()
        _fleetctl 2>/dev/null
        echo "${COMPREPLY[*]}"
}

t_eq "commands" "$(completed st)" "start status stop"
t_eq "all commands, but not the deprecated one" "$(completed '')" \
        "cat destroy help journal list-machines list-unit-files list-units load start status stop submit unload version"
t_eq "commands behind global flags" "$(completed --debug --tunnel h list-m)" "list-machines"
t_eq "commands to be explained" "$(completed help un)" "unload"
t_eq "flags of a command" "$(completed start --no)" "--no-block"
t_eq "global flags" "$(completed --end)" "--endpoint"
t_eq "global flags behind a command" "$(completed stop --end)" "--endpoint"
t_eq "not those of other commands" "$(completed stop --lin)" ""
t_eq "units" "$(completed cat '')" "hello.service web@.service"
t_eq "units, begun" "$(completed stop --no-block he)" "hello.service"
t_eq "the endpoint that was typed counts" \
        "$(FLEETCTL_ENDPOINT=unix:///nowhere completed --endpoint "unix://$T/fleet.sock" cat he)" \
        "hello.service"
t_eq "machines" "$(completed journal --machine b)" "bbbbbbbbcccc4ddd8eeeffffffffffff"
t_eq "formats of lists" "$(completed list-units --output '')" "text json"
t_eq "formats of the journal" "$(completed journal --output s)" "short short-iso"
t_eq "nothing for what takes any text" "$(completed journal --since '')" ""
fake_stop
t_eq "no cluster, no units, no noise" "$(completed cat '')" ""

missing=$(for f in $("$FLEETCTL" help --output completion | awk -F '\t' '$1 == "flag" { print $3 }' |
        sort -u); do
        grep -qE -- "$f([^a-z-]|$)" <(sed 's/\\f.//g; s/\\//g' "$ROOT/deploy/man/fleetctl.1") || echo "$f"
done)
t_eq "the man page has every flag" "$missing" ""
missing=$("$FLEETCTL" help --output completion | awk -F '\t' '$1 == "command" { print $2 }' |
        while read -r c; do
                grep -qE "^\.B.* ?${c//-/\\\\-}( |\"|$)" "$ROOT/deploy/man/fleetctl.1" || echo "$c"
        done)
t_eq "and every command" "$missing" ""

# zsh's own helpers are replaced by ones that print what they are given.
zsh_offers() { # PREFIX WORD…
        zsh -f -c '_describe() { print -l -- "$commands[@]" }
                _arguments() { print -l -- "$@" }
                PREFIX=$1
                shift 2
                words=(fleetctl "$@")
                CURRENT=$#words
                source "$COMPLETION"' zsh "$1" "$@"
}
export COMPLETION=$ROOT/deploy/completion/_fleetctl
if command -v zsh >/dev/null; then
        t_run zsh_offers st st
        t_match "zsh: commands with their summaries" "$T_RC:$T_OUT" \
                $'^0:cat:Print a unit as .*\nstart:Run units'
        t_run zsh_offers -- --
        t_match "zsh: global flags" "$T_OUT" $'--ca-file\\[.*\\]:file:_files\n'
        t_run zsh_offers '' start ''
        t_match "zsh: flags and arguments of a command" "$T_OUT" \
                $'--no-block\\[do not wait.*\n\\*:unit:\\{ _fleetctl_units; _files \\}'
        t_no_match "zsh: not those of others" "$T_OUT" '--follow'
        t_run zsh_offers '' journal ''
        t_match "zsh: values" "$T_OUT" '--machine\[[^]]*\]:machine:_fleetctl_machines'
        t_eq "zsh: nothing on stderr" "$T_ERR" ""
else
        t_skip "zsh" "zsh is not installed"
fi
t_done
