# For tests of fleetd with a real engine: engine `e` with a busybox image, fleetd `f` on it.
# Source shell.sh first.
. "$ROOT/tests/lib/rig.sh"

# daemon_up [DOCKERD-OPTION…]
daemon_up() {
        rig_require
        t_ok "an engine starts" rig_dockerd e "$@"
        t_ok "it has busybox" rig_busybox_image "$(rig_docker_socket e)"
        rig_fleetd_conf f "$(rig_docker_socket e)"
        t_ok "fleetd starts" rig_fleetd f
        [ $t_failed = 0 ] || exit 1
}

ctl() { rig_ctl f "$@"; }
docker_e() { rig_docker e "$@"; }

# Writes $T/NAME.service: [Service] with the lines on stdin.
service() { # NAME
        { echo '[Service]'; cat; } >"$T/$1.service"
}

is() { # NAME ACTIVE/SUB
        rig_is f "$1.service" "$2"
}

t_is() { # TEST-NAME UNIT ACTIVE/SUB [SECONDS]
        if wait_for "${4:-15}" is "$2" "$3"; then
                t_pass "$1"
        else
                t_fail "$1" "$2 is $(rig_active f "$2.service"), not $3" "$(ctl status "$2.service" 2>&1)"
        fi
}

# A container's own view, one word: running, exited, …; "none" if there is none.
container() { # NAME
        local status
        status=$(docker_e inspect -f '{{.State.Status}}' "$1" 2>/dev/null)
        echo "${status:-none}"
}
container_is() { [ "$(container "$1")" = "$2" ]; }

status_says() { # UNIT REGEX
        local text
        text=$(ctl status "$1.service" 2>&1) # its exit code says whether the unit is active
        echo "$text"
        grep -qE -- "$2" <<<"$text"
}

# What a unit's containers must be to have been left alone: names with the time of their start.
all_started_at() {
        docker_e ps -q | xargs -r docker -H "unix://$(rig_docker_socket e)" inspect \
                -f '{{.Name}} {{.State.StartedAt}}' | sort
}
