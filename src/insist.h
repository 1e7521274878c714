/*
 * Assertions that stay on.
 *
 * A mistake of ours ends this one connection at once.  The C library's assert
 * is of no use here: it writes to descriptor 2, which under inetd is the
 * client's connection.
 */
#ifndef INSIST_H
#define INSIST_H

#define insist(condition) \
	((condition) ? (void)0 : insist_failed(__FILE__, __LINE__, #condition))

/*
 * Reports the failed condition to the operator and exits with 70
 * (EX_SOFTWARE).  Defined in log.c, and by the unit tests for themselves.
 */
_Noreturn void insist_failed(const char *file, int line, const char *condition);

#endif
