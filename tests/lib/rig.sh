# Private engines and daemons for tests. Source tests/lib/shell.sh first.
#
# Everything lives below $T/<name>/ and is stopped by pid when the test ends; nothing of the
# machine's own engine, network or configuration is touched.

declare -A RIG_PID=() RIG_NETNS=() RIG_ARGS=()

# True if a test may start engines here; else RIG_WHY_NOT says why.
rig_possible() {
        local p
        RIG_WHY_NOT=
        [ "$(id -u)" = 0 ] || RIG_WHY_NOT="starting an engine takes root"
        for p in dockerd ip nsenter curl jq busybox; do
                command -v $p >/dev/null || RIG_WHY_NOT="$p is not installed"
        done
        [ -z "$RIG_WHY_NOT" ]
}

# For tests that are nothing without an engine.
rig_require() {
        rig_possible || t_skip_all "$RIG_WHY_NOT"
}

# Words that `eval` gives back as they are; nothing for none.
rig_quote() { # WORD…
        [ $# = 0 ] || printf '%q ' "$@"
}

rig_pid() { # NAME
        echo "${RIG_PID[$1]:-}"
}

rig_kill() { # NAME [SIGNAL]: and waits until it is gone
        kill -"${2:-KILL}" "${RIG_PID[$1]}" && wait_for 20 gone "${RIG_PID[$1]}"
}

# Waiting for somebody who is no more is no use.
rig_up_or_gone() { # ANSWERS-FUNCTION NAME
        "$1" "$2" || gone "${RIG_PID[$2]}"
}

# ---- Docker Engine ----------------------------------------------------------------------------

# Own network namespace, so that the engine's bridge and iptables rules are its own.
rig_netns() { # NAME
        local ns=flotilla-$$-$1
        ip netns add "$ns" || return
        RIG_NETNS[$1]=$ns
        at_exit rig_netns_end "$1"
        nsenter --net="/run/netns/$ns" ip link set lo up
}

rig_netns_end() { # NAME
        [ -z "${RIG_NETNS[$1]:-}" ] || ip netns del "${RIG_NETNS[$1]}"
        unset "RIG_NETNS[$1]"
}

# A veth pair between us and that namespace: 10.210.<n>.1 is us, .2 is there.
rig_veth() { # NAME N
        local ns=${RIG_NETNS[$1]} dev=fl$$v$2
        ip link add "$dev" type veth peer name eth0 netns "$ns" &&
                ip addr add "10.210.$2.1/30" dev "$dev" && ip link set "$dev" up &&
                nsenter --net="/run/netns/$ns" ip addr add "10.210.$2.2/30" dev eth0 &&
                nsenter --net="/run/netns/$ns" ip link set eth0 up
}

rig_docker_socket() { # NAME
        echo "$T/$1/docker.sock"
}

# Starts dockerd NAME and waits until it answers. Options: --bridge gives it a network of its own
# (else containers have none unless they ask for --net=host); others go to dockerd (--live-restore).
rig_dockerd() { # NAME [--bridge] [DOCKERD-OPTION…]
        local name=$1 network=(--bridge=none --iptables=false --ip-forward=false --ip-masq=false)
        shift
        if [ "${1:-}" = --bridge ]; then
                shift
                network=()
        fi
        mkdir -p "$T/$name"
        rig_netns "$name" || return
        RIG_ARGS[$name]=$(rig_quote "${network[@]}" "$@")
        at_exit rig_dockerd_end "$name"
        rig_dockerd_start "$name"
}

# Starts it (again) with the same directories and options.
rig_dockerd_start() { # NAME
        local d=$T/$1 args pid
        eval "args=(${RIG_ARGS[$1]})"
        rm -f "$d/docker.pid"
        # Where nobody reaps orphans, the engine takes a dead containerd for a living one.
        pid=$(cat "$d/exec/containerd/containerd.pid" 2>/dev/null) &&
                wait_for 5 gone "$pid" && rm -f "$d/exec/containerd/containerd.pid"
        echo '{}' >"$d/daemon.json" # not the machine's own
        setsid nsenter --net="/run/netns/${RIG_NETNS[$1]}" dockerd --config-file "$d/daemon.json" \
                --data-root "$d/data" --exec-root "$d/exec" --pidfile "$d/docker.pid" \
                -H "unix://$d/docker.sock" "${args[@]}" >>"$d/docker.log" 2>&1 </dev/null &
        RIG_PID[$1]=$!
        disown
        wait_for 30 rig_up_or_gone rig_docker_answers "$1" && rig_docker_answers "$1" && return
        echo "dockerd $1 does not answer:"
        tail -n 15 "$d/docker.log"
        return 1
}

rig_docker_answers() { # NAME
        curl -sf -o /dev/null --max-time 5 --unix-socket "$T/$1/docker.sock" http://docker/_ping
}

# docker's command line against that engine.
rig_docker() { # NAME ARG…
        docker -H "unix://$T/$1/docker.sock" "${@:2}"
}

# SIGKILL to the engine alone: its containers and containerd have lost their parent.
rig_dockerd_kill() { # NAME
        rig_kill "$1" KILL
}

rig_dockerd_stop() { # NAME
        stop_pid "${RIG_PID[$1]}" 30
}

# Nothing of it survives: containers, containerd, shims, mounts.
rig_dockerd_end() { # NAME
        local d=$T/$1 ids p
        gone "${RIG_PID[$1]:-1}" || {
                ids=$(rig_docker "$1" ps -q 2>/dev/null)
                # shellcheck disable=SC2086 # one word for each id
                [ -z "$ids" ] || timeout 20 docker -H "unix://$d/docker.sock" kill $ids >/dev/null 2>&1
                stop_pid "${RIG_PID[$1]}" 30
        }
        # containerd and its shims name our exec-root on their command lines or in their directory.
        for p in $(rig_pids_below "$d"); do kill -KILL "$p" 2>/dev/null; done
        wait_for 5 rig_none_below "$d"
        awk -v d="$d/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
                while read -r p; do umount -l "$p"; done
        true
}

# The engine's processes whose command lines name directory D, and the children of these.
rig_pids_below() { # D
        local p
        for p in $(pgrep -f "(dockerd|containerd|docker-proxy).*$1/"); do
                [ "$p" = "$$" ] || [ "$p" = "$BASHPID" ] ||
                        echo "$p" "$(cat "/proc/$p/task/"*/children 2>/dev/null)"
        done
}

rig_none_below() { # D
        [ -z "$(rig_pids_below "$1")" ]
}

# ---- images -----------------------------------------------------------------------------------

# A root directory with busybox and its links as a tar on stdout.
rig_busybox_tar() {
        local d=$T/busybox-root
        if [ ! -d "$d" ]; then
                mkdir -p "$d/bin" "$d/tmp" "$d/etc"
                cp "$(command -v busybox)" "$d/bin/busybox"
                busybox --list | while read -r a; do [ "$a" = busybox ] || ln -s busybox "$d/bin/$a"; done
                echo root:x:0:0::/:/bin/sh >"$d/etc/passwd"
        fi
        tar -C "$d" -c .
}

rig_busybox_image() { # SOCKET [TAG]
        rig_busybox_tar | curl -sf -o /dev/null --unix-socket "$1" -X POST -T - \
                -H 'Content-Type: application/x-tar' \
                "http://docker/images/create?fromSrc=-&repo=busybox&tag=${2:-latest}"
}

# ---- fleetd -----------------------------------------------------------------------------------

# Writes NAME's configuration. Later lines KEY=VALUE are added to it.
rig_fleetd_conf() { # NAME DOCKER-SOCKET [KEY=VALUE…]
        local d=$T/$1
        mkdir -p "$d"
        {
                echo "listen=unix://$d/fleet.sock"
                echo "state_directory=$d/state"
                echo "machine_id=$(printf %s "$1$$" | md5sum | cut -c1-32)"
                echo "docker_socket=unix://$2"
                [ $# -lt 3 ] || printf '%s\n' "${@:3}"
        } >"$d/fleet.conf"
}

# Starts fleetd --standalone NAME with the configuration above and waits until its API answers.
rig_fleetd() { # NAME [FLEETD-OPTION…]
        RIG_ARGS[$1]=$(rig_quote "${@:2}")
        at_exit rig_fleetd_end "$1"
        rig_fleetd_start "$1"
}

rig_fleetd_start() { # NAME
        local d=$T/$1 args
        eval "args=(${RIG_ARGS[$1]})"
        # The machine's own FLEET_ settings stay outside.
        env -u NOTIFY_SOCKET ${RIG_WRAP:-} "$FLEETD" --standalone --config "$d/fleet.conf" "${args[@]}" \
                >>"$d/fleetd.log" 2>&1 </dev/null &
        RIG_PID[$1]=$!
        disown
        wait_for "${RIG_DEADLINE:-15}" rig_up_or_gone rig_fleetd_answers "$1" &&
                rig_fleetd_answers "$1" && return
        echo "fleetd $1 does not answer:"
        tail -n 20 "$d/fleetd.log"
        return 1
}

rig_fleetd_answers() { # NAME
        curl -sf -o /dev/null --max-time 5 --unix-socket "$T/$1/fleet.sock" \
                http://fleet/fleet/v1/machines
}

rig_fleetd_end() { # NAME
        local log=$T/$1/fleetd.log
        stop_pid "${RIG_PID[$1]:-}" 20
        [ "$t_failed" = 0 ] || [ ! -e "$log" ] || {
                echo "---- the end of fleetd $1's log:"
                tail -n 40 "$log"
        }
        # A sanitizer's report is a failure, whatever the test said.
        if grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$log" 2>/dev/null; then
                echo "---- fleetd $1: a sanitizer's report:"
                grep -aE -A 30 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$log" | head -n 60
                t_failed=$((t_failed + 1))
        fi
}

# fleetctl against fleetd NAME.
rig_ctl() { # NAME ARG…
        timeout -k 5 "${RIG_CTL_DEADLINE:-45}" "$FLEETCTL" --endpoint "unix://$T/$1/fleet.sock" "${@:2}"
}

# The API, bare: rig_api NAME METHOD PATH [CURL-OPTION…]
rig_api() {
        curl -s --max-time 20 --unix-socket "$T/$1/fleet.sock" -X "$2" "http://fleet$3" "${@:4}"
}

# One field of a unit's state as the API reports it: rig_state NAME UNIT systemdActiveState
rig_state() {
        rig_api "$1" GET "/fleet/v1/state/$2" | jq -r ".$3 // \"-\""
}

# The words active/sub of a unit.
rig_active() { # NAME UNIT
        rig_api "$1" GET "/fleet/v1/state/$2" |
                jq -r '"\(.systemdActiveState // "-")/\(.systemdSubState // "-")"'
}

rig_is() { # NAME UNIT ACTIVE/SUB (a glob)
        # shellcheck disable=SC2053 # a pattern is meant
        [[ $(rig_active "$1" "$2") == $3 ]]
}

# When the container was started, as its engine says: changes if anything restarted it.
rig_started_at() { # ENGINE CONTAINER
        rig_docker "$1" inspect -f '{{.State.StartedAt}}' "$2" 2>/dev/null
}

rig_no_container() { # ENGINE CONTAINER
        ! rig_docker "$1" inspect "$2" >/dev/null 2>&1
}
