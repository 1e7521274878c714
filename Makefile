# httpd: an HTTP/1.1 file server for one connection.
#
#	make run            build, and serve files/ at http://localhost:8080/
#	make test           install what the tests need and run all of them
#
# CFLAGS and LDFLAGS are yours; what the project needs is apart from them.

VERSION = 0.1.0

# What httpd is installed as, where another program has that name.
NAME = httpd

prefix = /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
sbindir = $(exec_prefix)/sbin
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
docdir = $(datarootdir)/doc/$(NAME)
sysconfdir = /etc
unitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
DESTDIR =

# gcc or clang; musl (static, what is shipped) or glibc (to lean on neither).
CC = gcc
LIBC = musl
CFLAGS ?= -O2
LDFLAGS ?=
BUILD = build

PORT = 8080
ROOT = files

# A word for the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'

# The modules of httpd, in the order in which a request meets them.
# serve comes before arguments, so that its memory comes first (src/large.h).
MODULES = httpd serve arguments options start descriptors user sandbox connection \
	read ip-literal request-line parse content target rules redirects codings \
	cache beneath resolve types file-times conditions ranges decide respond \
	transfer access log date text verdict

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wcast-qual -Wcast-align -Wpointer-arith -Wformat=2 -Wundef -Wvla \
	-Wwrite-strings -Wnull-dereference -Wdouble-promotion \
	-Wimplicit-fallthrough -Wswitch-enum $(WERROR)
WERROR = -Werror
HARDENING = -fstack-protector-strong -fstack-clash-protection \
	$(if $(filter x86_64 i%86,$(ARCH)),-fcf-protection) \
	-fno-strict-overflow -fno-delete-null-pointer-checks
HARDENED_LINK = -Wl,-z,now -Wl,-z,noexecstack -Wl,--build-id=none
# A static musl program never makes its relocated data read-only: there is no
# loader to do it.  Asking for it would only spread the data over more pages.
RELRO = -Wl,-z,relro

PROJECT_CFLAGS = -std=c17 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
	-DVERSION='"$(VERSION)"' -ffile-prefix-map=$(call quote,$(CURDIR))=. -MMD -MP \
	$(WARNINGS) $(HARDENING)

# Which files make musl, wherever the distribution keeps them.
MACHINE := $(shell $(CC) $(CFLAGS) -dumpmachine 2>/dev/null)
ARCH := $(firstword $(subst -, ,$(MACHINE)))
MULTIARCH := $(or $(shell $(CC) $(CFLAGS) -print-multiarch 2>/dev/null),$(ARCH)-linux-gnu)
MUSL_MULTIARCH := $(subst gnu,musl,$(MULTIARCH))
MUSL_LIB := $(firstword $(patsubst %/rcrt1.o,%,$(wildcard \
	/usr/lib/$(MUSL_MULTIARCH)/rcrt1.o /usr/$(ARCH)-linux-musl/lib64/rcrt1.o \
	/usr/$(ARCH)-linux-musl/lib/rcrt1.o /usr/lib/musl/lib/rcrt1.o)))
MUSL_INCLUDE := $(firstword $(wildcard /usr/include/$(MUSL_MULTIARCH) \
	/usr/$(ARCH)-linux-musl/include /usr/lib/musl/include))

ifeq ($(LIBC)$(findstring musl,$(MACHINE)),musl)
# musl beside another libc: its headers, then the kernel's, which it lacks.
LIBC_CFLAGS = -nostdinc -isystem $(MUSL_INCLUDE) -idirafter /usr/include \
	-idirafter /usr/include/$(MULTIARCH)
LIBC_LINK = -nostdlib -nostartfiles $(MUSL_LIB)/$(MUSL_START) $(MUSL_LIB)/crti.o
LIBC_LINK_END = -L$(MUSL_LIB) -Wl,--start-group -lc -lgcc -Wl,--end-group \
	$(MUSL_LIB)/crtn.o
endif

# Every mapping, and every sixteen pages of one that are touched, cost a start
# 2 us and more: constants lie with the code, and what nobody calls is left out.
SMALL = -Wl,-z,noseparate-code -Wl,--gc-sections
SMALL_CFLAGS = -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables

