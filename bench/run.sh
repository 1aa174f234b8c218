#!/usr/bin/env bash
# Our figures beside their budgets, each measured in this run on this machine with the release build.
#
#   bench/run.sh             all of it, some three minutes
#   BENCH_QUICK=1 bench/run.sh   fewer and shorter, to see that it works; its figures say little
#
# A figure that has a floor (the Engine's own price) is measured in turns with it.
BUILD=${BUILD:-release}
here=$(cd "$(dirname "$0")/.." && pwd)
export FLEETD=${FLEETD:-$here/build/$BUILD/fleetd} FLEETCTL=${FLEETCTL:-$here/build/$BUILD/fleetctl}
. "$here/tests/lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
tools=$ROOT/build/$BUILD/bench
if [ -n "${BENCH_QUICK:-}" ]; then
        n_start=5 n_ready=5 n_version=10 n_list=5 n_resident=20 n_idle=5 idle_seconds=5 n_units=200
else
        n_start=25 n_ready=20 n_version=50 n_list=20 n_resident=100 n_idle=20 idle_seconds=60 n_units=1000
fi
rig_require
over=0

median() { sort -n | awk '{ a[NR] = $1 } END { print NR ? a[int((NR + 1) / 2)] : "none" }'; }
msec() { awk -v u="$1" 'BEGIN { printf "%.1f", u / 1000 }'; }

# One line of the table; a figure above its budget is marked, not hidden.
figure() { # WHAT FIGURE UNIT BUDGET [NOTE]
        local mark=ok
        awk -v f="$2" -v b="$4" 'BEGIN { exit !(f > b) }' && { mark=OVER; over=$((over + 1)); }
        printf '%-44s %10s %-10s budget %8s   %-4s %s\n' "$1" "$2" "$3" "$4" "$mark" "${5:-}"
}

fail() {
        echo "bench: $*" >&2
        exit 1
}

resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$(rig_pid "$1")/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$(rig_pid "$1")/stat"; }
switches() { awk '/^voluntary/ { print $2 }' "/proc/$(rig_pid "$1")/status"; }
mib() { awk -v k="$1" 'BEGIN { printf "%.2f", k / 1024 }'; }

unit() { # NAME: a unit file that runs one container of the unit's name
        cat >"$T/$1.service" <<E
[Service]
ExecStart=/usr/bin/docker run --name $1 busybox sleep 1000
ExecStop=/usr/bin/docker kill $1
E
}

active_units() { rig_ctl f list-units --no-legend --fields active | grep -c '^active'; }
all_active() { [ "$(active_units)" = "$1" ]; }
all_listed() { [ "$(rig_ctl f list-units --no-legend | wc -l)" = "$1" ]; }

fresh_fleetd() {
        rig_fleetd_conf f "$(rig_docker_socket e)"
        rig_fleetd_start f >/dev/null || fail "fleetd does not start"
}
end_fleetd() {
        rig_kill f TERM || fail "fleetd does not end"
        rm -rf "$T/f"
        # Containers that carry our labels would be taken up by the next one.
        rig_docker e ps -aq | xargs -r docker -H "unix://$(rig_docker_socket e)" rm -f >/dev/null
}

# ---- what needs no engine ---------------------------------------------------------------------

measure_sizes() {
        local p size
        for p in "$FLEETD" "$FLEETCTL"; do
                strip -o "$T/stripped" "$p"
                size=$(stat -c %s "$T/stripped")
                figure "$(basename "$p") stripped" "$(mib $((size / 1024)))" MiB 1.5
        done
}

measure_version() {
        local i
        for ((i = 0; i < n_version; i++)); do
                "$tools/spawn_time" "$FLEETCTL" version 3>&1 >/dev/null
        done >"$T/version"
        figure "fleetctl version" "$(msec "$(median <"$T/version")")" ms 3 "median of $n_version"
}

measure_ready() {
        local i
        rig_fleetd_conf r "$(rig_docker_socket e)"
        for ((i = 0; i < n_ready; i++)); do
                "$tools/ready_time" "$FLEETD" --standalone --config "$T/r/fleet.conf" 2>>"$T/r/log" ||
                        fail "$(tail -n 3 "$T/r/log")"
        done >"$T/ready"
        figure "fleetd ready after start" "$(msec "$(median <"$T/ready")")" ms 30 "median of $n_ready"
}

# ---- with an engine ---------------------------------------------------------------------------

