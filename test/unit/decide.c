/*
 * decide: what is answered, and whether the connection persists.
 *
 * Each row is a request, a verdict about it and what the earlier stages found;
 * the answer is written as one line and compared.
 */
#include "unit.h"

#include "decide.h"

#define NOW 1700000000

/* What stands at the end of each request line and what follows it. */
#define R_1_1 " HTTP/1.1\r\nHost: x\r\n\r\n"
#define R_1_0 " HTTP/1.0\r\n\r\n"
#define R_CLOSE " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define R_KEEP_1_0 " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define R_FIELD(field) " HTTP/1.1\r\nHost: x\r\n" field "\r\n\r\n"
#define R_CONTENT " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"

enum { NO_FILE = -1, SOME_FILE = 77 };

#define INODE 0xabc
#define SIZE 1234 /* 4d2 */
#define OPAQUE "abc-4d2-17979cfdfa8f3600-0"
#define TAG "\"" OPAQUE "\"" /* NOW - 1, in nanoseconds */
#define PORTABLE_TAG "\"4d2-17979cfdfa8f3600\""
#define DATE_BEFORE "Tue, 14 Nov 2023 22:13:18 GMT" /* NOW - 2 */
#define DATE "Tue, 14 Nov 2023 22:13:19 GMT" /* NOW - 1 */

