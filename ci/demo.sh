#!/usr/bin/env bash
# The main job, for real: unit files become running containers, and stay running whatever happens to us.
#
#   ci/demo.sh        (as `make demo`) tells the story, checks each step, and cleans up
#   KEEP=1 ci/demo.sh leaves everything up to play with
#   ci/demo.sh end    ends what KEEP=1 left up
#
# It uses the Docker Engine at /var/run/docker.sock if one answers. Else it starts its own, with
# all its files below build/demo and in a network namespace of its own, so that neither routes nor
# firewall rules of this machine are touched.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
root=$PWD
dir=$root/build/demo
engine_dir=$dir/engine
# Paths of unix sockets have 107 bytes at most, and the engine adds to them.
[ ${#dir} -le 60 ] || engine_dir=/var/tmp/flotilla-demo-$(printf %s "$root" | cksum | cut -d' ' -f1)
bin=${BIN:-$root/build/release}
myapp=tests/data/legacy/myapp.service
units=(myapp.service hello@1.service hello@2.service hello@3.service)
containers=(busybox1 hello-1 hello-2 hello-3)
# What an engine makes outside of its own directories, children first.
engine_dirs=(/run/containerd/s /run/containerd /run/docker/plugins /run/docker/netns /run/docker
        /opt/containerd/bin /opt/containerd/lib /opt/containerd /etc/docker)
export PATH=$bin:$PATH FLEETCTL_ENDPOINT=unix://$dir/fleet.sock

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
        bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'
else
        bold='' green='' red='' off=''
fi

# ---- telling ----------------------------------------------------------------------------------

say() { printf '\n%s# %s%s\n' "$bold" "$*" "$off"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$off"; }
good() { printf '%s  ok: %s%s\n' "$green" "$*" "$off"; }
die() {
        printf '%s  FAILED: %s%s\n' "$red" "$*" "$off" >&2
        [ ! -s "$dir/fleetd.log" ] || {
                echo "The end of $dir/fleetd.log:" >&2
                tail -n 20 "$dir/fleetd.log" >&2
        }
        exit 1
}

# Prints a command, runs it, and does not go on if it fails.
run() {
        show "$*"
        "$@" || die "'$*' ended with exit code $?"
}

# The condition must hold within the seconds given.
expect() { # SECONDS WHAT COMMAND ARG…
        local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000)) what=$2
        shift 2
        until "$@" >/dev/null 2>&1; do
                [ "${EPOCHREALTIME/./}" -lt $deadline ] || die "not so: $what"
                sleep 0.05
        done
        good "$what"
}

# ---- conditions -------------------------------------------------------------------------------

engine() { docker -H "unix://$socket" "$@"; }
engine_answers() { curl -sf -o /dev/null --max-time 5 --unix-socket "$1" http://docker/_ping; }
answers_or_gone() { fleetctl list-machines || gone "$fleetd_pid"; }
gone() { ! kill -0 "$1" 2>/dev/null || [ "$(awk '{ print $3 }' "/proc/$1/stat")" = Z ]; }
ours() { # PID: is this process (still) one of this demo?
        [ -n "$1" ] && [ -e "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -e "$dir/" -e "$engine_dir/"
}
id_of() { engine inspect -f '{{.Id}}' "$1" 2>/dev/null; }
started() { engine inspect -f '{{.Name}} {{.State.StartedAt}}' "${containers[@]}" 2>/dev/null; }
running() { # UNIT…: all active and running
        local u states
        states=$(fleetctl list-units --no-legend --fields unit,active,sub) || return
        for u in "$@"; do
                awk -v u="$u" '$1 == u && $2 == "active" && $3 == "running" { ok = 1 } END { exit !ok }' \
                        <<<"$states" || return
        done
}
is_back() { # CONTAINER OLD-ID
        local id
        id=$(id_of "$1") && [ "$id" != "$2" ] &&
                [ "$(engine inspect -f '{{.State.Running}}' "$1")" = true ]
}
has_output() { fleetctl journal --lines 3 "$1" | grep -q "$2"; }
none_left() { [ -z "$(engine ps -aq -f name='^/(busybox1|hello-[123])$')" ]; }

# ---- the engine -------------------------------------------------------------------------------

note() { echo "$1=$(printf %q "$2")" >>"$dir/left.sh"; }

find_engine() {
        socket=/var/run/docker.sock
        if engine_answers $socket; then
                echo "The Docker Engine at $socket answers; it is used."
                local c
                for c in "${containers[@]}"; do
                        id_of "$c" >/dev/null && {
                                echo "It already has a container '$c', which the demo would need." >&2
                                exit 1
                        }
                done
        else
                start_engine
        fi
        note socket "$socket"
        engine image inspect busybox >/dev/null 2>&1 || make_image
}

start_engine() {
        echo "No Docker Engine answers at $socket; one is started below $engine_dir."
        socket=$engine_dir/docker.sock
        mkdir -p "$engine_dir"
        echo '{}' >"$engine_dir/daemon.json"
        note had_docker_key "$([ -e /etc/docker/key.json ] && echo yes)"
        note cgroups "$(ls -d /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker 2>/dev/null | paste -sd ' ')"
        note had_dirs "$(ls -d "${engine_dirs[@]}" 2>/dev/null | paste -sd ' ')"
        # What a bridge needs may be missing from the kernel; the demo can do without.
        launch_engine && return
        launch_engine --bridge=none --iptables=false --ip-forward=false --ip-masq=false && return
        tail -n 5 "$engine_dir/log" >&2
        die "dockerd does not start"
}

launch_engine() { # DOCKERD-OPTION…
        local unshare=(unshare --net) pid deadline
        "${unshare[@]}" true 2>/dev/null || unshare=(env)
        # Without a namespace of our own there must be no bridge: it would stay behind.
        [ "${unshare[0]}" = unshare ] || set -- --bridge=none --iptables=false --ip-forward=false
        rm -f "$engine_dir/pid"
        # shellcheck disable=SC2016 # expanded by the inner shell
        setsid "${unshare[@]}" sh -c 'ip link set lo up 2>/dev/null; exec dockerd "$@"' sh \
                --config-file "$engine_dir/daemon.json" --data-root "$engine_dir/data" \
                --exec-root "$engine_dir/exec" --pidfile "$engine_dir/pid" \
                -H "unix://$socket" "$@" >"$engine_dir/log" 2>&1 </dev/null &
        pid=$!
        disown
        note engine_pid "$pid"
        deadline=$((SECONDS + 40))
        until engine_answers "$socket"; do
                ! gone $pid && [ $SECONDS -lt $deadline ] || return
                sleep 0.05
        done
}

make_image() {
        if timeout 20 docker -H "unix://$socket" pull -q busybox >/dev/null 2>&1; then
                echo "The image 'busybox' was pulled."
        else
                local d=$dir/busybox
                rm -rf "$d"
                mkdir -p "$d/bin" "$d/tmp"
                cp "$(command -v busybox)" "$d/bin/busybox" || die "busybox-static is not installed"
                busybox --list | grep -vx busybox | while read -r a; do ln -s busybox "$d/bin/$a"; done
                tar -C "$d" -c . | engine import - busybox:latest >/dev/null || die "no image could be made"
                rm -rf "$d"
                echo "The image 'busybox' cannot be pulled here; it was made from busybox-static."
        fi
        note made_image yes
}

# ---- fleetd -----------------------------------------------------------------------------------

start_fleetd() {
        show "fleetd --standalone --config $dir/fleet.conf &"
        fleetd --standalone --config "$dir/fleet.conf" >>"$dir/fleetd.log" 2>&1 </dev/null &
        fleetd_pid=$!
        disown
        note fleetd_pid "$fleetd_pid"
        expect 10 "fleetd answers" answers_or_gone
        ! gone "$fleetd_pid" || die "fleetd has ended instead"
}

write_conf() {
        cat >"$dir/fleet.conf" <<END
listen=unix://$dir/fleet.sock
state_directory=$dir/state
machine_id=$( (cat /etc/machine-id 2>/dev/null || hostname) | md5sum | cut -c1-32)
docker_socket=unix://$socket
metadata=demo=yes
END
}

# ---- the end ----------------------------------------------------------------------------------

stop_pid() { # PID SECONDS
        ours "$1" || return 0
        kill -TERM "$1"
        local deadline=$((SECONDS + $2))
        until gone "$1"; do
                [ $SECONDS -lt $deadline ] || { kill -KILL "$1"; break; }
                sleep 0.05
        done
}

# Leaves the machine as it was: from what `note` wrote, so that a later call can do it, too.
tear_down() {
        local fleetd_pid='' engine_pid='' made_image='' socket='' had_docker_key='' cgroups='' had_dirs='' d
        [ -e "$dir/left.sh" ] || return 0
        # shellcheck disable=SC1091 # written by note
        . "$dir/left.sh"
        if ours "$fleetd_pid"; then
                timeout 30 fleetctl destroy "${units[@]}" >/dev/null 2>&1
                stop_pid "$fleetd_pid" 20
        fi
        if [ -n "$socket" ] && engine_answers "$socket"; then
                engine rm -f "${containers[@]}" >/dev/null 2>&1
                [ -n "$engine_pid" ] || [ -z "$made_image" ] || engine rmi busybox >/dev/null 2>&1
        fi
        if [ -n "$engine_pid" ]; then
                stop_pid "$engine_pid" 30
                awk -v d="$engine_dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
                        while read -r d; do umount -l "$d"; done
                # Empty directories that an engine leaves behind.
                for d in /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker; do
                        [[ " $cgroups " == *" $d "* ]] || rmdir "$d" 2>/dev/null
                done
                [ -n "$had_docker_key" ] || rm -f /etc/docker/key.json
                for d in "${engine_dirs[@]}"; do
                        [[ " $had_dirs " == *" $d "* ]] || rmdir "$d" 2>/dev/null
                done
        fi
        rm -rf "$dir/state" "$dir/units" "$dir/fleet.sock" "$engine_dir/docker.sock" "$dir/left.sh" \
                "$dir/fleet.conf" "$engine_dir/exec"
}

finish() {
        local rc=$?
        trap - EXIT
        trap '' INT TERM HUP
        if [ -n "${KEEP:-}" ] && [ $rc = 0 ]; then
                cat <<END

Left up (KEEP=1). To play with it:

  export PATH=$bin:\$PATH
  export FLEETCTL_ENDPOINT=$FLEETCTL_ENDPOINT DOCKER_HOST=unix://$socket
  fleetctl list-units

To end it: make demo-end
END
                exit 0
        fi
        tear_down
        if [ $rc = 0 ]; then
                say "Done: all as promised, and this machine is as it was ($((SECONDS)) s)."
        else
                echo "The demo did not end well (exit code $rc); this machine is as it was." >&2
        fi
        exit $rc
}

# ---- the story --------------------------------------------------------------------------------

story() {
        say "One machine: a Docker Engine, and fleetd with its own state in a file."
        find_engine
        write_conf
        start_fleetd
        run fleetctl list-machines

        say "A unit file written for CoreOS fleet, unchanged, and three instances of a template."
        run fleetctl start $myapp
        run fleetctl start examples/hello@1.service examples/hello@2.service examples/hello@3.service
        expect 10 "all four run" running "${units[@]}"
        run fleetctl list-units
        run fleetctl list-unit-files
        run fleetctl status myapp.service
        expect 10 "its output arrives" has_output myapp.service 'Hello World'
        run fleetctl journal --lines 3 myapp.service

        say "A container dies. Restart=always brings it back."
        local old
        old=$(id_of hello-2)
        show "docker kill hello-2"
        engine kill hello-2 >/dev/null || die "docker kill failed"
        expect 10 "a new container runs in its place" is_back hello-2 "$old"
        expect 10 "and fleet says so" running hello@2.service
        run fleetctl list-units

        say "fleetd dies. Nothing else does."
        local before after
        before=$(started)
        run kill -KILL "$fleetd_pid"
        expect 5 "fleetd is gone" gone "$fleetd_pid"
        after=$(started)
        [ "$before" = "$after" ] || die "containers were touched: before '$before', after '$after'"
        good "all four containers run on, untouched"
        start_fleetd
        expect 10 "the new fleetd has taken them up" running "${units[@]}"
        [ "$(started)" = "$before" ] || die "containers were restarted"
        good "still untouched: none was restarted"
        run fleetctl list-units
        old=$(id_of hello-3)
        show "docker kill hello-3"
        engine kill hello-3 >/dev/null || die "docker kill failed"
        expect 10 "and it looks after them as before" is_back hello-3 "$old"

        [ -z "${KEEP:-}" ] || return 0
        say "The end of it."
        expect 10 "all four run" running "${units[@]}"
        run fleetctl destroy "${units[@]}"
        expect 10 "no container is left" none_left
        [ -z "$(fleetctl list-unit-files --no-legend)" ] || die "units are left"
        good "no unit is left"
}

case ${1:-} in
'') ;;
end)
        [ -e "$dir/left.sh" ] || { echo "There is no demo to end."; exit 0; }
        tear_down
        echo "The demo has ended; this machine is as it was."
        exit 0
        ;;
*) echo "demo.sh: unknown argument '$1' (only: end)" >&2; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || { echo "The demo starts containers, and that takes root." >&2; exit 1; }
[ -x "$bin/fleetd" ] && [ -x "$bin/fleetctl" ] || { echo "$bin has no fleetd and fleetctl" >&2; exit 1; }
[ ! -e "$dir/left.sh" ] || { echo "Ending what an earlier demo left up."; tear_down; }

mkdir -p "$dir"
: >"$dir/left.sh"
: >"$dir/fleetd.log"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
story
