#!/usr/bin/env bash
# Tables and JSON of the list commands (FLEET.md B3.4), and what is said when they cannot be had.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

id=aaaaaaaabbbb4ccc8dddeeeeeeeeeeee
id2=bbbbbbbbcccc4ddd8eeeffffffffffff
fake_start --page 2

expect "no units: the headings" 0 $'UNIT\tMACHINE\tACTIVE\tSUB' "" list-units
expect "no units, no headings" 0 "" "" list-units --no-legend
expect "no unit files" 0 $'UNIT\tHASH\tDSTATE\tSTATE\tTARGET' "" list-unit-files
expect "machines" 0 \
        $'MACHINE\t\tIP\t\tMETADATA\naaaaaaaa...\t10.0.0.1\tdisk=ssd,region=eu\nbbbbbbbb...\t-\t\t-' "" \
        list-machines
expect "machines, whole ids" 0 "$id"$'\t10.0.0.1\n'"$id2"$'\t-' "" \
        list-machines --full --no-legend --fields machine,ip
expect "extra arguments are ignored" 0 "$id"$'\n'"$id2" "" \
        list-machines -l --no-legend --fields=machine ignored --full=true

unit a.service # SHA-1 of its serialised text: 86943ac…
printf '[Unit]\nDescription=What it\\\nis for\n[Service]\nExecStart=/bin/true\n' >b.service
unit global.service '[X-Fleet]' Global=true
unit nowhere.service '[Fake]' Behaviour=unschedulable
"$FLEETCTL" submit b.service >/dev/null
"$FLEETCTL" start --no-block nowhere.service >/dev/null
"$FLEETCTL" start a.service global.service >/dev/null
wait_for 5 sh -c '"$FLEETCTL" list-units --no-legend | grep -q "bbbbbbbb.*running"'

expect "units, sorted, one line per machine" 0 \
        $'UNIT\t\tMACHINE\t\t\tACTIVE\tSUB
a.service\taaaaaaaa.../10.0.0.1\tactive\trunning
global.service\taaaaaaaa.../10.0.0.1\tactive\trunning
global.service\tbbbbbbbb...\t\tactive\trunning' "" list-units
printf -v wanted 'a.service\t%s/10.0.0.1\nglobal.service\t%s/10.0.0.1\nglobal.service\t%s' $id $id $id2
expect "single-dash flags" 0 "$wanted" "" list-units -full -no-legend -fields unit,machine
expect "other fields" 0 $'UNIT\t\tLOAD\tHASH\na.service\tloaded\t86943ac
global.service\tloaded\t055adf8\nglobal.service\tloaded\t055adf8' "" list-units --fields unit,load,hash
expect "fields that only our fleetd knows" 0 \
        $'UNIT\t\tDRIVER\tRESULT\tMESSAGE\na.service\tfake\tsuccess\t-\nglobal.service\tfake\tsuccess\t-
global.service\tfake\tsuccess\t-' "" list-units --fields unit,driver,result,message
expect "unit files" 0 $'UNIT\t\tHASH\tDSTATE\t\tSTATE\t\tTARGET
a.service\t86943ac\tlaunched\tlaunched\taaaaaaaa.../10.0.0.1
b.service\t3704559\tinactive\tinactive\t-
global.service\t055adf8\tlaunched\t-\t\tglobal
nowhere.service\tdf5d81a\tlaunched\tinactive\t-' "" list-unit-files
expect "descriptions and reasons" 0 \
        $'UNIT\t\tGLOBAL\tDESC\t\tREASON
a.service\tfalse\t-\t\t-
b.service\tfalse\tWhat it\\ is for\t-
global.service\ttrue\t-\t\t-
nowhere.service\tfalse\t-\t\t1 machine lacks metadata disk=tape' "" \
        list-unit-files --fields unit,global,desc,reason
