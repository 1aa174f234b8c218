#!/usr/bin/env bash
# fleetd as a process: flags and exit codes, configuration, signals, sockets that are handed over, readiness.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
for p in curl jq python3; do command -v $p >/dev/null || t_skip_all "$p is not installed"; done
env_names=$(env | sed -n 's/^\(FLEET_[A-Z_]*\)=.*/\1/p')
# shellcheck disable=SC2086 # words
unset NOTIFY_SOCKET LISTEN_FDS LISTEN_PID $env_names

# ---- flags ----
version="fleetd version $(cat "$ROOT/VERSION")"
for how in --version -version version; do
        t_ok "$how" "$FLEETD" $how
        t_eq "$how says it" "$T_OUT" "$version"
done
t_ok "help" "$FLEETD" --help
t_match "help names the flags" "$T_OUT" '-config.*-standalone.*-version'
t_rc "arguments" 1 "$FLEETD" start x.service
t_match "arguments: what was meant" "$T_ERR" "fleetd takes no arguments. Did you mean to invoke fleetctl instead\?"
t_rc "an unknown flag" 2 "$FLEETD" --frobnicate

# ---- what ends it at once ----
t_rc "no file" 1 "$FLEETD" --config "$T/none"
t_match "no file: which" "$T_ERR" "Unable to use config file $T/none: "
t_rc "a directory" 1 "$FLEETD" -config "$T"
t_match "a directory: which" "$T_ERR" "Provided config $T is a directory, not a file"
echo nonsense >"$T/bad.conf"
t_rc "nonsense" 1 "$FLEETD" --config="$T/bad.conf"
t_match "nonsense: where" "$T_ERR" 'line 1: .nonsense.'
echo agent_ttl=30 >"$T/bad.conf"
t_rc "agent_ttl" 1 "$FLEETD" --config "$T/bad.conf"
t_match "agent_ttl: in the words of the original" "$T_ERR" 'Failed creating Server: agent_ttl: '
t_rc "without --standalone" 1 env FLEET_MACHINE_ID=m "$FLEETD" --config /dev/null
t_match "without --standalone: what to do" "$T_ERR" 'run with --standalone or standalone=true'

# ---- configuration ----
rig_fleetd_conf f "$T/no-engine.sock" 'metadata=disk=ssd' 'wibble=1' 'token_limit=lots'
FLEET_METADATA=disk=hdd t_ok "fleetd starts" rig_fleetd f
[ $t_failed = 0 ] || exit 1
log=$T/f/fleetd.log
t_match "unknown keys are named with their line" "$(<"$log")" "fleet.conf:[0-9]+: unknown key 'wibble'"
t_match "values that do not parse, too" "$(<"$log")" "'lots' is no value for token_limit, keeping the default '100'"
metadata() { rig_api f GET /fleet/v1/machines | jq -r '.machines[0].metadata.disk'; }
metadata_is() { [ "$(metadata)" = "$1" ]; }
t_wait "the environment wins" 5 metadata_is hdd

# ---- signals ----
kill -USR1 "$(rig_pid f)"
dumped() {
        grep -qxF '{"Agent":{"Cache":{"TargetStates":{}}},"UnitStatePublisher":{"Cache":{},"ToPublish":{}},"UnitStateGenerator":{"Subscribed":[]}}' "$log"
}
t_wait "SIGUSR1 dumps the state as one line" 5 dumped
rig_kill f TERM
rig_fleetd_conf f "$T/no-engine.sock" 'metadata=disk=ssd'
t_ok "fleetd starts again" rig_fleetd_start f
t_wait "with what the file says" 5 metadata_is ssd
curl -sN --unix-socket "$T/f/fleet.sock" http://fleet/fleet/v1/events >"$T/events" &
curl=$!
t_wait "a stream is open" 5 grep -q revision "$T/events"
rig_fleetd_conf f "$T/no-engine.sock" 'metadata=disk=nvme' 'agent_ttl=20s' 'engine_reconcile_interval=1'
for _ in 1 2 3; do kill -HUP "$(rig_pid f)"; done
t_wait "SIGHUP reads the configuration again" 5 metadata_is nvme
t_wait "the stream has seen it" 5 grep -q nvme "$T/events"
t_ok "and was not cut off" kill -0 $curl
echo nonsense >>"$T/f/fleet.conf"
kill -HUP "$(rig_pid f)"
keeps() { grep -q 'keeping the old configuration' "$log"; }
t_wait "a bad file changes nothing" 5 keeps
t_eq "nothing at all" "$(metadata)" nvme
kill $curl
t_ok "SIGTERM after all that ends it" rig_kill f TERM

# ---- sockets that are handed over, and readiness ----
cat >"$T/activate.py" <<'P'
import fcntl, os, socket, subprocess, sys, time
fds = []
for path in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(path)
    s.listen(16)
    fds.append(fcntl.fcntl(s.detach(), fcntl.F_DUPFD, 30))
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
n.bind(os.environ["T"] + "/notify")
n.settimeout(10)
started = time.monotonic()
pid = os.fork()
if pid == 0:
    for i, fd in enumerate(fds):
        os.dup2(fd, 3 + i, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)),
                      NOTIFY_SOCKET=os.environ["T"] + "/notify")
    os.execv(os.environ["FLEETD"], ["fleetd", "--standalone", "--config", sys.argv[1]])
ready = n.recv(1024).decode()
print(ready, int((time.monotonic() - started) * 1000), flush=True)
code = lambda p: subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
                                 p, "http://fleet/fleet/v1/units"], capture_output=True).stdout.decode()
print(*[code(p) for p in sys.argv[2:]], os.path.exists(os.environ["T"] + "/f/fleet.sock"), flush=True)
os.kill(pid, 15)
print(n.recv(1024).decode(), os.waitpid(pid, 0)[1], flush=True)
P
rig_fleetd_conf f "$T/no-engine.sock"
rm -f "$T/f/fleet.sock"
t_ok "with three sockets handed over" python3 "$T/activate.py" "$T/f/fleet.conf" "$T"/{a,b,c}.sock
mapfile -t lines <<<"$T_OUT"
t_match "it says that it is ready" "${lines[0]}" '^READY=1 [0-9]+$'
t_eq "all three are served, and no other" "${lines[1]}" "200 200 200 False"
t_eq "it says that it ends, and ends well" "${lines[2]}" "STOPPING=1 0"
t_done
