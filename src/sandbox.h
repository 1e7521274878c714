/*
 * sandbox: what the process gives up before it reads the first byte.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

/* What the sandbox is to the operator, in the order of --sandbox. */
enum sandbox_mode {
	SANDBOX_AUTO, /* as much of it as the kernel has */
	SANDBOX_REQUIRE, /* all of it, or nothing is served */
	SANDBOX_OFF,
};

/* In the order in which they are entered. */
enum sandbox_layer {
	LAYER_LIMITS, /* setrlimit(2) */
	LAYER_CAPABILITIES, /* capset(2) */
	LAYER_PRIVILEGES, /* no_new_privs, and nobody may trace the process */
	LAYER_FILES, /* landlock(7) */
	LAYER_CALLS, /* seccomp(2) */
	LAYERS,
};

/* What the process is to have in the sandbox. */
struct sandbox_needs {
	int root; /* the directory whose files it reads; -1: none */
	int max_age_ms; /* of the connection; 0: it is not bounded */
};

/*
 * Enters every layer that the kernel has.  From then on the process can read
 * the files beneath the root, as its user may without capabilities, and use the
 * descriptors that are open.  It can change the state of standard input and
 * output, which have to be the connection, and of no other descriptor.  A
 * system call that the request path does not make kills it.
 * Of other files it could still ask names, sizes and dates, as its user may:
 * landlock does not hold that.  What the request path leans on must be open
 * before: the connection, and where the log goes.
 *
 * ret_errors[layer] is 0, or the errno value with which the kernel refused
 * that layer: the others hold all the same.
 */
void sandbox_enter(const struct sandbox_needs *needs, int ret_errors[LAYERS]);

/* The name of a layer, for the operator. */
const char *sandbox_layer_name(enum sandbox_layer layer);

#endif