PIE = yes
ifneq ($(LIBC),musl)
LINK_KIND = -pie $(RELRO)
PIC = -fPIE
else ifeq ($(PIE),yes)
LINK_KIND = -static-pie -Wl,-z,norelro $(SMALL) -Wl,--undefined=data_page
DATA_PAGE = $(BUILD)/obj/data-page.o
MUSL_START = rcrt1.o
PIC = -fPIE $(SMALL_CFLAGS)
else
LINK_KIND = -static -Wl,-z,norelro $(SMALL)
MUSL_START = crt1.o
PIC = -fno-pie $(SMALL_CFLAGS)
endif

OBJECTS = $(MODULES:%=$(BUILD)/obj/%.o)
# upper is the same but for HTTP.
UPPER_MODULES = upper arguments start descriptors user sandbox connection log text
UPPER_OBJECTS = $(UPPER_MODULES:%=$(BUILD)/obj/%.o)

# V=1 shows the commands, make -s nothing.
V = 0
SILENT = $(findstring s,$(firstword -$(MAKEFLAGS)))
Q = $(if $(filter 0,$(V)),@)
SAY = @$(if $(filter 0,$(V)$(SILENT)),printf '  %-5s %s\n',:)

# from-listen-fds is for systemd's sake: without libsystemd it has no use.
HAVE_SYSTEMD := $(shell pkg-config --exists libsystemd 2>/dev/null && echo yes)
# httpd-precompress leaves compression to libraries; zopfli only makes gzip
# smaller.
CODERS = libbrotlienc libbrotlidec libzstd zlib
HAVE_CODERS := $(shell pkg-config --exists $(CODERS) 2>/dev/null && echo yes)
HAVE_ZOPFLI := $(shell printf '\043include <zopfli/zopfli.h>\n' | \
	$(CC) $(CFLAGS) -E - >/dev/null 2>&1 && echo yes)
PROGRAMS = $(BUILD)/httpd $(BUILD)/upper $(BUILD)/upper-client \
	$(if $(HAVE_SYSTEMD),$(BUILD)/from-listen-fds) \
	$(if $(HAVE_CODERS),$(BUILD)/httpd-precompress)

.PHONY: all
all: $(PROGRAMS) ## build the programs (default)
	@$(if $(HAVE_SYSTEMD),:,echo \
		'libsystemd was not found: from-listen-fds is left out')
	@$(if $(HAVE_CODERS),:,echo \
		'libbrotli, libzstd or zlib was not found: httpd-precompress is left out')

$(BUILD)/httpd: $(DATA_PAGE) $(OBJECTS)
$(BUILD)/upper: $(DATA_PAGE) $(UPPER_OBJECTS)
$(BUILD)/httpd $(BUILD)/upper:
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK_KIND) $(HARDENED_LINK) $(LDFLAGS) -o $@ \
		$(LIBC_LINK) $^ $(LIBC_LINK_END)

# What stops a build that has no compiler: one sentence.
NEEDS_CC = $(if $(MACHINE),,$(error $(CC) was not found; run packaging/install-deps build))

$(BUILD)/obj/%.o: src/%.c Makefile | $(BUILD)/obj
	$(NEEDS_CC)
	$(if $(filter musl,$(LIBC)),$(if $(MUSL_LIB)$(findstring musl,$(MACHINE)),,\
		$(error musl for $(ARCH) was not found; run packaging/install-deps build)))
	$(SAY) CC $<
	$(Q)$(CC) $(PROJECT_CFLAGS) $(LIBC_CFLAGS) $(PIC) $(CPPFLAGS) $(CFLAGS) \
		-c -o $@ $<

$(BUILD)/obj/%.o: src/%.S Makefile | $(BUILD)/obj
	$(NEEDS_CC)
	$(SAY) AS $<
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

# Three programs are for the host, with its C library: from-listen-fds needs
# libsystemd, httpd-precompress the libraries of the codings, and upper-client
# looks up names as everything on the host does.
HOST_PROGRAMS = $(BUILD)/from-listen-fds $(BUILD)/upper-client \
	$(BUILD)/httpd-precompress
