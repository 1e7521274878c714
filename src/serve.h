/*
 * serve: the loop of one connection.
 */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include "resolve.h"

/*
 * Serves the connection on standard input and output until it ends, in the
 * sandbox, and returns EX_OK.  Otherwise not a byte is read, a sentence says
 * why, and the result is EX_OSERR if one of the two is not open, or the sandbox
 * is required and not whole, or EX_CONFIG if standard input listens.
 */
int serve(const struct site *site, const struct options *options);

/*
 * Reads one request, if the client sends one, and answers it with 503, in a
 * sandbox without any file.  For an operator's mistake that leaves nothing to
 * serve.
 */
void serve_unavailable(const struct options *options);

#endif