measure_start() {
        local i floor ours difference
        fresh_fleetd
        wait_for 5 false # it gives back what only starting needed
        figure "fleetd resident, 0 units" "$(mib "$(resident_kib f)")" MiB 8 "5 s after the start"
        for ((i = 0; i < n_start; i++)); do
                unit "ours$i"
                "$tools/engine_floor" "$(rig_docker_socket e)" busybox "floor$i" >>"$T/floor" || fail floor
                "$tools/spawn_time" "$FLEETCTL" --endpoint "unix://$T/f/fleet.sock" start \
                        "$T/ours$i.service" 3>>"$T/ours" >/dev/null || fail "start ours$i"
        done
        floor=$(median <"$T/floor") ours=$(median <"$T/ours")
        difference=$(msec $((ours - floor)))
        figure "fleetctl start, above the Engine's own" "$difference" ms 15 \
                "medians of $n_start: Engine $(msec "$floor") ms, fleetctl start $(msec "$ours") ms, ratio $(
                        awk -v a="$ours" -v b="$floor" 'BEGIN { printf "%.3f", a / b }')"
        rig_docker e ps -aq -f name=floor | xargs -r docker -H "unix://$(rig_docker_socket e)" rm -f \
                >/dev/null
}

# What was started to be timed, but is more than the idle fleetd shall have.
end_surplus() {
        local i surplus=()
        for ((i = n_idle; i < n_start; i++)); do surplus+=("ours$i.service"); done
        [ ${#surplus[@]} = 0 ] || rig_ctl f destroy "${surplus[@]}" >/dev/null || fail "destroy"
}

# Brings the number of running units to N.
run_units() { # N
        local i files=()
        for ((i = $(active_units); i < $1; i++)); do
                unit "more$i"
                files+=("$T/more$i.service")
        done
        [ ${#files[@]} = 0 ] || rig_ctl f start --no-block "${files[@]}" >/dev/null || fail "start of $1"
        wait_for 180 all_active "$1" || fail "$(active_units) of $1 units are active"
}

measure_idle() {
        local t0 s0 t1 s1 cpu
        run_units "$n_idle"
        wait_for 5 false # what starting has left to do
        t0=$(ticks f) s0=$(switches f)
        wait_for "$idle_seconds" false
        t1=$(ticks f) s1=$(switches f)
        cpu=$(awk -v t=$((t1 - t0)) -v hz="$(getconf CLK_TCK)" -v s="$idle_seconds" \
                'BEGIN { printf "%.3f", 100 * t / hz / s }')
        figure "fleetd idle, $n_idle units: CPU" "$cpu" "%" 0.1 "over $idle_seconds s"
        figure "fleetd idle, $n_idle units: wake-ups" $((s1 - s0)) "" $(((idle_seconds + 9) / 10)) \
                "over $idle_seconds s"
}

measure_resident() {
        run_units "$n_resident"
        wait_for 5 false
        figure "fleetd resident, $n_resident running units" "$(mib "$(resident_kib f)")" MiB 8
}

# 1,000 loaded units: known to the driver, each with a reported state, none started.
measure_list() {
        local i files=() what
        fresh_fleetd
        for ((i = 0; i < n_units; i++)); do
                unit "listed$i"
                files+=("$T/listed$i.service")
        done
        rig_ctl f load --no-block "${files[@]}" >/dev/null || fail "load of $n_units"
        wait_for 120 all_listed "$n_units" || fail "not all of $n_units units are loaded"
        wait_for 5 false # what loading has left to do
        for what in list-units list-unit-files; do
                for ((i = 0; i < n_list; i++)); do
                        "$tools/spawn_time" "$FLEETCTL" --endpoint "unix://$T/f/fleet.sock" $what \
                                3>&1 >/dev/null
                done >"$T/$what"
                figure "$what, $n_units loaded units" "$(msec "$(median <"$T/$what")")" ms 25 \
                        "median of $n_list"
        done
}

printf 'flotilla %s on %s, %s cores, Linux %s, Docker %s\n\n' "$(cat "$ROOT/VERSION")" \
        "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" "$(nproc)" "$(uname -r)" \
        "$(dockerd --version | sed 's/Docker version \([^,]*\).*/\1/')"
measure_sizes
measure_version
rig_dockerd e --bridge || fail "no engine"
rig_busybox_image "$(rig_docker_socket e)" || fail "no image"
RIG_ARGS[f]='' RIG_PID[f]=''
at_exit rig_fleetd_end f
measure_ready
measure_start
end_surplus
measure_idle
measure_resident
end_fleetd
measure_list
end_fleetd
RIG_PID[f]=''
t_ended=1
echo
if [ $over = 0 ]; then echo "All within budget."; else echo "$over over budget."; fi
exit $((over > 0))
