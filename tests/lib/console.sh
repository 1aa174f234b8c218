# The docker driver by itself, against a private engine: tests/tools/docker_console as a coprocess.
# Source tests/lib/shell.sh and tests/lib/rig.sh first.

# The image that everything runs: busybox alone.
console_image() { # ENGINE
        mkdir -p "$T/root/bin"
        cp "$(command -v busybox)" "$T/root/bin/busybox"
        busybox --list | while read -r n; do [ "$n" = busybox ] || ln -sf busybox "$T/root/bin/$n"; done
        tar -C "$T/root" -c . | rig_docker "$1" import - busybox >/dev/null
}

console_up() { # ENGINE
        mkdir -p "$T/state"
        : >"$T/console.out"
        rm -f "$T/console.in"
        mkfifo "$T/console.in"
        "$TOOLS/docker_console" "unix://$(rig_docker_socket "$1")" "$T/state" \
                <"$T/console.in" >>"$T/console.out" 2>"$T/console.err" &
        CONSOLE=$!
        exec 7>"$T/console.in"
        CONSOLE_SEEN=0
        at_exit console_down
}

console_down() {
        [ -z "${CONSOLE:-}" ] || say quit
        exec 7>&-
        [ -z "${CONSOLE:-}" ] || wait "$CONSOLE"
        CONSOLE=
}

say() { # LINE
        printf '%s\n' "$*" >&7
}

# Waits for a line that matches, among those since the last one that was waited for.
expect() { # SECONDS REGEX
        local end=$((SECONDS + $1)) n
        while :; do
                n=$(tail -n +$((CONSOLE_SEEN + 1)) "$T/console.out" | grep -nEm1 -- "$2" | cut -d: -f1)
                [ -z "$n" ] || break
                if [ $SECONDS -ge $end ]; then
                        echo "waited for: $2"
                        tail -n +$((CONSOLE_SEEN + 1)) "$T/console.out"
                        cat "$T/console.err"
                        return 1
                fi
                read -rt 0.02 <> <(:) || :
        done
        CONSOLE_SEEN=$((CONSOLE_SEEN + n))
}

t_expect() { # NAME SECONDS REGEX
        local out
        out=$T/expect.out
        if expect "$2" "$3" >"$out"; then t_pass "$1"; else t_fail "$1" "$(cat "$out")"; fi
}

unit() { # NAME: from stdin
        cat >"$T/$1"
}
