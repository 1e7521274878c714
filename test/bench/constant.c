/*
 * The yardstick for the price of a process per connection: the least that a
 * static program can do and still be called an answer.  It reads a request
 * head from standard input, writes a fixed 200 with 1 KiB of body to standard
 * output in one call, and exits.  It looks at no path, opens no file, sets no
 * socket option and keeps no log.
 *
 * `constant body` prints the body alone.
 *
 * `constant keep FILE` is the same for kept connections: all that it does for a
 * request is to receive it and to send an answer that it made before, with the
 * content of FILE, in one call each.  A request is what arrives at once.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "body.h"

static const char answer[] = "HTTP/1.1 200 OK\r\n"
			     "Date: Mon, 23 Nov 2026 14:18:00 GMT\r\n"
			     "Content-Type: text/plain; charset=utf-8\r\n"
			     "Content-Length: 1024\r\n"
			     "Last-Modified: Mon, 23 Nov 2026 14:18:00 GMT\r\n"
			     "Connection: close\r\n"
			     "\r\n" BODY_1K;

static const char body[] = BODY_1K;

/* Writes all of buf; returns the exit status. */
static int
write_all(const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n <= 0)
			return 1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Puts number and the end of the head in front of `end`; returns the start. */
static char *
put_before(char *end, size_t number)
{
	end = memcpy(end - 4, "\r\n\r\n", 4);
	do
		*--end = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return end;
}

static int
keep(const char *path)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\n"
	    "Date: Mon, 23 Nov 2026 14:18:00 GMT\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Last-Modified: Mon, 23 Nov 2026 14:18:00 GMT\r\n"
	    "ETag: \"5xkqx7DEq1kGjLLZbY2c4A\"\r\n"
	    "Accept-Ranges: bytes\r\n"
	    "Connection: keep-alive\r\n"
	    "Content-Length: ";
	enum { HEAD_CAP = sizeof(head) + 32, CONTENT_CAP = 128 << 10 };
	/* On the stack, so that who answers once has less memory to set up. */
	char answer[HEAD_CAP + CONTENT_CAP], request[2048];
	char *content = answer + HEAD_CAP, *start;
	ssize_t n;
	size_t len = 0;
	int file = open(path, O_RDONLY);

	while ((n = read(file, content + len, CONTENT_CAP - len)) > 0)
		len += (size_t)n;
	if (n < 0 || len == CONTENT_CAP)
		return 1;
	start = put_before(content, len);
	start = memcpy(start - (sizeof(head) - 1), head, sizeof(head) - 1);
	while ((n = recv(STDIN_FILENO, request, sizeof(request), 0)) > 0)
		if (write_all(start, (size_t)(content - start) + len) != 0)
			return 1;
	return n < 0;
}

int
main(int argc, char **argv)
{
	char head[2048];
	size_t len = 0;

	if (argc == 2 && strcmp(argv[1], "body") == 0)
		return write_all(body, sizeof(body) - 1);
	if (argc == 3 && strcmp(argv[1], "keep") == 0)
		return keep(argv[2]);

	/* The request is complete with its empty line. */
	/* cppcheck-suppress legacyUninitvar ; len counts what has been read */
	while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
		ssize_t n = read(STDIN_FILENO, head + len, sizeof(head) - len);

		if (n <= 0)
			return 1;
		len += (size_t)n;
	}
	return write_all(answer, sizeof(answer) - 1);
}
