/*
 * ip-literal: what may stand in brackets, beside a page that cannot be touched.
 */
#include "unit.h"

#include "ip-literal.h"

static const struct row {
	struct slice literal;
	bool is_valid;
} rows[] = {
	/* Eight groups. */
	{ UNIT_BYTES("[1:2:3:4:5:6:7:8]"), true },
	{ UNIT_BYTES("[0:0:0:0:0:0:0:0]"), true },
	{ UNIT_BYTES("[2001:0db8:0000:0000:0000:ff00:0042:8329]"), true },
	{ UNIT_BYTES("[ffff:FFFF:aBcD:0:00:000:0000:1]"), true },
	{ UNIT_BYTES("[1:2:3:4:5:6:7]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6:7:8:9]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6:7:]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6:7:8:]"), false },
	{ UNIT_BYTES("[:1:2:3:4:5:6:7]"), false },
	{ UNIT_BYTES("[:1:2:3:4:5:6:7:8]"), false },
	{ UNIT_BYTES("[1]"), false },
	{ UNIT_BYTES("[1:2]"), false },

	/* Of one to four digits. */
	{ UNIT_BYTES("[00001::]"), false },
	{ UNIT_BYTES("[::12345]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6:7:00008]"), false },
	{ UNIT_BYTES("[::g]"), false },
	{ UNIT_BYTES("[g::]"), false },
	{ UNIT_BYTES("[::1g]"), false },
	{ UNIT_BYTES("[::-1]"), false },
	{ UNIT_BYTES("[::+1]"), false },
	{ UNIT_BYTES("[::0x1]"), false },
	{ UNIT_BYTES("[:: 1]"), false },
	{ UNIT_BYTES("[ ::1]"), false },
	{ UNIT_BYTES("[::1 ]"), false },
	{ UNIT_BYTES("[::\0]"), false },
	{ UNIT_BYTES("[::\xC2\xB9]"), false },

	/* Some of them left out, once. */
	{ UNIT_BYTES("[::]"), true },
	{ UNIT_BYTES("[::1]"), true },
	{ UNIT_BYTES("[1::]"), true },
	{ UNIT_BYTES("[1::8]"), true },
	{ UNIT_BYTES("[fe80::1]"), true },
	{ UNIT_BYTES("[::2:3:4:5:6:7:8]"), true },
	{ UNIT_BYTES("[1::3:4:5:6:7:8]"), true },
	{ UNIT_BYTES("[1:2::4:5:6:7:8]"), true },
	{ UNIT_BYTES("[1:2:3::5:6:7:8]"), true },
	{ UNIT_BYTES("[1:2:3:4::6:7:8]"), true },
	{ UNIT_BYTES("[1:2:3:4:5::7:8]"), true },
	{ UNIT_BYTES("[1:2:3:4:5:6::8]"), true },
	{ UNIT_BYTES("[1:2:3:4:5:6:7::]"), true },
	{ UNIT_BYTES("[::1:2:3:4:5:6:7:8]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6:7:8::]"), false },
	{ UNIT_BYTES("[1:2:3:4::5:6:7:8]"), false },
	{ UNIT_BYTES("[1::2::3]"), false },
	{ UNIT_BYTES("[::1::]"), false },
	{ UNIT_BYTES("[::::]"), false },
	{ UNIT_BYTES("[:::]"), false },
	{ UNIT_BYTES("[:::1]"), false },
	{ UNIT_BYTES("[1:::2]"), false },
	{ UNIT_BYTES("[1:::]"), false },
	{ UNIT_BYTES("[:]"), false },
	{ UNIT_BYTES("[1:]"), false },
	{ UNIT_BYTES("[:1]"), false },
	{ UNIT_BYTES("[::1:]"), false },
	{ UNIT_BYTES("[:1::]"), false },

	/* An IPv4 address in place of the last two. */
	{ UNIT_BYTES("[::1.2.3.4]"), true },
	{ UNIT_BYTES("[::ffff:192.0.2.128]"), true },
	{ UNIT_BYTES("[64:ff9b::192.0.2.33]"), true },
	{ UNIT_BYTES("[1::0.0.0.0]"), true },
	{ UNIT_BYTES("[::255.255.255.255]"), true },
	{ UNIT_BYTES("[::249.199.99.9]"), true },
	{ UNIT_BYTES("[1:2:3:4:5:6:1.2.3.4]"), true },
	{ UNIT_BYTES("[1:2:3:4:5::1.2.3.4]"), true },
	{ UNIT_BYTES("[::2:3:4:5:6:1.2.3.4]"), true },
	{ UNIT_BYTES("[::1:2:3:4:5:6:1.2.3.4]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6::1.2.3.4]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:1.2.3.4]"), false },
	{ UNIT_BYTES("[1:2:3:4:5:6:7:1.2.3.4]"), false },
	{ UNIT_BYTES("[1.2.3.4]"), false },
	{ UNIT_BYTES("[1.2.3.4::]"), false },
	{ UNIT_BYTES("[1.2.3.4:1:2:3:4:5:6]"), false },
	{ UNIT_BYTES("[::1.2.3.4:1]"), false },
	{ UNIT_BYTES("[::1.2.3.256]"), false },
	{ UNIT_BYTES("[::256.2.3.4]"), false },
	{ UNIT_BYTES("[::1.300.3.4]"), false },
	{ UNIT_BYTES("[::1.2.3.1000]"), false },
	{ UNIT_BYTES("[::1.2.3.04]"), false },
	{ UNIT_BYTES("[::01.2.3.4]"), false },
	{ UNIT_BYTES("[::1.2.00.4]"), false },
	{ UNIT_BYTES("[::1.2.3]"), false },
	{ UNIT_BYTES("[::1.2.3.]"), false },
	{ UNIT_BYTES("[::1.2.3.4.]"), false },
	{ UNIT_BYTES("[::1.2.3.4.5]"), false },
	{ UNIT_BYTES("[::1.2..4]"), false },
	{ UNIT_BYTES("[::.1.2.3]"), false },
	{ UNIT_BYTES("[::1.2.3.a]"), false },
	{ UNIT_BYTES("[::a.2.3.4]"), false },
	{ UNIT_BYTES("[::1.2.3.4 ]"), false },

	/* Versions to come. */
	{ UNIT_BYTES("[v1.a]"), true },
	{ UNIT_BYTES("[V1.a]"), true },
	{ UNIT_BYTES("[vF00.fe80::1:]"), true },
	{ UNIT_BYTES("[v7.-._~!$&'()*+,;=:]"), true },
	{ UNIT_BYTES("[v0123456789abcdefABCDEF.:]"), true },
	{ UNIT_BYTES("[v1..]"), true },
	{ UNIT_BYTES("[v1]"), false },
	{ UNIT_BYTES("[v1.]"), false },
	{ UNIT_BYTES("[v.a]"), false },
	{ UNIT_BYTES("[v]"), false },
	{ UNIT_BYTES("[vg.a]"), false },
	{ UNIT_BYTES("[v1a]"), false },
	{ UNIT_BYTES("[v1:a]"), false },
	{ UNIT_BYTES("[v1.a/b]"), false },
	{ UNIT_BYTES("[v1.a%20]"), false },
	{ UNIT_BYTES("[v1.a@b]"), false },
	{ UNIT_BYTES("[v1.a b]"), false },
	{ UNIT_BYTES("[v1.\xC3\xA9]"), false },
	{ UNIT_BYTES("[w1.a]"), false },

	/* Zones are no part of it. */
	{ UNIT_BYTES("[fe80::1%eth0]"), false },
	{ UNIT_BYTES("[fe80::1%25eth0]"), false },
	{ UNIT_BYTES("[fe80::1%]"), false },

	/* Brackets. */
	{ UNIT_BYTES(""), false },
	{ UNIT_BYTES("["), false },
	{ UNIT_BYTES("]"), false },
	{ UNIT_BYTES("[]"), false },
	{ UNIT_BYTES("[[]"), false },
	{ UNIT_BYTES("[]]"), false },
	{ UNIT_BYTES("[[::1]]"), false },
	{ UNIT_BYTES("::1"), false },
	{ UNIT_BYTES("[::1"), false },
	{ UNIT_BYTES("::1]"), false },
	{ UNIT_BYTES("[::1]]"), false },
	{ UNIT_BYTES("[::1]:80"), false },
	{ UNIT_BYTES("[v1.[]"), false },
	{ UNIT_BYTES("[v1.]]"), false },
	{ UNIT_BYTES("[zz]"), false },
	{ UNIT_BYTES("[localhost]"), false },
};

int
main(void)
{
	unit_table("ip-literal");
	unit_at_least("rows of the table", 100, UNIT_COUNT(rows));
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].literal.ptr);
		for (int side = 0; side < UNIT_SIDES; side++)
			unit_bool("is one", rows[i].is_valid,
			    is_ip_literal(unit_place(
				(enum unit_side)side, rows[i].literal)));
	}
	return unit_end();
}
