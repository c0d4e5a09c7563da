# gusset: one Makefile. `make help` lists what it can do; V=1 shows the commands.
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

VERSION := 0.1.0
CC      ?= cc
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
BINDIR  ?= $(PREFIX)/bin
VARIANT ?= release
FUZZ_SECONDS ?= 30
# Suites on real programs wait more than they work: as many run side by side as there are processors.
JOBS    ?= $(shell nproc)
B       := build/$(VARIANT)
Q       := $(if $(V),,@)

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wvla $(if $(CI),-Werror)
BASE    := -std=c11 -D_GNU_SOURCE -DCURL_DISABLE_DEPRECATION -DGUSSET_VERSION='"$(VERSION)"' -Isrc -g $(WARN)
# The library is built without fortification: a fortified build dies on musl (facts-connect).
LIBFLAGS := -fPIC -fvisibility=hidden -U_FORTIFY_SOURCE -fno-plt

FLAGS_release := -O3
# The library is linked as one piece, which takes two fifths off its instructions; the stubs, whose
# versions are written in assembly, are compiled by themselves. clang's pieces need another linker.
LTO     := $(if $(filter release,$(VARIANT)),$(if $(findstring clang,$(CC)),,-flto=auto -ffat-lto-objects))
FLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
FLAGS_cov     := -O0 --coverage -fprofile-update=atomic
FLAGS_clang   := -O2
FLAGS_aarch64 := -O2
FLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS         := $(FLAGS_$(VARIANT)) $(CFLAGS)