static const struct row {
	const char *name;
	const char *head;
	enum verdict verdict;
	const char *path; /* canonical; a slash at its end says so */
	int file;
	const char *to; /* of the rule */
	int rule_status;
	enum persist persist;
	bool last;
	const char *token; /* of the verdict in the end; NULL: the same */
	enum coding coding;
	bool is_stored, varies, portable, dated_now;
	const char *answer;
} rows[] = {
	/* Files. */
	{ .name = "a file",
	    .head = "GET /a.html" R_1_1,
	    .verdict = FOUND,
	    .path = "a.html",
	    .file = SOME_FILE,
	    .answer = "200 text/html 1234 file modified keep-alive" },
	{ .name = "HEAD of a file",
	    .head = "HEAD /a.png" R_1_1,
	    .verdict = FOUND,
	    .path = "a.png",
	    .file = SOME_FILE,
	    .answer = "200 image/png 1234 file modified head keep-alive" },
	{ .name = "a file of no known type",
	    .head = "GET /a" R_1_1,
	    .verdict = FOUND,
	    .path = "a",
	    .file = SOME_FILE,
	    .answer =
		"200 application/octet-stream 1234 file modified keep-alive" },
	{ .name = "an extension of a directory",
	    .head = "GET /a.png/b" R_1_1,
	    .verdict = FOUND,
	    .path = "a.png/b",
	    .file = SOME_FILE,
	    .answer =
		"200 application/octet-stream 1234 file modified keep-alive" },
	{ .name = "the root's index",
	    .head = "GET /" R_1_1,
	    .verdict = FOUND,
	    .path = "/",
	    .file = SOME_FILE,
	    .answer = "200 text/html 1234 file modified keep-alive" },
	{ .name = "a directory's index",
	    .head = "GET /a.png/" R_1_1,
	    .verdict = FOUND,
	    .path = "a.png/",
	    .file = SOME_FILE,
	    .answer = "200 text/html 1234 file modified keep-alive" },
	{ .name = "a file's query is nothing",
	    .head = "GET /a.html?b" R_1_1,
	    .verdict = FOUND,
	    .path = "a.html",
	    .file = SOME_FILE,
	    .answer = "200 text/html 1234 file modified keep-alive" },

	/* Whether the connection persists. */
	{ .name = "close is asked for",
	    .head = "GET /a.css" R_CLOSE,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "close is asked for, whatever --persist",
	    .head = "GET /a.css" R_CLOSE,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "HTTP/1.0",
	    .head = "GET /a.css" R_1_0,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "HTTP/1.0, whatever --persist",
	    .head = "GET /a.css" R_1_0,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "HTTP/1.0 with keep-alive",
	    .head = "GET /a.css" R_KEEP_1_0,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "HTTP/1.0 with keep-alive and close",
	    .head =
		"GET /a.css HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "HTTP/1.1 with keep-alive and close",
	    .head =
		"GET /a.css HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, close\r\n\r\n",
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "HTTP/1.1 with keep-alive",
	    .head =
		"GET /a.css HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "a request with content",
	    .head = "GET /a.css" R_CONTENT,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "a request with content, whatever --persist",
	    .head = "GET /a.css" R_CONTENT,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "the last request",
	    .head = "GET /a.css" R_1_1,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .last = true,
	    .answer = "200 text/css 1234 file modified close" },
	{ .name = "the last request, whatever --persist",
	    .head = "GET /a.css" R_1_1,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .last = true,
	    .persist = PERSIST_ALWAYS,
	    .answer = "200 text/css 1234 file modified close" },

	/* Directories without their slash. */
	{ .name = "a directory",
	    .head = "GET /a/b" R_1_1,
	    .verdict = SLASH_MISSING,
	    .path = "a/b",
	    .file = NO_FILE,
	    .answer = "301 text/html page close location [b/][][]" },
	{ .name = "a directory and a query",
	    .head = "GET /a/b?c=d" R_1_1,
	    .verdict = SLASH_MISSING,
	    .path = "a/b",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "301 text/html page keep-alive location [b/][?c=d][]" },
	{ .name = "a directory, by HTTP/1.0",
	    .head = "GET /a/b" R_1_0,
	    .verdict = SLASH_MISSING,
	    .path = "a/b",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "301 text/html page close location [b/][][]" },
	{ .name = "HEAD of a directory",
	    .head = "HEAD /a" R_1_1,
	    .verdict = SLASH_MISSING,
	    .path = "a",
	    .file = NO_FILE,
	    .answer = "301 text/html page head close location [a/][][]" },

	{ .name = "a directory by an absolute URI",
	    .head = "GET http://y/a//b%41?c/d" R_1_1,
	    .verdict = SLASH_MISSING,
	    .path = "a/bA",
	    .file = NO_FILE,
	    .answer = "301 text/html page close location [b%41/][?c/d][]" },

	/* Rules. */
	{ .name = "a rule",
	    .head = "GET /a" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b][][]" },
	{ .name = "a rule, connection kept",
	    .head = "GET /a" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 302,
	    .persist = PERSIST_ALWAYS,
	    .answer = "302 text/html page keep-alive location [/b][][]" },
	{ .name = "a rule of 303",
	    .head = "GET /a" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 303,
	    .answer = "303 text/html page close location [/b][][]" },
	{ .name = "a rule of 307",
	    .head = "GET /a" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 307,
	    .answer = "307 text/html page close location [/b][][]" },
	{ .name = "a rule of 308",
	    .head = "GET /a" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 308,
	    .answer = "308 text/html page close location [/b][][]" },
	{ .name = "a rule and a query",
	    .head = "GET /a?c" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b][?c][]" },
	{ .name = "a rule with a query of its own",
	    .head = "GET /a?c" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b?d",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b?d][][]" },
	{ .name = "a rule with an empty query of its own",
	    .head = "GET /a?c" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b?",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b?][][]" },
	{ .name = "a rule with a fragment",
	    .head = "GET /a" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b#d",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b][][#d]" },
	{ .name = "the query comes before the rule's fragment",
	    .head = "GET /a?c" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b#d",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b][?c][#d]" },
	{ .name = "a question mark in the rule's fragment is no query",
	    .head = "GET /a?c" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b#d?e",
	    .rule_status = 301,
	    .answer = "301 text/html page close location [/b][?c][#d?e]" },
	{ .name = "a rule with query and fragment",
	    .head = "GET /a?c" R_1_1,
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "http://x/b?d#e",
	    .rule_status = 301,
	    .answer =
		"301 text/html page close location [http://x/b?d][][#e]" },

	/* What is not there, or not given. */
	{ .name = "nothing",
	    .head = "GET /a" R_1_1,
	    .verdict = NOT_FOUND,
	    .path = "a",
	    .file = NO_FILE,
	    .answer = "404 text/html page close" },
	{ .name = "nothing, connection kept",
	    .head = "GET /a" R_1_1,
	    .verdict = NOT_FOUND,
	    .path = "a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "404 text/html page keep-alive" },
	{ .name = "nothing, but a 404.html",
	    .head = "GET /a.png" R_1_1,
	    .verdict = NOT_FOUND,
	    .path = "a.png",
	    .file = SOME_FILE,
	    .answer = "404 text/html 1234 file close" },
	{ .name = "HEAD of nothing, but a 404.html",
	    .head = "HEAD /a" R_1_1,
	    .verdict = HIDDEN,
	    .path = "a",
	    .file = SOME_FILE,
	    .answer = "404 text/html 1234 file head close" },
	{ .name = "a hidden name",
	    .head = "GET /.a" R_1_1,
	    .verdict = HIDDEN,
	    .path = ".a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "404 text/html page keep-alive" },
	{ .name = "an encoded slash",
	    .head = "GET /%2F" R_1_1,
	    .verdict = ENCODED_SLASH,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "404 text/html page keep-alive" },
	{ .name = "outside of the tree",
	    .head = "GET /a" R_1_1,
	    .verdict = OUTSIDE,
	    .path = "a",
	    .file = NO_FILE,
	    .answer = "404 text/html page close" },
	{ .name = "no regular file",
	    .head = "GET /a" R_1_1,
	    .verdict = NOT_REGULAR,
	    .path = "a",
	    .file = NO_FILE,
	    .answer = "404 text/html page close" },
	{ .name = "forbidden",
	    .head = "GET /a" R_1_1,
	    .verdict = FORBIDDEN,
	    .path = "a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "403 text/html page keep-alive" },
	{ .name = "nothing, for a request with content",
	    .head = "GET /a" R_CONTENT,
	    .verdict = NOT_FOUND,
	    .path = "a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "404 text/html page close" },

	/* Methods. */
	{ .name = "a method that is not allowed",
	    .head = "POST /a" R_1_1,
	    .verdict = METHOD_NOT_ALLOWED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "405 text/html page keep-alive allow" },
	{ .name = "a method that is not allowed, with content",
	    .head = "POST /a" R_CONTENT,
	    .verdict = METHOD_NOT_ALLOWED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "405 text/html page close allow" },
	{ .name = "a method that is not allowed, connection closed",
	    .head = "POST /a" R_1_1,
	    .verdict = METHOD_NOT_ALLOWED,
	    .path = "",
	    .file = NO_FILE,
	    .answer = "405 text/html page close allow" },
	{ .name = "an unknown method",
	    .head = "BREW /a" R_1_1,
	    .verdict = METHOD_UNKNOWN,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "501 text/html page keep-alive" },

	/* OPTIONS, and expectations. */
	{ .name = "OPTIONS",
	    .head = "OPTIONS /a" R_1_1,
	    .verdict = OPTIONS,
	    .path = "",
	    .file = NO_FILE,
	    .answer = "204 nothing keep-alive allow" },
	{ .name = "OPTIONS by HTTP/1.0",
	    .head = "OPTIONS /a" R_1_0,
	    .verdict = OPTIONS,
	    .path = "",
	    .file = NO_FILE,
	    .answer = "204 nothing close allow" },
	{ .name = "OPTIONS with content that was not read",
	    .head = "OPTIONS *" R_CONTENT,
	    .verdict = OPTIONS,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "204 nothing close allow" },
	{ .name = "CONNECT",
	    .head = "CONNECT y:443" R_1_1,
	    .verdict = METHOD_NOT_ALLOWED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "405 text/html page close allow" },
	{ .name = "another expectation",
	    .head = "GET /a" R_FIELD("Expect: x"),
	    .verdict = EXPECTATION_FAILED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "417 text/html page keep-alive" },
	{ .name = "another expectation, connection closed",
	    .head = "GET /a" R_FIELD("Expect: x"),
	    .verdict = EXPECTATION_FAILED,
	    .path = "",
	    .file = NO_FILE,
	    .answer = "417 text/html page close" },
	{ .name = "an expectation without content",
	    .head = "GET /a.css" R_FIELD("Expect: 100-continue"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },

	/* Preconditions. */
	{ .name = "a tag that the client has",
	    .head = "GET /a.css" R_FIELD("If-None-Match: " TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "not-modified",
	    .answer = "304 nothing modified keep-alive" },
	{ .name = "a tag that the client has, by HEAD",
	    .head = "HEAD /a.css" R_FIELD("If-None-Match: W/" TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "not-modified",
	    .answer = "304 nothing modified head keep-alive" },
	{ .name = "a portable tag that the client has",
	    .head = "GET /a.css" R_FIELD("If-None-Match: " PORTABLE_TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .portable = true,
	    .token = "not-modified",
	    .answer = "304 nothing modified keep-alive" },
	{ .name = "a portable tag where they are not",
	    .head = "GET /a.css" R_FIELD("If-None-Match: " PORTABLE_TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "a date since which the file is the same",
	    .head = "GET /a.css" R_FIELD("If-Modified-Since: " DATE),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "not-modified",
	    .answer = "304 nothing modified keep-alive" },
	{ .name = "a date since which the file has changed",
	    .head = "GET /a.css" R_FIELD("If-Modified-Since: " DATE_BEFORE),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "a date that the file must not be newer than",
	    .head = "GET /a.css" R_FIELD("If-Unmodified-Since: " DATE_BEFORE),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "precondition-failed",
	    .answer = "412 text/html page close" },
	{ .name = "a tag that the file does not have",
	    .head = "GET /a.css" R_FIELD("If-Match: \"b\""),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "precondition-failed",
	    .persist = PERSIST_ALWAYS,
	    .varies = true,
	    .answer = "412 text/html page keep-alive vary" },
	{ .name = "HEAD of a tag that the file does not have",
	    .head = "HEAD /a.css" R_FIELD("If-Match: \"b\""),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "precondition-failed",
	    .answer = "412 text/html page head close" },
	{ .name = "304 of a file that varies",
	    .head = "GET /a.css" R_FIELD("If-None-Match: *"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .is_stored = true,
	    .coding = CODING_BR,
	    .varies = true,
	    .token = "not-modified",
	    .answer = "304 nothing modified keep-alive vary" },
	{ .name = "304, close is asked for",
	    .head =
		"GET /a.css" R_FIELD("If-None-Match: *\r\nConnection: close"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "not-modified",
	    .answer = "304 nothing modified close" },
	{ .name = "304 for the last request",
	    .head = "GET /a.css" R_FIELD("If-None-Match: *"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .last = true,
	    .token = "not-modified",
	    .answer = "304 nothing modified close" },
	{ .name = "preconditions of what is not there",
	    .head = "GET /a" R_FIELD("If-Match: \"b\"\r\nIf-None-Match: *"),
	    .verdict = NOT_FOUND,
	    .path = "a",
	    .file = SOME_FILE,
	    .answer = "404 text/html 1234 file close" },
	{ .name = "preconditions of a directory without its slash",
	    .head = "GET /a" R_FIELD("If-Match: \"b\"\r\nIf-None-Match: *"),
	    .verdict = SLASH_MISSING,
	    .path = "a",
	    .file = NO_FILE,
	    .answer = "301 text/html page close location [a/][][]" },
	{ .name = "preconditions of a rule",
	    .head = "GET /a" R_FIELD("If-Match: \"b\"\r\nIf-None-Match: *"),
	    .verdict = REDIRECTED,
	    .path = "a",
	    .file = NO_FILE,
	    .to = "/b",
	    .rule_status = 302,
	    .answer = "302 text/html page close location [/b][][]" },
	{ .name = "preconditions of a refused method",
	    .head = "POST /a" R_FIELD("If-Match: \"b\""),
	    .verdict = METHOD_NOT_ALLOWED,
	    .path = "",
	    .file = NO_FILE,
	    .answer = "405 text/html page close allow" },
	{ .name = "preconditions of OPTIONS",
	    .head = "OPTIONS /a" R_FIELD("If-Match: \"b\""),
	    .verdict = OPTIONS,
	    .path = "",
	    .file = NO_FILE,
	    .answer = "204 nothing keep-alive allow" },
	{ .name = "a file that has just changed",
	    .head = "GET /a.css" R_1_1,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .dated_now = true,
	    .answer = "200 text/css 1234 file modified unsettled keep-alive" },

	/* Ranges. */
	{ .name = "a range",
	    .head = "GET /a.css" R_FIELD("Range: bytes=5-9"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "partial",
	    .answer =
		"206 text/css 1234 file modified keep-alive 5+5 of 1234" },
	{ .name = "two ranges",
	    .head = "GET /a.css" R_FIELD("Range: bytes=900-,0-0"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "partial",
	    .answer =
		"206 text/css 1234 file modified keep-alive 900+334 0+1 of 1234" },
	{ .name = "a range of all",
	    .head = "GET /a.css" R_FIELD("Range: bytes=0-"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "partial",
	    .answer =
		"206 text/css 1234 file modified keep-alive 0+1234 of 1234" },
	{ .name = "a range of a stored coding",
	    .head = "GET /a.css" R_FIELD("Range: bytes=-1"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .is_stored = true,
	    .coding = CODING_ZSTD,
	    .varies = true,
	    .token = "partial",
	    .answer =
		"206 text/css 1234 file modified keep-alive vary zstd 1233+1 of 1234" },
	{ .name = "a range behind the end",
	    .head = "GET /a.css" R_FIELD("Range: bytes=1234-"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "range-not-satisfiable",
	    .answer = "416 text/html page close refused of 1234" },
	{ .name = "a range behind the end, connection kept",
	    .head = "GET /a.css" R_FIELD("Range: bytes=1234-"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .is_stored = true,
	    .coding = CODING_GZIP,
	    .varies = true,
	    .persist = PERSIST_ALWAYS,
	    .token = "range-not-satisfiable",
	    .answer = "416 text/html page keep-alive vary refused of 1234" },
	{ .name = "HEAD has no ranges",
	    .head = "HEAD /a.css" R_FIELD("Range: bytes=5-9"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified head keep-alive" },
	{ .name = "HEAD of a range behind the end",
	    .head = "HEAD /a.css" R_FIELD("Range: bytes=1234-"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified head keep-alive" },
	{ .name = "a range that makes no sense",
	    .head = "GET /a.css" R_FIELD("Range: bytes=9-5"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "a range that makes no sense behind one that does",
	    .head = "GET /a.css" R_FIELD("Range: bytes=5-9,x"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "Range twice",
	    .head =
		"GET /a.css" R_FIELD("Range: bytes=5-9\r\nRange: bytes=5-9"),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "a range of 304",
	    .head =
		"GET /a.css" R_FIELD("Range: bytes=5-9\r\nIf-None-Match: " TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "not-modified",
	    .answer = "304 nothing modified keep-alive" },
	{ .name = "a range of 412",
	    .head =
		"GET /a.css" R_FIELD("Range: bytes=1234-\r\nIf-Match: W/" TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "precondition-failed",
	    .answer = "412 text/html page close" },
	{ .name = "If-Range holds",
	    .head = "GET /a.css" R_FIELD("Range: bytes=5-9\r\nIf-Range: " TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "partial",
	    .answer =
		"206 text/css 1234 file modified keep-alive 5+5 of 1234" },
	{ .name = "If-Range holds by its date",
	    .head = "GET /a.css" R_FIELD("Range: bytes=5-9\r\nIf-Range: " DATE),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .token = "partial",
	    .answer =
		"206 text/css 1234 file modified keep-alive 5+5 of 1234" },
	{ .name = "If-Range does not hold",
	    .head = "GET /a.css" R_FIELD("Range: bytes=5-9\r\nIf-Range: \"b\""),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "If-Range does not hold by its date",
	    .head = "GET /a.css" R_FIELD(
		"Range: bytes=5-9\r\nIf-Range: " DATE_BEFORE),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "If-Range does not hold for a range behind the end",
	    .head =
		"GET /a.css" R_FIELD("Range: bytes=1234-\r\nIf-Range: \"b\""),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "If-Range without Range",
	    .head = "GET /a.css" R_FIELD("If-Range: \"b\""),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .answer = "200 text/css 1234 file modified keep-alive" },
	{ .name = "If-Range of a file that has just changed",
	    .head = "GET /a.css" R_FIELD("Range: bytes=5-9\r\nIf-Range: " TAG),
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .dated_now = true,
	    .answer = "200 text/css 1234 file modified unsettled keep-alive" },
	{ .name = "a range of what is not there",
	    .head = "GET /a" R_FIELD("Range: bytes=5-9"),
	    .verdict = NOT_FOUND,
	    .path = "a",
	    .file = SOME_FILE,
	    .answer = "404 text/html 1234 file close" },

	/* Stored codings. */
	{ .name = "a file in a stored coding",
	    .head = "GET /a.css" R_1_1,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .is_stored = true,
	    .coding = CODING_BR,
	    .varies = true,
	    .answer = "200 text/css 1234 file modified keep-alive vary br" },
	{ .name = "an index in a stored coding",
	    .head = "HEAD /a/" R_1_1,
	    .verdict = FOUND,
	    .path = "a/",
	    .file = SOME_FILE,
	    .is_stored = true,
	    .coding = CODING_GZIP,
	    .varies = true,
	    .answer =
		"200 text/html 1234 file modified head keep-alive vary gzip" },
	{ .name = "a file that is there in other codings too",
	    .head = "GET /a.css" R_1_1,
	    .verdict = FOUND,
	    .path = "a.css",
	    .file = SOME_FILE,
	    .varies = true,
	    .answer = "200 text/css 1234 file modified keep-alive vary" },
	{ .name = "a compressed file by its own name",
	    .head = "GET /a.css.gz" R_1_1,
	    .verdict = FOUND,
	    .path = "a.css.gz",
	    .file = SOME_FILE,
	    .answer = "200 application/gzip 1234 file modified keep-alive" },
	{ .name = "no coding is acceptable",
	    .head = "GET /a.css" R_FIELD("Accept-Encoding: identity;q=0"),
	    .verdict = NOT_ACCEPTABLE,
	    .path = "a.css",
	    .file = NO_FILE,
	    .varies = true,
	    .persist = PERSIST_ALWAYS,
	    .answer = "406 text/html page keep-alive vary" },
	{ .name = "no coding is acceptable, and none is stored",
	    .head = "GET /a.css" R_FIELD("Accept-Encoding: identity;q=0\r\n"
					 "If-None-Match: *"),
	    .verdict = NOT_ACCEPTABLE,
	    .path = "a.css",
	    .file = NO_FILE,
	    .answer = "406 text/html page close vary" },

	/* What is nobody's fault who asks. */
	{ .name = "a lack of resources",
	    .head = "GET /a" R_1_1,
	    .verdict = OUT_OF_RESOURCES,
	    .path = "a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "503 text/html page close retry" },
	{ .name = "a file that stays leased",
	    .head = "GET /a" R_1_1,
	    .verdict = FILE_BUSY,
	    .path = "a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "503 text/html page close retry" },
	{ .name = "a wrong option or directory",
	    .head = "GET /a" R_1_1,
	    .verdict = MISCONFIGURED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "503 text/html page close" },

	/* What ends the connection whatever was asked. */
	{ .name = "content that is too large",
	    .head = "GET /a" R_CONTENT,
	    .verdict = CONTENT_TOO_LARGE,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "413 text/html page close" },
	{ .name = "a bad chunk",
	    .head = "HEAD /a" R_CONTENT,
	    .verdict = BAD_CHUNK,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "400 text/html page head close" },
	{ .name = "content that is cut short",
	    .head = "GET /a" R_CONTENT,
	    .verdict = CONTENT_CUT_SHORT,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "400 text/html page close" },
	{ .name = "content that took too long",
	    .head = "GET /a" R_CONTENT,
	    .verdict = CONTENT_TIMEOUT,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "408 text/html page close" },
	{ .name = "a file that cannot be read",
	    .head = "GET /a" R_1_1,
	    .verdict = FILE_ERROR,
	    .path = "a",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "500 text/html page close" },
	{ .name = "nothing to serve",
	    .head = "GET /a" R_1_1,
	    .verdict = MISCONFIGURED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "503 text/html page close" },
	{ .name = "a bad escape",
	    .head = "GET /%" R_1_1,
	    .verdict = BAD_ESCAPE,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "400 text/html page close" },
	{ .name = "a bad request line",
	    .head = "GET\r\n\r\n",
	    .verdict = BAD_REQUEST_LINE,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "400 text/html page close" },
	{ .name = "a bad field in a HEAD request",
	    .head = "HEAD / HTTP/1.1\r\n:\r\n\r\n",
	    .verdict = BAD_FIELD_NAME,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "400 text/html page head close" },
	{ .name = "a head in bytes that are no HTTP",
	    .head = "\x16\x03\x01",
	    .verdict = NOT_HTTP,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "400 text/html page close" },
	{ .name = "a head that took too long",
	    .head = "GET / HTTP/1.1\r\nHo",
	    .verdict = HEAD_TIMEOUT,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "408 text/html page close" },
	{ .name = "a request line that is too long",
	    .head = "GET /",
	    .verdict = REQUEST_LINE_TOO_LONG,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "414 text/html page close" },
	{ .name = "a head that is too large",
	    .head = "GET / HTTP/1.1\r\nHo",
	    .verdict = HEAD_TOO_LARGE,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "431 text/html page close" },
	{ .name = "another version",
	    .head = "GET / HTTP/2.0\r\n\r\n",
	    .verdict = VERSION_NOT_SUPPORTED,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "505 text/html page close" },
	{ .name = "another coding",
	    .head =
		"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: a, chunked\r\n\r\n",
	    .verdict = TRANSFER_CODING_UNKNOWN,
	    .path = "",
	    .file = NO_FILE,
	    .persist = PERSIST_ALWAYS,
	    .answer = "501 text/html page close" },
};

static const struct timespec now = { .tv_sec = NOW + 1 };
static struct target target;
static struct request request;
static struct ranges ranges;

/* Makes what the stages before decide leave behind. */
static void
set_up(const char *head, const char *path, int file)
{
	size_t len = strlen(path);

	memset(&target, 0xEE, sizeof(target));
	parse_request(unit_place(UNIT_BEFORE_GUARD, slice_of(head)), &request);
	target.path.ends_in_slash = len > 0 && path[len - 1] == '/';
	target.path.len = len - (target.path.ends_in_slash ? 1 : 0);
	target.path.name = target.path.buf;
	memcpy(target.path.name, path, target.path.len);
	target.path.name[target.path.len] = '\0';
	target.file = file;
	target.facts = (struct file_facts){
		.size = SIZE,
		.inode = INODE,
		.modified = NOW - 1,
	};
	target.coding = CODING_IDENTITY;
	target.varies = false;
}

static void
add_part(struct text *t, bool condition, const char *part)
{
	if (!condition)
		return;
	text_add_char(t, ' ');
	text_add(t, slice_of(part));
}

/* An answer as the table writes it. */
static struct slice
show(const struct response *r, struct text *t)
{
	const struct validators *v = &r->validators;

	text_add_number(t, (uint64_t)r->status, 3);
	text_add_char(t, ' ');
	text_add(t, r->has_content ? r->content_type : SLICE("nothing"));
	if (!r->has_content) {
		add_part(t, r->file >= 0, "but a file");
	} else if (r->file >= 0) {
		text_add_char(t, ' ');
		text_add_number(t, r->content_length, 1);
		add_part(t, r->file == SOME_FILE, "file");
	} else {
		add_part(t, r->content.len == r->content_length, "page");
	}
	add_part(t, v->modified >= 0, "modified");
	add_part(t, v->is_unsettled, "unsettled");
	add_part(t, r->head_only, "head");
	add_part(t, r->close, "close");
	add_part(t, !r->close, "keep-alive");
	add_part(t, r->allow, "allow");
	add_part(t, r->retry_after == 5, "retry");
	add_part(t, r->vary, "vary");
	if (r->coding != CODING_IDENTITY) {
		text_add_char(t, ' ');
		text_add(t, coding_name(r->coding));
	}
	for (size_t i = 0; i < r->parts_count; i++) {
		text_add_char(t, ' ');
		text_add_number(t, r->parts[i].first, 1);
		text_add_char(t, '+');
		text_add_number(t, r->parts[i].len, 1);
	}
	add_part(t, r->range_refused, "refused");
	if (r->range_refused || r->parts_count > 0) {
		text_add(t, SLICE(" of "));
		text_add_number(t, r->complete_length, 1);
	}
	if (r->location.len > 0) {
		text_add(t, SLICE(" location ["));
		text_add(t, r->location);
		if (r->location_is_segment)
			text_add_char(t, '/');
		text_add(t, SLICE("]["));
		text_add(t, r->location_query);
		text_add(t, SLICE("]["));
		text_add(t, r->location_fragment);
		text_add(t, SLICE("]"));
	}
	return text_slice(t);
}

/* The built-in page names its status and is whole. */
static void
check_page(const struct response *r)
{
	char start[512];
	struct slice reason = reason_of_status(r->status), page = r->content;
	struct slice end = SLICE("</p>\n</html>\n");

	snprintf(start, sizeof(start),
	    "<!DOCTYPE html>\n<html lang=\"en\">\n"
	    "<title>%d %.*s</title>\n<h1>%d %.*s</h1>\n<p>",
	    r->status, (int)reason.len, reason.ptr, r->status, (int)reason.len,
	    reason.ptr);
	size_t len = strlen(start);
	unit_need(page.len >= len + end.len, "a page that says nothing");
	unit_slice("page", slice_of(start), (struct slice){ page.ptr, len });
	unit_slice("its end", end, slice_after(page, page.len - end.len));
	page = slice_after(page, len);
	page.len -= end.len;
	/* A sentence that says why, where there is content at all. */
	if (r->has_content && r->status >= 300)
		unit_bool("the page says why", true,
		    page.len > 10 && page.ptr[page.len - 1] == '.' &&
			memchr(page.ptr, '<', page.len) == NULL);
}

static void
check_row(const struct row *row)
{
	char buf[1024];
	struct text t = TEXT_IN(buf);
	struct response response;

	set_up(row->head, row->path, row->file);
	target.redirects.rule = (struct rule){
		.to = slice_of(row->to == NULL ? "" : row->to),
		.status = row->rule_status,
	};
	target.coding = row->is_stored ? row->coding : CODING_IDENTITY;
	target.varies = row->varies;
	if (row->dated_now)
		target.facts.modified = NOW;
	const struct policy policy = {
		.persist = row->persist,
		.portable_tags = row->portable,
		.keep_alive_seconds = 7,
	};
	memset(&response, 0xEE, sizeof(response));
	memset(&ranges, 0xEE, sizeof(ranges));
	enum verdict v = decide_response(row->verdict, &request, &target,
	    &policy, row->last, &now, &ranges, &response);
	unit_string("answer", row->answer,
	    (show(&response, &t), text_add_char(&t, '\0'), buf));
	unit_string("verdict",
	    row->token == NULL ? verdict_token(row->verdict) : row->token,
	    verdict_token(v));
	unit_bool("Accept-Ranges goes with 200 and 206",
	    response.status == 200 || response.status == 206,
	    response.accept_ranges);
	unit_number("seconds announced", response.close ? 0 : 7,
	    response.keep_alive_seconds);
	if (response.validators.modified >= 0 && !row->dated_now) {
		unit_number("Last-Modified", NOW - 1,
		    (long long)response.validators.modified);
		/* RFC 9110 8.8.3.3: each coding has a tag of its own. */
		char tag[96];
		snprintf(tag, sizeof(tag), "\"%s%s%.*s\"", OPAQUE,
		    row->is_stored ? "-" : "",
		    row->is_stored ? (int)coding_name(row->coding).len : 0,
		    coding_name(row->coding).ptr);
		unit_slice("ETag",
		    row->portable ? SLICE(PORTABLE_TAG) : slice_of(tag),
		    (struct slice){
			response.validators.tag, response.validators.tag_len });
	}
	if (response.validators.modified < 0)
		unit_number("no ETag either", 0,
		    (long long)response.validators.tag_len);
	if (response.file < 0)
		check_page(&response);
}

/* RFC 9110 8.8.2.1: Last-Modified is never later than the answer's Date. */
static void
check_last_modified(void)
{
	static const struct {
		const char *name;
		int64_t modified, now, wanted;
	} dates[] = {
		{ "modified long ago", 5, NOW, 5 },
		{ "modified at the epoch", 0, NOW, -1 },
		{ "modified a second later", 1, NOW, -1 },
		{ "modified two seconds later", 2, NOW, 2 },
		{ "modified just now", NOW, NOW, NOW },
		{ "modified a second ahead", NOW + 1, NOW, NOW },
		{ "modified far ahead", 253402300799, NOW, NOW },
		{ "modified before the epoch", -1, NOW, -1 },
		{ "modified behind the year 9999", 253402300800, NOW, -1 },
		{ "modified at the end of time", INT64_MAX, NOW, -1 },
		{ "modified at the start of time", INT64_MIN, NOW, -1 },
		{ "a clock before the epoch", 5, -10, -1 },
	};

	for (size_t i = 0; i < UNIT_COUNT(dates); i++) {
		const struct policy policy = { .persist = PERSIST_OK };
		const struct timespec clock = { .tv_sec = dates[i].now };
		struct response response;

		unit_begin(dates[i].name);
		set_up("GET /a.html" R_1_1, "a.html", SOME_FILE);
		target.facts.modified = dates[i].modified;
		decide_response(FOUND, &request, &target, &policy, false,
		    &clock, &ranges, &response);
		unit_number("modified", dates[i].wanted,
		    (long long)response.validators.modified);
	}
}

/* Each verdict that has an answer has a status with a reason and a page. */
static void
check_all_verdicts(void)
{
	static const struct {
		enum verdict verdict;
		const char *name, *token;
		int status;
	} all[] = {
#define VERDICT(name, status, framing, token) { name, #name, token, status },
#include "verdicts.def"
#undef VERDICT
	};

	for (size_t i = 0; i < UNIT_COUNT(all); i++) {
		const struct policy policy = { .persist = PERSIST_ALWAYS };
		struct response response;

		unit_begin(all[i].name);
		unit_number(
		    "status", all[i].status, verdict_status(all[i].verdict));
		unit_string(
		    "token", all[i].token, verdict_token(all[i].verdict));
		for (size_t j = 0; j < i; j++)
			unit_bool("the token is one of its own", true,
			    strcmp(all[i].token, all[j].token) != 0);
		if (all[i].status == 0)
			continue;
		set_up("GET /a" R_1_1, "a", NO_FILE);
		enum verdict v = decide_response(all[i].verdict, &request,
		    &target, &policy, false, &now, &ranges, &response);
		unit_string("verdict", all[i].token, verdict_token(v));
		unit_number(
		    "response's status", all[i].status, response.status);
		unit_bool("it closes exactly where framing is broken",
		    !verdict_framing_intact(all[i].verdict), response.close);
		if (all[i].status >= 300)
			check_page(&response);
	}
}

static void
check_reasons(void)
{
	/* RFC 9110 15 and RFC 6585 5. */
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	unit_begin("reasons");
	for (size_t i = 0; i < UNIT_COUNT(reasons); i++)
		unit_slice("reason", slice_of(reasons[i].reason),
		    reason_of_status(reasons[i].status));
}

int
main(void)
{
	unit_table("decide");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].name);
		check_row(&rows[i]);
	}
	check_last_modified();
	check_all_verdicts();
	check_reasons();
	return unit_end();
}
