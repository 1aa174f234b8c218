#!/usr/bin/env bash
# status and journal (FLEET.md B3.5), through the API.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

id=aaaaaaaabbbb4ccc8dddeeeeeeeeeeee
unit hello.service '[Unit]' 'Description=Says hello'
unit fail.service '[Fake]' Behaviour=fail
unit nowhere.service '[Fake]' Behaviour=unschedulable
unit broken.service '[Fake]' Behaviour=broken-journal
unit global.service '[X-Fleet]' Global=true
unit idle.service
fake_start
"$FLEETCTL" start hello.service global.service fail.service >/dev/null 2>&1
"$FLEETCTL" start --no-block nowhere.service broken.service >/dev/null
"$FLEETCTL" submit idle.service >/dev/null
wait_for 5 sh -c '"$FLEETCTL" list-units --no-legend | grep -q broken.*running'

expect "status of nothing" 0 "" "" status
expect "status of what does not exist" 1 "" "Unit nope.service does not exist." status nope
expect "status of what is on no machine" 1 "" "Unit idle.service does not appear to be loaded." \
        status idle
expect "and why" 1 "" "Unit nowhere.service does not appear to be loaded.
Unit nowhere.service cannot be placed: 1 machine lacks metadata disk=tape" status nowhere

lines=$'Nov 14 22:13:20 aaaaaaaa hello: hello\nNov 14 22:13:21 aaaaaaaa hello: a \033[31mred\033[0m word'
t_run "$FLEETCTL" status hello.service
t_eq "status of what runs" "$T_RC:$T_ERR:$(sed 's/since.*/since …/' <<<"$T_OUT")" \
        "0::● hello.service - Says hello
   Loaded: loaded (unit 2764da8; wanted: launched)
   Active: active (running) since …
  Machine: aaaaaaaa.../10.0.0.1
   Driver: fake
     Main: c0ffee

$lines"
t_run "$FLEETCTL" status fail hello
t_eq "the first that is not active decides" "$T_RC" 3
t_match "an empty line between units" "$T_OUT" $'word\n\n● hello.service'
t_match "a failure has its words" "$T_OUT" $'Active: failed \\(Result: exit-code; failed\\) .*\n +Main: none \\(code=exited, status=7\\)\n +Message: the main process ended with 7\n'
t_run "$FLEETCTL" status global
t_eq "a global unit, on each machine" "$T_RC:$(grep -c Machine: <<<"$T_OUT")" 0:2
t_run "$FLEETCTL" status 'h*' nope
t_eq "patterns, and the first bad exit code" "$T_RC:$T_ERR" "1:Unit nope.service does not exist."
t_run env TERM=xterm script -qec "$FLEETCTL status hello" /dev/null
t_match "colour on a terminal, and foreign control characters are harmless there" "$T_OUT" \
        $'\033\\[1;32m●\033\\[0m.*a \\\\x1b\\[31mred'
t_run env TERM=xterm NO_COLOR=1 script -qec "$FLEETCTL status hello" /dev/null
t_no_match "no colour with NO_COLOR" "$T_OUT" $'\033'

expect "journal" 0 "$lines" "" journal hello
at=2023-11-14T22:13:2
expect "journal, ISO" 0 \
        "${at}0+0000 aaaaaaaa hello: hello"$'\n'"${at}1+0000 aaaaaaaa hello: a "$'\033[31mred\033[0m word' "" \
        journal --output short-iso hello.service
expect "journal, text only" 0 $'hello\na \033[31mred\033[0m word' "" journal --output=cat hello
t_run "$FLEETCTL" journal --output json hello
t_eq "journal, JSON" "$(head -n 1 <<<"$T_OUT")" \
        '{"MESSAGE":"hello","PRIORITY":"6","_MACHINE_ID":"'$id'","_SYSTEMD_UNIT":"hello.service","__REALTIME_TIMESTAMP":"1700000000000000"}'
: >"$T/requests"
"$FLEETCTL" journal -f -n 3 --since @1700000000 --until 2026-11-21T10:00:00Z hello >/dev/null
t_match "what is asked for" "$(<"$T/requests")" \
        "GET /fleet/v1/journal/hello.service\?lines=3&follow=1&machine=$id&since=1700000000000000&until=1795255200000000&alt=json"
expect "journal without a unit" 1 "" "One unit file must be provided." journal
expect "journal of two units" 1 "" "One unit file must be provided." journal a b
expect "journal of what does not exist" 1 "" "Unit nope.service does not exist." journal nope
expect "journal of what does not run" 1 "" "Unit idle.service does not appear to be running." \
        journal idle
expect "journal of a global unit" 1 "" "Unable to retrieve journal of global unit global.service.
It runs on several machines: choose one with --machine." journal global
t_run "$FLEETCTL" journal --machine bbbb global
t_match "of one machine" "$T_RC:$T_OUT" '^0:Nov 14 22:13:20 bbbbbbbb global: hello'
expect "no such machine" 1 "" "No machine, or more than one, begins with c." journal --machine c global
expect "an unknown format" 1 "" \
        'Invalid output format: "x" is none of short, short-iso, cat, json' journal --output x hello
expect "no point in time" 1 "" \
        "Error reading journal: --since: 'soon' is no point in time (try \"2026-11-21 10:00\", \"today\", \"-10min\" or \"@1700000000\")" \
        journal --since soon hello
t_run "$FLEETCTL" journal broken
t_eq "a journal that breaks off" "$T_RC:$T_ERR" "1:Error reading journal: the engine went away"

fake_start --plain
"$FLEETCTL" start hello.service >/dev/null
t_run "$FLEETCTL" status hello
t_match "status from an original fleetd" "$T_RC:$T_OUT" \
        $'^0:● hello.service - Says hello\n +Loaded: loaded \\(unit 2764da8; wanted: launched\\)\n +Active: active \\(running\\)\n +Machine: aaaaaaaa.../10.0.0.1$'
t_run "$FLEETCTL" journal hello
t_match "it has no journal to give" "$T_RC:$T_ERR" \
        '^1:Error reading journal: googleapi: got HTTP response code 404'
t_done
