/*
 * Heads and what they mean: the table of parse.c, which read.c replays through
 * a connection.  Every head here is one that read_head() lets through.
 *
 * `meaning` is what unit_show_request() makes of the request; it is compared
 * where the request is whole, and "" where it is malformed.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "unit.h"

#include "parse.h"

/* A head with this request line; one with this field behind a good Host. */
#define LINE(line) UNIT_BYTES(line "\r\nHost: x\r\n\r\n")
#define FIELD(field) \
	UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n" field "\r\n\r\n")
#define FIELD_1_0(field) UNIT_BYTES("GET / HTTP/1.0\r\n" field "\r\n\r\n")
#define HOST(host) UNIT_BYTES("GET / HTTP/1.1\r\nHost:" host "\r\n\r\n")

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct request_row {
	const char *name;
	struct slice head;
	const char *token;
	const char *meaning;
} request_rows[] = {
	/* Methods. */
	{ "GET", LINE("GET / HTTP/1.1"), "proceed", "GET [/] [] [x] 1.1" },
	{ "HEAD", LINE("HEAD / HTTP/1.1"), "proceed", "HEAD [/] [] [x] 1.1" },
	{ "POST", LINE("POST / HTTP/1.1"), "method-not-allowed",
	    "OTHER [/] [] [x] 1.1" },
	{ "PUT", LINE("PUT / HTTP/1.1"), "method-not-allowed",
	    "OTHER [/] [] [x] 1.1" },
	{ "DELETE", LINE("DELETE / HTTP/1.1"), "method-not-allowed",
	    "OTHER [/] [] [x] 1.1" },
	{ "TRACE", LINE("TRACE / HTTP/1.1"), "method-not-allowed",
	    "OTHER [/] [] [x] 1.1" },
	{ "OPTIONS", LINE("OPTIONS / HTTP/1.1"), "options",
	    "OTHER [/] [] [x] 1.1" },
	{ "a method nobody knows", LINE("BREW / HTTP/1.1"), "method-unknown",
	    "OTHER [/] [] [x] 1.1" },
	{ "PATCH, of RFC 5789", LINE("PATCH / HTTP/1.1"), "method-not-allowed",
	    "OTHER [/] [] [x] 1.1" },
	{ "the first of the registry", LINE("ACL / HTTP/1.1"),
	    "method-not-allowed", "OTHER [/] [] [x] 1.1" },
	{ "the last of the registry", LINE("VERSION-CONTROL / HTTP/1.1"),
	    "method-not-allowed", "OTHER [/] [] [x] 1.1" },
	{ "the longest of the registry", LINE("UPDATEREDIRECTREF / HTTP/1.1"),
	    "method-not-allowed", "OTHER [/] [] [x] 1.1" },
	{ "a method that starts like the longest",
	    LINE("UPDATEREDIRECTREFS / HTTP/1.1"), "method-unknown",
	    "OTHER [/] [] [x] 1.1" },
	{ "a method that is the start of one", LINE("PROP / HTTP/1.1"),
	    "method-unknown", "OTHER [/] [] [x] 1.1" },
	{ "PROPFIND does not hide bad framing",
	    UNIT_BYTES("PROPFIND / HTTP/1.1\r\nHost: x\r\n"
		       "Content-Length: 1, 1\r\n\r\n"),
	    "bad-content-length", "" },
	{ "methods have case", LINE("get / HTTP/1.1"), "method-unknown",
	    "OTHER [/] [] [x] 1.1" },
	{ "a method that starts like GET", LINE("GETS / HTTP/1.1"),
	    "method-unknown", "OTHER [/] [] [x] 1.1" },
	{ "a method that is the start of GET", LINE("GE / HTTP/1.1"),
	    "method-unknown", "OTHER [/] [] [x] 1.1" },
	{ "a method of one byte", LINE("! / HTTP/1.1"), "method-unknown",
	    "OTHER [/] [] [x] 1.1" },
	{ "every byte of a token", LINE("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"),
	    "method-unknown", "OTHER [/] [] [x] 1.1" },
	{ "a long method", LINE(HUNDRED HUNDRED " / HTTP/1.1"),
	    "method-unknown", "OTHER [/] [] [x] 1.1" },
	{ "a method with a parenthesis", LINE("GE(T / HTTP/1.1"),
	    "bad-request-line", "" },
	{ "a method with a NUL", LINE("GE\0T / HTTP/1.1"), "bad-request-line",
	    "" },
	{ "a method with a byte above ASCII", LINE("GE\xC3\x89 / HTTP/1.1"),
	    "bad-request-line", "" },
	{ "a method behind a CR", LINE("\rGET / HTTP/1.1"), "bad-request-line",
	    "" },
	{ "an unknown method does not hide a bad target",
	    LINE("BREW * HTTP/1.1"), "bad-target", "" },
	{ "an unknown method does not hide a bad field",
	    UNIT_BYTES("BREW / HTTP/1.1\r\nHost : x\r\n\r\n"), "bad-field-name",
	    "" },
	{ "an unknown method does not hide a missing host",
	    UNIT_BYTES("BREW / HTTP/1.1\r\n\r\n"), "host-missing", "" },
	{ "a refused method does not hide bad framing",
	    UNIT_BYTES(
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"),
	    "bad-content-length", "" },

	/* Request lines. */
	{ "only a method", LINE("GET"), "bad-request-line", "" },
	{ "no version, as HTTP/0.9", LINE("GET /"), "bad-request-line", "" },
	{ "no version behind a space", LINE("GET / "), "bad-request-line", "" },
	{ "no target", LINE("GET  HTTP/1.1"), "bad-request-line", "" },
	{ "two spaces before the target", LINE("GET  / HTTP/1.1"),
	    "bad-request-line", "" },
	{ "two spaces before the version", LINE("GET /  HTTP/1.1"),
	    "bad-version", "" },
	{ "a space behind the version", LINE("GET / HTTP/1.1 "), "bad-version",
	    "" },
	{ "a space in the target", LINE("GET /a b HTTP/1.1"), "bad-version",
	    "" },
	{ "a tab between the parts", LINE("GET\t/\tHTTP/1.1"),
	    "bad-request-line", "" },
	{ "a tab before the version", LINE("GET /\tHTTP/1.1"),
	    "bad-request-line", "" },
	{ "a CR behind the version", LINE("GET / HTTP/1.1\r"), "bad-version",
	    "" },
	{ "a CR in the target", LINE("GET /\r HTTP/1.1"), "bad-target", "" },

	/* Versions. */
	{ "HTTP/1.0 without Host", UNIT_BYTES("GET / HTTP/1.0\r\n\r\n"),
	    "proceed", "GET [/] [] [] 1.0" },
	{ "HTTP/1.0 with Host", LINE("GET / HTTP/1.0"), "proceed",
	    "GET [/] [] [x] 1.0" },
	{ "HTTP/1.2 is read as 1.1", LINE("GET / HTTP/1.2"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "HTTP/1.9 is read as 1.1", LINE("GET / HTTP/1.9"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "HTTP/0.9", LINE("GET / HTTP/0.9"), "bad-version", "" },
	{ "HTTP/2.0", LINE("GET / HTTP/2.0"), "version-not-supported", "" },
	{ "HTTP/9.9", LINE("GET / HTTP/9.9"), "version-not-supported", "" },
	{ "the preface of HTTP/2", UNIT_BYTES("PRI * HTTP/2.0\r\n\r\n"),
	    "version-not-supported", "" },
	{ "HTTP/1", LINE("GET / HTTP/1"), "bad-version", "" },
	{ "HTTP/1.", LINE("GET / HTTP/1."), "bad-version", "" },
	{ "HTTP/1.10", LINE("GET / HTTP/1.10"), "bad-version", "" },
	{ "HTTP/11.1", LINE("GET / HTTP/11.1"), "bad-version", "" },
	{ "HTTP/1,1", LINE("GET / HTTP/1,1"), "bad-version", "" },
	{ "HTTP/x.1", LINE("GET / HTTP/x.1"), "bad-version", "" },
	{ "HTTP/1.x", LINE("GET / HTTP/1.x"), "bad-version", "" },
	{ "the version has case", LINE("GET / http/1.1"), "bad-version", "" },
	{ "another protocol", LINE("GET / RTSP/1.0"), "bad-version", "" },
	{ "an unsupported version before a bad target", LINE("GET * HTTP/3.0"),
	    "version-not-supported", "" },

	/* Targets: origin-form. */
	{ "a path", LINE("GET /a/b.html HTTP/1.1"), "proceed",
	    "GET [/a/b.html] [] [x] 1.1" },
	{ "a path and a query", LINE("GET /a?b=c HTTP/1.1"), "proceed",
	    "GET [/a] [?b=c] [x] 1.1" },
	{ "an empty query", LINE("GET /a? HTTP/1.1"), "proceed",
	    "GET [/a] [?] [x] 1.1" },
	{ "a query with question marks", LINE("GET /a?b?c? HTTP/1.1"),
	    "proceed", "GET [/a] [?b?c?] [x] 1.1" },
	{ "escapes stay as they are", LINE("GET /%41%zz?%zz HTTP/1.1"),
	    "proceed", "GET [/%41%zz] [?%zz] [x] 1.1" },
	{ "two slashes in front", LINE("GET //a/b HTTP/1.1"), "proceed",
	    "GET [//a/b] [] [x] 1.1" },
	{ "dots", LINE("GET /../a HTTP/1.1"), "proceed",
	    "GET [/../a] [] [x] 1.1" },
	{ "bytes that browsers send", LINE("GET /{|}^\"<>` HTTP/1.1"),
	    "proceed", "GET [/{|}^\"<>`] [] [x] 1.1" },
	{ "raw UTF-8", LINE("GET /\xC3\xA9?\xC3\xA9 HTTP/1.1"), "proceed",
	    "GET [/\xC3\xA9] [?\xC3\xA9] [x] 1.1" },
	{ "a colon in the path", LINE("GET /a:b HTTP/1.1"), "proceed",
	    "GET [/a:b] [] [x] 1.1" },
	{ "a URI in the path", LINE("GET /http://y/ HTTP/1.1"), "proceed",
	    "GET [/http://y/] [] [x] 1.1" },
	{ "a long path", LINE("GET /" HUNDRED HUNDRED " HTTP/1.1"), "proceed",
	    "GET [/" HUNDRED HUNDRED "] [] [x] 1.1" },
	{ "a fragment", LINE("GET /a#b HTTP/1.1"), "bad-target", "" },
	{ "a fragment behind a query", LINE("GET /a?b#c HTTP/1.1"),
	    "bad-target", "" },
	{ "a NUL in the path", LINE("GET /a\0b HTTP/1.1"), "bad-target", "" },
	{ "a NUL in the query", LINE("GET /a?\0 HTTP/1.1"), "bad-target", "" },
	{ "a tab in the path", LINE("GET /a\tb HTTP/1.1"), "bad-target", "" },
	{ "an escape character in the path", LINE("GET /a\x1B[0m HTTP/1.1"),
	    "bad-target", "" },
	{ "a DEL in the path", LINE("GET /a\x7F HTTP/1.1"), "bad-target", "" },
	{ "a backslash in the path", LINE("GET /a\\b HTTP/1.1"), "bad-target",
	    "" },
	{ "a path without a slash", LINE("GET a HTTP/1.1"), "bad-target", "" },
	{ "a query alone", LINE("GET ?a HTTP/1.1"), "bad-target", "" },
	{ "a backslash in front", LINE("GET \\a HTTP/1.1"), "bad-target", "" },

	/* Targets: absolute-form. */
	{ "an absolute target overrides Host", LINE("GET http://y/a HTTP/1.1"),
	    "proceed", "GET [/a] [] [y] 1.1" },
	{ "an absolute target with a port",
	    LINE("GET http://y:8080/a?b HTTP/1.1"), "proceed",
	    "GET [/a] [?b] [y:8080] 1.1" },
	{ "an absolute target without a path", LINE("GET http://y HTTP/1.1"),
	    "proceed", "GET [/] [] [y] 1.1" },
	{ "an absolute target with only a query",
	    LINE("GET http://y?b HTTP/1.1"), "proceed",
	    "GET [/] [?b] [y] 1.1" },
	{ "an absolute target of https", LINE("GET https://y/ HTTP/1.1"),
	    "bad-target", "" },
	{ "schemes have no case", LINE("GET HtTp://Y/ HTTP/1.1"), "proceed",
	    "GET [/] [] [Y] 1.1" },
	{ "an absolute target with an IPv6 address",
	    LINE("GET http://[::1]:80/ HTTP/1.1"), "proceed",
	    "GET [/] [] [[::1]:80] 1.1" },
	{ "an absolute target with a bad IPv6 address",
	    LINE("GET http://[1:2:3:4:5:6:7]/ HTTP/1.1"), "bad-target", "" },
	{ "an absolute target with a name in brackets",
	    LINE("GET http://[zz]:80/ HTTP/1.1"), "bad-target", "" },
	{ "an absolute target, a bad IPv6 address in Host",
	    UNIT_BYTES("GET http://y/ HTTP/1.1\r\nHost: [zz]\r\n\r\n"),
	    "bad-host", "" },
	{ "an absolute target, empty Host",
	    UNIT_BYTES("GET http://y/ HTTP/1.1\r\nHost:\r\n\r\n"), "proceed",
	    "GET [/] [] [y] 1.1" },
	{ "an absolute target, no Host",
	    UNIT_BYTES("GET http://y/ HTTP/1.1\r\n\r\n"), "host-missing", "" },
	{ "an absolute target, no Host, HTTP/1.0",
	    UNIT_BYTES("GET http://y/ HTTP/1.0\r\n\r\n"), "proceed",
	    "GET [/] [] [y] 1.0" },
	{ "an absolute target, bad Host",
	    UNIT_BYTES("GET http://y/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
	    "bad-host", "" },
	{ "an absolute target for OPTIONS", LINE("OPTIONS http://y HTTP/1.1"),
	    "options", "OTHER [/] [] [y] 1.1" },
	{ "an absolute target with an empty host",
	    LINE("GET http:///a HTTP/1.1"), "bad-target", "" },
	{ "an absolute target with only a port",
	    LINE("GET http://:80/a HTTP/1.1"), "bad-target", "" },
	{ "an absolute target with a user", LINE("GET http://u@y/ HTTP/1.1"),
	    "bad-target", "" },
	{ "an absolute target with user and password",
	    LINE("GET http://u:p@y/ HTTP/1.1"), "bad-target", "" },
	{ "an absolute target with a bad port",
	    LINE("GET http://y:8x/ HTTP/1.1"), "bad-target", "" },
	{ "an absolute target with a fragment", LINE("GET http://y#a HTTP/1.1"),
	    "bad-target", "" },
	{ "an absolute target with a backslash",
	    LINE("GET http://y\\a HTTP/1.1"), "bad-target", "" },
	{ "one slash behind the scheme", LINE("GET http:/y HTTP/1.1"),
	    "bad-target", "" },
	{ "nothing behind the scheme", LINE("GET http: HTTP/1.1"), "bad-target",
	    "" },
	{ "a scheme without its colon", LINE("GET http HTTP/1.1"), "bad-target",
	    "" },
	{ "another scheme", LINE("GET ftp://y/ HTTP/1.1"), "bad-target", "" },
	{ "a file", LINE("GET file:///etc/passwd HTTP/1.1"), "bad-target", "" },

	/* Targets: authority-form and asterisk-form. */
	{ "CONNECT to a host and port", LINE("CONNECT y:443 HTTP/1.1"),
	    "method-not-allowed", "OTHER [] [] [x] 1.1 tunnel" },
	{ "CONNECT to a path", LINE("CONNECT / HTTP/1.1"), "bad-target", "" },
	{ "CONNECT to a URI", LINE("CONNECT http://y/ HTTP/1.1"), "bad-target",
	    "" },
	{ "GET of a host and port", LINE("GET y:443 HTTP/1.1"), "bad-target",
	    "" },
	{ "CONNECT to an IPv6 address", LINE("CONNECT [::1]:443 HTTP/1.1"),
	    "method-not-allowed", "OTHER [] [] [x] 1.1 tunnel" },
	{ "CONNECT to a bad IPv6 address",
	    LINE("CONNECT [::1.2.3.256]:443 HTTP/1.1"), "bad-target", "" },
	{ "CONNECT with a length",
	    UNIT_BYTES(
		"CONNECT y:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
	    "method-not-allowed", "OTHER [] [] [x] 1.1 tunnel" },
	{ "CONNECT without a port", LINE("CONNECT y HTTP/1.1"), "bad-target",
	    "" },
	{ "CONNECT with an empty port", LINE("CONNECT y: HTTP/1.1"),
	    "bad-target", "" },
	{ "CONNECT to an IPv6 address without a port",
	    LINE("CONNECT [::1] HTTP/1.1"), "bad-target", "" },
	{ "CONNECT to a port alone", LINE("CONNECT :443 HTTP/1.1"),
	    "bad-target", "" },
	{ "CONNECT to an asterisk", LINE("CONNECT * HTTP/1.1"), "bad-target",
	    "" },
	{ "OPTIONS of everything", LINE("OPTIONS * HTTP/1.1"), "options",
	    "OTHER [] [] [x] 1.1" },
	{ "OPTIONS of everything in HTTP/1.0", LINE("OPTIONS * HTTP/1.0"),
	    "options", "OTHER [] [] [x] 1.0" },
	{ "OPTIONS of a host and port", LINE("OPTIONS y:443 HTTP/1.1"),
	    "bad-target", "" },
	{ "OPTIONS with content",
	    UNIT_BYTES(
		"OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"),
	    "options", "OTHER [] [] [x] 1.1 content=3" },
	{ "OPTIONS does not hide bad framing",
	    UNIT_BYTES(
		"OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"),
	    "bad-content-length", "" },
	{ "OPTIONS has case", LINE("options / HTTP/1.1"), "method-unknown",
	    "OTHER [/] [] [x] 1.1" },
	{ "OPTIONS of two asterisks", LINE("OPTIONS ** HTTP/1.1"), "bad-target",
	    "" },
	{ "GET of everything", LINE("GET * HTTP/1.1"), "bad-target", "" },

	/* Host. */
	{ "no Host", UNIT_BYTES("GET / HTTP/1.1\r\n\r\n"), "host-missing", "" },
	{ "a host and a port", HOST(" a.example:8080"), "proceed",
	    "GET [/] [] [a.example:8080] 1.1" },
	{ "a host and an empty port", HOST(" a.example:"), "proceed",
	    "GET [/] [] [a.example:] 1.1" },
	{ "an IPv4 address", HOST("127.0.0.1:80"), "proceed",
	    "GET [/] [] [127.0.0.1:80] 1.1" },
	{ "an IPv6 address", HOST(" [::1]"), "proceed",
	    "GET [/] [] [[::1]] 1.1" },
	{ "an IPv6 address and a port", HOST(" [fe80::1]:65535"), "proceed",
	    "GET [/] [] [[fe80::1]:65535] 1.1" },
	{ "an escape in the host", HOST(" a%2Db"), "proceed",
	    "GET [/] [] [a%2Db] 1.1" },
	{ "an escape at the end of the host", HOST(" a%2D"), "proceed",
	    "GET [/] [] [a%2D] 1.1" },
	{ "an underscore in the host", HOST(" a_b"), "proceed",
	    "GET [/] [] [a_b] 1.1" },
	{ "blanks around the host", HOST(" \t a \t "), "proceed",
	    "GET [/] [] [a] 1.1" },
	{ "the field name has no case",
	    UNIT_BYTES("GET / HTTP/1.1\r\nhOsT: x\r\n\r\n"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "an empty host", HOST(""), "bad-host", "" },
	{ "a blank host", HOST(" "), "bad-host", "" },
	{ "only a port", HOST(" :80"), "bad-host", "" },
	{ "a host with a space", HOST(" a b"), "bad-host", "" },
	{ "a host with a slash", HOST(" a/b"), "bad-host", "" },
	{ "a host with a user", HOST(" u@a"), "bad-host", "" },
	{ "a host with a fragment", HOST(" a#b"), "bad-host", "" },
	{ "a host with a query", HOST(" a?b"), "bad-host", "" },
	{ "a host with quotes", HOST(" \"a\""), "bad-host", "" },
	{ "a host above ASCII", HOST(" \xC3\xA9"), "bad-host", "" },
	{ "a host with half an escape", HOST(" a%2"), "bad-host", "" },
	{ "a host with a percent sign at its end", HOST(" a%"), "bad-host",
	    "" },
	{ "a host with a bad escape", HOST(" a%2g"), "bad-host", "" },
	{ "a port that is no number", HOST(" a:b"), "bad-host", "" },
	{ "a port with a sign", HOST(" a:-1"), "bad-host", "" },
	{ "a port of six digits", HOST(" a:123456"), "bad-host", "" },
	{ "two ports", HOST(" a:1:2"), "bad-host", "" },
	{ "an IPv6 address that holds an IPv4 one",
	    HOST(" [::ffff:192.0.2.1]:80"), "proceed",
	    "GET [/] [] [[::ffff:192.0.2.1]:80] 1.1" },
	{ "an address of a version to come", HOST(" [v1.a:b]:80"), "proceed",
	    "GET [/] [] [[v1.a:b]:80] 1.1" },
	{ "an open bracket", HOST(" [::1"), "bad-host", "" },
	{ "a name in brackets", HOST(" [zz]"), "bad-host", "" },
	{ "an IPv6 address of seven groups", HOST(" [1:2:3:4:5:6:7]"),
	    "bad-host", "" },
	{ "an IPv6 address of nine groups", HOST(" [1:2:3:4:5:6:7:8:9]:80"),
	    "bad-host", "" },
	{ "an IPv6 address that leaves groups out twice", HOST(" [1::2::3]"),
	    "bad-host", "" },
	{ "an IPv6 address that holds a bad IPv4 one", HOST(" [::1.2.3.256]"),
	    "bad-host", "" },
	{ "an IPv4 address in brackets", HOST(" [127.0.0.1]"), "bad-host", "" },
	{ "an address of a version to come, without it", HOST(" [v1]"),
	    "bad-host", "" },
	{ "an IPv6 address with a zone", HOST(" [fe80::1%25eth0]"), "bad-host",
	    "" },
	{ "two brackets at the end", HOST(" [::1]]"), "bad-host", "" },
	{ "a bad address in brackets in HTTP/1.0", FIELD_1_0("Host: [zz]"),
	    "bad-host", "" },
	{ "an empty bracket", HOST(" []"), "bad-host", "" },
	{ "an address without brackets", HOST(" ::1"), "bad-host", "" },
	{ "text behind a bracket", HOST(" [::1]a"), "bad-host", "" },
	{ "a slash in a bracket", HOST(" [::/]"), "bad-host", "" },
	{ "two hosts", FIELD("Host: x"), "host-repeated", "" },
	{ "two different hosts", FIELD("Host: y"), "host-repeated", "" },
	{ "two hosts in HTTP/1.0", FIELD_1_0("Host: x\r\nHost: x"),
	    "host-repeated", "" },
	{ "a bad host in HTTP/1.0", FIELD_1_0("Host: a b"), "bad-host", "" },

	/* Field lines. */
	{ "a field of no concern", FIELD("Accept: */*"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "an empty field", FIELD("Accept:"), "proceed", "GET [/] [] [x] 1.1" },
	{ "Referer and User-Agent", FIELD("Referer: r\r\nUser-Agent: u a"),
	    "proceed", "GET [/] [] [x] 1.1 referer=[r] agent=[u a]" },
	{ "blanks around a value", FIELD("User-Agent:\t  u \t"), "proceed",
	    "GET [/] [] [x] 1.1 agent=[u]" },
	{ "a tab in a value", FIELD("User-Agent: u\ta"), "proceed",
	    "GET [/] [] [x] 1.1 agent=[u\ta]" },
	{ "a byte above ASCII in a value", FIELD("User-Agent: \xFF"), "proceed",
	    "GET [/] [] [x] 1.1 agent=[\xFF]" },
	{ "colons in a value", FIELD("User-Agent: a:b:"), "proceed",
	    "GET [/] [] [x] 1.1 agent=[a:b:]" },
	{ "a field name of one byte", FIELD("a:b"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "a space before the colon", FIELD("Accept : a"), "bad-field-name",
	    "" },
	{ "a tab before the colon", FIELD("Accept\t: a"), "bad-field-name",
	    "" },
	{ "no colon", FIELD("Accept"), "bad-field-name", "" },
	{ "no name", FIELD(": a"), "bad-field-name", "" },
	{ "only a colon", FIELD(":"), "bad-field-name", "" },
	{ "a name with a slash", FIELD("Acc/ept: a"), "bad-field-name", "" },
	{ "a name with a NUL", FIELD("Acc\0ept: a"), "bad-field-name", "" },
	{ "a name above ASCII", FIELD("Acc\xC3\xA9: a"), "bad-field-name", "" },
	{ "a name with a CR", FIELD("Acc\rept: a"), "bad-field-name", "" },
	{ "a value with a NUL", FIELD("Accept: a\0b"), "bad-field-value", "" },
	{ "a value with a CR", FIELD("Accept: a\rb"), "bad-field-value", "" },
	{ "a CR before the line's end", FIELD("Accept: a\r"), "bad-field-value",
	    "" },
	{ "a value with an escape character", FIELD("Accept: \x1B[0m"),
	    "bad-field-value", "" },
	{ "a value with a DEL", FIELD("Accept: \x7F"), "bad-field-value", "" },
	{ "a folded field", FIELD("Accept: a\r\n b"), "folded-field", "" },
	{ "a field folded by a tab", FIELD("Accept: a\r\n\tb"), "folded-field",
	    "" },
	{ "a blank before the first field",
	    UNIT_BYTES("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), "folded-field",
	    "" },
	{ "a line of one blank", FIELD(" "), "folded-field", "" },
	{ "a line of a CR", FIELD("\r"), "bad-field-name", "" },

	/* Content-Length. */
	{ "Content-Length 0", FIELD("Content-Length: 0"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "Content-Length 5", FIELD("Content-Length: 5"), "proceed",
	    "GET [/] [] [x] 1.1 content=5" },
	{ "Content-Length with zeros in front", FIELD("Content-Length: 0000"),
	    "proceed", "GET [/] [] [x] 1.1" },
	{ "a list of equal lengths", FIELD("Content-Length: 5, 5"),
	    "bad-content-length", "" },
	{ "a list of three lengths", FIELD("Content-Length: 5, 5 ,5"),
	    "bad-content-length", "" },
	{ "a list of zeros", FIELD("Content-Length: 0,0"), "bad-content-length",
	    "" },
	{ "equal lengths in two fields",
	    FIELD("Content-Length: 5\r\nContent-Length: 5"),
	    "bad-content-length", "" },
	{ "equal lengths in two fields, written differently",
	    FIELD("Content-Length: 5\r\nContent-Length: 05"),
	    "bad-content-length", "" },
	{ "zero in two fields", FIELD("Content-Length: 0\r\nContent-Length: 0"),
	    "bad-content-length", "" },
	{ "equal lengths in two fields in HTTP/1.0",
	    FIELD_1_0("Content-Length: 5\r\nContent-Length: 5"),
	    "bad-content-length", "" },
	{ "the largest length", FIELD("Content-Length: 9223372036854775807"),
	    "proceed", "GET [/] [] [x] 1.1 content=9223372036854775807" },
	{ "one more than the largest length",
	    FIELD("Content-Length: 9223372036854775808"), "bad-content-length",
	    "" },
	{ "a length of 2^64", FIELD("Content-Length: 18446744073709551616"),
	    "bad-content-length", "" },
	{ "a length of 2^64 + 5", FIELD("Content-Length: 18446744073709551621"),
	    "bad-content-length", "" },
	{ "a length of a hundred digits", FIELD("Content-Length: " HUNDRED),
	    "bad-content-length", "" },
	{ "different lengths in a list", FIELD("Content-Length: 5, 6"),
	    "bad-content-length", "" },
	{ "different lengths in two fields",
	    FIELD("Content-Length: 5\r\nContent-Length: 6"),
	    "bad-content-length", "" },
	{ "0 and another length",
	    FIELD("Content-Length: 0\r\nContent-Length: 6"),
	    "bad-content-length", "" },
	{ "no length", FIELD("Content-Length:"), "bad-content-length", "" },
	{ "a comma behind the length", FIELD("Content-Length: 5,"),
	    "bad-content-length", "" },
	{ "a comma before the length", FIELD("Content-Length: ,5"),
	    "bad-content-length", "" },
	{ "two commas between lengths", FIELD("Content-Length: 5,,5"),
	    "bad-content-length", "" },
	{ "a length with a plus sign", FIELD("Content-Length: +5"),
	    "bad-content-length", "" },
	{ "a negative length", FIELD("Content-Length: -5"),
	    "bad-content-length", "" },
	{ "a length with a space in it", FIELD("Content-Length: 5 5"),
	    "bad-content-length", "" },
	{ "a length in hexadecimal", FIELD("Content-Length: 0x5"),
	    "bad-content-length", "" },
	{ "a length with a point", FIELD("Content-Length: 5.0"),
	    "bad-content-length", "" },
	{ "a length above ASCII", FIELD("Content-Length: \xB2"),
	    "bad-content-length", "" },
	{ "POST with content",
	    UNIT_BYTES(
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"),
	    "method-not-allowed", "OTHER [/] [] [x] 1.1 content=1" },

	/* Transfer-Encoding. */
	{ "chunked", FIELD("Transfer-Encoding: chunked"), "proceed",
	    "GET [/] [] [x] 1.1 content=chunks" },
	{ "codings have no case", FIELD("Transfer-Encoding: ChUnKeD"),
	    "proceed", "GET [/] [] [x] 1.1 content=chunks" },
	{ "empty members of the list", FIELD("Transfer-Encoding: , chunked ,"),
	    "proceed", "GET [/] [] [x] 1.1 content=chunks" },
	{ "gzip before chunked", FIELD("Transfer-Encoding: gzip, chunked"),
	    "transfer-coding-unknown", "" },
	{ "gzip and chunked in two fields",
	    FIELD("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
	    "transfer-coding-unknown", "" },
	{ "gzip alone", FIELD("Transfer-Encoding: gzip"), "bad-transfer-coding",
	    "" },
	{ "identity", FIELD("Transfer-Encoding: identity"),
	    "bad-transfer-coding", "" },
	{ "identity behind chunked",
	    FIELD("Transfer-Encoding: chunked, identity"),
	    "bad-transfer-coding", "" },
	{ "chunked twice", FIELD("Transfer-Encoding: chunked, chunked"),
	    "bad-transfer-coding", "" },
	{ "chunked twice in two fields",
	    FIELD("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
	    "bad-transfer-coding", "" },
	{ "no coding", FIELD("Transfer-Encoding:"), "bad-transfer-coding", "" },
	{ "chunked with a parameter", FIELD("Transfer-Encoding: chunked;a=b"),
	    "bad-transfer-coding", "" },
	{ "chunked in quotes", FIELD("Transfer-Encoding: \"chunked\""),
	    "bad-transfer-coding", "" },
	{ "a coding that ends like chunked",
	    FIELD("Transfer-Encoding: xchunked"), "bad-transfer-coding", "" },
	{ "chunked behind a vertical tab",
	    FIELD("Transfer-Encoding: \x0B"
		  "chunked"),
	    "bad-field-value", "" },
	{ "length and coding",
	    FIELD("Content-Length: 5\r\nTransfer-Encoding: chunked"),
	    "length-and-coding", "" },
	{ "coding and length",
	    FIELD("Transfer-Encoding: chunked\r\nContent-Length: 0"),
	    "length-and-coding", "" },
	{ "chunked in HTTP/1.0", FIELD_1_0("Transfer-Encoding: chunked"),
	    "bad-transfer-coding", "" },
	{ "a space behind the name Transfer-Encoding",
	    FIELD("Transfer-Encoding : chunked"), "bad-field-name", "" },

	/* Expect. */
	{ "an expectation", FIELD("Expect: 100-continue"), "proceed",
	    "GET [/] [] [x] 1.1 expects" },
	{ "an expectation of content",
	    FIELD("Expect: 100-continue\r\nContent-Length: 5"), "proceed",
	    "GET [/] [] [x] 1.1 content=5 expects" },
	{ "an expectation of chunks",
	    FIELD("Transfer-Encoding: chunked\r\nExpect: 100-continue"),
	    "proceed", "GET [/] [] [x] 1.1 content=chunks expects" },
	{ "expectations have no case", FIELD("eXPECT: 100-CONTINUE"), "proceed",
	    "GET [/] [] [x] 1.1 expects" },
	{ "an expectation in a list", FIELD("Expect: ,100-continue ,"),
	    "proceed", "GET [/] [] [x] 1.1 expects" },
	{ "an expectation twice",
	    FIELD("Expect: 100-continue\r\nExpect: 100-continue"), "proceed",
	    "GET [/] [] [x] 1.1 expects" },
	{ "an expectation of nothing", FIELD("Expect:"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "an expectation in HTTP/1.0",
	    FIELD_1_0("Expect: 100-continue\r\nContent-Length: 5"), "proceed",
	    "GET [/] [] [] 1.0 content=5" },
	{ "another expectation", FIELD("Expect: 200-ok"), "expectation-failed",
	    "GET [/] [] [x] 1.1" },
	{ "another expectation with content",
	    FIELD("Expect: x\r\nContent-Length: 5"), "expectation-failed",
	    "GET [/] [] [x] 1.1 content=5" },
	{ "one expectation and another", FIELD("Expect: 100-continue, x"),
	    "expectation-failed", "GET [/] [] [x] 1.1 expects" },
	{ "an expectation with a parameter", FIELD("Expect: 100-continue;a=b"),
	    "expectation-failed", "GET [/] [] [x] 1.1" },
	{ "an expectation with a value", FIELD("Expect: 100-continue=b"),
	    "expectation-failed", "GET [/] [] [x] 1.1" },
	{ "the start of an expectation", FIELD("Expect: 100-continu"),
	    "expectation-failed", "GET [/] [] [x] 1.1" },
	{ "another expectation in HTTP/1.0", FIELD_1_0("Expect: x"), "proceed",
	    "GET [/] [] [] 1.0" },
	{ "another expectation of a refused method",
	    UNIT_BYTES("POST / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n\r\n"),
	    "expectation-failed", "OTHER [/] [] [x] 1.1" },
	{ "an expectation of a refused method",
	    UNIT_BYTES(
		"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
	    "method-not-allowed", "OTHER [/] [] [x] 1.1 content=5 expects" },
	{ "another expectation does not hide bad framing",
	    FIELD("Expect: x\r\nContent-Length: x"), "bad-content-length", "" },
	{ "another expectation does not hide a missing host",
	    UNIT_BYTES("GET / HTTP/1.1\r\nExpect: x\r\n\r\n"), "host-missing",
	    "" },

	/* Fields that only some answers look at. */
	{ "one of each",
	    FIELD("If-Match: a\r\nIf-None-Match: b\r\nIf-Modified-Since: c\r\n"
		  "If-Unmodified-Since: d\r\nRange: e\r\nIf-Range: f\r\n"
		  "Accept-Encoding: g"),
	    "proceed",
	    "GET [/] [] [x] 1.1 0=[a] 1=[b] 2=[c] 3=[d] 4=[e] 5=[f] 6=[g]" },
	{ "their names have no case",
	    FIELD("if-match: a\r\nRANGE: e\r\naccept-ENCODING: g"), "proceed",
	    "GET [/] [] [x] 1.1 0=[a] 4=[e] 6=[g]" },
	{ "blanks around their values",
	    FIELD("If-Match: \t a \t \r\nRange:e\r\nIf-Range:\t"), "proceed",
	    "GET [/] [] [x] 1.1 0=[a] 4=[e] 5=[]" },
	{ "colons in their values", FIELD("If-Match: a:b:\r\nRange: :"),
	    "proceed", "GET [/] [] [x] 1.1 0=[a:b:] 4=[:]" },
	{ "several lines of a field",
	    FIELD("Accept-Encoding: a\r\nIf-Match: b\r\nAccept-Encoding:\r\n"
		  "aCCEPT-eNCODING: c,d"),
	    "proceed", "GET [/] [] [x] 1.1 0=[b] 6=[a][][c,d]" },
	{ "one of them before Host",
	    UNIT_BYTES("GET / HTTP/1.1\r\nRange: e\r\nHost: x\r\n\r\n"),
	    "proceed", "GET [/] [] [x] 1.1 4=[e]" },
	{ "names that only resemble theirs",
	    FIELD("If-Matc: a\r\nIf-Matches: a\r\nRanges: a\r\nX-Range: a\r\n"
		  "IfRange: a\r\nIf-None-Match-: a\r\nAccept-Encodin: a"),
	    "proceed", "GET [/] [] [x] 1.1" },
	{ "their names in a value", FIELD("Accept: Range: a"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "their names in the target",
	    UNIT_BYTES("GET /Range:a HTTP/1.1\r\nHost: x\r\n\r\n"), "proceed",
	    "GET [/Range:a] [] [x] 1.1" },
	{ "a value above ASCII", FIELD("If-Match: \"\xFF\""), "proceed",
	    "GET [/] [] [x] 1.1 0=[\"\xFF\"]" },
	{ "one of them in HTTP/1.0", FIELD_1_0("Range: e"), "proceed",
	    "GET [/] [] [] 1.0 4=[e]" },

	/* Connection. */
	{ "Connection: close", FIELD("Connection: close"), "proceed",
	    "GET [/] [] [x] 1.1 close" },
	{ "Connection: keep-alive", FIELD("Connection: keep-alive"), "proceed",
	    "GET [/] [] [x] 1.1 keep-alive" },
	{ "Connection: keep-alive in HTTP/1.0",
	    FIELD_1_0("Connection: Keep-Alive"), "proceed",
	    "GET [/] [] [] 1.0 keep-alive" },
	{ "options of Connection have no case", FIELD("cONNECTION: CLOSE"),
	    "proceed", "GET [/] [] [x] 1.1 close" },
	{ "close in a list", FIELD("Connection: TE, close ,Upgrade"), "proceed",
	    "GET [/] [] [x] 1.1 close" },
	{ "close and keep-alive", FIELD("Connection: close, keep-alive"),
	    "proceed", "GET [/] [] [x] 1.1 close keep-alive" },
	{ "close and keep-alive in two fields",
	    FIELD("Connection: keep-alive\r\nConnection: close"), "proceed",
	    "GET [/] [] [x] 1.1 close keep-alive" },
	{ "empty members of Connection", FIELD("Connection: ,,close,"),
	    "proceed", "GET [/] [] [x] 1.1 close" },
	{ "an empty Connection", FIELD("Connection:"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "words that only resemble close",
	    FIELD("Connection: closed, disclose, clos"), "proceed",
	    "GET [/] [] [x] 1.1" },
	{ "close in another field", FIELD("Proxy-Connection: close"), "proceed",
	    "GET [/] [] [x] 1.1" },
};

#undef LINE
#undef FIELD
#undef FIELD_1_0
#undef HOST

/*
 * The lines of each field that answers look for later, by the field's number,
 * and what is odd about their count.
 */
static inline void
unit_show_fields(const struct request *r, struct text *t)
{
	for (enum field field = 0; field < FIELD_COUNT; field++) {
		struct slice rest = r->fields, value, only;
		unsigned lines = 0;

		while (request_next_field(&rest, field, &value)) {
			if (lines++ == 0) {
				text_add_char(t, ' ');
				text_add_number(t, field, 1);
				text_add_char(t, '=');
			}
			text_add_char(t, '[');
			text_add(t, value);
			text_add_char(t, ']');
		}
		if (lines != r->occurs[field])
			text_add(t, SLICE(" counted wrongly"));
		if (request_only_field(r, field, &only) != (lines == 1) ||
		    (lines == 1 && !slice_equal(only, value)))
			text_add(t, SLICE(" not the only one"));
	}
}

/* The meaning of a whole request as the table writes it. */
static inline struct slice
unit_show_request(const struct request *r, struct text *t)
{
	static const char *const methods[] = { "GET", "HEAD", "OTHER" };
	const struct slice slices[] = { r->path, r->query, r->host };

	text_add(t, slice_of(methods[r->method]));
	for (size_t i = 0; i < UNIT_COUNT(slices); i++) {
		text_add(t, SLICE(" ["));
		text_add(t, slices[i]);
		text_add(t, SLICE("]"));
	}
	text_add(t, SLICE(" 1."));
	text_add_number(t, (uint64_t)r->minor_version, 1);
	text_add(t, r->says_close ? SLICE(" close") : SLICE(""));
	text_add(t, r->says_keep_alive ? SLICE(" keep-alive") : SLICE(""));
	if (r->is_tunnel) {
		text_add(t, SLICE(" tunnel"));
	} else if (r->has_content && r->is_chunked) {
		text_add(t, SLICE(" content=chunks"));
	} else if (r->has_content) {
		text_add(t, SLICE(" content="));
		text_add_number(t, r->content_length, 1);
	}
	text_add(t, r->expects_continue ? SLICE(" expects") : SLICE(""));
	if (r->referer.len > 0) {
		text_add(t, SLICE(" referer=["));
		text_add(t, r->referer);
		text_add(t, SLICE("]"));
	}
	if (r->user_agent.len > 0) {
		text_add(t, SLICE(" agent=["));
		text_add(t, r->user_agent);
		text_add(t, SLICE("]"));
	}
	unit_show_fields(r, t);
	return text_slice(t);
}

/* Checks what parse_request() made of a row's head, which lies at `head`. */
static inline void
unit_check_request(
    const struct request_row *row, struct slice head, const char *how)
{
	struct request r;
	enum verdict v = parse_request(head, &r);
	const char *cr = memmem(row->head.ptr, row->head.len, "\r\n", 2);
	struct slice line = { row->head.ptr, (size_t)(cr - row->head.ptr) };
	char buf[2048];
	struct text t = TEXT_IN(buf);

	unit_string(how, row->token, verdict_token(v));
	unit_slice("request line", line, r.line);
	if (row->meaning[0] != '\0' &&
	    strcmp(row->token, verdict_token(v)) == 0)
		unit_slice(
		    how, slice_of(row->meaning), unit_show_request(&r, &t));
	unit_bool("the meaning fits the test's buffer", false, t.overflowed);
}

#endif
