#!/usr/bin/env bash
# State that fleetd cannot or must not use: it says which, why and what to do, ends, and touches nothing.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
for p in curl sqlite3; do command -v $p >/dev/null || t_skip_all "$p is not installed"; done
env_names=$(env | sed -n 's/^\(FLEET_[A-Z_]*\)=.*/\1/p')
# shellcheck disable=SC2086 # words
unset NOTIFY_SOCKET LISTEN_FDS LISTEN_PID $env_names

db=$T/f/state/fleet.db
refused() { # TEST-NAME REGEX [CONF-LINE…]: fleetd must not start
        local name=$1 words=$2
        rig_fleetd_conf g "$T/no-engine.sock" "state_directory=$T/f/state" "${@:3}"
        t_rc "$name: refused" 1 timeout 10 "$FLEETD" --standalone --config "$T/g/fleet.conf"
        t_match "$name: in words" "$T_ERR" "$words"
}

rig_fleetd_conf f "$T/no-engine.sock"
t_ok "fleetd starts" rig_fleetd f
[ $t_failed = 0 ] || exit 1
rig_api f PUT /fleet/v1/units/a.service -H 'Content-Type: application/json' \
        --data '{"options":[{"section":"Service","name":"ExecStart","value":"/usr/bin/docker run busybox true"}]}'
there() { [ "$(rig_api f GET /fleet/v1/units/a.service -o /dev/null -w '%{http_code}')" = 200 ]; }
t_ok "a unit is stored" there

# ---- what is another's ----
refused "a state that another fleetd uses" "$db.* (used|use|locked) "
t_ok "the other one is unharmed" there
refused "a socket that another fleetd serves" 'ERROR [^ ]+ cannot listen on .unix:[^ ]*/f/fleet.sock.: another process listens there$' \
        "state_directory=$T/g/state" "listen=unix://$T/f/fleet.sock"
t_ok "the other one serves it still" there
rm -rf "$T/g"

# ---- damage ----
t_ok "fleetd ends" rig_kill f TERM
cp "$db" "$T/good.db"
damaged() { # TEST-NAME REGEX: with $db as it is now
        local before
        before=$(sha1sum <"$db")
        refused "$1" "$2"
        t_eq "$1: the file was not touched" "$(sha1sum <"$db")" "$before"
        rm -rf "$T/f/state"
        mkdir "$T/f/state"
        cp "$T/good.db" "$db"
}
printf 'this is no database, but a text that is long enough to be one\n%.0s' {1..100} >"$db"
damaged "something else than a database" "$db"
dd if=/dev/urandom of="$db" bs=1 seek=100 count=3000 conv=notrunc 2>/dev/null
damaged "a database with damaged pages" "$db.*(damaged|malformed|corrupt)"
truncate -s 5000 "$db"
damaged "a database that was cut short" "$db"
sqlite3 "$db" 'PRAGMA user_version = 4711'
damaged "a database of a later version" "$db.*(newer|version)"
rm "$db"
sqlite3 "$db" 'CREATE TABLE accounts (name TEXT); INSERT INTO accounts VALUES (1)'
damaged "somebody else's database" "$db"
rm "$db"
mkdir "$db"
refused "a directory in its place" "$db"
rm -rf "$T/f/state"
echo x >"$T/f/state"
refused "a file in place of the directory" "$T/f/state"
rm "$T/f/state"
mkdir "$T/f/state"
if mount -t tmpfs -o size=1m,ro tmpfs "$T/f/state" 2>/dev/null; then
        refused "a directory that cannot be written" "$T/f/state.*[Rr]ead-only"
        umount "$T/f/state"
else
        t_skip "a directory that cannot be written" "tmpfs cannot be mounted here"
fi

# ---- what is good ----
: >"$db"
t_ok "an empty file is a new state" rig_fleetd_start f
t_not "with nothing in it" there
t_ok "which ends well" rig_kill f TERM
cp "$T/good.db" "$db"
rm -f "$db"-wal "$db"-shm
t_ok "the good file is taken" rig_fleetd_start f
t_ok "with all that was in it" there
rm -rf "$T/f/state"
t_wait "while it is removed, reads are answered" 5 there
code=$(rig_api f PUT /fleet/v1/units/a.service -H 'Content-Type: application/json' \
        --data '{"desiredState":"loaded"}' -o /dev/null -w '%{http_code}')
t_match "and writes, too, somehow" "$code" '^(204|500)$'
t_ok "and it ends" rig_kill f TERM
t_done
