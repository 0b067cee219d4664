# Tests: units mirror the tree (tests/<folder>/test_<file>.c), end-to-end scripts are tests/e2e/*.sh and
# tests/docs/*.sh. `make check T=word` runs those whose path contains the word.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UNITS := $(patsubst tests/%.c,%,$(wildcard tests/format/test_*.c tests/preload/test_*.c tests/analyzer/test_*.c \
	tests/analyzer/*/test_*.c))
TEST_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Wno-missing-field-initializers -MMD -MP -pthread

SAN_OBJ := $(filter-out $(B)/san/analyzer/main.o,$(ANALYZER_SRC:%.c=$(B)/san/%.o)) $(FORMAT_SRC:%.c=$(B)/san/%.o)

# What of the library can be tested outside a host: no wrappers, no life cycle, an in-memory file.
PRELOAD_UNIT_SRC := $(filter-out preload/hook%.c preload/life.c preload/file.c preload/thread.c preload/lane.c preload/heap.c \
	preload/span.c preload/sampler.c preload/lines.c preload/locks.c preload/ring.c preload/birth.c preload/fds.c \
	preload/notes.c preload/inittrace.c preload/snapshot.c preload/wakes.c preload/channels.c preload/io.c preload/order.c \
	preload/bus.c preload/reach%.c,$(PRELOAD_SRC))
PRELOAD_UNIT_OBJ := $(PRELOAD_UNIT_SRC:%.c=$(B)/pic/%.o) $(FORMAT_SRC:%.c=$(B)/pic/%.o)

ANALYZER_SUPPORT := $(wildcard tests/support/trace*.c tests/support/import*.c)
ANALYZER_SUPPORT_ALL := $(ANALYZER_SUPPORT) $(wildcard tests/support/trace*.h tests/support/import*.h)

$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $< (sanitized)")
	$(Q)$(CC) $(CPPFLAGS) $(COMMON) $(SANITIZE) $(CFLAGS) -c -o $@ $<

$(B)/tests/unit/analyzer/%: tests/analyzer/%.c $(SAN_OBJ) $(ANALYZER_SUPPORT_ALL)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  TEST $<")
	$(Q)$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(SANITIZE) -MF $@.d -o $@ $< $(ANALYZER_SUPPORT) $(SAN_OBJ) -lcmocka $(ANALYZER_LIBS)

$(B)/tests/unit/format/%: tests/format/%.c $(FORMAT_SRC:%.c=$(B)/san/%.o)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  TEST $<")
	$(Q)$(CC) $(CPPFLAGS) $(TEST_CFLAGS) $(SANITIZE) -MF $@.d -o $@ $< $(FORMAT_SRC:%.c=$(B)/san/%.o) -lcmocka

$(B)/tests/unit/preload/%: tests/preload/%.c $(PRELOAD_UNIT_OBJ) $(wildcard tests/support/fake_*.[ch])
	@mkdir -p $(@D)
	@$(if $(V),,echo "  TEST $<")
	$(Q)$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -fno-omit-frame-pointer -MF $@.d -o $@ $< $(wildcard tests/support/fake_*.c) \
		$(PRELOAD_UNIT_OBJ) -lcmocka -lunwind -ldl

# Where threads share tables without locks, the same units under ThreadSanitizer.
TSAN_UNITS := $(patsubst %,$(B)/tests/unit/tsan/preload/test_%,rules sampled stacks)
TSAN_OBJ := $(PRELOAD_UNIT_SRC:%.c=$(B)/tsan/%.o) $(FORMAT_SRC:%.c=$(B)/tsan/%.o)
$(B)/tsan/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $< (thread sanitizer)")
	$(Q)$(CC) $(CPPFLAGS) $(PRELOAD_CFLAGS) -fsanitize=thread -c -o $@ $<

$(B)/tests/unit/tsan/preload/%: tests/preload/%.c $(TSAN_OBJ) $(wildcard tests/support/fake_*.[ch])
	@mkdir -p $(@D)
	@$(if $(V),,echo "  TEST $< (thread sanitizer)")
	$(Q)$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -fsanitize=thread -fno-omit-frame-pointer -MF $@.d -o $@ $< \
		$(wildcard tests/support/fake_*.c) $(TSAN_OBJ) -lcmocka -lunwind -ldl

TSAN_UNITS += $(patsubst %,$(B)/tests/unit/tsan/analyzer/%,read/test_packed read/test_pass symbols/test_symbols)
TSAN_ANALYZER_OBJ := $(SAN_OBJ:$(B)/san/%=$(B)/tsan/%)
$(B)/tsan/analyzer/%.o: analyzer/%.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $< (thread sanitizer)")
	$(Q)$(CC) $(CPPFLAGS) $(COMMON) -fsanitize=thread $(CFLAGS) -c -o $@ $<

$(B)/tests/unit/tsan/analyzer/%: tests/analyzer/%.c $(TSAN_ANALYZER_OBJ) $(ANALYZER_SUPPORT_ALL)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  TEST $< (thread sanitizer)")
	$(Q)$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -fsanitize=thread -MF $@.d -o $@ $< $(ANALYZER_SUPPORT) \
		$(TSAN_ANALYZER_OBJ) -lcmocka $(ANALYZER_LIBS)

# The stacks of the recorder against libgcc's and libunwind's, instruction by instruction. libgcc_s stands before
# libunwind, because both export _Unwind_*.
ORACLE_OBJ := $(patsubst %,$(B)/pic/preload/%.o,clock raw replay rules modules cfi unwind nodes memo stacks text)
ORACLE_LIBS := -Wl,--no-as-needed -lgcc_s -lunwind -ldl -pthread
ORACLE_SRC := $(wildcard tests/preload/oracle*.c) tests/oracle/chain.c tests/support/fake_file.c
$(B)/tests/oracle: $(ORACLE_SRC) $(wildcard tests/preload/oracle*.cpp tests/preload/oracle*.h tests/oracle/*.h) $(ORACLE_OBJ) \
		tests/support/fake_file.h
	@mkdir -p $(@D)/oracle.o
	@$(if $(V),,echo "  TEST $@")
	$(Q)for f in $(ORACLE_SRC); do \
		$(CC) $(CPPFLAGS) $(TEST_CFLAGS) -fno-omit-frame-pointer -c -o $(@D)/oracle.o/$$(basename $$f .c).o $$f || exit 1; done
	$(Q)$(CXX) $(CPPFLAGS) -O1 -g -c -o $(@D)/oracle.o/throw.o tests/preload/oracle_throw.cpp
	$(Q)$(CXX) -Wl,-z,lazy -rdynamic -o $@ $(@D)/oracle.o/*.o $(ORACLE_OBJ) $(ORACLE_LIBS)

# The same in any program: a library to preload, see tests/oracle/watch.h.
WATCH_OBJ := $(patsubst %.c,$(B)/pic/%.o,$(wildcard tests/oracle/*.c) tests/support/fake_file.c preload/hook_dl.c)
$(B)/tests/liboracle.so: $(WATCH_OBJ) $(ORACLE_OBJ)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  LINK $@")
	$(Q)$(CC) -shared -Wl,-z,now -Wl,-z,nodelete -Wl,-Bsymbolic -o $@ $(WATCH_OBJ) $(ORACLE_OBJ) $(ORACLE_LIBS)

# A program with holes between its segments, as one in ten is: the loader then tells the segments apart.
programs: $(B)/tests/programs/deep_holes
$(B)/tests/programs/deep_holes: tests/programs/deep.c $(wildcard demos/common/*.[ch])
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $@")
	$(Q)$(CC) -std=gnu11 $(PROGRAM_CFLAGS) -Wl,-z,max-page-size=0x200000 -o $@ $< $(wildcard demos/common/*.c)

# What kills programs and looks whether their dumps hold all that their books say, see tests/e2e/kills.sh.
KILL := $(patsubst %,$(B)/tests/kill/%,kill_at kill_work kill_check bookkeeper.so)
programs: $(KILL)
$(B)/tests/kill/%: tests/kill/%.c $(wildcard tests/kill/*.h demos/common/*.[ch])
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$(Q)$(CC) -std=gnu11 $(PROGRAM_CFLAGS) -o $@ $<

$(B)/tests/kill/%.so: tests/kill/%.c $(wildcard tests/kill/*.h)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$(Q)$(CC) -std=gnu11 $(PROGRAM_CFLAGS) -fPIC -fno-builtin -shared -o $@ $< -ldl

units: $(B)/tests/oracle $(B)/tests/liboracle.so $(TSAN_UNITS) $(UNITS:%=$(B)/tests/unit/%) ## build the unit tests

check: ## install what the tests need, build everything, run all tests
	@scripts/deps.sh tests
	@$(MAKE) --no-print-directory all demos programs units
	@tests/run $(T)

e2e: all demos programs ## only the end-to-end tests
	@tests/run e2e/$(T)

oracle-long: all demos programs units ## compare stacks in real programs ten times as long: about 10 minutes
	@ORACLE_SCALE=10 tests/e2e/oracle_programs.sh

kill-long: all demos programs ## kill recorded programs 600 times and count what is missing: about 10 minutes
	@KILLS=60 tests/e2e/kills.sh

eintr-long: all demos programs ## every call that waits, for a minute under 1000 Hz samples: is one interrupted?
	@EINTR_SECONDS=60 tests/e2e/eintr.sh

# Knobs: CASE=word (only cases whose name contains it; the page stays as it is), MODE_ONLY=word, RESUME=1 (what was
# identical with this very library in an earlier run is not run again), MINUTES=n (no case begins after that).
conformance: all ## programs that others wrote, bare and recorded: about 20 minutes; writes docs/conformance.md
	@tests/conformance/run.py $(if $(CASE),--only $(CASE)) $(if $(MODE_ONLY),--mode "$(MODE_ONLY)") $(if $(RESUME),--resume) \
		$(if $(MINUTES),--minutes $(MINUTES)) \
		--page docs/conformance.md $(B)

conformance-deps: ## install the programs that `make conformance` runs (Debian)
	@scripts/conformance-deps.sh

screenshots: all demos ## take the pictures of docs/walk-*.md anew (Chromium, node)
	$(Q)docs/screenshots.sh

warnings: ## build with gcc and clang into a throw-away folder, warnings are errors
	@for cc in gcc clang; do echo "  $$cc"; $(MAKE) --no-print-directory -s B=$(B)/warn-$$cc CC=$$cc all || exit 1; done

.PHONY: units check e2e oracle-long kill-long eintr-long conformance conformance-deps warnings screenshots
.PRECIOUS: $(B)/san/%.o
-include $(WATCH_OBJ:.o=.d) $(SAN_OBJ:.o=.d) $(TSAN_OBJ:.o=.d) $(TSAN_ANALYZER_OBJ:.o=.d)
.SECONDARY: $(TSAN_OBJ) $(TSAN_ANALYZER_OBJ)
