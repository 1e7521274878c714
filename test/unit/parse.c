/*
 * parse: each head of the table against a page that cannot be touched, on
 * either side; and every part of each head, since parse_request() is also
 * asked about heads that never became whole.
 */
#include "requests.h"

static void
check_parts(const struct request_row *row)
{
	for (size_t len = 0; len < row->head.len; len++) {
		for (int side = 0; side < UNIT_SIDES; side++) {
			struct slice part = unit_place((enum unit_side)side,
			    (struct slice){ row->head.ptr, len });
			struct request r;

			parse_request(part, &r);
			/* What is logged of it lies within it. */
			unit_bool("the line lies in the head", true,
			    r.line.ptr == part.ptr && r.line.len <= part.len);
			unit_bool("the line has no line end", true,
			    memchr(part.ptr, '\n', r.line.len) == NULL);
		}
	}
}

/* Members of comma-separated lists, RFC 9110 5.6.1. */
static void
check_lists(void)
{
	static const struct {
		struct slice list;
		const char *members; /* each in brackets */
	} lists[] = {
		{ UNIT_BYTES(""), "" },
		{ UNIT_BYTES(","), "" },
		{ UNIT_BYTES(" ,\t, ,,"), "" },
		{ UNIT_BYTES("a"), "[a]" },
		{ UNIT_BYTES(" a "), "[a]" },
		{ UNIT_BYTES("a,b"), "[a][b]" },
		{ UNIT_BYTES("a ,\tb"), "[a][b]" },
		{ UNIT_BYTES(",a,,b,"), "[a][b]" },
		{ UNIT_BYTES("a b,c"), "[a b][c]" },
		{ UNIT_BYTES("a;q=1, b"), "[a;q=1][b]" },
		{ UNIT_BYTES("a, "), "[a]" },
		{ UNIT_BYTES("\t,a"), "[a]" },
	};

	for (size_t i = 0; i < UNIT_COUNT(lists); i++) {
		for (int side = 0; side < UNIT_SIDES; side++) {
			struct slice rest =
			    unit_place((enum unit_side)side, lists[i].list);
			struct slice member;
			char buf[64];
			struct text t = TEXT_IN(buf);

			unit_begin("a list");
			while (list_next(&rest, &member)) {
				text_add_char(&t, '[');
				text_add(&t, member);
				text_add_char(&t, ']');
			}
			unit_slice(lists[i].list.ptr,
			    slice_of(lists[i].members), text_slice(&t));
		}
	}
}

int
main(void)
{
	unit_table("parse");
	unit_at_least("rows of the table", 170, UNIT_COUNT(request_rows));
	for (size_t i = 0; i < UNIT_COUNT(request_rows); i++) {
		const struct request_row *row = &request_rows[i];

		unit_begin(row->name);
		unit_check_request(row,
		    unit_place(UNIT_BEFORE_GUARD, row->head),
		    "before a guard page");
		unit_check_request(row, unit_place(UNIT_AFTER_GUARD, row->head),
		    "behind a guard page");
		check_parts(row);
	}
	check_lists();
	return unit_end();
}
