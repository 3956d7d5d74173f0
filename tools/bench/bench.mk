# SPDX-License-Identifier: MIT
#
# bench.mk - builds the workloads of the benchmark and runs it.
#
#	make bench			every workload under every allocator
#	make bench QUICK=1		in under three minutes
#	make bench ONLY='larson api'	some workloads or groups
#	make bench RUNS=9		repetitions of each
#	make bench PEERS='mi3=/opt/mi3/libmimalloc.so'	further allocators
#	make bench-programs		the workloads, built but not run
#
# A workload pool_X has the library's pools beside others in one program: it is linked
# with the library, and with Apache's where that is there. A workload api_X becomes two programs: api_X on the library's own API, and
# api_X-malloc; see objcache.h.

QUICK	?= 0
RUNS	?=
ONLY	?=
PEERS	?=

ifeq ($(filter 0 1,$(QUICK)),)
$(error QUICK is 0 or 1, not "$(QUICK)")
endif
ifneq ($(shell printf '%s' '$(RUNS)' | tr -d 0-9),)
$(error RUNS is a number, not "$(RUNS)")
endif

bench_names := $(patsubst tools/bench/workloads/%.c,%,$(wildcard tools/bench/workloads/*.c))
bench_api := $(filter api_%,$(bench_names))
bench_pool := $(filter pool_%,$(bench_names))
bench_plain := $(filter-out api_% pool_%,$(bench_names)) $(addsuffix -malloc,$(bench_api))
bench_bin := build/bench/bin
# The compiler may not reason away an allocation that is the very thing to be measured.
bench_cc = $(CC) $(kmem_cppflags) $(kmem_cflags) -fno-builtin-malloc -fno-builtin-calloc \
	-fno-builtin-realloc -fno-builtin-free -fno-builtin-aligned_alloc -pthread -MMD -MP -MF $@.d

.PHONY: bench bench-programs deps-bench
deps-bench:
	@.ci/deps bench

bench-programs: $(addprefix $(bench_bin)/,$(bench_plain) $(bench_api) $(bench_pool)) \
	build/bench/launch build/bench/handover

bench_apr := $(if $(wildcard /usr/include/apr-1.0/apr_pools.h),-DBENCH_APR -I/usr/include/apr-1.0 -lapr-1)

$(addprefix $(bench_bin)/,$(bench_api)): $(bench_bin)/%: tools/bench/workloads/%.c build/libkmem.so build/flags
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(bench_cc) -DBENCH_KMEM -o $@ $< -Lbuild -lkmem -Wl,-rpath,$(CURDIR)/build
$(addprefix $(bench_bin)/,$(bench_pool)): $(bench_bin)/%: tools/bench/workloads/%.c build/libkmem.so build/flags
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(bench_cc) -o $@ $< -Lbuild -lkmem -Wl,-rpath,$(CURDIR)/build -Wl,--as-needed $(bench_apr)
$(bench_bin)/%-malloc: tools/bench/workloads/%.c build/flags
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(bench_cc) -o $@ $<
$(bench_bin)/%: tools/bench/workloads/%.c build/flags
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(bench_cc) -o $@ $<
build/bench/launch: tools/bench/launch.c build/flags
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(kmem_cflags) -D_GNU_SOURCE -static -o $@ $<
build/bench/handover: tools/bench/handover.c build/flags
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(kmem_cflags) -pthread -o $@ $<

# A second make, since packages that were missing are there only now.
bench: deps-bench
	@$(MAKE) --no-print-directory -j$(JOBS) libs-release bench-programs
	@tools/bench/run.py $(if $(filter 1,$(QUICK)),--quick) $(if $(RUNS),--runs=$(RUNS)) \
		--only='$(ONLY)' --peers='$(PEERS)'
