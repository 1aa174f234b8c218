#!/usr/bin/env bash
# What cannot run: refused where it can be known, failed with the reason where it cannot.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up

refused() { # NAME WORDS (regex)
        t_not "$1 is refused" ctl submit "$T/$1.service"
        t_match "$1: with the reason" "$T_ERR" "$2"
        t_eq "$1: nothing is stored" "$(ctl list-unit-files --no-legend --fields unit | grep -x "$1.service")" ""
}
service unknown-flag <<<'ExecStart=/usr/bin/docker run --no-such-flag busybox'
refused unknown-flag 'no-such-flag'
t_match "and where" "$T_ERR" 'docker run'
service quotes <<<'ExecStart=/usr/bin/docker run busybox sh -c "echo'
refused quotes 'quote|unbalanced'
service bad-value <<<'ExecStart=/usr/bin/docker run --memory=lots busybox'
refused bad-value 'lots'
service restarts <<<'ExecStart=/usr/bin/docker run --restart=always busybox'
refused restarts 'Restart='
service bad-key < <(printf 'ExecStart=/usr/bin/docker run busybox true\nRestarts=always\n')
refused bad-key 'Restarts'
service bad-time < <(printf 'ExecStart=/usr/bin/docker run busybox true\nTimeoutStopSec=soon\n')
refused bad-time 'soon'

# Every unit that old users have parses; each is taken, or refused with the reason.
for f in "$ROOT"/tests/data/legacy/*.service; do
        name=$(basename "$f")
        t_run ctl submit "$f"
        case $name in
        datadog.service | apache-discovery@.service)
                # shells and host programs: no driver here can run them, which is known when they are placed
                if [ "$T_RC" = 0 ]; then
                        [[ $name == *@* ]] || ctl start --no-block "$f" >/dev/null 2>&1
                        [[ $name == *@* ]] || t_wait "$name: says why it cannot run" 10 \
                                status_says "${name%.service}" 'docker|driver'
                else
                        t_match "$name is refused with the reason" "$T_ERR" 'docker|driver'
                fi
                ;;
        *) t_eq "$name is taken" "$T_RC $T_ERR" "0 " ;;
        esac
done

# A port that nothing listens on stands for a registry that is not there.
service no-image <<<'ExecStart=/usr/bin/docker run --name no-image 127.0.0.1:1/none:1 true'
t_not "a missing image is a failed start" ctl start "$T/no-image.service"
t_is "the unit is failed" no-image failed/failed
t_ok "and says what was wrong" status_says no-image 'ExecStart=.*127\.0\.0\.1:1/.*refused'

docker_e run -d --name taken busybox sleep 1000 >/dev/null
before=$(rig_started_at e taken)
service taken <<<'ExecStart=/usr/bin/docker run --name taken busybox sleep 1000'
t_not "a name that is taken is a failed start" ctl start "$T/taken.service"
t_is "the unit is failed" taken failed/failed
t_ok "and says so" status_says taken 'taken|in use|[Cc]onflict'
t_eq "whoever has the name runs on" "$(rig_started_at e taken)" "$before"
t_ok "destroying the unit" ctl destroy taken.service
t_eq "leaves him alone, too" "$(rig_started_at e taken)" "$before"
t_done
