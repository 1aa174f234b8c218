# What one does with units by fleetctl, told once for the pretended fleetd and for the real one: the
# messages must be the same (FLEET.md B3.5, B3.6). Source it behind expect.sh.
#
# OTHER is a unit of a second type, or at least a second unit, where the driver has no other types.

on='on aaaaaaaa.../10.0.0.1'
OTHER=other.timer

story_units() {
        unit hello.service
        unit "$OTHER"
        unit web@.service
        unit global.service '[X-Fleet]' Global=true
}

no_units_story() {
        local verb
        for verb in start load stop unload destroy submit; do
                expect "$verb without units" 0 "" "No units given" $verb
        done
}

life_story() { # MODE
        local m=$1 verb
        expect "$m: submit" 0 "Unit hello.service inactive" "" submit hello.service
        expect "$m: submit again" 0 "" "" submit hello.service
        expect "$m: submit a global" 0 "Unit global.service " "" submit global.service
        expect "$m: start what is there, without suffix" 0 "Unit hello.service launched $on" "" \
                start hello
        expect "$m: start what is started" 0 "" "" start hello.service
        expect "$m: stop" 0 "Unit hello.service loaded $on" \
                "Successfully stopped units [hello.service]." stop hello.service
        expect "$m: stop what is stopped" 0 "" "Successfully stopped units []." stop hello.service
        expect "$m: start again" 0 "Unit hello.service launched $on" "" start hello.service
        expect "$m: load stops" 0 "Unit hello.service loaded $on" "" load hello.service
        expect "$m: unload" 0 "Unit hello.service inactive" \
                "Successfully unloaded units [hello.service]." unload hello.service
        expect "$m: unload again" 0 "" "Successfully unloaded units []." unload hello.service
        expect "$m: stop what is inactive" 1 "" \
                "Unable to stop unit hello.service in state inactive" stop hello.service
        expect "$m: load a new one" 0 "Unit $OTHER inactive
Unit $OTHER loaded $on" "" load "$OTHER"
        EXPECT_SORTED=1 expect "$m: start instances, one given twice" 0 \
                "Unit web@1.service inactive
Unit web@2.service inactive
Unit web@1.service launched $on
Unit web@2.service launched $on" "" start web@1.service web@2.service ./web@1.service
        expect "$m: start a global" 0 "Triggered global unit global.service start" "" \
                start global.service
        expect "$m: load a global" 0 "Triggered global unit global.service load" "" \
                load global.service
        expect "$m: start it again" 0 "Triggered global unit global.service start" "" start global
        expect "$m: stop a global" 0 "Triggered global unit global.service stop" \
                "Successfully stopped units []." stop global
        expect "$m: unload a global" 0 "Triggered global unit global.service unload" \
                "Successfully unloaded units []." unload global
        expect "$m: a oneshot" 0 $'Unit oneshot.service inactive\nUnit oneshot.service launched '"$on" \
                "" start oneshot.service
        expect "$m: unknown names among known ones" 0 "Unit web@1.service loaded $on" \
                "Successfully stopped units [web@1.service]." stop nope web@1.service nope2.service
        for verb in stop unload destroy; do
                expect "$m: $verb of what nobody knows" 0 "" "Units not found in registry" $verb nope
        done
        EXPECT_SORTED=1 expect "$m: patterns" 0 $'Unit web@1.service inactive\nUnit web@2.service inactive' \
                "Successfully unloaded units [web@1.service web@2.service]." unload 'web@?'
        expect "$m: destroy" 0 "Destroyed hello.service" "" destroy hello.service nope
        EXPECT_SORTED=1 expect "$m: destroy by pattern" 0 $'Destroyed web@1.service\nDestroyed web@2.service' "" \
                destroy 'web@*.service'
        EXPECT_SORTED=1 expect "$m: destroy all the rest" 0 \
                "Destroyed global.service
Destroyed oneshot.service
Destroyed $OTHER" "" destroy '*'
        expect "$m: nothing is left" 0 "" "" list-unit-files --no-legend
        expect "$m: not waiting to start" 0 \
                $'Unit hello.service inactive\nTriggered unit hello.service start' "" \
                start --no-block hello.service
        expect "$m: not waiting to destroy" 0 "Destroyed hello.service" "" \
                destroy --no-block hello.service
}

