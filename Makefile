# SPDX-License-Identifier: MIT
#
# Makefile - builds the libraries and the tools, runs the tests, installs.
#
#	make			libraries and tools, in build/
#	make run		what is missing is installed; then the main job on real input
#	make check		the same; then every test
#	make help		all targets and options
#
# Everything made lies in build/. A variant of the build (another compiler, a
# sanitizer, another machine) is one line in "Variants" below and has a
# directory of its own, build/NAME, of the same shape.

VERSION	:= 0.1.0
SOVER	:= 0

CC	?= gcc
AR	?= ar
PREFIX	?= /usr/local
DESTDIR	?=
CMD	?=
V	?= 0
JOBS	?= $(shell nproc)
PARTS	?=

# ---- options: what may stand on the command line ------------------------------

options	:= CC AR CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR CMD V JOBS PARTS \
	PEERS QUICK RUNS ONLY
given	:= $(strip $(foreach v,$(.VARIABLES),\
		$(if $(findstring command line,$(origin $v)),$v)))
unknown	:= $(filter-out $(options) -*-command-variables-*- MAKEFLAGS,$(given))
ifneq ($(unknown),)
$(error unknown option: $(unknown) (known: $(options)))
endif
ifeq ($(filter 0 1,$(V)),)
$(error V is 0 or 1, not "$(V)")
endif
ifeq ($(origin CC),default)
CC	:= gcc
endif
Q	:= $(if $(filter 0,$(V)),@)
say	= $(if $(filter 0,$(V)),@printf '  %-7s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# ---- flags ----------------------------------------------------------------------

kmem_cppflags := -I. -Iinclude -D_GNU_SOURCE -DKMEM_VERSION=\"$(VERSION)\"
kmem_cflags := -std=gnu11 -O2 -g -Wall -Wextra
lib_cflags := -fPIC -fvisibility=hidden -fno-semantic-interposition -fno-plt \
	-ftls-model=initial-exec
# A compiler that knows malloc may turn our own code into a call of it.
no_builtin := $(foreach f,malloc calloc realloc free aligned_alloc memalign \
	posix_memalign strdup,-fno-builtin-$f)
# -z now: no symbol is looked up inside malloc; -z nodelete: objects outlive a dlclose.
# Where sections lie is said to the linker that all this is tested with: not all know INSERT.
lib_ldflags := -shared -pthread -Wl,--version-script=mm/libkmem.map -Wl,-Bsymbolic \
	-Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,-z,defs -Wl,--as-needed \
	$(if $(findstring -fuse-ld=,$(CC) $(CFLAGS) $(LDFLAGS)),,-Wl,-T,mm/libkmem.lds)

# ---- Variants: name, directory, compiler, machine, flags ------------------------

host_arch := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
asan_flags := -O1 -fsanitize=address -fno-omit-frame-pointer
ubsan_flags := -O1 -fsanitize=undefined -fno-sanitize-recover=all
tsan_flags := -O1 -fsanitize=thread

variants := release debug lto asan ubsan tsan clang aarch64 musl
dir_release := build
cc_release = $(CC)
flags_release :=
dir_debug := build/debug
cc_debug = $(CC)
flags_debug := -O1 -DKMEM_DEBUG
# As distributions build: functions end up in others, and these where hardly anything runs.
# liburcu's tables are of a type that our header only names, which is no mismatch.
dir_lto := build/lto
cc_lto = $(CC)
flags_lto := -flto=auto -Werror -Wno-lto-type-mismatch
dir_asan := build/asan
cc_asan = $(CC)
flags_asan := $(asan_flags)
dir_ubsan := build/ubsan
cc_ubsan = $(CC)
flags_ubsan := $(ubsan_flags)
dir_tsan := build/tsan
cc_tsan = $(CC)
flags_tsan := $(tsan_flags)
dir_clang := build/clang
cc_clang := clang
flags_clang := -Werror
dir_aarch64 := build/aarch64
cc_aarch64 := aarch64-linux-gnu-gcc
flags_aarch64 :=
# Another C library; the kernel's headers, which it does not bring, and no others.
dir_musl := build/musl
cc_musl := musl-gcc -idirafter build/musl/include
flags_musl := -Werror
prepare_musl := mkdir -p build/musl/include && ln -sfn /usr/include/linux \
	/usr/include/asm-generic /usr/include/$(host_arch)-linux-gnu/asm build/musl/include

# Where to run a variant's programs, if not here.
run_aarch64 := qemu-aarch64 -L /usr/aarch64-linux-gnu

# ---- sources ----------------------------------------------------------------------

# In the order in which they are linked: what hardly a program needs comes last (libkmem.lds),
# and so does what takes address space rather than memory.
lib_all := $(sort $(filter-out mm/arch/%,$(shell find mm -name '*.c')))
lib_last := $(wildcard mm/pool*.c mm/blockpool.c mm/buckets.c mm/contig.c mm/dmapool.c \
	mm/extent.c mm/genalloc.c mm/kvfree_rcu.c mm/layout.c mm/mempool.c mm/page_frag.c \
	mm/page_show.c mm/page_validate.c mm/percpu_alloc.c mm/rcu.c mm/region.c mm/shrinker.c \
	mm/slab_debug.c mm/slab_query.c mm/slab_rcu.c mm/slab_validate.c mm/slabinfo.c \
	mm/this_cpu.c mm/umem.c mm/vmalloc.c mm/vmap.c mm/base/bug.c \
	mm/home.c mm/vcpu.c)
lib_src := $(filter-out $(lib_last),$(lib_all)) $(lib_last)
malloc_src := $(wildcard mm/libc_malloc.c mm/vfork.c)
core_src := $(filter-out $(malloc_src),$(lib_src))
inspect_src := $(wildcard tools/inspect/*.c)
slabinfo_src := $(wildcard tools/slabinfo.c tools/verbs/*.c) \
	tools/views/sample.c tools/views/watch.c $(inspect_src)
slabtop_src := tools/slabtop.c tools/views/top.c tools/views/watch.c $(inspect_src)
slabinfo_exporter_src := tools/slabinfo-exporter.c $(wildcard tools/exporter/*.c) \
	tools/views/watch.c $(inspect_src)
kmem_run_src := $(wildcard tools/kmem-run*.c)
headers := $(wildcard include/kmem/*.h)
compat_headers := $(wildcard include/compat/linux/*.h)
compat_sched_headers := $(wildcard include/compat/linux/sched/*.h)
pcs := kmem.pc kmem-linux.pc

unit_tests := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
program_kinds := stress regression clients
# What neither Criterion nor liburcu is there for: a foreign machine, another C library.
foreign := aarch64 musl
# liburcu, for those of them that have readers.
libs_clients := -lurcu-memb -lurcu-mb -lurcu-qsbr -lurcu-common
libs_stress := -lurcu-memb -lurcu-common
$(foreach k,$(program_kinds),$(eval $k_tests := $(patsubst tests/$k/%.c,%,$(wildcard tests/$k/*.c))))

# ---- one variant ------------------------------------------------------------------
# $(1): its name. D, O: its directory, its objects.

objects = $(patsubst %,$(dir_$(1))/obj/%.o,$(basename $(2)))

define variant
arch_$(1) := $(if $(filter aarch64,$(1)),aarch64,$(host_arch))
core_obj_$(1) := $$(call objects,$(1),$$(core_src) \
	$$(wildcard mm/arch/$$(arch_$(1))/*.c mm/arch/$$(arch_$(1))/*.S))
malloc_obj_$(1) := $$(call objects,$(1),$$(malloc_src))
test_cflags_$(1) = $$(kmem_cppflags) $$(kmem_cflags) $$(flags_$(1)) -pthread
test_link_$(1) = $(dir_$(1))/libkmem.a -pthread

# The compiler and its flags; rewritten, and all is rebuilt, only when they change.
$(dir_$(1))/flags: FORCE
	@mkdir -p $$(@D)
	@$$(prepare_$(1))
	@echo '$$(cc_$(1)) $$(kmem_cflags) $$(lib_cflags) $$(lib_ldflags) $$(flags_$(1)) $$(CPPFLAGS) $$(CFLAGS) $$(LDFLAGS)' | \
		cmp -s - $$@ || echo '$$(cc_$(1)) $$(kmem_cflags) $$(lib_cflags) $$(lib_ldflags) $$(flags_$(1)) $$(CPPFLAGS) $$(CFLAGS) $$(LDFLAGS)' >$$@

# What assembly refers to, an optimizer of whole programs must hear of from an object of its own;
# init.o asks for layout.o.
$(dir_$(1))/obj/mm/layout.o $(dir_$(1))/obj/mm/init.o: extra_cflags := -fno-lto
$(dir_$(1))/obj/mm/malloc.o $(dir_$(1))/obj/mm/libc_malloc.o: extra_cflags := $$(no_builtin) -fexceptions
$(dir_$(1))/obj/%.o: %.c $(dir_$(1))/flags
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(kmem_cppflags) $$(kmem_cflags) $$(lib_cflags) \
		$$(flags_$(1)) $$(CPPFLAGS) $$(CFLAGS) $$(extra_cflags) -MMD -MP -c -o $$@ $$<
$(dir_$(1))/obj/%.o: %.S $(dir_$(1))/flags
	$$(call say,AS,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(kmem_cppflags) -g $$(flags_$(1)) $$(CPPFLAGS) -MMD -MP -c -o $$@ $$<

$(dir_$(1))/libkmem.a: $$(core_obj_$(1))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
$(dir_$(1))/libkmem.so.$(SOVER): $$(core_obj_$(1)) mm/libkmem.map mm/libkmem.lds
	$$(call say,LD,$$@)
	$$(Q)$$(cc_$(1)) $$(kmem_cflags) $$(flags_$(1)) $$(CFLAGS) $$(lib_ldflags) $$(LDFLAGS) \
		-Wl,-soname,$$(@F) -o $$@ $$(core_obj_$(1))
$(dir_$(1))/libkmem.so: $(dir_$(1))/libkmem.so.$(SOVER)
	$$(Q)ln -sf $$(<F) $$@
# No soname of its own version: it is preloaded by path, not linked with.
$(dir_$(1))/libkmem-malloc.so: $$(malloc_obj_$(1)) $$(core_obj_$(1)) mm/libkmem.map mm/libkmem.lds
	$$(call say,LD,$$@)
	$$(Q)$$(cc_$(1)) $$(kmem_cflags) $$(flags_$(1)) $$(CFLAGS) $$(lib_ldflags) $$(LDFLAGS) \
		-Wl,-soname,$$(@F) -o $$@ $$(malloc_obj_$(1)) $$(core_obj_$(1))

$(dir_$(1))/tools/slabinfo: $$(call objects,$(1),$$(slabinfo_src))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(kmem_cflags) $$(flags_$(1)) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^
$(dir_$(1))/tools/slabtop: $$(call objects,$(1),$$(slabtop_src))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(kmem_cflags) $$(flags_$(1)) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ -lncurses -ltinfo
$(dir_$(1))/tools/slabinfo-exporter: $$(call objects,$(1),$$(slabinfo_exporter_src))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(kmem_cflags) $$(flags_$(1)) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^
$(dir_$(1))/tools/slabinfo-plot: tools/plot/slabinfo-plot.sh
	@mkdir -p $$(@D)
	$$(Q)install -m 755 $$< $$@
$(dir_$(1))/tools/kmem-run: $$(call objects,$(1),$$(kmem_run_src))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(kmem_cflags) $$(flags_$(1)) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^

# Unit tests: Criterion here; where it is not to be had, a small stand-in for its macros.
unit_flags_$(1) := $(if $(filter $(foreign),$(1)),-Itests/unit/compat,)
unit_libs_$(1) := $(if $(filter $(foreign),$(1)),,-lcriterion)
$(dir_$(1))/tests/unit/%: tests/unit/%.c $(dir_$(1))/libkmem.a $(dir_$(1))/flags
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(unit_flags_$(1)) $$(test_cflags_$(1)) -Itests/unit $$(CFLAGS) -MMD -MP -MF $$@.d \
		-o $$@ $$< $$(LDFLAGS) $$(test_link_$(1)) $$(unit_libs_$(1))
$$(foreach k,$$(program_kinds),$$(eval $$(call programs,$(1),$$k)))

.PHONY: libs-$(1) unit-$(1)
libs-$(1): $(dir_$(1))/libkmem.a $(dir_$(1))/libkmem.so $(dir_$(1))/libkmem-malloc.so
unit-$(1): $(addprefix $(dir_$(1))/tests/unit/,$(unit_tests))
endef

# Test programs with a main() of their own. $(1): variant, $(2): kind, a directory in tests/.
define programs
$(dir_$(1))/tests/$(2)/%: tests/$(2)/%.c $(dir_$(1))/libkmem.a $(dir_$(1))/flags
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(cc_$(1)) $$(test_cflags_$(1)) -Itests/$(2) $$(CFLAGS) -MMD -MP -MF $$@.d \
		-o $$@ $$< $$(LDFLAGS) $$(test_link_$(1)) $(if $(filter $(foreign),$(1)),,$(libs_$(2)))
.PHONY: $(2)-$(1)
$(2)-$(1): $(addprefix $(dir_$(1))/tests/$(2)/,$($(2)_tests))
endef

$(foreach v,$(variants),$(eval $(call variant,$v)))

-include $(shell find build -name '*.d' 2>/dev/null)

# ---- what is built by default -----------------------------------------------------

# slabtop only where ncurses is; "make run" and "make check" see to that.
has_curses := $(shell echo '\#include <curses.h>' | $(CC) -E - >/dev/null 2>&1 && echo yes)
tools := tools/slabinfo tools/kmem-run tools/slabinfo-exporter tools/slabinfo-plot \
	$(if $(has_curses),tools/slabtop)
man_pages := $(wildcard Documentation/man/*.1)

.PHONY: all FORCE
all: libs-release $(tools)

$(tools): tools/%: build/tools/%
	$(Q)ln -sf ../$< $@

# ---- bench: libkmem beside other allocators ------------------------------------------

include tools/bench/bench.mk

# ---- what is needed: .ci/packages lists it ----------------------------------------

.PHONY: deps deps-build deps-run deps-check
deps: deps-check
deps-build deps-run deps-check: deps-%:
	@.ci/deps $*

# ---- run: the main job ------------------------------------------------------------

# The packages come first, then the build: a second make, since this one may
# have looked at the machine before it had a compiler.
.PHONY: run check
run: deps-run
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@CMD='$(subst ','\'',$(CMD))' tools/run-demo

# ---- check: every test -------------------------------------------------------------

# PARTS= names the parts to run (all if empty); tests/run-all lists them.
check: deps-check
	@MAKE='$(MAKE)' JOBS='$(JOBS)' tests/run-all $(PARTS)

.PHONY: golden-update
golden-update: all
	tests/golden/run --update

# For tests/run-all: what there is, one per line.
list_targets := $(addprefix list-,unit $(program_kinds))
.PHONY: $(list_targets)
$(list_targets): list-%:
	@printf '%s\n' $($*_tests)

# ---- install -----------------------------------------------------------------------

bindir := $(DESTDIR)$(PREFIX)/bin
mandir := $(DESTDIR)$(PREFIX)/share/man/man1
libdir := $(DESTDIR)$(PREFIX)/lib
incdir := $(DESTDIR)$(PREFIX)/include/kmem
# Installed as kmem-slabtop: procps has a slabtop, which root expects under that name.
slabtop_name := kmem-slabtop
as_installed := sed -e 's/^\(\.Nm\|\.Xr\) slabtop/\1 $(slabtop_name)/' -e 's/^\.Dt SLABTOP/.Dt KMEM-SLABTOP/'
installed_tools := $(patsubst slabtop,$(slabtop_name),$(notdir $(tools)))
installed_man := $(patsubst slabtop.1,$(slabtop_name).1,$(notdir $(man_pages)))
installed_libs := libkmem.a libkmem.so libkmem.so.$(SOVER) libkmem.so.$(VERSION) libkmem-malloc.so

.PHONY: install uninstall clean help
install: all
	install -d $(bindir) $(libdir)/pkgconfig $(incdir)/compat/linux/sched $(mandir)
	install -m 644 $(headers) $(incdir)
	install -m 644 $(compat_headers) $(incdir)/compat/linux
	install -m 644 $(compat_sched_headers) $(incdir)/compat/linux/sched
	install -m 644 build/libkmem.a $(libdir)
	install -m 755 build/libkmem.so.$(SOVER) $(libdir)/libkmem.so.$(VERSION)
	ln -sf libkmem.so.$(VERSION) $(libdir)/libkmem.so.$(SOVER)
	ln -sf libkmem.so.$(SOVER) $(libdir)/libkmem.so
	install -m 755 build/libkmem-malloc.so $(libdir)
	for t in $(notdir $(tools)); do \
		to=$$t; [ $$t != slabtop ] || to=$(slabtop_name); \
		install -m 755 build/tools/$$t $(bindir)/$$to || exit 1; done
	for m in $(notdir $(man_pages)); do \
		to=$$m; [ $$m != slabtop.1 ] || to=$(slabtop_name).1; \
		$(as_installed) Documentation/man/$$m >$(mandir)/$$to && chmod 644 $(mandir)/$$to || exit 1; done
	for pc in $(pcs); do sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
		$$pc.in >$(libdir)/pkgconfig/$$pc || exit 1; done

uninstall:
	rm -f $(addprefix $(incdir)/,$(notdir $(headers))) $(addprefix $(libdir)/,$(installed_libs)) \
		$(addprefix $(incdir)/compat/linux/,$(notdir $(compat_headers))) \
		$(addprefix $(incdir)/compat/linux/sched/,$(notdir $(compat_sched_headers))) \
		$(addprefix $(libdir)/pkgconfig/,$(pcs)) $(addprefix $(bindir)/,$(installed_tools)) \
		$(addprefix $(mandir)/,$(installed_man))
	-rmdir $(incdir)/compat/linux/sched $(incdir)/compat/linux $(incdir)/compat $(incdir)

clean:
	rm -rf build $(tools)

help:
	@echo 'make                    libkmem.so, libkmem.a, libkmem-malloc.so in build/; tools/slabinfo and its fellows'
	@echo "make run [CMD='...']    installs what is missing, builds, compiles a file with gcc on the library (or runs CMD)"
	@echo 'make check [PARTS=...]  installs what is missing, builds, runs every test (or the named parts)'
	@echo 'make install PREFIX=/usr/local DESTDIR='
	@echo 'make uninstall, clean'
	@echo 'make deps               installs the packages that building, running and checking need (apt-get)'
	@echo 'make bench [QUICK=1] [ONLY=...] [RUNS=N] [PEERS="name=path.so ..."]'
	@echo '                        installs other allocators, compares time and memory; build/bench/'
	@echo 'make golden-update      writes the fast paths'"'"' instruction counts anew'
	@echo 'make libs-VARIANT       the libraries of another build; VARIANT: $(variants)'
	@echo 'make {unit,stress,regression,clients}-VARIANT   its tests, built but not run'
	@echo 'Options: $(options); V=1 shows commands'
