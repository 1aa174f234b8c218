# flotilla: one non-recursive Makefile. `make help` lists the targets.
#
#   BUILD=debug|release|asan|cov   flags and the directory build/$(BUILD) (analyze and fuzz are for ci)
#   CC=gcc|clang                   compiler (clang builds go to build/$(BUILD)-clang)
#   DEVELOPER=1                    warnings are errors

BUILD ?= debug
CC = gcc
PKG_CONFIG ?= pkg-config
VERSION := $(shell cat VERSION)

OUT := build/$(BUILD)$(if $(findstring clang,$(CC)),$(if $(filter fuzz,$(BUILD)),,-clang))

PREFIX ?= /usr
UNITDIR ?= /lib/systemd/system

# ---- flags ------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wcast-qual -Wswitch-enum \
            -Wnull-dereference -Wimplicit-fallthrough -fno-common
ifeq ($(DEVELOPER),1)
WARNINGS += -Werror
endif

FLAGS_debug   := -O0 -g3
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
                 -ffunction-sections -fdata-sections
FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_cov     := -O0 -g --coverage -fprofile-update=atomic
# gcc 12 takes a pointer that is copied bytewise for uninitialised; -O2 -Wall and valgrind look for those.
FLAGS_analyze := -O0 -g -fanalyzer -Wno-analyzer-use-of-uninitialized-value
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,--gc-sections
LDFLAGS_asan    := -fsanitize=address,undefined
LDFLAGS_cov     := --coverage
LDFLAGS_fuzz    := -fsanitize=address,undefined
ifeq ($(filter $(BUILD),debug release asan cov analyze fuzz),)
$(error BUILD=$(BUILD) is none of debug release asan cov)
endif

CPPFLAGS += -I. -D_GNU_SOURCE -DVERSION='"$(VERSION)"'
CFLAGS_ALL = -std=gnu17 $(WARNINGS) $(FLAGS_$(BUILD)) $(CFLAGS)
LDFLAGS_ALL = -Wl,--as-needed $(LDFLAGS_$(BUILD)) $(LDFLAGS)

# libcurl is loaded when it is needed (lib/http/curl_library.c), so it is not linked.
LIBS_lib  := -ljansson -lsystemd -lnettle -ldl -lm
LIBS_ctl  := $(LIBS_lib)
LIBS_all  := $(LIBS_lib) -lmicrohttpd -lsqlite3

# ---- sources ----------------------------------------------------------------------------------

FOLDERS := lib specs scheduler drivers agent ctl ignition
SOURCES := $(sort $(shell find $(FOLDERS) -name '*.c' 2>/dev/null))
HEADERS := $(sort $(shell find $(FOLDERS) tests -name '*.h' 2>/dev/null))
MAINS   := agent/main.c ctl/main.c
objects = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(MAINS),$(filter $(1),$(SOURCES))))

# One archive per rank; a rank is linked before those it uses.
$(OUT)/libflotilla-lib.a: $(call objects,lib/%)
$(OUT)/libflotilla-specs.a: $(call objects,specs/%)
$(OUT)/libflotilla-scheduler.a: $(call objects,scheduler/%)
$(OUT)/libflotilla-drivers.a: $(call objects,drivers/%)
$(OUT)/libflotilla-agent.a: $(call objects,agent/%)
$(OUT)/libflotilla-ctl.a: $(call objects,ctl/%)
$(OUT)/libflotilla-ignition.a: $(call objects,ignition/%)
archives = $(foreach a,$(1),$(if $(call objects,$(a)/%),$(OUT)/libflotilla-$(a).a))
ARCHIVES_fleetd   := $(call archives,agent scheduler drivers specs lib)
ARCHIVES_fleetctl := $(call archives,ctl ignition specs lib)
ARCHIVES_test     := $(call archives,ctl ignition agent scheduler drivers specs lib)

