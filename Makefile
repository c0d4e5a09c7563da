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
# gcc for x86-64 clears what is longer than a line by rep stos, which takes longer to start than the rest takes.
CLEARS  := -mmemset-strategy=vector_loop:256:noalign,libcall:-1:noalign
FLAGS_release += $(shell $(CC) $(CLEARS) -E -x c /dev/null >/dev/null 2>&1 && echo '$(CLEARS)')
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
# Under ThreadSanitizer the library takes the runtime from the program; what that comes through while it begins
# (it asks dlsym for libc's functions) is not instrumented.
LDFLAGS_tsan  := -Wl,-z,undefs
$(addprefix build/tsan/src/,loader/hooks.o loader/lookup.o sys/linker.o sys/module.o): FLAGS += -fno-sanitize=thread

# The rooms, lowest first. The library holds all but tool and agent; the command all but the doors.
LOW     := core config state sys report gate
SHIM    := $(LOW) curl connect loader
src      = $(foreach room,$(1),$(sort $(wildcard src/$(room)/*.c)))
objects  = $(patsubst src/%.c,$(B)/src/%.o,$(1))
LIB_OBJ := $(call objects,$(call src,$(SHIM)) src/shim.c)
LOW_OBJ := $(call objects,$(call src,$(LOW)))
SIM_OBJ := $(call objects,$(call src,sim))
CMD_OBJ := $(call objects,$(call src,tool agent)) $(SIM_OBJ) $(LOW_OBJ)
# Who simulates has the engine's clock and dice come to sim/virtual, which hands the real ones on.
VIRTUAL := -Wl,--wrap=clock_now_us,--wrap=clock_coarse_us,--wrap=clock_unix_ms,--wrap=random_word,--wrap=draw_for
# What stands by itself among the doors: it knows no libcurl but by the table that it is given.
UNIT_OBJ := $(addprefix $(B)/src/curl/,target.o block.o held.o registry.o) $(addprefix $(B)/src/connect/,names.o peer.o) $(LOW_OBJ)
# Of the command what a test asks for; the linker takes no more than that out of an archive.
CMD_ARCHIVE := $(B)/command.a
UPSTREAM_OBJ := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/upstream/*.c))

UNIT    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
GATE    := $(patsubst tests/gate/%.c,$(B)/gate/%,$(wildcard tests/gate/*_test.c))
SIM     := $(patsubst tests/sim/%.c,$(B)/sim/%,$(wildcard tests/sim/*_test.c))
# A client of many scenarios is a folder.
MANIFOLD := $(patsubst tests/programs/%/main.c,%,$(wildcard tests/programs/*/main.c))
CLIENTS := $(patsubst tests/programs/%.c,$(B)/clients/%,$(wildcard tests/programs/*.c)) \
           $(patsubst tests/programs/%.cc,$(B)/clients/%,$(wildcard tests/programs/*.cc)) \
           $(MANIFOLD:%=$(B)/clients/%)
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

# Without what costs every program that starts: the compiler's start files (constructors lie in .init_array, and
# nobody unloads the library; their weak symbols are sought in all objects), and a soname (nobody needs the library
# by one; it would be compared with each name that any object of the program needs).
$(B)/libgusset.so: $(LIB_OBJ) src/exports.map scripts/put-base-last
	@mkdir -p $(B)/new
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS) $(LTO) -shared -nostartfiles -Wl,--version-script=src/exports.map \
	    -Wl,-z,relro,-z,now,-z,initfirst,-z,nodelete -Wl,--gc-sections -Wl,--no-undefined \
	    -o $(B)/new/$(@F) $(LIB_OBJ) $(LDFLAGS_$(VARIANT)) $(LDFLAGS) && scripts/put-base-last $(B)/new/$(@F) && mv -f $(B)/new/$(@F) $@

$(B)/gusset: $(CMD_OBJ)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS) $(if $(LTO),-fno-lto) $(VIRTUAL) -Wl,-z,relro,-z,now -o $@ $(CMD_OBJ) $(LDFLAGS)

$(B)/upstream: $(UPSTREAM_OBJ)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS) -o $@ $(UPSTREAM_OBJ) $(LDFLAGS)

$(CMD_ARCHIVE): $(call objects,$(call src,tool agent))
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/unit/%: tests/unit/%.c $(UNIT_OBJ) $(CMD_ARCHIVE)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  TEST  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP $< $(UNIT_OBJ) $(CMD_ARCHIVE) \
	    -o $@ -lcmocka -Wl,--as-needed -lcurl -pthread $(LDFLAGS)

# The gate's tests bring their own clock and dice; so do those of what remembers for it.
GATE_OBJ := $(filter-out $(B)/src/sys/clock.o $(B)/src/sys/random.o,$(LOW_OBJ)) \
            $(addprefix $(B)/src/connect/,known.o names.o peer.o)
$(B)/gate/%: tests/gate/%.c $(GATE_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  TEST  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP $< $(GATE_OBJ) \
	    -o $@ -lcmocka -pthread $(LDFLAGS)

$(B)/sim/%: tests/sim/%.c $(LOW_OBJ) $(SIM_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  TEST  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) $(if $(LTO),-fno-lto) -Itests -MMD -MP $< $(LOW_OBJ) $(SIM_OBJ) \
	    $(VIRTUAL) -o $@ -lcmocka -pthread $(LDFLAGS)

$(B)/clients/%: tests/programs/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(BASE) $(FLAGS_release) $(filter -fsanitize=thread,$(FLAGS)) -MMD -MP $< -o $@ -Wl,--as-needed -lcurl -pthread

$(B)/tests/programs/%.o: FLAGS := $(FLAGS_release) $(filter -fsanitize=thread,$(FLAGS))
# One line a client, since a pattern has no list of the sources that a folder holds.
$(foreach client,$(MANIFOLD),$(eval $(B)/clients/$(client): $(patsubst %.c,$(B)/%.o,$(wildcard tests/programs/$(client)/*.c))))
$(MANIFOLD:%=$(B)/clients/%):
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(FLAGS_release) $(filter -fsanitize=thread,$(FLAGS)) $(filter %.o,$^) -o $@ -Wl,--as-needed -lcurl -pthread

$(B)/fuzz/%: tests/fuzz/%.c $(UNIT_OBJ) $(CMD_ARCHIVE)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ  $<")
	$(Q)$(CC) $(BASE) $(FLAGS) -fsanitize=fuzzer -MMD -MP $< $(UNIT_OBJ) $(CMD_ARCHIVE) -o $@ -lcurl

# Exceptions are thrown by a program in C++. Where there is no compiler for it, its test says so.
$(B)/clients/%: tests/programs/%.cc
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CXX   $<")
	$(Q)if command -v $(CXX) >/dev/null; then $(CXX) -O2 -g -Wall -Wextra -MMD -MP $< -o $@ -lcurl; else touch $@; fi

$(B)/bench/%: tests/bench/%.c $(LOW_OBJ)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(BASE) $(FLAGS_release) -MMD -MP $< -o $@ -lcurl -ldl -pthread

# The manual, with what the command knows of its verbs and settings.
PAGES := $(B)/man/gusset.1 $(B)/man/gusset.cfg.5 $(B)/man/gusset.7

$(B)/man/%: src/man/% scripts/manual $(B)/gusset
	@mkdir -p $(@D)
	$(if $(V),,@echo "  MAN   $@")
	$(Q)scripts/manual $(B)/gusset $< >$@

.PHONY: manual
manual: $(PAGES) ## the manual, for man(1)

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
tests: $(UNIT) $(GATE) $(SIM)

.PHONY: gate
gate: $(GATE) $(SIM) ## the engine over the state, with a clock and dice of the tests' own; simulations
	$(Q)scripts/run-tests $(GATE) $(SIM)

.PHONY: programs
programs: all $(B)/upstream $(CLIENTS) ## real programs against the server that misbehaves
	$(Q)BUILD=$(B) JOBS=$(JOBS) scripts/run-tests $(sort $(wildcard tests/programs/*_test.sh))

.PHONY: races
races: all $(B)/upstream $(addprefix $(B)/clients/,threads many pool)
	$(Q)BUILD=$(B) scripts/run-tests tests/programs/races_test.sh

.PHONY: sanitize
sanitize: ## unit and gate tests under ASan+UBSan, then TSan; programs with threads under TSan
	$(Q)$(MAKE) --no-print-directory VARIANT=asan CC=clang unit gate
	$(Q)$(MAKE) --no-print-directory VARIANT=tsan CC=clang unit gate races

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
lint: all ## layers, formatting, cppcheck, shellcheck, a test for each setting
	$(Q)BUILD=$(B) scripts/check-layers
	$(Q)scripts/lint
	$(Q)BUILD=$(B) scripts/check-settings

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
SHARE    = $(PREFIX)/share
DOC      = $(SHARE)/doc/gusset
MAN      = $(SHARE)/man
BASH_DIR = $(SHARE)/bash-completion/completions
ZSH_DIR  = $(SHARE)/zsh/site-functions
FISH_DIR = $(SHARE)/fish/vendor_completions.d
TMPFILES = $(PREFIX)/lib/tmpfiles.d
FOLDERS  = "$(LIBDIR)" "$(BINDIR)" "$(MAN)/man1" "$(MAN)/man5" "$(MAN)/man7" "$(BASH_DIR)" "$(ZSH_DIR)" "$(FISH_DIR)" \
           "$(TMPFILES)" "$(DOC)/examples"
FILES    = "$(LIBDIR)/libgusset.so" "$(BINDIR)/gusset" "$(MAN)/man1/gusset.1" "$(MAN)/man5/gusset.cfg.5" \
           "$(MAN)/man7/gusset.7" "$(BASH_DIR)/gusset" "$(ZSH_DIR)/_gusset" "$(FISH_DIR)/gusset.fish" "$(TMPFILES)/gusset.conf"
# What a user may copy: to DOC/examples, with the library's place written into it.
EXAMPLES := $(filter-out conf/tmpfiles/%,$(shell find conf -type f | sort))

$(B)/completion/%: $(B)/gusset
	@mkdir -p $(@D)
	$(Q)$(B)/gusset completion $* >$@

COMPLETIONS := $(addprefix $(B)/completion/,bash zsh fish)

.PHONY: install
install: all manual $(COMPLETIONS) ## library, command, manual, completions, examples; PREFIX and DESTDIR are honoured
	$(Q)$(MAKE) --no-print-directory install-files

# Copies what is built; nothing is compiled for another LIBDIR than that of `make`. LD_PRELOAD parts its entries at
# blanks and colons: a library below a folder with one could not be loaded by it.
.PHONY: install-files
install-files:
	$(Q)case "$(LIBDIR)" in *[[:space:]:]*) \
	    echo "LIBDIR=$(LIBDIR): LD_PRELOAD takes no path with a blank or a colon; choose another PREFIX or LIBDIR" >&2; exit 1 ;; esac
	$(Q)for folder in $(FOLDERS); do install -d "$(DESTDIR)$$folder"; done
# The library in one step: a program that starts meanwhile must not find half of one.
	install -m 0755 $(B)/libgusset.so "$(DESTDIR)$(LIBDIR)/libgusset.so.new"
	mv -f "$(DESTDIR)$(LIBDIR)/libgusset.so.new" "$(DESTDIR)$(LIBDIR)/libgusset.so"
	install -m 0755 $(B)/gusset "$(DESTDIR)$(BINDIR)/gusset"
	install -m 0644 $(B)/man/gusset.1 "$(DESTDIR)$(MAN)/man1/"
	install -m 0644 $(B)/man/gusset.cfg.5 "$(DESTDIR)$(MAN)/man5/"
	install -m 0644 $(B)/man/gusset.7 "$(DESTDIR)$(MAN)/man7/"
	install -m 0644 $(B)/completion/bash "$(DESTDIR)$(BASH_DIR)/gusset"
	install -m 0644 $(B)/completion/zsh "$(DESTDIR)$(ZSH_DIR)/_gusset"
	install -m 0644 $(B)/completion/fish "$(DESTDIR)$(FISH_DIR)/gusset.fish"
	install -m 0644 conf/tmpfiles/gusset.conf "$(DESTDIR)$(TMPFILES)/"
	install -m 0644 README.md CHANGELOG.md LICENSE "$(DESTDIR)$(DOC)/"
	$(Q)for file in $(EXAMPLES); do to=$${file#conf/}; to="$(DESTDIR)$(DOC)/examples/$${to#examples/}"; mkdir -p "$${to%/*}"; \
	    sed 's|@LIBDIR@|$(LIBDIR)|g; s|@BINDIR@|$(BINDIR)|g' $$file >"$$to"; \
	    if [ -x $$file ]; then chmod 0755 "$$to"; else chmod 0644 "$$to"; fi; done

.PHONY: uninstall
uninstall: ## removes what install put there
	$(Q)for file in $(FILES); do echo "rm -f $(DESTDIR)$$file"; rm -f "$(DESTDIR)$$file"; done
	rm -rf "$(DESTDIR)$(DOC)"

.PHONY: deb
deb: all manual $(COMPLETIONS) ## a binary package for Debian, in build/
	$(Q)scripts/deps package
	$(Q)B=$(B) scripts/package-deb $(VERSION) build

.PHONY: dist
dist: ## the sources of the last commit as a tarball, in build/: the same bytes each time
	@mkdir -p build
	$(Q)git archive --format=tar --prefix=gusset-$(VERSION)/ HEAD | gzip -9n >build/gusset-$(VERSION).tar.gz
	@echo build/gusset-$(VERSION).tar.gz

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^## / {printf "\n%s\n", substr($$0, 4)} \
	    /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UPSTREAM_OBJ:.o=.d) $(filter-out $(MANIFOLD:%=$(B)/clients/%.d), \
    $(wildcard $(B)/tests/programs/*/*.d $(B)/unit/*.d $(B)/gate/*.d $(B)/sim/*.d $(B)/clients/*.d $(B)/bench/*.d $(B)/fuzz/*.d))
