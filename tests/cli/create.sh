#!/usr/bin/env bash
# Where units come from, what is refused, and what --replace does (FLEET.md B3.5, B3.6).
. "$(dirname "$0")/../lib/shell.sh"
. "$ROOT/tests/lib/fake_api.sh"
. "$ROOT/tests/lib/stories.sh"

fake_start

create_story
unit refused.service '[Fake]' Behaviour=refused
expect "the server refuses" 1 "" \
        "Error creating units: failed creating unit refused.service: googleapi: Error 400: the unit is refused by name" \
        submit refused.service
unit stays.service '[Fake]' Behaviour=indestructible
"$FLEETCTL" submit stays.service >/dev/null
expect "what cannot be destroyed" 1 "Destroyed odd.service" \
        'Error destroying units: googleapi: got HTTP response code 500 with body: {"error":{"code":500,"message":""}}' \
        destroy stays.service odd.service
unit fixed.service '[Fake]' Behaviour=immutable
"$FLEETCTL" submit fixed.service >/dev/null
expect "what cannot be started" 1 "" \
        'Error starting units: googleapi: got HTTP response code 500 with body: {"error":{"code":500,"message":""}}' \
        start fixed.service
t_done
