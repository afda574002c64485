# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is run to find out whether it works. Included by the Makefile; results below $(BUILD)/check.

# --- check, check-unit, check-long, lint, layers, fuzz --------------------------------------------
## make check              everything; installs what is missing (root or sudo); under 60 minutes
## make check WITHOUT=vm   all steps but this (scripts/check --list)
## make check-unit         unit tests; with SAN=1 under the sanitizers
## make check-replay       tests/replay by `keytrail replay`
## make check-long         check with FUZZ_SECONDS=600, ThreadSanitizer and the long tests in guests
## make lint               form of the sources, house rules, static analysis
## make layers             who may include whom (table: docs/architecture.md)
## make fuzz               the fuzzers for FUZZ_SECONDS (60) each, or until each has run FUZZ_RUNS inputs
JOBS ?= $(shell nproc)
CHECK_ENV = BUILD='$(BUILD)' JOBS='$(JOBS)'

.PHONY: check check-unit check-replay check-long lint layers fuzz
check:
	+@$(CHECK_ENV) scripts/check $(addprefix --without ,$(WITHOUT))

check-unit: $(UNIT_BIN)
	@scripts/run-tap --jobs $(JOBS) -- $(UNIT_BIN)

check-replay: $(BUILD)/keytrail
	@$(CHECK_ENV) scripts/run-replay

check-long:
	+@$(CHECK_ENV) LONG=1 FUZZ_SECONDS='$(or $(FUZZ_SECONDS),600)' scripts/check

lint:
	+@$(CHECK_ENV) scripts/lint

layers:
	@scripts/layers

fuzz: $(FUZZ_BIN)
	@$(CHECK_ENV) FUZZ_RUNS='$(FUZZ_RUNS)' \
		FUZZ_SECONDS='$(or $(FUZZ_SECONDS),$(if $(FUZZ_RUNS),,60))' scripts/run-fuzz

# --- guests: check-vm, vm-image ------------------------------------------------------------------
## make check-vm           tests in guests; KERNELS="5.10 6.1 6.12 6.x 7.x", IMAGES="mini debian"
## make vm-image           the Debian guest's disk and all kernels, into the cache
## make coverage           docs/coverage.md from the last check-vm (or MATRIX="FILE...")
.PHONY: check-vm vm-image coverage
check-vm:
	@$(CHECK_ENV) scripts/check-vm $(if $(KERNELS),--kernels '$(KERNELS)') \
		$(if $(IMAGES),--images '$(IMAGES)') $(addprefix --only ,$(ONLY))

coverage:
	@scripts/coverage $(MATRIX)

vm-image:
	@scripts/vm kernels
	@scripts/vm image debian

# --- bench-vm ------------------------------------------------------------------------------------
## make bench-vm           what it costs, in guests that count instructions; GROUPS="price burst"
## make bench-vm-check     the same against the committed figures; fails if something is dearer
BENCH_FIGURES = $(BUILD)/bench-vm.json
.PHONY: bench-vm bench-vm-check
bench-vm:
	@rm -f '$(BENCH_FIGURES)'
	@$(CHECK_ENV) scripts/bench-vm --json '$(BENCH_FIGURES)' $(if $(KERNELS),--kernels '$(KERNELS)') \
		$(addprefix --only ,$(GROUPS)) $(if $(BOOTS),--boots '$(BOOTS)')

bench-vm-check: bench-vm
	@scripts/bench-vm --check '$(BENCH_FIGURES)'

# --- bench-policy ---------------------------------------------------------------------------------
## make bench-policy       what a judgement costs, in instructions, beside the committed figures
.PHONY: bench-policy
bench-policy: $(BUILD)/tests/bench/bench_policy
	@$(CHECK_ENV) scripts/bench-policy --check

# --- check-integration (sinks, command, packaging) -----------------------------------------------
## make check-integration  programs together without a kernel side: command, rsyslogd, install
INTEGRATION_BIN := $(patsubst tests/integration/%.c,$(BUILD)/tests/integration/%,\
	$(wildcard tests/integration/*.c))

$(BUILD)/tests/integration/%: tests/integration/%.c $(BUILD)/libkeytrail.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_CPPFLAGS) -Itests $(KT_CFLAGS) -MMD -MP -MF $@.d $(KT_LDFLAGS) -o $@ \
		$< $(BUILD)/libkeytrail.a -Wl,--as-needed $(PKG_LIBS)

.PHONY: check-integration soak
check-integration: all $(INTEGRATION_BIN) $(FED_BIN)
	@BUILD='$(BUILD)' tests/integration/run

## make soak               an hour of EVENTS=10000000 through a daemon that is fed: is its memory flat
EVENTS ?= 10000000
soak: $(BUILD)/keytrail $(FED_BIN)
	@tests/integration/fed.py soak '$(BUILD)/keytrail' '$(BUILD)/fed' $(EVENTS)

# --- truth set of the dump scanner -------------------------------------------------------------------
## make recall             how many keys of the truth set's dumps a scan finds, beside other tools;
##                         makes the dumps first (scripts/missing-deps --install blindset peers)
TRUTHSET ?= $(BUILD)/truthset
## make bench-scan         speed of the dump scanner, beside reading, unpacking and other tools;
##                         MEGABYTES=1800 of cores, libraries, random bytes, zeros
MEGABYTES ?= 1800
.PHONY: recall truthset bench-scan
truthset:
	@tests/truthset/make-set '$(TRUTHSET)'
recall: all truthset
	@tests/truthset/recall '$(TRUTHSET)' '$(BUILD)/keytrail' --misses '$(TRUTHSET)/misses'

# Of run-time dispatch nothing is left where the processor is said to have no vectors.
bench-scan: all truthset
	+@$(MAKE) --no-print-directory BUILD='$(BUILD)/scalar' \
		CFLAGS="-O2 -g '-D__builtin_cpu_supports(x)=0'" all
	@tests/truthset/bench '$(TRUTHSET)' '$(BUILD)/bench-scan' '$(BUILD)/keytrail' \
		--scalar '$(BUILD)/scalar/keytrail' --megabytes $(MEGABYTES)

# --- demo --------------------------------------------------------------------------------------------
## make demo               an incident, replayed in two guests; installs what is missing; KERNEL=6.1
.PHONY: demo
demo:
	+@$(CHECK_ENV) $(if $(KERNEL),KERNEL='$(KERNEL)') scripts/demo
