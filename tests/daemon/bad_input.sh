#!/usr/bin/env bash
# What clients can do to fleetd: it neither crashes, hangs nor leaks, and others are served meanwhile.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
for p in curl jq; do command -v $p >/dev/null || t_skip_all "$p is not installed"; done

# No engine is needed to be refused.
rig_fleetd_conf f "$T/no-engine.sock"
t_ok "fleetd starts without an engine" rig_fleetd f
[ $t_failed = 0 ] || exit 1
sock=$T/f/fleet.sock

put() { # NAME, body on stdin: status and body
        rig_api f PUT "/fleet/v1/units/$1" -H 'Content-Type: application/json' -H 'Expect:' \
                --data-binary @- -w '\n%{http_code}'
}
code() { tail -n 1 <<<"$T_OUT"; }
refused() { # TEST-NAME CODE WORDS UNIT, body on stdin
        T_OUT=$(put "$4")
        t_eq "$1: $2" "$(code)" "$2"
        t_match "$1: in words" "$T_OUT" "$3"
}
option() { # NAME VALUE
        jq -nc --arg n "$1" --arg v "$2" \
                '{desiredState: "inactive", options: [{section: "Service", name: $n, value: $v}]}'
}

refused "a body that is no JSON" 400 'unable to decode body' a.service <<<'{"options":'
refused "an unknown state" 400 'invalid desiredState' a.service <<<'{"desiredState":"bogus","options":[{"section":"Service","name":"ExecStart","value":"/bin/true"}]}'
refused "another name in the body" 400 'differs from unit name' a.service <<<'{"name":"b.service"}'
refused "a bad name" 400 'invalid unit type' a.exe < <(option ExecStart /bin/true)
refused "a name that is too long" 400 'exceeds maximum length' "$(printf 'a%.0s' {1..260}).service" \
        < <(option ExecStart /bin/true)
refused "a NUL byte in a value" 400 'NUL byte' a.service \
        <<<'{"options":[{"section":"Service","name":"ExecStart","value":"/usr/bin/docker run a\u0000b"}]}'
refused "an unknown docker flag" 400 "unknown flag '--no-such-flag' of 'docker run'" a.service \
        < <(option ExecStart '/usr/bin/docker run --no-such-flag x')
refused "a quote that is left open" 400 'unbalanced quotes' a.service < <(option ExecStart '/usr/bin/docker run x "y')
head -c 1100000 /dev/zero | tr '\0' x >"$T/long"
refused "a line over 1 MiB" 400 'line too long' a.service \
        < <(jq -Rc '{options: [{section: "Service", name: "ExecStart", value: ("/usr/bin/docker run " + .)}]}' "$T/long")
refused "10,000 commands" 400 'too many options \(max 4096\)' a.service \
        < <(jq -nc '{options: [range(10000) | {section: "Service", name: "ExecStartPre", value: "/usr/bin/docker pull a"}]}')
head -c 40000000 /dev/zero | tr '\0' ' ' >"$T/huge"
refused "a body over the limit" 413 '' a.service <"$T/huge"
head -c 300000 /dev/zero | tr '\0' '[' >"$T/deep"
refused "deeply nested JSON" 400 'nested deeper than 64' a.service <"$T/deep"
refused "bytes that are no UTF-8" 400 'unable to decode body' a.service \
        < <(printf '{"options":[{"section":"Service","name":"ExecStart","value":"\xff\xfe"}]}')
refused "a newline in the name of an option" 400 'invalid option name' a.service < <(option $'Exec\nStart' x)
refused "a line smuggled into a value" 400 'newline that no backslash continues' a.service \
        < <(option ExecStart $'/usr/bin/docker run x\n[X-Fleet]\nGlobal=true')
t_eq "nothing of it was stored" "$(rig_api f GET /fleet/v1/units)" "{}"

t_eq "a bad page token" "$(rig_api f GET '/fleet/v1/units?nextPageToken=x' -o /dev/null -w '%{http_code}')" 400
t_eq "another method" "$(rig_api f POST /fleet/v1/units -o /dev/null -w '%{http_code}')" 405
t_eq "a long header" "$(rig_api f GET /fleet/v1/units -H "X-Long: $(head -c 100000 "$T/long")" -o /dev/null \
        -w '%{http_code}' | grep -cE '^(431|400|413|000)$')" 1

