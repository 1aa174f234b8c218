#!/usr/bin/env bash
# Endpoints over TCP and TLS, many units at once, and what a terminal gets to see.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

on='on aaaaaaaa.../10.0.0.1'

# ---- TCP
"$TOOLS/fake_api" http://127.0.0.1:0 >"$T/tcp" 2>&1 &
tcp_pid=$!
at_exit kill "$tcp_pid"
wait_for 10 grep -q ready "$T/tcp"
port=$(sed -n 's/^ready //p' "$T/tcp")
unit hello.service
expect "start over TCP" 0 $'Unit hello.service inactive\nUnit hello.service launched '"$on" "" \
        --endpoint "http://127.0.0.1:$port/" start hello.service
expect "nobody on that port" 1 "" \
        "Error retrieving list of units from repository: cannot reach fleetd at http://127.0.0.1:1: connection refused (is fleetd running?)" \
        --endpoint http://127.0.0.1:1 list-units

# ---- TLS: a server that hands out one file, /fleet/v1/state?limit=2000&alt=json
if command -v openssl >/dev/null; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' \
                -keyout key.pem -out cert.pem 2>/dev/null
        mkdir -p fleet/v1
        echo '{"states":[{"name":"over-tls.service","systemdActiveState":"active"}]}' \
                >'fleet/v1/state?limit=2000&alt=json'
        # -Verify: it wants a certificate of the client as well.
        openssl s_server -accept 127.0.0.1:0 -key key.pem -cert cert.pem -CAfile cert.pem -Verify 1 \
                -WWW >"$T/tls" 2>&1 &
        tls_pid=$!
        at_exit kill "$tls_pid"
        wait_for 10 grep -q '^ACCEPT .*:[0-9]' "$T/tls"
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$T/tls" | head -n 1)
        tls=(--endpoint "https://127.0.0.1:$port" list-units --no-legend --fields unit)
        t_run timeout 20 "$FLEETCTL" "${tls[@]}"
        t_match "a server nobody vouches for is refused" "$T_RC:$T_ERR" \
                '^1:Error retrieving .* cannot reach fleetd at https://127.0.0.1:.*certificate'
        expect "one that the CA file vouches for is not" 0 "over-tls.service" "" \
                --ca-file cert.pem --cert-file cert.pem --key-file key.pem "${tls[@]}"
        t_run timeout 20 "$FLEETCTL" --ca-file cert.pem "${tls[@]}"
        t_eq "but it may want to know who we are" "$T_RC:$T_OUT" "1:"
        expect "half an identity" 1 "" \
                "Unable to initialize client: --cert-file and --key-file go together: one of them is missing" \
                --key-file key.pem "${tls[@]}"
        expect "a CA file that is not there" 1 "" \
                "Unable to initialize client: --ca-file nowhere.pem: No such file or directory" \
                --ca-file nowhere.pem "${tls[@]}"
else
        t_skip "TLS" "there is no openssl"
fi

# ---- many at once: more than fit into one URL
fake_start --step-ms 1 --page 16
unit web@.service
"$FLEETCTL" submit web@.service >/dev/null
mapfile -t names < <(seq -f 'web@%g.service' 150)
t_run timeout 60 "$FLEETCTL" start "${names[@]}"
t_eq "150 are started" "$T_RC:$T_ERR:$(grep -c launched <<<"$T_OUT")" "0::150"
t_eq "with one stream" "$(grep -c events "$T/requests")" 1
t_match "and without asking for each change" "$(grep -c 'GET /fleet/v1/status' "$T/requests")" \
        '^(1[5-9][0-9]|2[0-9][0-9]|300)$'
t_run timeout 60 "$FLEETCTL" destroy 'web@*'
t_eq "151 are destroyed" "$T_RC:$T_ERR:$(grep -c '^Destroyed' <<<"$T_OUT")" "0::151"
t_eq "all pages of nothing" "$("$FLEETCTL" list-unit-files --no-legend)" ""

# ---- a terminal
unit hang.service '[Fake]' Behaviour=hang
t_run env TERM=xterm script -qec "$FLEETCTL start --block-attempts 1 hang.service" /dev/null
t_match "progress is shown" "$T_OUT" \
        $'\r\033\\[K0 of 1 done, waiting for hang.service to be active \\(activating, start-pre\\)'
t_match "and taken away" "$T_OUT" $'\r\033\\[KError waiting for units'
t_run env TERM=dumb script -qec "$FLEETCTL stop --block-attempts 1 hang.service" /dev/null
t_no_match "none where the terminal cannot" "$T_OUT" $'\033'
t_done
