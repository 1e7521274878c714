/*
 * What the parts of the program faults share; faults.c says what it is for.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define REQUESTS_MAX 4
#define CALLS_MAX 4096
#define STREAM_MAX (1u << 20)
#define LOG_MAX 65536
#define WHY_MAX 1024

/* How the client and the handler are connected. */
enum transport { TCP, LOCAL, PIPES };

/* Where the handler's log goes, and what is wrong with that place. */
enum log_place {
	LOG_PIPE,
	LOG_SOCKET, /* a stream, as the journal's */
	LOG_FILE,
	LOG_DISK_FULL,
	LOG_NO_READER, /* a pipe that nobody reads any more */
	LOG_PIPE_STUCK, /* a pipe that is full */
	LOG_SOCKET_STUCK,
	LOG_SOCKET_GONE,
	LOG_NOWHERE, /* standard error is closed */
	LOG_SYSLOG, /* standard error is the client */
	LOG_SYSLOG_ABSENT,
	LOG_SYSLOG_STUCK, /* its reader is stopped, its queue full */
	LOG_SYSLOG_GONE, /* its reader has ended, the name is left */
	LOG_SYSLOG_STREAM, /* another kind of socket than was expected */
};

struct request {
	const char *bytes;
	int status;
	const char *file; /* whose content is to arrive; NULL: not checked */
};

struct scenario {
	const char *name;
	enum transport transport;
	enum log_place log;
	bool at_once; /* the requests are sent without waiting for answers */
	bool in_pieces; /* half of the first comes while the handler waits */
	bool ends_sending; /* the client's half is closed behind them */
	bool takes_nothing; /* the client, until the handler has ended */
	bool waits; /* it ends by a timeout */
	bool small_buffers; /* the answer does not fit the socket */
	bool is_root; /* started by root, with groups */
	bool is_limited; /* further than by the sandbox */
	long lacks; /* a system call that the kernel does not know; or 0 */
	const char *options[4];
	struct request requests[REQUESTS_MAX + 1];
	const char *files[4]; /* those that an answer depends on */
};

/* What may be done to a file of the tree, or to a directory. */
enum deed {
	REPLACE,
	TRUNCATE,
	EMPTY,
	GROW,
	DELETE,
	MAKE_UNREADABLE,
	RENAME,
	DEEDS,
};

enum fault {
	NONE,
	FAIL, /* the call is not made, and has the result -value */
	SHORTEN, /* the call is asked for `value` bytes at most */
	SIGNAL, /* signal `value` arrives before the call */
	ACT, /* `deed` is done to `file` before the call */
	RESET, /* the client resets behind `value` bytes of answer */
	STEP_CLOCK, /* clock `clock` steps by `value` seconds */
	END_LOG_READER, /* /dev/log loses its reader before the call */
};

/* What a call is about, which says how much harm its failure may do. */
enum role {
	OTHER,
	CLIENT,
	LOGGING,
	SITE,
	TREE,
	INHERITED, /* descriptors that the spawner left open */
	PRIVILEGES,
	SANDBOX,
};

/* One run of the handler, with a fault at its nth call of that number. */
struct trial {
	const struct scenario *scenario;
	enum fault fault;
	long call;
	unsigned nth; /* from 1 */
	enum role role; /* of the calls that fail or are shortened */
	unsigned repeat; /* how many of them in a row */
	int value;
	int clock;
	enum deed deed;
	const char *file;
};

struct call {
	long number;
	unsigned nth;
	enum role role;
};

struct outcome {
	char bytes[STREAM_MAX]; /* what the client received */
	size_t len;
	char log[LOG_MAX]; /* what arrived in the log, a line each */
	size_t log_len;
	struct call calls[CALLS_MAX];
	size_t call_count;
	int status; /* as of waitpid */
	bool reached; /* the call at which the fault was due was made */
	bool hung; /* it had to be killed */
	unsigned descriptors; /* open when it ended */
	char leaked[256]; /* one of them that is a file of the tree */
};

/* Where a worker's trials happen. */
struct world {
	int program;
	int full; /* a disk that is full */
	char dir[256]; /* beneath which the tree lies */
	const char *dirty; /* what is to be made again; NULL: nothing */
	int listener;
	uint16_t port; /* of it, in network order */
	int syslog; /* bound to /dev/log; -1: it is absent */
};

/* An answer as a strict reader finds it in the client's bytes. */
struct answer {
	size_t start;
	size_t len; /* head and content, what there is of them */
	size_t head_len; /* 0: it is not whole */
	int status;
	uint64_t content_length;
	bool closes;
	bool whole;
};

struct answers {
	struct answer list[REQUESTS_MAX + 1];
	size_t count;
};

/* faults_tree.c */
_Noreturn void die(const char *what);
void tree_make(struct world *w);
void tree_act(struct world *w, enum deed deed, const char *file);
const char *deed_name(enum deed deed);
/* The byte at a place of a file of the tree in its first version. */
size_t file_size(const char *file);
char file_byte(const char *file, size_t at);

/* faults_read.c: false, with a sentence in why, for what is no HTTP. */
bool read_answers(const struct scenario *s, const char *bytes, size_t len,
    struct answers *ret_answers, char why[WHY_MAX]);
/*
 * Takes the ETag lines out of what was received, and returns what is left of its
 * length: the tag of a file that has just been written is another one each time,
 * and until a second ago of another length.
 */
size_t drop_tags(char *bytes, size_t len);
/* Makes what differs between two runs the same: dates and boundaries. */
void mask(char *bytes, size_t len);
/* Counts the log's lines about requests, and compares them with answers. */
bool read_log(const char *log, size_t len, const struct answers *a,
    size_t *ret_lines, char why[WHY_MAX]);

/* faults_trace.c */
/* Completes a world in which program and full are set. */
void world_open(struct world *w, const char *dir);
bool is_lacking(const struct scenario *s, long number);
bool is_transfer(long number); /* a call that moves bytes */
void run_trial(struct world *w, const struct trial *t, struct outcome *ret);

#endif
