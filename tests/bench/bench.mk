# `make bench` compares recorded with bare runs, and Ringside with other tools. Knobs: BENCH=word (only cases whose
# name contains it; the page stays as it is), RUNS=n (rounds, 5), QUICK=1 (about two minutes), OWN=1 (without the other
# tools; the page stays as it is).

BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
BENCH_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Iinclude -D_GNU_SOURCE -pthread

$(B)/bench/%: tests/bench/%.c tests/bench/bench.h
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$(Q)$(CC) $(BENCH_CFLAGS) -o $@ $<

bench: all $(BENCH_PROGRAMS) ## measure the cost of recording and write docs/performance.md
	@tests/bench/run.py $(if $(QUICK),--quick) $(if $(OWN),--own) $(if $(RUNS),--runs $(RUNS)) $(if $(BENCH),--only $(BENCH)) $(B)

bench-deps: ## install the tools that the benchmarks compare with (Debian)
	@scripts/bench-deps.sh

bench-reach: all $(B)/bench/reach ## measure what a snapshot of reach= costs
	@tests/bench/reach.sh

.PHONY: bench bench-deps bench-reach
