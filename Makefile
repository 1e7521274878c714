# httpd: an HTTP/1.1 file server for one connection.
#
#	make run            build, and serve files/ at http://localhost:8080/
#	make test           install what the tests need and run all of them
#
# CFLAGS and LDFLAGS are yours; what the project needs is apart from them.

VERSION = 0.1.0

prefix = /usr/local
exec_prefix = $(prefix)
sbindir = $(exec_prefix)/sbin
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
docdir = $(datarootdir)/doc/httpd
sysconfdir = /etc
unitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
DESTDIR =

# gcc or clang; musl (static, what is shipped) or glibc (to lean on neither).
CC = gcc
LIBC = musl
CFLAGS = -O2
LDFLAGS =
BUILD = build

PORT = 8080
ROOT = files

# The modules of httpd, in the order in which a request meets them.
MODULES = main options serve channel read parse target rules resolve types \
	decide respond log date text verdict

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wcast-qual -Wcast-align -Wpointer-arith -Wformat=2 -Wundef -Wvla \
	-Wwrite-strings -Wnull-dereference -Wdouble-promotion \
	-Wimplicit-fallthrough -Wswitch-enum -Werror
HARDENING = -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -fno-strict-overflow -fno-delete-null-pointer-checks
HARDENED_LINK = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

PROJECT_CFLAGS = -std=c17 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
	-DVERSION='"$(VERSION)"' -ffile-prefix-map=$(CURDIR)=. -MMD -MP \
	$(WARNINGS) $(HARDENING)

# Which files make musl, wherever the distribution keeps them.
MACHINE := $(shell $(CC) $(CFLAGS) -dumpmachine)
ARCH := $(firstword $(subst -, ,$(MACHINE)))
MULTIARCH := $(ARCH)-linux-gnu
MUSL_LIB := $(firstword $(patsubst %/rcrt1.o,%,$(wildcard \
	/usr/lib/$(ARCH)-linux-musl/rcrt1.o /usr/$(ARCH)-linux-musl/lib64/rcrt1.o \
	/usr/$(ARCH)-linux-musl/lib/rcrt1.o /usr/lib/musl/lib/rcrt1.o)))
MUSL_INCLUDE := $(firstword $(wildcard /usr/include/$(ARCH)-linux-musl \
	/usr/$(ARCH)-linux-musl/include /usr/lib/musl/include))

ifeq ($(LIBC)$(findstring musl,$(MACHINE)),musl)
# musl beside another libc: its headers, then the kernel's, which it lacks.
LIBC_CFLAGS = -nostdinc -isystem $(MUSL_INCLUDE) -idirafter /usr/include \
	-idirafter /usr/include/$(MULTIARCH)
LIBC_LINK = -nostdlib -nostartfiles $(MUSL_LIB)/$(MUSL_START) $(MUSL_LIB)/crti.o
LIBC_LINK_END = -L$(MUSL_LIB) -Wl,--start-group -lc -lgcc -Wl,--end-group \
	$(MUSL_LIB)/crtn.o
endif

PIE = yes
ifneq ($(LIBC),musl)
LINK_KIND = -pie
PIC = -fPIE
else ifeq ($(PIE),yes)
LINK_KIND = -static-pie
MUSL_START = rcrt1.o
PIC = -fPIE
else
LINK_KIND = -static
MUSL_START = crt1.o
PIC = -fno-pie -no-pie
endif

OBJECTS = $(MODULES:%=$(BUILD)/obj/%.o)

.PHONY: all
all: $(BUILD)/httpd $(BUILD)/from-listen-fds ## build the programs (default)

$(BUILD)/httpd: $(OBJECTS)
	$(if $(filter musl,$(LIBC)),$(if $(MUSL_LIB)$(findstring musl,$(MACHINE)),,\
		$(error musl for $(ARCH) was not found; run packaging/install-deps build)))
	$(CC) $(CFLAGS) $(LINK_KIND) $(HARDENED_LINK) -Wl,--build-id=none \
		$(LDFLAGS) -o $@ $(LIBC_LINK) $(OBJECTS) $(LIBC_LINK_END)

$(BUILD)/obj/%.o: src/%.c Makefile | $(BUILD)/obj
	$(CC) $(PROJECT_CFLAGS) $(LIBC_CFLAGS) $(PIC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

# The one program with a shared library: it is started where LISTEN_FDS is.
$(BUILD)/from-listen-fds: src/from-listen-fds.c Makefile | $(BUILD)/obj
	$(CC) $(PROJECT_CFLAGS) -MF $(BUILD)/obj/from-listen-fds.d -fPIE $(CFLAGS) \
		$(CPPFLAGS) -pie $(HARDENED_LINK) -Wl,--build-id=none $(LDFLAGS) \
		-o $@ $< -lsystemd

$(BUILD)/obj:
	mkdir -p $@

-include $(wildcard $(BUILD)/obj/*.d)
