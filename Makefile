# Ringside - one Makefile, no recursion; everything it makes stands under build/.
#
# Knobs: MODE=debug (no optimisation), SAN=address,undefined (units only), CC, V=1 (show commands),
#        T=ring (only tests whose name contains it), prefix, DESTDIR.

VERSION := 0.1.0

prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man
bashcompdir ?= $(prefix)/share/bash-completion/completions

MODE ?= release
B := build
Q := $(if $(V),,@)

ifeq ($(origin CC),default)
CC := gcc
endif
CXX ?= g++
OPT := $(if $(filter debug,$(MODE)),-O0,-O2)
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Werror
CPPFLAGS += -I. -Iinclude -D_GNU_SOURCE -DRINGSIDE_VERSION='"$(VERSION)"'
COMMON := -std=gnu11 $(OPT) -g $(WARN) -MMD -MP -pthread

# The preloaded library lives in somebody else's process. Why each flag: docs/design.md "Build of the library".
PRELOAD_CFLAGS := $(COMMON) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-omit-frame-pointer \
	-fexceptions -fasynchronous-unwind-tables -fno-stack-protector -U_FORTIFY_SOURCE -fno-lto \
	$(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-fcf-protection=full,-mbranch-protection=standard) \
	-fno-builtin -D__NO_INLINE__ '-D__nonnull(p)=' '-D__attribute_nonnull__(p)='
PRELOAD_LDFLAGS := -shared -nostartfiles -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,-z,nodelete \
	-Wl,-z,initfirst -Wl,-Bsymbolic -Wl,--version-script=preload/exports.map -Wl,--hash-style=both
ANALYZER_LIBS := -ldw -lelf -lzstd -lz -lsqlite3 -Wl,-Bstatic -liberty -Wl,-Bdynamic -lm

