#!/usr/bin/env bash
# Each static check passes a clean tree and finds an offence planted in it.
. "$(dirname "$0")/../lib/shell.sh"

# A tree with one clean module.
fresh() {
        rm -rf "$T/tree"
        mkdir -p "$T/tree/lib/base" "$T/tree/scheduler/core" "$T/tree/tests"
        cat >"$T/tree/lib/base/thing.h" <<'E'
/*
 * Thing: a module to plant offences in.
 */
#pragma once

#include <stddef.h>

/* How many there are. */
int thing_count(const char *s);
E
        cat >"$T/tree/lib/base/thing.c" <<'E'
#include "lib/base/thing.h"

int thing_count(const char *s) {
        return s == NULL ? 0 : 1;
}
E
}
plant() { # FILE, text on stdin
        fresh
        cat >>"$T/tree/$1"
}
check() { # NAME
        t_run "$ROOT/ci/check-$1.sh" "$T/tree"
}
finds() { # WHAT CHECK REGEX
        check "$2"
        t_eq "check-$2 fails on $1" "$T_RC" 1
        t_match "and says where" "$T_OUT$T_ERR" "$3"
}

for c in layers headers format size docs; do
        fresh
        check $c
        t_eq "check-$c passes a clean tree" "$T_RC $([ "$T_RC" = 0 ] || echo "$T_OUT$T_ERR")" "0 "
done

plant scheduler/core/core.c <<<'#include "scheduler/store/store.h"'
finds "a core that knows the store" layers 'scheduler/core/core.c:1: .*scheduler/store/store.h'
plant lib/base/thing.c <<<'#include "specs/unit_file.h"'
finds "a lib that knows units" layers 'lib/base/thing.c:6: lib/base may not include'
plant lib/base/thing.c <<<'#include <sqlite3.h>'
finds "sqlite3.h outside the store" layers '<sqlite3.h> has its home in scheduler/store/'
plant lib/base/thing.c <<<'#include <jansson.h>'
finds "jansson.h outside lib/json" layers 'jansson.h'
fresh
mkdir -p "$T/tree/agent"
echo '#include <systemd/sd-bus.h>' | tee "$T/tree/agent/a.c" >"$T/tree/agent/b.c"
finds "a second file of the agent with sd-bus" layers 'agent/b.c:1: <systemd/sd-bus.h>'
fresh
mkdir -p "$T/tree/lib/new"
echo '#include <stdio.h>' >"$T/tree/lib/new/x.c"
finds "a folder nobody has ranked" layers 'lib/new/x.c:1: its folder'

plant lib/base/thing.h <<<'FILE *thing_file(void);'
finds "a header that lacks an include" headers 'lib/base/thing.h: does not compile alone'

plant lib/base/thing.c <<<'int   thing_ugly(void){return 1;}'
finds "bad layout" format 'thing.c:6'
plant lib/base/thing.c < <(printf '/* a\tb */\n')
finds "a tab" format 'thing.c:6'

lines() { # N
        echo 'int thing_long(void) {'
        for ((i = 2; i < $1; i++)); do echo '        thing_count(NULL);'; done
        echo '}'
}
plant lib/base/thing.c < <(lines 101)
finds "a function of 101 lines" size 'thing.c:6: thing_long\(\) has 101 lines, more than 100'
plant lib/base/thing.c < <(echo '/* ci: size: a table of words */'; lines 101)
check size
t_eq "check-size takes a reason" "$T_RC" 0
plant lib/base/thing.c < <(lines 61)
check size
t_match "check-size warns of 61 lines" "$T_RC $T_OUT" '^0 .*has 61 lines, more than 60 \(warning\)'
plant lib/base/thing.c < <(for ((i = 0; i < 1000; i++)); do echo '/* a line */'; done)
finds "a file of 1005 lines" size 'thing.c: has 1005 lines, more than 1000'
plant lib/base/thing.c <<'E'
int thing_wide(int a, int b, int c, int d,
               int (*e)(int x, int y), int f) {
        return a;
}
E
finds "six inputs" size 'thing_wide\(\) has 6 inputs'
plant lib/base/thing.c <<'E'
int thing_async(int a, int b, int c, int d, int (*fn)(int, void *), void *userdata, int *ret,
                Error *reterr) {
        return a;
}
E
check size
t_eq "a callback with its userdata is one input, outputs are none" "$T_RC" 0
plant lib/base/thing.c <<'E'
int thing_arrays(int a, const int *b, size_t n_b, const int *c, size_t n, const void *d, size_t size,
                 int e) {
        return a;
}
E
check size
t_eq "so is an array with its length" "$T_RC" 0
plant lib/base/thing.c <<'E'
int thing_wide(int a, int b, int c, int d, int e, int f) {
        return a;
}
E
echo 'thing_wide:' >"$T/no-reason.txt"
SIZE_ALLOW=$T/no-reason.txt check size
t_eq "an exception without a reason is none" "$T_RC" 1
echo 'thing_wide: a reason' >"$T/reason.txt"
SIZE_ALLOW=$T/reason.txt check size
t_eq "an exception with a reason is one" "$T_RC" 0