# Where units come from, what is refused, what --replace does.
create_story() {
        expect "nowhere" 1 "" \
                "Error creating units: unable to find Unit(nope.service) in Registry or on filesystem" \
                start nope
        expect "no template" 1 "" \
                "Error creating units: failed getting Unit(dir/web@1.service) from template: unable to find template Unit(web@.service) in Registry or on filesystem" \
                start dir/web@1.service
        printf '[Service]\nnoequals\n' >bad.service
        expect "a file that cannot be parsed" 1 "" \
                "Error creating units: failed getting Unit(./bad.service) from file: line 2: unexpected newline encountered while parsing option name" \
                submit ./bad.service
        mkdir web.service
        expect "a directory is no unit" 1 "" \
                "Error creating units: unable to find Unit(web.service) in Registry or on filesystem" \
                submit web.service
        rmdir web.service
        : >empty.service
        expect "an empty file" 1 "" \
                "Error creating units: failed creating unit empty.service: googleapi: Error 409: unit does not exist and options field empty" \
                submit empty.service
        unit wrong.service '[X-Fleet]' Global=true Replaces=x
        expect "contradictions are found before anything is sent" 1 "" \
                "Error creating units: Global cannot be used with Replaces" submit wrong.service
        unit 'a b.service'
        expect "bad names as well" 1 "" "Error creating units: invalid character ' ' in unit name" \
                submit 'a b.service'
        [ -z "${fake_pid:-}" ] ||
                t_no_match "they were not sent" "$(cat "$T/requests")" 'PUT [^ ]*(wrong|a%20b)'

        unit odd.service '[X-Fleet]' Colour=red
        t_run "$FLEETCTL" submit odd.service
        t_eq "an unknown key is no error" "$T_RC:$T_OUT" "0:Unit odd.service inactive"
        t_match "but a warning" "$T_ERR" \
                '^[0-9/]{10} [0-9:]{8} WARN .*: Unit odd.service: unrecognized requirement in \[X-Fleet\] section: "Colour"$'

        unit good.service
        expect "one bad unit, and none is created" 1 "" \
                "Error creating units: unable to find Unit(nope.service) in Registry or on filesystem" \
                submit good.service nope
        expect "really none" 0 "odd.service" "" list-unit-files --no-legend --fields unit

        unit dir/web@.service
        expect "a template beside the path" 0 "Unit web@1.service inactive" "" submit dir/web@1.service
        expect "a template itself" 0 "Unit web@.service inactive" "" submit dir/web@.service
        expect "its instances, from the registry" 0 "Unit web@2.service inactive" "" submit web@2.service
        expect "a template cannot be started" 1 "" \
                "Error starting units: googleapi: Error 400: cannot activate template \"web@.service\"" \
                start web@.service
        expect "nor loaded" 1 "" \
                "Error loading units: googleapi: Error 400: cannot activate template \"web@.service\"" \
                load web@.service
        expect "the suffix is only added where there is none" 1 "" \
                "Error creating units: unable to find Unit(foo.target) in Registry or on filesystem" \
                submit foo.target

        unit good.service
        "$FLEETCTL" submit good.service >/dev/null
        unit good.service 'Restart=always'
        expect "the local file differs" 0 "" \
                "WARNING: Unit good.service in registry differs from local unit file good.service. Add --replace to override." \
                submit good.service
        unit dir/web@.service 'Restart=always'
        expect "the local template differs" 0 "" \
                "WARNING: Unit web@1.service in registry differs from local template unit file dir/web@.service. Add --replace to override." \
                submit dir/web@1.service
        expect "replace" 0 "Unit good.service inactive" "" submit --replace good.service
        expect "replace by the same" 0 "Found same Unit(good.service) in Registry, nothing to do" "" \
                submit --replace good.service
        "$FLEETCTL" cat good.service >got
        t_ok "what was replaced is there, to the byte" cmp got good.service
        "$FLEETCTL" load good.service >/dev/null
        unit good.service 'Restart=no'
        expect "submit does not replace what is loaded" 0 "" \
                "Warning: can not replace Unit(good.service) in state 'loaded', use the appropriate command" \
                submit --replace good.service
        expect "load does, where it is" 0 "Unit good.service loaded $on" "" load --replace good.service
        "$FLEETCTL" start good.service >/dev/null 2>&1
        unit good.service 'Restart=on-failure'
        expect "load does not replace what is launched, but stops it as ever" 0 "Unit good.service loaded $on" \
                "Warning: can not replace Unit(good.service) in state 'launched', use the appropriate command" \
                load --replace good.service
        "$FLEETCTL" start good.service >/dev/null 2>&1
        [ -z "${fake_pid:-}" ] || : >"$T/requests"
        expect "start replaces what is launched, where it is" 0 "Unit good.service launched $on" "" \
                start --replace good.service
        [ -z "${fake_pid:-}" ] || t_eq "it was asked for in one request" "$(grep -c PUT "$T/requests")" 1
        expect "replaced for good" 0 "" "" start good.service
        expect "no local file, nothing to replace by" 0 "Unit web@2.service launched $on" "" \
                start --replace web@2.service
        expect "signing is no more" 0 "" \
                "WARNING: The signed/verified units feature is DEPRECATED and cannot be used." \
                start --sign good.service
        expect "cat needs one name" 1 "" "One unit file must be provided" cat
        expect "cat needs one name only" 1 "" "One unit file must be provided" cat a b
        expect "cat of nothing" 1 "" "Unit nope.service not found" cat nope
}