TEST_LIB := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/lib/*.c)))
UNIT_TESTS := $(patsubst %.c,$(OUT)/%,$(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null)))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
BENCHES := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard bench/*.c)))
SHELL_TESTS := $(sort $(wildcard tests/cli/*.sh tests/daemon/*.sh))
TEST_TOOLS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/tools/*.c)))

PROGRAMS := $(if $(wildcard agent/main.c),$(OUT)/fleetd) $(if $(wildcard ctl/main.c),$(OUT)/fleetctl)

.DEFAULT_GOAL := help
.SECONDARY:
.DELETE_ON_ERROR:

# ---- what people call -------------------------------------------------------------------------

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'

.PHONY: all
all: $(PROGRAMS) ## fleetd and fleetctl, in build/$(BUILD)

.PHONY: packages
packages: ## install what building, the demo and the tests need (Debian, root)
	@ci/packages.sh

.PHONY: demo
demo: ## the main job, for real: a unit file becomes a running container (KEEP=1 leaves it up)
	@ci/packages.sh demo
	@$(MAKE) --no-print-directory BUILD=release all
	@KEEP=$(KEEP) ci/demo.sh

.PHONY: demo-end
demo-end: ## end what `make demo KEEP=1` left up
	@ci/demo.sh end

.PHONY: check
check: ## every test there is; installs what it needs, ends with one summary line
	@ci/packages.sh
	@ci/check.sh

.PHONY: check-static
check-static: ## the checks that need no build: layers, headers, format, sizes, docs, commits, shell
	@ci/check.sh static

.PHONY: check-unit
check-unit: all unit-tests ## unit tests of this BUILD
	@ci/run-tests.sh $(UNIT_TESTS)

.PHONY: check-daemon
check-daemon: all tools ## cli and daemon tests of this BUILD against real engines (root)
	@FLEETD=$(CURDIR)/$(OUT)/fleetd FLEETCTL=$(CURDIR)/$(OUT)/fleetctl \
	        TOOLS=$(CURDIR)/$(OUT)/tests/tools ci/run-tests.sh $(SHELL_TESTS)

.PHONY: check-fuzz
check-fuzz: ## each fuzz target for FUZZ_SECONDS (20)
	@$(MAKE) --no-print-directory BUILD=fuzz CC=clang fuzzers
	@ci/fuzz.sh

.PHONY: bench
bench: ## our figures beside their budgets (root)
	@ci/packages.sh demo
	@$(MAKE) --no-print-directory BUILD=release all benches
	@bench/run.sh

.PHONY: format
format: ## lay out every .c and .h as clang-format decides
	clang-format -i $(SOURCES) $(HEADERS) $(shell find tests bench -name '*.c')

.PHONY: coverage
coverage: ## which lines and branches the unit tests reach
	@$(MAKE) --no-print-directory BUILD=cov unit-tests
	@ci/coverage.sh

.PHONY: install
install: ## programs, units, man pages and completions below DESTDIR (BUILD=release)
	@$(MAKE) --no-print-directory BUILD=release all
	install -D -t $(DESTDIR)$(PREFIX)/bin build/release/fleetd build/release/fleetctl
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) deploy/fleet.service deploy/fleet.socket
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 deploy/man/*.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man5 deploy/man/*.5
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 deploy/man/*.8
	install -D -m 644 deploy/completion/fleetctl.bash \
	        $(DESTDIR)$(PREFIX)/share/bash-completion/completions/fleetctl
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions deploy/completion/_fleetctl

.PHONY: objects
objects: $(patsubst %.c,$(OUT)/%.o,$(SOURCES))

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)

.PHONY: tools
tools: $(TEST_TOOLS)

.PHONY: benches
benches: $(BENCHES)

.PHONY: fuzzers
fuzzers: $(FUZZERS)

.PHONY: clean
clean: ## remove everything that was built (a demo that was kept must be ended first)
	rm -rf $(addprefix build/,debug debug-clang release release-clang asan asan-clang cov \
	        analyze fuzz tidy check)

# ---- rules ------------------------------------------------------------------------------------

$(OUT)/%.o: %.c VERSION
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(OUT)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(OUT)/fleetd: $(OUT)/agent/main.o $(ARCHIVES_fleetd)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(LIBS_all) -o $@

$(OUT)/fleetctl: $(OUT)/ctl/main.o $(ARCHIVES_fleetctl)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(LIBS_ctl) -o $@

# libcheck's macros use variadic tricks that our warnings dislike.
$(OUT)/tests/%.o: WARNINGS += -Wno-format-nonliteral -Wno-missing-prototypes -Wno-cast-qual

$(OUT)/tests/unit/%: $(OUT)/tests/unit/%.o $(TEST_LIB) $(ARCHIVES_test)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(shell $(PKG_CONFIG) --libs check) $(LIBS_all) -o $@

$(OUT)/tests/tools/%: $(OUT)/tests/tools/%.o $(TEST_LIB) $(ARCHIVES_test)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(shell $(PKG_CONFIG) --libs check) $(LIBS_all) -o $@

$(OUT)/bench/%: $(OUT)/bench/%.o $(ARCHIVES_test)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(LIBS_all) -o $@

$(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(ARCHIVES_test)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer $^ $(LIBS_all) -o $@

Q := $(if $(V),,@)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
