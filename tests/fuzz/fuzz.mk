# Fuzz targets: tests/fuzz/fuzz_<target>.c, driven by libFuzzer (make fuzz) or, once over corpus and regressions, by
# tests/fuzz/replay.c (make check).
#
# Knobs: FUZZ_SECONDS per target, FUZZ=dump for one of them

FUZZ_SECONDS ?= 600
FUZZ ?= dump packed elf import
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SHARED := $(filter-out tests/fuzz/fuzz_%.c tests/fuzz/replay.c tests/fuzz/fold.c,$(wildcard tests/fuzz/*.c))
FUZZ_CFLAGS := -std=gnu11 -Wall -Werror=implicit-function-declaration -O2 -g -pthread -MMD -MP -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
FUZZ_OBJ := $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out analyzer/main.c,$(ANALYZER_SRC)) $(FORMAT_SRC) $(FUZZ_SHARED))
REPLAY_OBJ := $(patsubst %.c,$(B)/san/%.o,$(FUZZ_SHARED) tests/fuzz/replay.c) $(SAN_OBJ)

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $< (fuzzer)")
	$(Q)clang $(CPPFLAGS) $(FUZZ_CFLAGS) -c -o $@ $<

$(B)/fuzz/bin/%: $(B)/fuzz/tests/fuzz/fuzz_%.o $(FUZZ_OBJ)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  LINK $@")
	$(Q)clang -fsanitize=address,undefined,fuzzer -o $@ $^ $(ANALYZER_LIBS)

$(B)/tests/fuzz/%: $(B)/san/tests/fuzz/fuzz_%.o $(REPLAY_OBJ)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  TEST tests/fuzz/fuzz_$*.c")
	$(Q)$(CC) $(SANITIZE) -pthread -o $@ $^ $(ANALYZER_LIBS)

$(B)/tests/fuzz/fold: tests/fuzz/fold.c $(patsubst %,$(B)/san/%.o,tests/fuzz/dump_form tests/fuzz/target analyzer/util/buf)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(SANITIZE) -o $@ $^

fuzz-build: $(FUZZ_TARGETS:%=$(B)/fuzz/bin/%) ## build the fuzzers (clang)

fuzz: ## fuzz each target for FUZZ_SECONDS (600); FUZZ=dump: only that one
	@scripts/deps.sh fuzz
	@$(MAKE) --no-print-directory fuzz-build
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ)

units: $(FUZZ_TARGETS:%=$(B)/tests/fuzz/%)

.PHONY: fuzz fuzz-build
-include $(FUZZ_OBJ:.o=.d) $(REPLAY_OBJ:.o=.d) $(FUZZ_TARGETS:%=$(B)/fuzz/tests/fuzz/fuzz_%.d) \
	$(FUZZ_TARGETS:%=$(B)/san/tests/fuzz/fuzz_%.d)
.SECONDARY: $(FUZZ_OBJ) $(REPLAY_OBJ) $(FUZZ_TARGETS:%=$(B)/san/tests/fuzz/fuzz_%.o) $(FUZZ_TARGETS:%=$(B)/fuzz/tests/fuzz/fuzz_%.o)
