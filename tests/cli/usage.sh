#!/usr/bin/env bash
# What is typed wrongly, what help says, and endpoints (FLEET.md B3.1, B3.2).
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"

version=$(cat "$ROOT/VERSION")
for args in version --version -v vers "--debug version"; do
        # shellcheck disable=SC2086 # words
        expect "$args" 0 "fleetctl version $version" "" $args
done
expect "verify is no more" 2 "" 'Command "verify" is deprecated, DEPRECATED - No longer works
WARNING: The signed/verified units feature is DEPRECATED and cannot be used.' verify x

expect "an unknown command" 1 "" 'Error: unknown command "strt" for "fleetctl"

Did you mean this?
	start
	stop

Run '"'fleetctl --help'"' for usage.
cannot execute cmdFleet: unknown command "strt" for "fleetctl"' strt x
expect "an ambiguous one" 1 "" 'Error: unknown command "list-unit" for "fleetctl"

Did you mean this?
	list-unit-files
	list-units

Run '"'fleetctl --help'"' for usage.
cannot execute cmdFleet: unknown command "list-unit" for "fleetctl"' list-unit
expect "help for an unknown command" 1 "" 'Error: unknown command "nonsense" for "fleetctl"
Run '"'fleetctl --help'"' for usage.
cannot execute cmdFleet: unknown command "nonsense" for "fleetctl"' help nonsense

"$FLEETCTL" >usage
for args in help --help -h --h -help; do
        t_run "$FLEETCTL" $args
        t_eq "$args" "$T_RC:$T_ERR:$T_OUT" "0::$(<usage)"
done
t_match "the usage" "$(<usage)" $'^NAME:\n\tfleetctl - .*\nUSAGE:\n\tfleetctl .*VERSION:.*COMMANDS:.*GLOBAL OPTIONS:'
"$FLEETCTL" help start >usage
for args in "start --help" "start -h" "--help start" "help star"; do
        # shellcheck disable=SC2086 # words
        t_run "$FLEETCTL" $args
        t_eq "$args" "$T_RC:$T_ERR:$T_OUT" "0::$(<usage)"
done
t_match "the usage of a command" "$(<usage)" \
        $'^NAME:\n\tfleetctl start - .*USAGE:\n\tfleetctl start \[options\] UNIT.*DESCRIPTION:.*Example:.*OPTIONS:.*GLOBAL OPTIONS:'
t_run "$FLEETCTL" start --nope x
t_eq "a bad flag: the usage" "$T_RC:$T_OUT" "1:$(<usage)"
t_eq "a bad flag: the error" "$T_ERR" "Error: unknown flag: --nope"
t_run "$FLEETCTL" list-units --fields
t_eq "a flag without its value" "$T_RC:$T_ERR" "1:Error: flag needs an argument: --fields"
t_run env FLEETCTL_SSH_TIMEOUT=soon "$FLEETCTL" list-units
t_eq "the environment counts" "$T_RC:$T_ERR" \
        '1:Error: FLEETCTL_SSH_TIMEOUT: invalid argument "soon" for --ssh-timeout: expected seconds'

u="Unable to initialize client:"
expect "an unknown driver" 1 "" "$u unrecognized driver \"x\"" --driver x list-units
expect "the etcd driver" 1 "" \
        "$u the driver \"etcd\" is not available: fleetctl speaks to fleetd's API only, see --endpoint" \
        --driver etcd list-units
expect "a tunnel" 1 "" \
        "$u --tunnel \"h\": tunnels are not supported yet; run fleetctl on that machine, or use an https endpoint" \
        list-units --tunnel h
expect "no scheme" 1 "" "$u URL scheme undefined" --endpoint /var/run/fleet.sock list-units
expect "a relative socket" 1 "" "$u unable to connect to host \"var\" with scheme \"unix\"" \
        --endpoint unix://var/run/fleet.sock list-units

fake_start
expect "several endpoints" 0 "" \
        "multiple endpoints provided but only the first (unix://$T/fleet.sock) is used" \
        --endpoint "unix://$T/fleet.sock,http://127.0.0.1:1" list-units --no-legend
expect "old flags are taken" 0 "" "" list-units --no-legend --experimental-api=false \
        --etcd-keyfile x -etcd-certfile=x --etcd-cafile x --strict-host-key-checking=false
t_run "$FLEETCTL" --debug list-units
t_match "debug says what is asked" "$T_ERR" 'GET /state\?limit=2000: 200, '
t_run env FLEETCTL_DEBUG=1 "$FLEETCTL" list-units
t_match "so does the environment" "$T_ERR" 'GET /state\?limit=2000: 200, '
t_match "every request wants JSON" "$(<"$T/requests")" 'GET /fleet/v1/state\?limit=2000&alt=json'

if command -v strace >/dev/null; then
        strace -f -e trace=openat,socket -o trace "$FLEETCTL" version >/dev/null
        t_no_match "version loads neither curl nor a socket" "$(<trace)" 'libcurl|gnutls|AF_'
else
        t_skip "version loads no curl" "there is no strace"
fi
t_done
