/*
 * conditions: validators, and the requests that depend on them.
 */
#include "conditions.h"

#include "date.h"
#include "insist.h"
#include "text.h"

#define NS_A_SECOND UINT64_C(1000000000)

/* Image builders and package stores date files 0 or 1. */
#define DATE_UNKNOWN_MAX 1

static void
add_time(struct text *t, int64_t seconds, uint32_t ns)
{
	text_add_char(t, '-');
	text_add_hex(t, (uint64_t)seconds * NS_A_SECOND + ns);
}

void
validators_of_file(const struct file_facts *f, enum coding coding,
    bool portable, const struct timespec *now,
    struct validators *ret_validators)
{
	struct validators *v = ret_validators;
	struct text t = TEXT_IN(v->tag);
	bool dated = f->modified > DATE_UNKNOWN_MAX;
	bool has_tag = dated || !portable;
	bool date_is_settled =
	    change_is_settled(f->modified, f->modified_ns, now);
	bool change_settled = change_is_settled(f->changed, f->changed_ns, now);

	v->modified = -1;
	v->modified_is_strong = date_is_settled && change_settled;
	v->is_unsettled = has_tag &&
	    (!change_settled ||
		(!date_is_settled && f->modified <= now->tv_sec));
	/* RFC 9110 8.8.2.1: never later than the answer's own date. */
	if (dated && date_is_writable(f->modified) &&
	    date_is_writable(now->tv_sec))
		v->modified =
		    f->modified < now->tv_sec ? f->modified : now->tv_sec;

	if (has_tag && !v->is_unsettled) {
		text_add_char(&t, '"');
		if (!portable) {
			text_add_hex(&t, f->inode);
			text_add_char(&t, '-');
		}
		text_add_hex(&t, f->size);
		add_time(&t, f->modified, f->modified_ns);
		if (!portable)
			add_time(&t, f->changed, f->changed_ns);
		/* RFC 9110 8.8.3.3: each coding has a tag of its own. */
		if (coding != CODING_IDENTITY) {
			text_add_char(&t, '-');
			text_add(&t, coding_name(coding));
		}
		text_add_char(&t, '"');
	}
	insist(!t.overflowed);
	v->tag_len = t.len;
}

/*
 * entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE         RFC 9110 8.8.3
 * Takes one from the start of *s: false if there is none.
 */
static bool
take_tag(struct slice *s, bool *ret_weak, struct slice *ret_tag)
{
	*ret_weak = s->len >= 2 && s->ptr[0] == 'W' && s->ptr[1] == '/';
	if (*ret_weak)
		*s = slice_after(*s, 2);
	if (s->len < 2 || s->ptr[0] != '"')
		return false;

	const char *end = memchr(s->ptr + 1, '"', s->len - 1);
	if (end == NULL)
		return false;
	*ret_tag = (struct slice){ s->ptr, (size_t)(end - s->ptr) + 1 };
	*s = slice_after(*s, ret_tag->len);
	return true;
}

/* Weak comparison looks at the opaque tags only (RFC 9110 8.8.3.2). */
static bool
tag_matches(
    const struct validators *v, bool strongly, bool weak, struct slice tag)
{
	return v->tag_len > 0 &&
	    slice_equal(tag, (struct slice){ v->tag, v->tag_len }) &&
	    !(strongly && weak);
}

/*
 * Whether a list of tags, in all lines of the field, names the current state:
 * "*" / #entity-tag.  A fault ends its line.
 */
static bool
list_matches(const struct request *r, enum field field,
    const struct validators *v, bool strongly)
{
	struct slice rest = r->fields, value, tag;
	bool weak;

	while (request_next_field(&rest, field, &value)) {
		if (slice_equal(value, SLICE("*")))
			return true;
		for (;;) {
			while (value.len > 0 &&
			    strchr(", \t", value.ptr[0]) != NULL)
				value = slice_after(value, 1);
			if (!take_tag(&value, &weak, &tag))
				break;
			value = slice_trim(value);
			if (value.len > 0 && value.ptr[0] != ',')
				break;
			if (tag_matches(v, strongly, weak, tag))
				return true;
		}
	}
	return false;
}

/* The date of a field that occurs once and is one, where files have a date. */
static bool
date_of_field(const struct request *r, enum field field,
    const struct validators *v, int64_t now, int64_t *ret_date)
{
	struct slice value;

	return v->modified >= 0 && request_only_field(r, field, &value) &&
	    date_parse(value, now, ret_date);
}

enum verdict
conditions_evaluate(
    const struct request *r, const struct validators *v, int64_t now)
{
	int64_t date;

	if (r->occurs[FIELD_IF_MATCH] > 0) {
		if (!list_matches(r, FIELD_IF_MATCH, v, true))
			return PRECONDITION_FAILED;
	} else if (r->occurs[FIELD_IF_UNMODIFIED_SINCE] > 0) {
		if (date_of_field(
			r, FIELD_IF_UNMODIFIED_SINCE, v, now, &date) &&
		    v->modified > date)
			return PRECONDITION_FAILED;
	}
	if (r->occurs[FIELD_IF_NONE_MATCH] > 0) {
		if (list_matches(r, FIELD_IF_NONE_MATCH, v, false))
			return NOT_MODIFIED;
	} else if (r->occurs[FIELD_IF_MODIFIED_SINCE] > 0) {
		if (date_of_field(r, FIELD_IF_MODIFIED_SINCE, v, now, &date) &&
		    v->modified <= date)
			return NOT_MODIFIED;
	}
	return FOUND;
}

/* If-Range = entity-tag / HTTP-date                  RFC 9110 13.1.5 */
bool
conditions_allow_range(
    const struct request *r, const struct validators *v, int64_t now)
{
	struct slice value, tag;
	bool weak;
	int64_t date;

	if (r->occurs[FIELD_IF_RANGE] == 0)
		return true;
	if (!request_only_field(r, FIELD_IF_RANGE, &value))
		return false;
	if (take_tag(&value, &weak, &tag))
		return value.len == 0 && tag_matches(v, true, weak, tag);
	return date_of_field(r, FIELD_IF_RANGE, v, now, &date) &&
	    v->modified_is_strong && v->modified == date;
}
