/*
 * Verdicts: what a stage makes of a request.  PROCEED hands it to the next
 * stage; any other verdict is the answer.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>

enum verdict {
#define VERDICT(name, status, framing, token) name,
#include "verdicts.def"
#undef VERDICT
};

/* The status code of the verdict's answer, 0 where the verdict has none. */
int verdict_status(enum verdict v);

/* Whether the next request can still be found on the connection. */
bool verdict_framing_intact(enum verdict v);

/* The verdict's name in the access log. */
const char *verdict_token(enum verdict v);

#endif
