/*
 * serve: the life of one connection.
 */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include "resolve.h"

/*
 * Serves the connection on standard input and output until it ends, in the
 * sandbox.  false, with a sentence for the operator, and not a byte read, if
 * one of the two is not open, or the sandbox is required and not whole.
 */
bool serve(const struct site *site, const struct options *options);

/*
 * Reads one request, if the client sends one, and answers it with 503, in a
 * sandbox without any file.  For an operator's mistake that leaves nothing to
 * serve.
 */
void serve_unavailable(const struct options *options);

#endif