$(BUILD)/from-listen-fds: $(patsubst %,$(BUILD)/host/%.o,from-listen-fds descriptors)
$(BUILD)/from-listen-fds: LIBRARIES = -lsystemd
$(BUILD)/upper-client: $(patsubst %,$(BUILD)/host/%.o,upper-client arguments text)
PRECOMPRESS_MODULES = $(addprefix precompress/,httpd-precompress scan variant \
	notes worker compress) file-times codings parse request-line ip-literal text
$(BUILD)/httpd-precompress: $(PRECOMPRESS_MODULES:%=$(BUILD)/host/%.o)
$(BUILD)/httpd-precompress: LIBRARIES = $(shell pkg-config --libs $(CODERS)) \
	$(if $(HAVE_ZOPFLI),-lzopfli -lm)
$(BUILD)/host/precompress/compress.o: HOST_CPPFLAGS = $(if $(HAVE_ZOPFLI),-DHAVE_ZOPFLI)
$(HOST_PROGRAMS):
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) -pie $(RELRO) $(HARDENED_LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) \
		$(LIBRARIES)

$(BUILD)/host/%.o: src/%.c Makefile | $(BUILD)/host/precompress
	$(NEEDS_CC)
	$(SAY) CC $<
	$(Q)$(CC) $(PROJECT_CFLAGS) -fPIE -D_FORTIFY_SOURCE=2 $(HOST_CPPFLAGS) \
		$(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/obj $(BUILD)/host/precompress:
	$(Q)mkdir -p $@

-include $(wildcard $(BUILD)/obj/*.d $(BUILD)/host/*.d $(BUILD)/host/*/*.d)

.PHONY: run
run: ## build, and serve ROOT at http://localhost:PORT/ until interrupted
	@packaging/install-deps run
	@$(MAKE) --no-print-directory all
	@packaging/serve $(BUILD)/httpd $(call quote,$(PORT)) $(call quote,$(ROOT))

TREE =
.PHONY: precompress
precompress: ## write precompressed variants of the files in TREE
	@packaging/install-deps build
	@$(MAKE) --no-print-directory -s $(BUILD)/httpd-precompress
	@$(BUILD)/httpd-precompress $(call quote,$(TREE))

.PHONY: test
test: ## install what the tests need, build, and run every test
	@packaging/install-deps test
	@$(MAKE) --no-print-directory check

.PHONY: check
check: all variants ## run every test with what is installed
	@test/run

# What the tests look at beside the program as it is shipped.
# What nobody has set is no zero there.
ASAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-ftrivial-auto-var-init=pattern
.PHONY: variants
variants: units $(BUILD)/tools/forward
	@$(MAKE) --no-print-directory all BUILD=build/asan LIBC=glibc CFLAGS='$(ASAN)'
	@$(MAKE) --no-print-directory build/i386/httpd build/i386/upper \
		build/i386/upper-client build/i386/unit/sandbox \
		BUILD=build/i386 LIBC=glibc CFLAGS='-O2 -m32'
	@$(MAKE) --no-print-directory build/clang/httpd build/clang/upper \
		build/clang/upper-client BUILD=build/clang CC=clang

.PHONY: static
static: ## what gcc's and clang's analysers, cppcheck and shellcheck find
	@packaging/install-deps test
	@test/static/check

# For who compiles by himself, as an analyser does.
.PHONY: flags
flags:
	@printf '%s\n' $(filter-out -MMD -MP,$(PROJECT_CFLAGS)) $(LIBC_CFLAGS)

# The unit tests, each with all of the program but its main.
UNIT_SOURCES = $(wildcard test/unit/*.c)
.PHONY: units
units: ## build the unit tests
	@$(MAKE) --no-print-directory unit-programs
	@$(MAKE) --no-print-directory unit-programs BUILD=build/asan LIBC=glibc \
		CFLAGS='$(ASAN)'

.PHONY: unit-programs
unit-programs: $(UNIT_SOURCES:test/unit/%.c=$(BUILD)/unit/%)

$(BUILD)/unit/%: test/unit/%.c $(wildcard test/unit/*.h) \
		$(filter-out %/httpd.o,$(OBJECTS))
	$(SAY) UNIT $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(PROJECT_CFLAGS)) $(LIBC_CFLAGS) $(PIC) -Isrc \
		$(CPPFLAGS) $(CFLAGS) $(LINK_KIND) -o $@ $(LIBC_LINK) $< \
		$(filter %.o,$^) $(LIBC_LINK_END)

# What the suite of faults runs the program under.
$(BUILD)/tools/faults: $(wildcard test/tools/faults*.[ch])
	$(SAY) TOOL $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(WARNINGS) $(CFLAGS) -o $@ $(filter %.c,$^)

# The wire of the laboratory.
$(BUILD)/tools/forward: test/wire/forward.c
	$(SAY) TOOL $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -o $@ $<

.PHONY: fuzz
TIME = 60
fuzz: ## fuzz every stage and the whole connection, TIME seconds in all
	@packaging/install-deps test
	@TIME=$(call quote,$(TIME)) test/fuzz/run

.PHONY: test-systemd
SUITE =
test-systemd: all ## the units under real systemd; SUITE=trixie: Debian 13's
	@test/systemd/run $(SUITE)

.PHONY: lab
RUNS = 1
lab: ## capture the lessons on TCP, RUNS times, for build/lab/; wants root
	@packaging/install-deps test
	@$(MAKE) --no-print-directory all $(BUILD)/tools/forward
	@test/wire/lab --runs $(call quote,$(RUNS))

.PHONY: bench
BENCH =
bench: ## beside its peers, for build/bench/, 40 minutes; BENCH: options
	@packaging/install-deps bench
	@$(MAKE) --no-print-directory all
	@test/bench/bench $(BENCH)

.PHONY: bench-smoke
bench-smoke: ## the same with tiny numbers: whether the harness works
	@packaging/install-deps bench
	@$(MAKE) --no-print-directory all
	@test/bench/bench --smoke --out=$(BUILD)/bench/smoke

.PHONY: bench-quick
bench-quick: ## the figures beside nginx and a constant answer, two minutes
	@packaging/install-deps bench
	@$(MAKE) --no-print-directory all
	@test/bench/quick

.PHONY: bench-load
bench-load: ## ten thousand connections, a million requests; wants root
	@packaging/install-deps bench
	@$(MAKE) --no-print-directory all
	@test/bench/load

.PHONY: bench-units
bench-units: ## the price of each directive of a unit, twenty minutes
	@packaging/install-deps test
	@$(MAKE) --no-print-directory all
	@test/bench/units

# packaging/install has the table of what goes where.
INSTALL_VARIABLES = NAME DESTDIR BUILD bindir sbindir datadir mandir docdir \
	sysconfdir unitdir sysusersdir
RUN_INSTALL = env $(foreach v,$(INSTALL_VARIABLES),$(v)=$(call quote,$($(v)))) \
	packaging/install

.PHONY: install
install: all ## install below DESTDIR and prefix; NAME= renames httpd
	@$(RUN_INSTALL)

.PHONY: uninstall
uninstall: ## stop the sockets, and remove what install put there
	@$(RUN_INSTALL) --uninstall

.PHONY: format
format: ## lay out the C code by .clang-format
	clang-format -i src/*.[ch] src/*/*.[ch] $(wildcard test/*/*.[ch])

.PHONY: dist
dist: ## the source, as build/httpd-VERSION.tar.gz
	@mkdir -p build
	git archive --format=tar.gz --prefix=httpd-$(VERSION)/ \
		-o build/httpd-$(VERSION).tar.gz HEAD

.PHONY: deb
deb: ## the Debian package, in build/deb/
	@packaging/build-deb

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

.PHONY: help
help: ## show this
	@printf 'Targets:\n'
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | \
		awk -F '\t' '{ printf "  %-14s%s\n", $$1, $$2 }'
	@printf 'Variables: PORT ROOT (run); TREE (precompress); NAME prefix DESTDIR\n'
	@printf '(install); CC LIBC CFLAGS LDFLAGS BUILD PIE V (build); SUITE (test-systemd);\n'
	@printf 'BENCH (options of test/bench/bench)\n'
