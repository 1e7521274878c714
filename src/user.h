/*
 * user: switching from root to an unprivileged user.
 */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid;
};

/* The user to run as if none was given: one that owns nothing. */
#define USER_NOBODY ((struct user){ .uid = 65534, .gid = 65534 })

/* Whether the process has the rights of root. */
bool user_is_root(void);

/*
 * Finds a user by name in /etc/passwd, or parses UID:GID.  Rejects root and
 * users in root's group.  On failure returns false and sets *ret_problem to the
 * end of a sentence for the operator.
 */
bool user_find(
    const char *name, struct user *ret_user, const char **ret_problem);

/*
 * Switches to that user for good: no supplementary groups, no way back.  A
 * process that is that user already is left unchanged.  Returns false and sets
 * errno if a step fails or did not take effect: the process must not serve
 * then.
 */
bool user_switch_to(const struct user *user);

#endif