status() { # METHOD PATH [CURL-OPTION…]
        rig_api f "$@" -o /dev/null -w '%{http_code}'
}
t_eq "a query with 10,000 arguments" "$(status GET "/fleet/v1/units?$(printf 'a=b&%.0s' {1..5000})")" 414
t_match "a query of 100,000 bytes" "$(status GET "/fleet/v1/units?a=$(head -c 100000 "$T/long")")" '^4(14|31)$'
t_eq "a name that is no UTF-8" "$(status GET /fleet/v1/units/%ff%fe.service)" 404
t_eq "a name with a NUL byte" "$(status GET /fleet/v1/units/a%00.service)" 400
t_eq "the journal of an unknown unit" "$(rig_api f GET /fleet/v1/journal/nope.service)" \
        '{"error":{"code":404,"message":"unit does not exist"}}'
t_eq "a unit is stored" "$(status PUT /fleet/v1/units/same.service -H 'Content-Type: application/json' \
        --data "$(option ExecStart '/usr/bin/docker run busybox sleep 10')")" 201
t_eq "the journal of a unit that is nowhere" "$(rig_api f GET /fleet/v1/journal/same.service)" \
        '{"error":{"code":404,"message":"unit is not loaded on any machine"}}'
t_match "a patch of machines with a NUL byte" "$(rig_api f PATCH /fleet/v1/machines \
        --data '[{"op":"add","path":"/m/metadata/a","value":"x\u0000"}]')" '"code":400,.*NUL byte'
t_match "deeply nested patches" "$(rig_api f PATCH /fleet/v1/machines --data-binary @"$T/deep")" \
        '"code":400,.*nested deeper'

# Many change the same unit at once: each is done, or told to try again; one content is there in the end.
t_run "$TOOLS/http_clients" "$sock" 200 put
t_match "200 change one unit at once ($T_OUT)" "$T_OUT" '^[1-9][0-9]* good, [0-9]+ other, 0 nothing$'
t_match "it has one of the contents" "$(rig_api f GET /fleet/v1/units/same.service)" 'sleep 10[12]"'

# One that sends slowly keeps nobody waiting, and is served.
option ExecStart "/usr/bin/docker run busybox echo $(head -c 2000 "$T/long")" >"$T/slow.json"
curl -s --limit-rate 1000 --unix-socket "$sock" -X PUT -H 'Content-Type: application/json' -o /dev/null \
        --data-binary @"$T/slow.json" -w '%{http_code}' http://fleet/fleet/v1/units/slow.service >"$T/slow" &
slow=$!
t_ok "others are served beside a slow one" timeout 1 "$FLEETCTL" --endpoint "unix://$sock" list-units
wait $slow
t_eq "the slow one, too" "$(cat "$T/slow")" 201

# 1,000 at once: each gets its answer, or is told to come later; afterwards all is well.
thousand() {
        t_run "$TOOLS/http_clients" "$sock" 1000 get
        t_match "1,000 clients at once ($T_OUT)" "$T_OUT" '^[1-9][0-9]* good'
        t_ok "afterwards it answers" rig_ctl f list-units
}

# Those who hold a connection and do nothing with it do not keep others out.
holding() { # N MODE
        rm -f "$T/hold"
        mkfifo "$T/hold"
        "$TOOLS/http_clients" "$sock" "$1" "$2" <"$T/hold" >"$T/held" &
        local pid=$!
        exec 9>"$T/hold"
        t_wait "$1 clients hold ($2)" 10 grep -q held "$T/held"
        "${@:3}"
        t_ok "others are served beside them" timeout 10 "$FLEETCTL" --endpoint "unix://$sock" list-units
        exec 9>&-
        wait $pid
        t_ok "and after them" rig_ctl f list-units
}
change_often() {
        local i
        for i in {1..100}; do
                status PUT /fleet/v1/units/same.service -H 'Content-Type: application/json' \
                        --data "{\"desiredState\":\"$([ $((i % 2)) = 0 ] && echo loaded || echo inactive)\"}"
        done | grep -oE '[0-9]{3}' | sort | uniq -c
}
unread() { t_match "changes are made while nobody reads of them" "$(change_often)" '^ *100 204$'; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(rig_pid f)/status"; }
all_of_it() {
        thousand
        holding 200 half :
        holding 250 events unread
}
all_of_it
fds() { find "/proc/$(rig_pid f)/fd" -mindepth 1 | wc -l; }
few() { [ "$(fds)" -lt 64 ]; }
t_wait "no connection is left" 10 few

# The same again costs nothing more: what was used is used again.
before=$(rss)
for _ in 1 2 3; do all_of_it >/dev/null; done
t_wait "no connection is left after more of it" 10 few
if grep -qa __asan_init "$FLEETD"; then
        t_pass "a sanitizer looks for leaks when it ends"
else
        t_ok "it has not grown (from $before KiB to $(rss))" test "$(rss)" -le $((before + 2048))
fi
t_ok "it ends when it is told to" rig_kill f TERM
t_done
