# SPDX-License-Identifier: GPL-2.0-or-later
#
# keytrail's build. Everything is made below $(BUILD); `make help` lists what can be asked for.
#
# Files are found, not listed: user/<stage>/*.c belong to the library of all stages, except for the
# programs' own folders (PROGRAM_DIRS). tests/unit/test_*.c and tests/fuzz/fuzz_*.c make a program
# each.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
RUNDIR     ?= /run
STATEDIR   ?= /var/lib
LOGDIR     ?= /var/log
UNITDIR    ?= /lib/systemd/system
DESTDIR    ?=
SBINDIR     = $(PREFIX)/sbin
BINDIR      = $(PREFIX)/bin
LIBEXECDIR  = $(PREFIX)/libexec/keytrail
DATADIR     = $(PREFIX)/share/keytrail
MANDIR      = $(PREFIX)/share/man

# SAN=1: AddressSanitizer and UndefinedBehaviorSanitizer; SAN=thread: ThreadSanitizer. In trees of
# their own.
SAN   ?=
BUILD ?= build$(if $(SAN),$(if $(filter thread,$(SAN)),/tsan,/san))

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
LLVM_STRIP ?= llvm-strip

VERSION := $(shell cat VERSION 2>/dev/null || echo 0.0)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))')

PKGS := libbpf libelf yaml-0.1 jansson libsystemd mount libcap-ng libseccomp sqlite3 libcrypto libarchive \
	zlib libhs snappy lzo2 libzstd

# --- tools and libraries, named with their package when missing -------------------------------
# Goals that need none of them, or that install first and call make again.
NOBUILD := help clean deps distclean lint layers check check-long demo
NEEDS := build \
	$(if $(filter unit check-unit,$(MAKECMDGOALS)),unit) \
	$(if $(filter check-integration,$(MAKECMDGOALS)),integration) \
	$(if $(filter fuzz%,$(MAKECMDGOALS)),fuzz)
ifneq ($(filter-out $(NOBUILD),$(or $(MAKECMDGOALS),all)),)
missing := $(shell scripts/missing-deps $(NEEDS))
ifneq ($(strip $(missing)),)
$(error missing: $(missing). `scripts/missing-deps --install $(strip $(NEEDS))` (root or sudo) \
	brings it)
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS))
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wundef -Wpointer-arith -Wwrite-strings \
	-Wno-unused-parameter -Wno-missing-field-initializers
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -O2 -g
ifneq ($(SAN),)
HARDEN := -fPIE
ifeq ($(SAN),thread)
SANFLAGS := -fsanitize=thread
else
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
override CFLAGS := -O1 -g $(SANFLAGS)
endif
KT_CPPFLAGS := -D_GNU_SOURCE -Iuser -Ibpf -I$(BUILD) -DKEYTRAIL_VERSION='"$(VERSION)"' \
	-DKT_SYSCONFDIR='"$(SYSCONFDIR)/keytrail"' -DKT_RUNDIR='"$(RUNDIR)/keytrail"' \
	-DKT_STATEDIR='"$(STATEDIR)/keytrail"' -DKT_LOGDIR='"$(LOGDIR)/keytrail"' \
	-DKT_DATADIR='"$(DATADIR)"' -DKT_LIBEXECDIR='"$(LIBEXECDIR)"'
KT_CFLAGS := -std=gnu11 $(WARN) $(if $(WERROR),-Werror) $(HARDEN) $(CFLAGS) $(PKG_CFLAGS)
KT_LDFLAGS := -pie -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

