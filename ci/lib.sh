# What the checks share.

# shellcheck disable=SC2034 # used by those who source this
PRODUCT="lib specs scheduler drivers agent ctl ignition"

# Files below FOLDERS that match PATTERN, sorted; a folder that is not there has none.
files() { # PATTERN FOLDER…
        local pattern=$1 d
        shift
        for d in "$@"; do [ ! -d "$d" ] || find "$d" -type f -name "$pattern"; done | sort
}
