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
refused "an unknown state" 400 '' a.service <<<'{"desiredState":"bogus","options":[{"section":"Service","name":"ExecStart","value":"/bin/true"}]}'
refused "another name in the body" 400 'differs from unit name' a.service <<<'{"name":"b.service"}'
refused "a bad name" 400 'invalid unit type' a.exe < <(option ExecStart /bin/true)
refused "a name that is too long" 400 'exceeds maximum length' "$(printf 'a%.0s' {1..260}).service" \
        < <(option ExecStart /bin/true)
refused "a NUL byte in a value" 400 '' a.service \
        <<<'{"options":[{"section":"Service","name":"ExecStart","value":"/usr/bin/docker run a\u0000b"}]}'
refused "an unknown docker flag" 400 'no-such-flag' a.service < <(option ExecStart '/usr/bin/docker run --no-such-flag x')
refused "a quote that is left open" 400 '' a.service < <(option ExecStart '/usr/bin/docker run x "y')
head -c 1100000 /dev/zero | tr '\0' x >"$T/long"
refused "a line over 1 MiB" 400 '' a.service \
        < <(jq -Rc '{options: [{section: "Service", name: "ExecStart", value: ("/usr/bin/docker run " + .)}]}' "$T/long")
refused "10,000 commands" 400 '' a.service \
        < <(jq -nc '{options: [range(10000) | {section: "Service", name: "ExecStartPre", value: "/usr/bin/docker pull a"}]}')
head -c 40000000 /dev/zero | tr '\0' ' ' >"$T/huge"
refused "a body over the limit" 413 '' a.service <"$T/huge"
t_eq "nothing of it was stored" "$(rig_api f GET /fleet/v1/units)" "{}"

t_eq "a bad page token" "$(rig_api f GET '/fleet/v1/units?nextPageToken=x' -o /dev/null -w '%{http_code}')" 400
t_eq "another method" "$(rig_api f POST /fleet/v1/units -o /dev/null -w '%{http_code}')" 405
t_eq "a long header" "$(rig_api f GET /fleet/v1/units -H "X-Long: $(head -c 100000 "$T/long")" -o /dev/null \
        -w '%{http_code}' | grep -cE '^(431|400|413|000)$')" 1

# 1,000 at once: each gets its answer, or is told to come later; afterwards all is well.
t_run "$TOOLS/http_clients" "$sock" 1000 get
t_match "1,000 clients at once ($T_OUT)" "$T_OUT" '^[1-9][0-9]* good'
t_ok "afterwards it answers" rig_ctl f list-units

# Half-open connections do not keep others out.
mkfifo "$T/hold"
"$TOOLS/http_clients" "$sock" 200 half <"$T/hold" >"$T/held" &
exec 9>"$T/hold"
t_wait "200 half-open connections" 10 grep -q held "$T/held"
t_ok "others are served beside them" timeout 10 "$FLEETCTL" --endpoint "unix://$sock" list-units
exec 9>&-
wait
t_ok "and after them" rig_ctl f list-units
fds() { find "/proc/$(rig_pid f)/fd" -mindepth 1 | wc -l; }
few() { [ "$(fds)" -lt 64 ]; }
t_wait "no connection is left" 10 few
t_ok "it ends when it is told to" rig_kill f TERM
t_done