# --- sources --------------------------------------------------------------------------------------
PROGRAM_DIRS := user/daemon user/cli user/scan-child user/dump-child user/rpm-child user/search-child
LIB_SRC   := $(filter-out $(addsuffix /%,$(PROGRAM_DIRS)),$(wildcard user/*/*.c))
LIB_OBJ   := $(LIB_SRC:%.c=$(BUILD)/%.o)
DAEMON_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/daemon/*.c))
CLI_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/cli/*.c))
CHILD_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/scan-child/*.c))
RPM_CHILD_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/rpm-child/*.c))
DUMP_CHILD_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/dump-child/*.c))
SEARCH_CHILD_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/search-child/*.c))
BPF_SRC   := $(wildcard bpf/*.bpf.c)
BPF_OBJ   := $(BPF_SRC:bpf/%.c=$(BUILD)/bpf/%.o)
BPF_LOOP_OBJ := $(BPF_SRC:bpf/%.c=$(BUILD)/bpf-loop/%.o)
SKEL      := $(BUILD)/keytrail.skel.h $(BUILD)/keytrail-loop.skel.h
UNIT_BIN  := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ_BIN  := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH_BIN := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
WAYS_BIN  := $(patsubst tests/vm/ways/%.c,$(BUILD)/tests/vm/ways/%,$(wildcard tests/vm/ways/*.c)) \
	     $(BUILD)/tests/vm/ways/signd

# The one program for which a library may be missing: it reads the database of rpm (user/trust/rpm.h).
RPM := $(shell pkg-config --exists rpm 2>/dev/null && echo 1)
PROGRAMS := $(BUILD)/keytraild $(BUILD)/keytrail $(BUILD)/keytrail-scan $(BUILD)/keytrail-scan-dump \
	$(BUILD)/keytrail-search \
	$(if $(RPM),$(BUILD)/keytrail-rpm)

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/libkeytrail.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/keytraild: $(DAEMON_OBJ) $(BUILD)/libkeytrail.a
$(BUILD)/keytrail: $(CLI_OBJ) $(BUILD)/libkeytrail.a
$(BUILD)/keytrail-scan: $(CHILD_OBJ) $(BUILD)/libkeytrail.a
$(BUILD)/keytrail-scan-dump: $(DUMP_CHILD_OBJ) $(BUILD)/libkeytrail.a
$(BUILD)/keytrail-rpm: $(RPM_CHILD_OBJ) $(BUILD)/libkeytrail.a
$(BUILD)/keytrail-rpm: PKG_LIBS += $(if $(RPM),$(shell pkg-config --libs rpm))
$(BUILD)/keytrail-search: $(SEARCH_CHILD_OBJ) $(BUILD)/libkeytrail.a
$(PROGRAMS):
	$(call say,LD,$@)
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $^ -Wl,--as-needed $(PKG_LIBS)

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CPPFLAGS) $(KT_CFLAGS) -MMD -MP -c -o $@ $<

# Built in by .incbin, which the compiler does not tell as a dependency.
$(BUILD)/user/policy/tokenrules.o $(BUILD)/fuzz/obj/user/policy/tokenrules.o: policy/scan/tokens.yaml

# Who includes the skeleton needs it made first; after that the .d files know.
$(patsubst %.c,$(BUILD)/%.o,$(wildcard user/sensor/*.c)): | $(SKEL)

# --- BPF ------------------------------------------------------------------------------------------
# Twice: for any kernel, and for those that can be asked to repeat (bpf/record.h, struct walk).
define compile_bpf
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) --target=bpf -mcpu=v2 -O2 -g -Wall -Werror -Ibpf -D__TARGET_ARCH_x86 $(1) \
		-I/usr/include/$(shell $(CC) -dumpmachine) \
		-MMD -MP -MF $(@:.o=.d) -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@
endef

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call compile_bpf,)

$(BUILD)/bpf-loop/%.bpf.o: bpf/%.bpf.c Makefile
	$(call compile_bpf,-DKT_BPF_LOOP)

$(BUILD)/keytrail.bpf.o: $(BPF_OBJ)
$(BUILD)/keytrail-loop.bpf.o: $(BPF_LOOP_OBJ)
$(BUILD)/keytrail.bpf.o $(BUILD)/keytrail-loop.bpf.o:
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/keytrail.skel.h: NAME := keytrail_bpf
$(BUILD)/keytrail-loop.skel.h: NAME := keytrail_loop_bpf
$(SKEL): $(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(NAME) > $@

# --- tests ----------------------------------------------------------------------------------------
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libkeytrail.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CPPFLAGS) -Itests $(KT_CFLAGS) -MMD -MP -MF $@.d $(KT_LDFLAGS) -o $@ \
		$< $(BUILD)/libkeytrail.a -Wl,--as-needed $(PKG_LIBS) -lcmocka

# Fuzzers compile every stage's source themselves, with clang's coverage instrumentation.
FUZZ_CFLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ := $(LIB_SRC:%.c=$(BUILD)/fuzz/obj/%.o)
$(BUILD)/fuzz/obj/%.o: %.c Makefile | $(SKEL)
	$(call say,FUZZCC,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(KT_CPPFLAGS) -DKEYTRAIL_FUZZING -std=gnu11 $(FUZZ_CFLAGS) $(PKG_CFLAGS) \
		-MMD -MP -c -o $@ $<
$(BUILD)/fuzz/libkeytrail.a: $(FUZZ_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/fuzz/libkeytrail.a
	$(call say,FUZZLD,$@)
	$(Q)$(CLANG) $(KT_CPPFLAGS) -Itests -std=gnu11 $(FUZZ_CFLAGS) -fsanitize=fuzzer \
		$(PKG_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/fuzz/libkeytrail.a \
		-Wl,--as-needed $(PKG_LIBS)

# Measurements for people; they never fail.
$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libkeytrail.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CPPFLAGS) $(KT_CFLAGS) -MMD -MP -MF $@.d $(KT_LDFLAGS) -o $@ \
		$< $(BUILD)/libkeytrail.a -Wl,--as-needed $(PKG_LIBS)

# A keytraild that is fed from a trace: the daemon's own objects, with its directories below
# $(BUILD)/fed/host, and tests/fed/sensor.c for the kernel side and the clock.
FED_HOST := $(abspath $(BUILD))/fed/host
FED_CPPFLAGS := $(foreach d,RUN STATE LOG,-UKT_$(d)DIR -DKT_$(d)DIR='"$(FED_HOST)/$(d)"')
$(BUILD)/fed/%.o: %.c Makefile
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CPPFLAGS) $(FED_CPPFLAGS) $(KT_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fed/keytraild: $(patsubst %.c,$(BUILD)/fed/%.o,$(wildcard user/daemon/*.c) tests/fed/sensor.c) \
		$(BUILD)/libkeytrail.a
	$(call say,LD,$@)
	$(Q)$(CC) $(KT_LDFLAGS) -Wl,--wrap=clock_gettime -Wl,--wrap=sd_event_source_set_time_relative \
		-o $@ $^ -Wl,--as-needed $(PKG_LIBS)

$(BUILD)/fed/events: $(BUILD)/fed/tests/fed/events.o $(BUILD)/libkeytrail.a
	$(call say,LD,$@)
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $^ -Wl,--as-needed $(PKG_LIBS)
FED_BIN := $(BUILD)/fed/keytraild $(BUILD)/fed/events

# Programs that do one way to a key each, run in guests; static, so that they run in any image.
$(BUILD)/tests/vm/ways/%: tests/vm/ways/%.c
	$(call say,WAY,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -static -MMD -MP -MF $@.d -o $@ $<

# A service like those that keys are taken from, with the libraries of the Debian guest.
$(BUILD)/tests/vm/ways/signd: tests/vm/incident/signd.c
	$(call say,WAY,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -MMD -MP -MF $@.d -o $@ $< \
		-lcrypto -lsystemd

# What scripts/bench-vm puts into guests: ops is static, as the ways are; nothing has no C library at
# all; the others load programs.
$(BUILD)/tests/bench/vm/nothing: tests/bench/vm/nothing.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g0 -Wall -static -nostdlib -fno-pie -no-pie -o $@ $<

$(BUILD)/tests/bench/vm/ops: tests/bench/vm/ops.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g0 -Wall -Wextra -static -MMD -MP -MF $@.d -o $@ $<

$(BUILD)/tests/bench/vm/%: tests/bench/vm/%.c $(BUILD)/libkeytrail.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CPPFLAGS) $(KT_CFLAGS) -MMD -MP -MF $@.d $(KT_LDFLAGS) -o $@ \
		$< $(BUILD)/libkeytrail.a -Wl,--as-needed $(PKG_LIBS)

.PHONY: unit fuzz-build ways bench bench-programs
bench-programs: $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/vm/*.c))
bench: $(BENCH_BIN)
	@for b in $^; do echo "$${b##*/}:"; $$b || exit; done
unit: $(UNIT_BIN)
# They run the real child.
$(BUILD)/tests/unit/test_scan_child $(BUILD)/tests/unit/test_inventory: | $(BUILD)/keytrail-scan
$(BUILD)/tests/unit/test_scanner: | $(BUILD)/keytrail-scan-dump
$(BUILD)/tests/unit/test_rpm: | $(if $(RPM),$(BUILD)/keytrail-rpm)
$(BUILD)/tests/unit/test_scans: | $(BUILD)/keytrail-scan-dump $(BUILD)/keytrail
fuzz-build: $(FUZZ_BIN)
ways: $(WAYS_BIN)

include scripts/check.mk
include scripts/install.mk

.PHONY: deps clean help
deps:
	scripts/missing-deps --install build

clean:
	rm -rf build

help:
	@sed -n 's/^## //p' Makefile scripts/*.mk

## make                    programs into build/
## make V=1                the same, commands shown
## make SAN=1              AddressSanitizer and UBSan, into build/san/
## make SAN=thread         ThreadSanitizer, into build/tsan/
## make bench              what hot paths cost, in nanoseconds
## make deps               installs what the build needs (root or sudo)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