PRELOAD_SRC := $(wildcard preload/*.c)
FORMAT_SRC := $(wildcard format/*.c)
ANALYZER_SRC := $(wildcard analyzer/*.c analyzer/*/*.c)
DEMOS := $(patsubst demos/%/,%,$(filter-out demos/common/,$(wildcard demos/*/)))
PROGRAMS := $(patsubst tests/programs/%,%,$(basename $(wildcard tests/programs/*.c tests/programs/*.cpp)))

PRELOAD_OBJ := $(PRELOAD_SRC:%.c=$(B)/pic/%.o) $(FORMAT_SRC:%.c=$(B)/pic/%.o)
ANALYZER_OBJ := $(ANALYZER_SRC:%.c=$(B)/obj/%.o) $(FORMAT_SRC:%.c=$(B)/obj/%.o)

RINGSIDE := $(B)/bin/ringside
LIBRARY := $(B)/lib/ringside/libringside.so

all: $(RINGSIDE) $(LIBRARY) ## build the command and the library

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $< (library)")
	$(Q)$(CC) $(CPPFLAGS) $(PRELOAD_CFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$(Q)$(CC) $(CPPFLAGS) $(COMMON) $(CFLAGS) -c -o $@ $<

# The page of `ringside html` is read by the assembler, of which the compiler's dependencies say nothing.
WEB_FILES := $(wildcard analyzer/web/*.html analyzer/web/*.css analyzer/web/js/*.js)
$(foreach d,obj san tsan,$(B)/$(d)/analyzer/web/files.o): $(WEB_FILES)

$(LIBRARY): $(PRELOAD_OBJ) preload/exports.map
	@mkdir -p $(@D)
	@$(if $(V),,echo "  LINK $@")
	$(Q)$(CC) $(PRELOAD_LDFLAGS) $(LDFLAGS) -o $@.tmp $(PRELOAD_OBJ)
	@mv -f $@.tmp $@

$(RINGSIDE): $(ANALYZER_OBJ)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  LINK $@")
	$(Q)$(CC) $(LDFLAGS) -pthread -o $@ $(ANALYZER_OBJ) $(ANALYZER_LIBS)

# ---- demos and test programs ---------------------------------------------------------------------------------

DEMO_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Iinclude -Idemos -I. -D_GNU_SOURCE -pthread
demos: $(DEMOS:%=$(B)/demos/%) ## build the bundled workloads

define demo_rule
$(B)/demos/$(1): $$(wildcard demos/$(1)/*.c demos/$(1)/*.h demos/common/*.c demos/common/*.h) include/ringside.h
	@mkdir -p $$(@D)
	@$$(if $$(V),,echo "  DEMO $$@")
	$$(Q)$$(CC) $$(DEMO_CFLAGS) -o $$@ $$(filter %.c,$$^) -lm
endef
$(foreach d,$(DEMOS),$(eval $(call demo_rule,$(d))))

programs: $(PROGRAMS:%=$(B)/tests/programs/%)

PROGRAM_CFLAGS = -g -O1 -fno-inline -Wall -Wextra -Iinclude -Idemos -I. -D_GNU_SOURCE -pthread
$(B)/tests/programs/%: tests/programs/%.c $(wildcard demos/common/*.[ch] tests/programs/*.h tests/programs/*.def) preload/hooks.def
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$(Q)$(CC) -std=gnu11 $(PROGRAM_CFLAGS) -o $@ $(filter-out %.h,$<) $(wildcard demos/common/*.c) -lm -ldl

$(B)/tests/programs/%: tests/programs/%.cpp
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CXX  $<")
	$(Q)$(CXX) $(PROGRAM_CFLAGS) -o $@ $<

# What dlopen_loop loads stands beside it.
PLUGINS := $(patsubst tests/programs/%.c,%,$(wildcard tests/programs/plugins/*.c))
programs: $(PLUGINS:%=$(B)/tests/programs/%.so)

$(B)/tests/programs/plugins/%.so: tests/programs/plugins/%.c $(wildcard tests/programs/plugins/*.h)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$(Q)$(CC) -shared -fPIC -g -O1 -Wall -Wextra -o $@ $<

# ---- the rest -------------------------------------------------------------------------------------------------

include tests/tests.mk
include tests/fuzz/fuzz.mk
include tests/bench/bench.mk

demo: ## two minutes of Ringside: install what is needed, build, record, show the reports
	@scripts/deps.sh
	@$(MAKE) --no-print-directory all demos
	@demos/show.sh

deps: ## install the packages the build and the tests need
	@scripts/deps.sh

install: all ## copy to $(DESTDIR)$(prefix)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/ringside $(DESTDIR)$(includedir) \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(bashcompdir)
	install -m 755 $(RINGSIDE) $(DESTDIR)$(bindir)/ringside
	install -m 755 $(LIBRARY) $(DESTDIR)$(libdir)/ringside/libringside.so
	install -m 644 include/ringside.h $(DESTDIR)$(includedir)/ringside.h
	install -m 644 docs/man/*.1 $(DESTDIR)$(mandir)/man1/
	install -m 644 docs/man/*.5 $(DESTDIR)$(mandir)/man5/
	$(RINGSIDE) completion bash > $(DESTDIR)$(bashcompdir)/ringside

uninstall: ## remove what install copied
	rm -f $(DESTDIR)$(bindir)/ringside $(DESTDIR)$(includedir)/ringside.h $(DESTDIR)$(bashcompdir)/ringside
	rm -rf $(DESTDIR)$(libdir)/ringside
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(mandir)/man1/%,$(wildcard docs/man/*.1))
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(mandir)/man5/%,$(wildcard docs/man/*.5))

dist: ## ringside-VERSION.tar.gz of the committed tree
	@mkdir -p $(B)
	git archive --format=tar.gz --prefix=ringside-$(VERSION)/ -o $(B)/ringside-$(VERSION).tar.gz HEAD
	@echo $(B)/ringside-$(VERSION).tar.gz

format: ## clang-format all C sources in place
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp')

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile tests/tests.mk tests/fuzz/fuzz.mk tests/bench/bench.mk | expand -t 14
	@sed -n 's/^# \(Knobs.*\)/\n\1/p; s/^# \( *T=.*\)/\1/p' Makefile

.PHONY: all demos programs demo deps install uninstall dist format clean help
.DELETE_ON_ERROR:
-include $(PRELOAD_OBJ:.o=.d) $(ANALYZER_OBJ:.o=.d)
