/*
 * user: from root to somebody who owns nothing.
 */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid;
};

/* Who the process is where no user could be named: he who owns nothing. */
#define USER_NOBODY ((struct user){ .uid = 65534, .gid = 65534 })

/* Whether the process has the rights of root. */
bool user_is_root(void);

/*
 * Finds a user by name in /etc/passwd, or takes UID:GID as it is.  Neither root
 * nor a user with root's group can be named.  false, with *ret_problem as the
 * end of a sentence for the operator, if there is no such user.
 */
bool user_find(
    const char *name, struct user *ret_user, const char **ret_problem);

/*
 * Becomes that user for good: no other groups, no way back.  A process that is
 * that user already stays as it is.  false, with errno, if any of it fails or
 * turns out not to hold: the process must not serve then.
 */
bool user_become(const struct user *user);

#endif
