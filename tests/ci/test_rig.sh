#!/usr/bin/env bash
# The rig keeps its promises: an engine of our own, images, kill and restart, and nothing left behind.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/rig.sh"
rig_require

t_ok "an engine starts" rig_dockerd e1 --bridge --live-restore
sock=$(rig_docker_socket e1)
t_ok "it gets a busybox image" rig_busybox_image "$sock"
t_eq "a container runs" "$(rig_docker e1 run --rm busybox /bin/sh -c 'echo hello' 2>&1)" hello
t_match "it has an own network" "$(rig_docker e1 run --rm busybox ip addr 2>&1)" 'inet 172\.'
t_ok "a container stays" rig_docker e1 run -d --name stays busybox sleep 600
before=$(rig_started_at e1 stays)
t_ok "the engine is killed" rig_dockerd_kill e1
t_ok "and starts again" rig_dockerd_start e1
t_eq "live-restore kept the container" "$(rig_started_at e1 stays)" "$before"

dir=$T/e1 ns=${RIG_NETNS[e1]}
rig_dockerd_end e1
t_eq "no process is left" "$(rig_pids_below "$dir")" ""
t_eq "no mount is left" "$(grep -c "$dir" /proc/self/mountinfo)" 0
rig_netns_end e1
t_not "no network namespace is left" test -e "/run/netns/$ns"

t_ok "a second engine, without network" rig_dockerd e2
t_ok "with the image" rig_busybox_image "$(rig_docker_socket e2)"
t_ok "runs containers too" rig_docker e2 run --rm busybox true
t_done
