/*
 * The table of verdicts.  Its rows hold their text in place: a table of
 * pointers would need relocating at every start of a position-independent
 * program.
 */
#include "verdict.h"

enum framing { INTACT, BROKEN };

#define TOKEN_MAX 27
#define VERDICT(name, status, framing, token) \
	_Static_assert(sizeof(token) <= TOKEN_MAX + 1, token " is too long");
#include "verdicts.def"
#undef VERDICT

static const struct {
	short status;
	char framing;
	char token[TOKEN_MAX + 1];
} verdicts[] = {
#define VERDICT(name, status, framing, token) \
	[name] = { status, framing, token },
#include "verdicts.def"
#undef VERDICT
};

int
verdict_status(enum verdict v)
{
	return verdicts[v].status;
}

bool
verdict_framing_intact(enum verdict v)
{
	return verdicts[v].framing == INTACT;
}

const char *
verdict_token(enum verdict v)
{
	return verdicts[v].token;
}