expect "the old name of target" 0 $'TMACHINE\naaaaaaaa.../10.0.0.1\n-\nglobal\n-' \
        'WARNING: The "tmachine" field is deprecated. Use "target" instead' \
        list-unit-files --fields tmachine
t_run "$FLEETCTL" list-units --output json --fields unit,machine,active
t_eq "JSON has whole values" "$(jq -c . <<<"$T_OUT")" \
        '[{"unit":"a.service","machine":"'$id'","active":"active"},{"unit":"global.service","machine":"'$id'","active":"active"},{"unit":"global.service","machine":"'$id2'","active":"active"}]'
t_run "$FLEETCTL" list-machines --output json
t_eq "JSON of machines" "$(jq -c . <<<"$T_OUT")" \
        '[{"machine":"'$id'","ip":"10.0.0.1","metadata":{"disk":"ssd","region":"eu"}},{"machine":"'$id2'","ip":null,"metadata":{}}]'
t_run "$FLEETCTL" list-unit-files --output json --fields unit,global,target,state,reason
t_eq "JSON of unit files" "$(jq -c '.[2:]' <<<"$T_OUT")" \
        '[{"unit":"global.service","global":true,"target":"global","state":null,"reason":null},{"unit":"nowhere.service","global":false,"target":null,"state":"inactive","reason":"1 machine lacks metadata disk=tape"}]'

for verb in list-units list-unit-files list-machines; do
        expect "$verb without fields" 1 "" "Must define output format" $verb --fields=
        expect "$verb with an unknown field" 1 "" 'Invalid key in output format: "nope"' \
                $verb --fields nope,unit,machine
        expect "$verb in an unknown format" 1 "" \
                'Invalid output format: "xml" is none of text, json' $verb --output xml
done

fake_start --plain
"$FLEETCTL" start a.service >/dev/null
expect "an original fleetd has no reasons" 0 $'a.service\t-' "" \
        list-unit-files --no-legend --fields unit,reason
expect "nor details" 0 $'a.service\t-\t-' "" list-units --no-legend --fields unit,driver,result

fake_start --status 503
e='googleapi: Error 503: fleet server unable to communicate with etcd'
expect "units from a server in trouble" 1 "" \
        "Error retrieving list of units from repository: $e" list-units
expect "unit files from it" 1 "" \
        "Error retrieving list of units from repository: $e" list-unit-files
possible=$'\nPossible issues:\n  etcd is unhealthy and/or lost quorum\n  connection cannot be established to any etcd servers'
expect "machines from it" 1 "" \
        "Error retrieving list of active machines from fleet API ($e)$possible" list-machines
expect "starting with it" 1 "" \
        "Error creating units: error retrieving Unit(a.service) from Registry: $e" start a.service
expect "stopping with it" 1 "" "Error retrieving list of units from repository: error retrieving Unit(a.service) from Registry: $e" stop a

fake_stop
e="cannot reach fleetd at unix://$T/fleet.sock: "
rm -f fleet.sock
expect "nobody there" 1 "" \
        "Error retrieving list of units from repository: ${e}no such socket (is fleetd running?)" \
        list-units
fake_start
kill -KILL "$fake_pid"
wait "$fake_pid" 2>/dev/null
expect "a dead socket" 1 "" \
        "Error retrieving list of units from repository: ${e}connection refused (is fleetd running?)" \
        list-units

# A reader that goes away is no error; a full disk is.
fake_start --units 300
t_run bash -c '"$FLEETCTL" list-units | head -n 1; echo "${PIPESTATUS[0]}"'
t_eq "the reader goes away" "$T_OUT$T_ERR" $'UNIT\t\tMACHINE\t\t\tACTIVE\tSUB\n0'
t_run bash -c '"$FLEETCTL" list-units >/dev/full'
t_eq "nowhere to write" "$T_RC:$T_ERR" "1:Error writing output: No space left on device"
t_eq "all pages" "$("$FLEETCTL" list-units --no-legend | wc -l)" 300
t_done
