/*
 * codings: which content coding a client wants.
 *
 * Accept-Encoding = #( codings [ weight ] )          RFC 9110 12.5.3
 * codings = content-coding / "identity" / "*"
 * A member that is malformed says nothing.
 */
#include "codings.h"

#include "grammar.h"

/* Weights in thousandths. */
#define Q_MAX 1000
#define Q_UNSET (-1)

static const struct {
	char name[12];
	char suffix[8];
} codings[] = {
	[CODING_BR] = { "br", ".br" },
	[CODING_ZSTD] = { "zstd", ".zst" },
	[CODING_GZIP] = { "gzip", ".gz" },
	[CODING_IDENTITY] = { "identity", "" },
};

struct slice
coding_name(enum coding coding)
{
	return slice_of(codings[coding].name);
}

const char *
coding_suffix(enum coding coding)
{
	return codings[coding].suffix;
}

/*
 * weight = OWS ";" OWS "q=" qvalue                   RFC 9110 12.4.2
 * qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
 * Takes what is behind the coding's name; Q_UNSET if it is malformed.
 */
static int
parse_weight(struct slice s)
{
	int q = 0, place = Q_MAX;

	s = slice_trim(s);
	if (s.len == 0)
		return Q_MAX;
	if (s.ptr[0] != ';')
		return Q_UNSET;
	s = slice_trim(slice_after(s, 1));
	if (s.len < 3 || s.len > 7 || ascii_lower(s.ptr[0]) != 'q' ||
	    s.ptr[1] != '=')
		return Q_UNSET;
	for (size_t i = 2; i < s.len; i++) {
		if (i == 3 ? s.ptr[i] != '.' : !is_digit(s.ptr[i]))
			return Q_UNSET;
		if (i != 3) {
			q += (s.ptr[i] - '0') * place;
			place /= 10;
		}
	}
	return q > Q_MAX ? Q_UNSET : q;
}

/* The index of a coding by its name; CODING_NONE if it is not known here. */
static unsigned
find_coding(struct slice name)
{
	if (slice_equal_nocase(name, SLICE("x-gzip")))
		return CODING_GZIP;
	for (unsigned i = 0; i < CODING_NONE; i++)
		if (slice_equal_nocase(name, coding_name((enum coding)i)))
			return i;
	return CODING_NONE;
}

static void
parse_member(struct slice member, int q[CODING_NONE], int *any_q)
{
	size_t len = 0;

	while (len < member.len && (is_token_byte(member.ptr[len])))
		len++;
	struct slice name = { member.ptr, len };
	int weight = parse_weight(slice_after(member, len));
	unsigned coding = find_coding(name);

	if (weight == Q_UNSET)
		return;
	if (slice_equal(name, SLICE("*")))
		*any_q = weight;
	else if (coding != CODING_NONE)
		q[coding] = weight;
}

unsigned
codings_choose(const struct request *r, unsigned available)
{
	int q[CODING_NONE] = { Q_UNSET, Q_UNSET, Q_UNSET, Q_UNSET };
	int any_q = Q_UNSET;
	struct slice rest = r->fields, value, member;

	if (r->occurs[FIELD_ACCEPT_ENCODING] == 0)
		return CODING_IDENTITY;
	while (request_next_field(&rest, FIELD_ACCEPT_ENCODING, &value))
		while (list_next(&value, &member))
			parse_member(member, q, &any_q);

	/*
	 * What is not named is as "*" says, else not acceptable; but identity
	 * is, below everything that is named.
	 */
	unsigned best = CODING_NONE;
	int best_q = 0;
	for (unsigned i = 0; i < CODING_NONE; i++) {
		int weight = q[i] != Q_UNSET ? q[i] : any_q;

		if (i != CODING_IDENTITY && (available & 1u << i) == 0)
			continue;
		if (weight > best_q) {
			best_q = weight;
			best = i;
		}
		if (i == CODING_IDENTITY && weight == Q_UNSET &&
		    best == CODING_NONE)
			best = CODING_IDENTITY;
	}
	return best;
}