plant lib/base/thing.h <<<$'\nint thing_unexplained(void);'
finds "an unexplained prototype" docs 'thing.h:11: int thing_unexplained'
plant lib/base/thing.h <<<$'int thing_grouped(int a,\n                  int b);\n\nint thing_beside(void); /* explained */'
check docs
t_eq "a comment explains its group, or beside" "$T_RC" 0

# check-banned looks at objects.
object() { # FILE (its source on stdin)
        fresh
        mkdir -p "$T/o/$(dirname "$1")" "$(dirname "$T/tree/$1")"
        cat >"$T/tree/$1"
        gcc -O0 -w -c "$T/tree/$1" -o "$T/o/${1%.c}.o"
        t_run "$ROOT/ci/check-banned.sh" "$T/o" "$T/tree"
        rm -f "$T/o/${1%.c}.o"
}
object lib/base/clean.c <<<'int f(void) { return 0; }'
t_eq "check-banned passes a clean tree" "$T_RC$T_OUT" 0
for call in 'atoi("1")' 'strcpy(p, q)' 'system("x")' 'usleep(1)' 'strdup("x")' 'malloc(1)' \
        'signal(1, 0)' '(exit(1), 0)' 'rand()' 'sprintf(0, "%d", 1)'; do
        name=${call#(} name=${name%%(*}
        object lib/base/bad.c <<<"void *f(char *p, char *q) { return (void *) $call; }"
        t_match "check-banned finds $name" "$T_RC $T_OUT" "^1 lib/base/bad.c: calls $name; use"
done
object tests/unit/test_x.c <<<'void f(void) { sleep(1); }'
t_eq "check-banned finds sleep in tests" "$T_RC" 1
object tests/unit/test_x.c <<<'void *f(void) { return malloc(1); }'
t_eq "tests may use malloc" "$T_RC" 0
object lib/base/alloc.c <<<'void *f(void) { return malloc(1); }'
t_eq "and so may the one door" "$T_RC" 0
object lib/base/later.c <<<"/* $(printf 'TO%s' DO): some day */"
t_eq "check-banned finds what was put off" "$T_RC" 1

# check-commits looks at a repository.
repo() { # SUBJECT BODY
        rm -rf "$T/repo"
        git init -q "$T/repo"
        git -C "$T/repo" -c user.name=x -c user.email=x@example.org commit -q --allow-empty \
                -m "$1" -m "$2"
        T_RC=0
        T_OUT=$(cd "$T/repo" && "$ROOT/ci/check-commits.sh") || T_RC=$?
}
repo 'lib/base: keep what is asked for' 'It was lost before.'
t_eq "check-commits passes a good one" "$T_RC" 0
repo 'fixed things' 'They were broken.'
t_match "check-commits wants an area" "$T_RC $T_OUT" '^1 .*no .area: summary'
repo 'lib: fix' ''
t_match "check-commits wants a body" "$T_RC $T_OUT" '^1 .*no body'
repo "lib: $(printf 'a%.0s' {1..60})" 'Body.'
t_match "check-commits wants short subjects" "$T_RC $T_OUT" '^1 .*65 characters'

mkdir -p "$T/tree/ci"
printf '#!/bin/bash\ncd $1\nrm -rf $x/*\n' >"$T/tree/ci/bad.sh"
check shell
t_eq "check-shell finds a script that deletes /*" "$T_RC" 1
t_done
