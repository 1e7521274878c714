/*
 * serve: the life of one connection.
 */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include "resolve.h"

/*
 * Serves the connection on standard input and output until it ends.  false,
 * with errno, if one of the two is not open.
 */
bool serve(const struct site *site, const struct options *options);

/*
 * Reads one request, if the client sends one, and answers it with 503.  For
 * an operator's mistake that leaves nothing to serve.
 */
void serve_unavailable(const struct options *options);

#endif
