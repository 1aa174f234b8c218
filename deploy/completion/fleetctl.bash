# bash completion for fleetctl: commands and flags as the program itself lists them, units and
# machines as the cluster has them. Install as /usr/share/bash-completion/completions/fleetctl.

# The lines of `fleetctl help --output completion`: "command NAME ARGUMENTS SUMMARY" and
# "flag COMMAND(-: all) --NAME VALUE(-: none) MEANING".
_fleetctl_table() {
        "${COMP_WORDS[0]}" help --output completion 2>/dev/null
}

# Runs a list command with the endpoint that was typed so far; a slow cluster is not waited for.
_fleetctl_list() { # LIST FIELD
        local flags=() i
        for ((i = 1; i < COMP_CWORD; i++)); do
                [[ ${COMP_WORDS[i]} == --endpoint ]] && flags=(--endpoint "${COMP_WORDS[i + 1]}")
        done
        timeout 2 "${COMP_WORDS[0]}" "${flags[@]}" "$1" --no-legend --full --fields "$2" 2>/dev/null
}

# The command on the line, or nothing.
_fleetctl_command() { # TABLE
        local i
        for ((i = 1; i < COMP_CWORD; i++)); do
                if awk -F '\t' -v n="${COMP_WORDS[i]}" \
                        '$1 == "command" && $2 == n { found = 1 } END { exit !found }' <<<"$1"; then
                        printf '%s' "${COMP_WORDS[i]}"
                        return
                fi
        done
}

_fleetctl_flags() { # TABLE COMMAND
        awk -F '\t' -v c="$2" '$1 == "flag" && ($2 == "-" || $2 == c) { print $3 }' <<<"$1"
}

# What may stand behind a flag that takes a value; fails if it takes none.
_fleetctl_value() { # TABLE COMMAND FLAG
        local kind
        kind=$(awk -F '\t' -v c="$2" -v f="--${3##*(-)}" \
                '$1 == "flag" && ($2 == "-" || $2 == c) && $3 == f { print $4; exit }' <<<"$1")
        case $kind in
        '' | -) return 1 ;;
        FILE) COMPREPLY=() && compopt -o default 2>/dev/null ;;
        ID) mapfile -t COMPREPLY < <(compgen -W "$(_fleetctl_list list-machines machine)" -- "$cur") ;;
        FORMAT)
                case $2 in
                journal) kind='short short-iso cat json' ;;
                help) kind='text completion' ;;
                *) kind='text json' ;;
                esac
                mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur")
                ;;
        *) COMPREPLY=() ;;
        esac
}

_fleetctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} table command words
        shopt -q extglob || local reset=1
        shopt -s extglob
        COMPREPLY=()
        table=$(_fleetctl_table)
        command=$(_fleetctl_command "$table")

        if [[ $previous == -* ]] && _fleetctl_value "$table" "$command" "$previous"; then
                :
        elif [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_fleetctl_flags "$table" "$command")" -- "$cur")
        elif [[ -z $command || $command == help ]]; then
                words=$(awk -F '\t' '$1 == "command" { print $2 }' <<<"$table")
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        else
                words=$(awk -F '\t' -v c="$command" '$1 == "command" && $2 == c { print $3 }' <<<"$table")
                if [[ $words == UNIT* ]]; then
                        mapfile -t COMPREPLY < <(
                                compgen -W "$(_fleetctl_list list-unit-files unit)" -- "$cur"
                        )
                        # These take files as well.
                        [[ $command == @(submit|load|start) ]] && compopt -o default 2>/dev/null
                fi
        fi
        [[ -z ${reset:-} ]] || shopt -u extglob
}

complete -F _fleetctl fleetctl
