/*
 * codings: which of the stored codings an Accept-Encoding field asks for.
 *
 * Known fields by a table; then all combinations of weights for all that can
 * be named, against RFC 9110 12.5.3 put down here once more.
 */
#include "unit.h"

#include "codings.h"

/* A field that is not there, as opposed to one without a value. */
#define NO_FIELD NULL
#define AND "\r\nAccept-Encoding: "

/* `stored` is a letter each of br, zstd, gzip; `choice` a name or "none". */
static const struct row {
	const char *field, *stored, *choice;
} rows[] = {
	{ NO_FIELD, "bzg", "identity" },
	{ NO_FIELD, "", "identity" },
	{ "", "bzg", "identity" },
	{ "", "", "identity" },
	{ " ", "bzg", "identity" },
	{ ",", "bzg", "identity" },
	{ ", ,\t,", "bzg", "identity" },

	/* One name. */
	{ "br", "bzg", "br" },
	{ "zstd", "bzg", "zstd" },
	{ "gzip", "bzg", "gzip" },
	{ "identity", "bzg", "identity" },
	{ "br", "zg", "identity" },
	{ "zstd", "bg", "identity" },
	{ "gzip", "bz", "identity" },
	{ "gzip", "", "identity" },
	{ "deflate", "bzg", "identity" },
	{ "compress", "bzg", "identity" },
	{ "x-compress", "bzg", "identity" },

	/* Names as they are written. */
	{ "GZIP", "bzg", "gzip" },
	{ "gZiP", "bzg", "gzip" },
	{ "BR", "bzg", "br" },
	{ "Zstd", "bzg", "zstd" },
	{ "IDENTITY;Q=0", "", "none" },
	{ "x-gzip", "bzg", "gzip" },
	{ "X-GZIP", "bzg", "gzip" },
	{ "x-gzip;q=0", "g", "identity" },
	{ "x-br", "b", "identity" },
	{ "gzipp", "g", "identity" },
	{ "gzi", "g", "identity" },
	{ "br-", "b", "identity" },
	{ "g zip", "g", "identity" },
	{ "\"gzip\"", "g", "identity" },
	{ "b\xC3\xA9", "b", "identity" },

	/* What is preferred where the client does not mind. */
	{ "gzip, deflate, br, zstd", "bzg", "br" },
	{ "gzip, deflate, br, zstd", "zg", "zstd" },
	{ "gzip, deflate, br, zstd", "g", "gzip" },
	{ "gzip, deflate, br, zstd", "", "identity" },
	{ "gzip, deflate", "bzg", "gzip" },
	{ "zstd, gzip", "bzg", "zstd" },
	{ "gzip,br", "bg", "br" },
	{ "identity, gzip", "g", "gzip" },
	{ "gzip, identity", "bzg", "gzip" },
	{ ",gzip,,br,", "bg", "br" },
	{ "\tgzip\t,\tbr\t", "bg", "br" },

	/* Weights. */
	{ "br;q=0.5, gzip", "bg", "gzip" },
	{ "br;q=0.5, gzip;q=0.4", "bg", "br" },
	{ "br;q=0.5, gzip;q=0.5", "bg", "br" },
	{ "br;q=0.001, gzip;q=0.002", "bg", "gzip" },
	{ "br;q=0.1, gzip;q=0.09", "bg", "br" },
	{ "br;q=0.9, gzip;q=1.0", "bg", "gzip" },
	{ "br;q=0.999, gzip;q=1", "bg", "gzip" },
	{ "br;q=0.5", "b", "br" },
	{ "br;q=0.001", "b", "br" },
	{ "br;q=0.5, identity", "b", "identity" },
	{ "br;q=0.5, identity;q=0.5", "b", "br" },
	{ "br;q=0.5, identity;q=0.6", "b", "identity" },
	{ "br;q=0.6, identity;q=0.5", "b", "br" },
	{ "br;q=0.5, identity;q=0", "b", "br" },
	{ "gzip;q=1.0, identity; q=0.5, *;q=0", "bzg", "gzip" },
	{ "gzip;q=1.0, identity; q=0.5, *;q=0", "bz", "identity" },

	/* A weight of 0. */
	{ "br;q=0", "b", "identity" },
	{ "br;q=0.0", "b", "identity" },
	{ "br;q=0.00", "b", "identity" },
	{ "br;q=0.000", "b", "identity" },
	{ "br;q=0.", "b", "identity" },
	{ "br;q=0, gzip", "bg", "gzip" },
	{ "br;q=0, *", "bg", "gzip" },
	{ "br;q=0, zstd;q=0, gzip;q=0", "bzg", "identity" },
	{ "identity;q=0", "", "none" },
	{ "identity;q=0", "bzg", "none" },
	{ "identity;q=0, br", "bzg", "br" },
	{ "identity;q=0, br", "zg", "none" },
	{ "identity;q=0, *", "g", "gzip" },
	{ "identity;q=0, *", "", "none" },
	{ "identity;q=0.000, gzip;q=0.001", "g", "gzip" },
	{ "identity;q=0, gzip;q=0", "g", "none" },

	/* Whatever is not named. */
	{ "*", "bzg", "br" },
	{ "*", "g", "gzip" },
	{ "*", "", "identity" },
	{ "*;q=0.5", "bzg", "br" },
	{ "*;q=0.5, gzip", "bzg", "gzip" },
	{ "*;q=0.5, gzip;q=0.4", "bzg", "br" },
	{ "*;q=0.5, gzip;q=0.4", "g", "identity" },
	{ "*;q=0.5, identity", "bzg", "identity" },
	{ "*;q=0.5, identity;q=0.4", "bzg", "br" },
	{ "*;q=0", "", "none" },
	{ "*;q=0", "bzg", "none" },
	{ "*;q=0, identity", "bzg", "identity" },
	{ "*;q=0, identity;q=0.001", "bzg", "identity" },
	{ "*;q=0, gzip", "bzg", "gzip" },
	{ "*;q=0, gzip", "bz", "none" },
	{ "gzip, *;q=0", "bz", "none" },
	{ "identity, *;q=0", "bz", "identity" },
	{ "**", "b", "identity" },

	/* Weights as they are written. */
	{ "br;q=1", "b", "br" },
	{ "br;q=1.", "b", "br" },
	{ "br;q=1.0", "b", "br" },
	{ "br;q=1.000", "b", "br" },
	{ "br;Q=0", "b", "identity" },
	{ "br;Q=0, *", "b", "identity" },
	{ "br ; q=0, *", "b", "identity" },
	{ "br\t;\tq=0 , *", "b", "identity" },

	/* A member that is malformed says nothing. */
	{ "br;", "b", "identity" },
	{ "br;q", "b", "identity" },
	{ "br;q=", "b", "identity" },
	{ "br;q=2", "b", "identity" },
	{ "br;q=1.001", "b", "identity" },
	{ "br;q=1.1", "b", "identity" },
	{ "br;q=9.999", "b", "identity" },
	{ "br;q=0.1234", "b", "identity" },
	{ "br;q=1.0000", "b", "identity" },
	{ "br;q=00", "b", "identity" },
	{ "br;q=01", "b", "identity" },
	{ "br;q=.5", "b", "identity" },
	{ "br;q=0,5", "b", "identity" },
	{ "br;q=0.-1", "b", "identity" },
	{ "br;q=-1", "b", "identity" },
	{ "br;q=+1", "b", "identity" },
	{ "br;q=x", "b", "identity" },
	{ "br;q=0.x", "b", "identity" },
	{ "br;q=\"1\"", "b", "identity" },
	{ "br;q=1;q=1", "b", "identity" },
	{ "br;q=1;x=y", "b", "identity" },
	{ "br;x=y", "b", "identity" },
	{ "br;q =1", "b", "identity" },
	{ "br;q= 1", "b", "identity" },
	{ "br q=1", "b", "identity" },
	{ "br=1", "b", "identity" },
	{ ";q=1", "b", "identity" },
	{ ";q=0", "b", "identity" },
	{ "identity;q=0x, gzip;q=0.5", "", "identity" },
	{ "br;q=2, gzip", "bg", "gzip" },
	{ "*;q=2, gzip", "bg", "gzip" },
	{ "*;q=, identity;q=0", "bg", "none" },

	/* Several lines. */
	{ "gzip" AND "br", "bg", "br" },
	{ "gzip;q=0.5" AND "br;q=0.4", "bg", "gzip" },
	{ "" AND "gzip", "g", "gzip" },
	{ "gzip" AND "", "g", "gzip" },
	{ "identity;q=0" AND "*;q=0", "bg", "none" },
	{ "gzip" AND "identity;q=0" AND "br;q=0", "bz", "none" },
	{ "br;q=x" AND "gzip", "bg", "gzip" },
	{ "*;q=0" AND "identity", "bzg", "identity" },

	/* What browsers and others send. */
	{ "gzip, deflate, br, zstd", "bg", "br" },
	{ "identity;q=1, *;q=0", "bzg", "identity" },
	{ "gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "bzg", "gzip" },
	{ "gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "bz", "identity" },
	{ "compress;q=0.5, gzip;q=1.0", "bzg", "gzip" },
};

/* The bits of codings by their letters. */
static unsigned
bits_of(const char *stored)
{
	unsigned bits = 0;

	for (; *stored != '\0'; stored++)
		bits |= *stored == 'b' ? 1u << CODING_BR :
		    *stored == 'z'     ? 1u << CODING_ZSTD :
					 1u << CODING_GZIP;
	return bits;
}

static const char *
name_of(unsigned coding)
{
	static char name[16];
	struct slice s;

	if (coding >= CODING_NONE)
		return "none";
	s = coding_name((enum coding)coding);
	snprintf(name, sizeof(name), "%.*s", (int)s.len, s.ptr);
	return name;
}

/* The choice for a field, whose lines end at a page that cannot be touched. */
static unsigned
choose(const char *field, enum unit_side side, unsigned bits)
{
	char head[1024];
	struct request r;

	int len = snprintf(head, sizeof(head),
	    "GET / HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n",
	    field == NULL ? "" : "Accept-Encoding: ",
	    field == NULL ? "" : field, field == NULL ? "" : "\r\n");
	unit_need(len > 0 && (size_t)len < sizeof(head),
	    "the row is too long for the test");
	struct slice s = { head, (size_t)len };
	unit_string("request", "proceed",
	    verdict_token(parse_request(unit_place(side, s), &r)));
	return codings_choose(&r, bits);
}

static void
check_names(void)
{
	static const struct {
		enum coding coding;
		const char *name, *suffix;
	} names[] = {
		{ CODING_BR, "br", ".br" },
		{ CODING_ZSTD, "zstd", ".zst" },
		{ CODING_GZIP, "gzip", ".gz" },
		{ CODING_IDENTITY, "identity", "" },
	};

	for (size_t i = 0; i < UNIT_COUNT(names); i++) {
		unit_begin(names[i].name);
		unit_slice("name", slice_of(names[i].name),
		    coding_name(names[i].coding));
		unit_string(
		    "suffix", names[i].suffix, coding_suffix(names[i].coding));
	}
	unit_number("codings that are stored", CODING_IDENTITY, CODINGS_STORED);
}

/* What can be named, "*" last. */
enum { ANY = CODING_NONE, NAMES };
enum { UNNAMED = -1 };

/*
 * RFC 9110 12.5.3, rule by rule.  A coding is acceptable if it is named with a
 * weight above 0, or not named but matched by a "*" with one; identity also
 * where neither names it.  Of those that are there the highest weight wins,
 * and the order of `enum coding` among equals; identity that nothing names
 * comes last.
 */
static unsigned
reference(const int weight[NAMES], unsigned bits)
{
	unsigned best = CODING_NONE;
	int best_weight = 0;

	for (unsigned i = 0; i < CODING_IDENTITY; i++) {
		int w = weight[i] == UNNAMED ? weight[ANY] : weight[i];

		if ((bits >> i & 1) == 0 || w == UNNAMED || w == 0)
			continue;
		if (w > best_weight) {
			best = i;
			best_weight = w;
		}
	}
	if (weight[CODING_IDENTITY] == UNNAMED && weight[ANY] == UNNAMED)
		return best == CODING_NONE ? CODING_IDENTITY : best;
	int identity = weight[CODING_IDENTITY] == UNNAMED ?
	    weight[ANY] :
	    weight[CODING_IDENTITY];
	return identity > best_weight ? CODING_IDENTITY : best;
}

/* Appends a name and its weight; nothing where the name is not to be there. */
static void
add_member(
    struct text *t, const char *behind, const char *name, const char *weight)
{
	if (weight == NULL)
		return;
	text_add(t, slice_of(name));
	text_add(t, slice_of(weight));
	text_add(t, slice_of(behind));
}

/* Every combination of weights, of codings that are there, and two orders. */
static void
check_all(void)
{
	static const char *const names[NAMES] = { "br", "zstd", "gzip",
		"identity", "*" };
	static const struct {
		int weight;
		const char *text;
	} weights[] = { { UNNAMED, NULL }, { 0, ";q=0" }, { 500, ";q=0.5" },
		{ 501, " ; Q=0.501" }, { 1000, "" } };
	size_t combinations = 1;

	unit_begin("all combinations of weights");
	for (size_t i = 0; i < NAMES; i++)
		combinations *= UNIT_COUNT(weights);
	for (size_t n = 0; n < combinations; n++) {
		char forward[256], backward[256], both[300];
		struct text f = { .ptr = forward, .cap = sizeof(forward) - 1 };
		struct text b = { .ptr = backward,
			.cap = sizeof(backward) - 1 };
		int weight[NAMES];
		size_t rest = n;

		for (size_t i = 0; i < NAMES; i++) {
			weight[i] = weights[rest % UNIT_COUNT(weights)].weight;
			add_member(&f, ",", names[i],
			    weights[rest % UNIT_COUNT(weights)].text);
			rest /= UNIT_COUNT(weights);
		}
		/* The same in several lines, and in the other order. */
		for (size_t i = NAMES; i-- > 0;)
			for (size_t k = 0; k < UNIT_COUNT(weights); k++)
				if (weights[k].weight == weight[i])
					add_member(
					    &b, AND, names[i], weights[k].text);
		unit_need(!f.overflowed && !b.overflowed,
		    "the field is too long for the test");
		forward[f.len] = backward[b.len] = '\0';
		for (unsigned bits = 0; bits < 1u << CODINGS_STORED; bits++) {
			unsigned wanted = reference(weight, bits);

			for (int side = 0; side < UNIT_SIDES; side++) {
				const char *field =
				    side == 0 ? forward : backward;
				unsigned got =
				    choose(field, (enum unit_side)side, bits);

				if (got == wanted) {
					unit.checks++;
					continue;
				}
				snprintf(both, sizeof(both), "%s of %u", field,
				    bits);
				char name[16];
				snprintf(
				    name, sizeof(name), "%s", name_of(wanted));
				unit_string(both, name, name_of(got));
			}
		}
	}
}

int
main(void)
{
	unit_table("codings");
	unit_at_least("rows of the table", 80, UNIT_COUNT(rows));
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].field == NULL ? "no field" : rows[i].field);
		for (int side = 0; side < UNIT_SIDES; side++)
			unit_string(rows[i].stored, rows[i].choice,
			    name_of(choose(rows[i].field, (enum unit_side)side,
				bits_of(rows[i].stored))));
	}
	check_names();
	check_all();
	return unit_end();
}
