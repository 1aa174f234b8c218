#!/usr/bin/env bash
# Exit codes, their exceptions, ExecStartPre and its prefixes, oneshot, start limits.
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/daemon.sh"
daemon_up
run='/usr/bin/docker run --rm'

service success <<E
ExecStart=$run --name success busybox sh -c 'exit 42'
SuccessExitStatus=42
E
service prevent <<E
ExecStart=$run --name prevent busybox sh -c 'exit 7'
Restart=always
RestartPreventExitStatus=7
E
service limit <<E
ExecStart=$run --name limit busybox false
Restart=always
RestartSec=10ms
[Unit]
StartLimitBurst=3
StartLimitIntervalSec=60s
E
service pre-fails <<E
ExecStartPre=$run busybox sh -c 'exit 5'
ExecStart=$run --name pre-fails busybox sleep 1000
E
service pre-ignored <<E
ExecStartPre=-$run busybox sh -c 'exit 5'
ExecStart=$run --name pre-ignored busybox sleep 1000
ExecStop=/usr/bin/docker kill pre-ignored
E
service oneshot <<E
Type=oneshot
ExecStart=$run busybox true
ExecStart=$run busybox true
E
service remain <<E
Type=oneshot
RemainAfterExit=yes
ExecStart=$run busybox true
E
service variables <<'E'
Environment=WORD=two "LINE=one two"
ExecStart=/usr/bin/docker run --name variables -e WORD busybox sh -c 'echo "$$#:$$1:$$2:$$WORD"' sh $LINE ${LINE}
E

t_ok "oneshot: start waits for its end, which is success" ctl start "$T/oneshot.service"
t_is "oneshot: then it is dead" oneshot inactive/dead
t_ok "oneshot with RemainAfterExit" ctl start "$T/remain.service"
t_is "stays active (exited)" remain active/exited
t_ok "a failing pre command with '-' does not matter" ctl start "$T/pre-ignored.service"
t_is "it runs" pre-ignored active/running
t_not "a failing pre command is a failed start" ctl start "$T/pre-fails.service"
t_is "it is failed" pre-fails failed/failed
t_ok "and says with which code" status_says pre-fails 'ExecStartPre=.* status 5'
t_eq "the main command was not started" "$(container pre-fails)" none

t_ok "those that end by themselves start" \
        ctl start --no-block "$T/success.service" "$T/prevent.service" "$T/limit.service" "$T/variables.service"
t_is "SuccessExitStatus" success inactive/dead
t_is "RestartPreventExitStatus" prevent failed/failed
t_is "StartLimitBurst" limit failed/failed 30
t_ok "and says that it was the limit" status_says limit 'start-limit-hit'
t_is "a unit with variables" variables inactive/dead
t_eq "words and environment are systemd's" "$(docker_e logs variables 2>&1)" "3:one:two:two"
t_done