# The rooms, lowest first. The library holds all but tool; the command all but the doors.
LOW     := core config state sys report gate
SHIM    := $(LOW) curl connect loader
src      = $(foreach room,$(1),$(sort $(wildcard src/$(room)/*.c)))
objects  = $(patsubst src/%.c,$(B)/src/%.o,$(1))
LIB_OBJ := $(call objects,$(call src,$(SHIM)) src/shim.c)
LOW_OBJ := $(call objects,$(call src,$(LOW)))
CMD_OBJ := $(call objects,$(call src,tool)) $(LOW_OBJ)
# What stands by itself among the doors: it knows no libcurl but by the table that it is given.
UNIT_OBJ := $(addprefix $(B)/src/curl/,target.o block.o held.o registry.o) $(addprefix $(B)/src/connect/,names.o peer.o) $(LOW_OBJ)
UPSTREAM_OBJ := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/upstream/*.c))

UNIT    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
GATE    := $(patsubst tests/gate/%.c,$(B)/gate/%,$(wildcard tests/gate/*_test.c))
CLIENTS := $(patsubst tests/programs/%.c,$(B)/clients/%,$(wildcard tests/programs/*.c)) \
           $(patsubst tests/programs/%.cc,$(B)/clients/%,$(wildcard tests/programs/*.cc))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

##
## Build
.PHONY: all
all: $(B)/libgusset.so $(B)/gusset ## the library and the command

$(B)/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(BASE) $(FLAGS) $(LIBFLAGS) $(if $(findstring hooks,$<),,$(LTO)) -MMD -MP -c $< -o $@

$(B)/src/tool/library.o: BASE += -DGUSSET_LIBDIR='"$(LIBDIR)"'
$(B)/src/tool/library.o: $(B)/libdir

# What is compiled in must follow a LIBDIR given to `make install` after `make`.
.PHONY: FORCE
$(B)/libdir: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBDIR)' | cmp -s - $@ || echo '$(LIBDIR)' >$@

$(B)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(BASE) $(FLAGS) -MMD -MP -c $< -o $@

$(B)/libgusset.so: $(LIB_OBJ) src/exports.map scripts/put-base-last
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS) $(LTO) -shared -Wl,-soname,libgusset.so -Wl,--version-script=src/exports.map \
	    -Wl,-z,relro,-z,now,-z,initfirst,-z,nodelete -Wl,--gc-sections -Wl,--no-undefined \
	    -o $@.new $(LIB_OBJ) $(LDFLAGS) && scripts/put-base-last $@.new && mv -f $@.new $@

$(B)/gusset: $(CMD_OBJ)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS) $(if $(LTO),-fno-lto) -o $@ $(CMD_OBJ) $(LDFLAGS)

$(B)/upstream: $(UPSTREAM_OBJ)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS) -o $@ $(UPSTREAM_OBJ) $(LDFLAGS)

$(B)/unit/%: tests/unit/%.c $(UNIT_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  TEST  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP $< $(UNIT_OBJ) \
	    -o $@ -lcmocka -Wl,--as-needed -lcurl -pthread $(LDFLAGS)

# The gate's tests bring their own clock and dice.
$(B)/gate/%: tests/gate/%.c $(LOW_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  TEST  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP $< \
	    $(filter-out $(B)/src/sys/clock.o $(B)/src/sys/random.o,$(LOW_OBJ)) -o $@ -lcmocka -pthread $(LDFLAGS)

$(B)/clients/%: tests/programs/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(BASE) $(FLAGS_release) -MMD -MP $< -o $@ -Wl,--as-needed -lcurl -pthread

$(B)/fuzz/%: tests/fuzz/%.c $(UNIT_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) -fsanitize=fuzzer -MMD -MP $< $(UNIT_OBJ) -o $@ -lcurl

# Exceptions are thrown by a program in C++. Where there is no compiler for it, its test says so.
$(B)/clients/%: tests/programs/%.cc
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CXX   $<")
	$(Q)if command -v $(CXX) >/dev/null; then $(CXX) -O2 -g -Wall -Wextra -MMD -MP $< -o $@ -lcurl; else touch $@; fi

$(B)/bench/%: tests/bench/%.c $(LOW_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(BASE) $(FLAGS_release) -MMD -MP $< -o $@ -lcurl -ldl -pthread

.PHONY: clean
clean: ## removes the build folder
	$(Q)rm -rf build

##
## Test
.PHONY: deps
deps: ## installs what building and testing need (Debian, apt)
	$(Q)scripts/deps test

.PHONY: test
test: deps ## installs what is needed, builds everything and runs the whole suite
	$(Q)$(MAKE) --no-print-directory check

.PHONY: check
check: unit gate programs ## the whole suite, nothing installed

.PHONY: unit
unit: $(UNIT) ## the modules, in seconds
	$(Q)scripts/run-tests $(UNIT)

.PHONY: tests
tests: $(UNIT) $(GATE)

.PHONY: gate
gate: $(GATE) ## the engine over the state, with a clock and dice of the tests' own
	$(Q)scripts/run-tests $(GATE)

.PHONY: programs
programs: all $(B)/upstream $(CLIENTS) ## real programs against the server that misbehaves
	$(Q)BUILD=$(B) JOBS=$(JOBS) scripts/run-tests $(sort $(wildcard tests/programs/*_test.sh))

.PHONY: sanitize
sanitize: ## unit and gate tests under ASan+UBSan, then TSan
	$(Q)$(MAKE) --no-print-directory VARIANT=asan CC=clang unit gate
	$(Q)$(MAKE) --no-print-directory VARIANT=tsan CC=clang unit gate

.PHONY: fuzzers
fuzzers: $(FUZZERS)

.PHONY: fuzz
fuzz: ## libFuzzer with ASan+UBSan, FUZZ_SECONDS (30) for each of tests/fuzz
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz CC=clang fuzzers
	$(Q)scripts/fuzz build/fuzz $(FUZZ_SECONDS)

.PHONY: aarch64
aarch64: ## cross-built: unit and gate tests and that Debian's curl, under qemu-user
	$(Q)scripts/deps aarch64 || true
	$(Q)scripts/foreign aarch64

.PHONY: newer
newer: ## the curl, libconfig and glibc of newer Debians, unpacked in the build folder
	$(Q)scripts/foreign trixie
	$(Q)scripts/foreign sid

.PHONY: lint
lint: all ## layers, formatting, cppcheck, shellcheck
	$(Q)BUILD=$(B) scripts/check-layers
	$(Q)scripts/lint

.PHONY: format
format: ## clang-format over all C files
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

.PHONY: coverage
coverage: ## the suite with gcov: lines run, a line a file and a folder
	$(Q)rm -rf build/cov
	-$(Q)$(MAKE) --no-print-directory VARIANT=cov unit gate programs >build/coverage.log 2>&1
	$(Q)tail -n 1 build/coverage.log
	$(Q)scripts/coverage build/cov

##
## Show and measure
.PHONY: demo
demo: ## installs what is needed, then shows real curl bare and under gusset
	$(Q)scripts/deps build
	$(Q)$(MAKE) --no-print-directory all $(B)/upstream
	$(Q)BUILD=$(B) scripts/demo

.PHONY: bench
bench: all $(B)/upstream $(BENCHES) ## ratios from one run, and instruction counts
	$(Q)scripts/deps bench
	$(Q)BUILD=$(B) scripts/bench

.PHONY: bench-storm
bench-storm: all $(B)/upstream ## an outage and random failures: curl, curl --retry, HAProxy, gusset
	$(Q)scripts/deps bench
	$(Q)BUILD=$(B) scripts/bench-storm

##
## Install
.PHONY: install
install: all ## PREFIX and DESTDIR are honoured
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(PREFIX)/share/doc/gusset
	install -m 0755 $(B)/libgusset.so $(DESTDIR)$(LIBDIR)/libgusset.so
	install -m 0755 $(B)/gusset $(DESTDIR)$(BINDIR)/gusset
	install -m 0644 conf/gusset.cfg README.md CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/gusset/

.PHONY: uninstall
uninstall: ## removes what install put there
	rm -f $(DESTDIR)$(LIBDIR)/libgusset.so $(DESTDIR)$(BINDIR)/gusset
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/gusset

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^## / {printf "\n%s\n", substr($$0, 4)} \
	    /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UPSTREAM_OBJ:.o=.d) $(wildcard $(B)/unit/*.d $(B)/gate/*.d $(B)/clients/*.d $(B)/bench/*.d $(B)/fuzz/*.d)
