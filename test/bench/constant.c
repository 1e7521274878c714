/*
 * The yardstick for the price of a process per connection: the least that a
 * static program can do and still be called an answer.  It reads a request
 * head from standard input, writes a fixed 200 with 1 KiB of body to standard
 * output in one call, and exits.  It looks at no path, opens no file, sets no
 * socket option and keeps no log.
 *
 * `constant body` prints the body alone.
 */
#include <string.h>
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

int
main(int argc, char **argv)
{
	char head[2048];
	size_t len = 0;

	if (argc == 2 && strcmp(argv[1], "body") == 0)
		return write_all(body, sizeof(body) - 1);

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
