/*
 * forward - a wire between two network namespaces, with a delay.
 *
 *	forward DELAY_US NETNS DEVICE NETNS DEVICE
 *
 * Makes a TUN device in each of the two namespaces (of ip-netns) and carries
 * packets between them, each way DELAY_US microseconds late and in order, as
 * netem would where a kernel has it.  It prints "ready" when both devices are
 * there, works until the end of its standard input, and then prints how many
 * packets it carried and how many the receiving side did not take.
 *
 * Packets travel with the header of virtio-net, so that both kernels may leave
 * checksums and the cutting of large segments to the "hardware" as on a real
 * Ethernet card: a capture then shows what TCP handed down, not what a wire
 * would carry.  A packet that finds the queue full stays in the device's own,
 * which drops by itself when it is full too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include <linux/if_tun.h>

#define SECOND_NS 1000000000LL

/*
 * A packet that is due this soon goes with the one before it.  What a program
 * sent in one breath so arrives in one, however late this process is woken.
 */
#define BREATH_NS 50000

/* The largest IP packet, with the header of virtio-net. */
#define PACKET_MAX (65535 + 64)

#define QUEUE_LEN 512

struct packet {
	int64_t due_ns;
	size_t len;
	char bytes[PACKET_MAX];
};

/* One direction: what came from one device and is to go to the other. */
struct way {
	int from, to;
	unsigned first, len;
	uintmax_t carried, dropped;
	struct packet queue[QUEUE_LEN];
};

static struct way ways[2];

static void
die(const char *what)
{
	fprintf(stderr, "forward: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void
enter_namespace(const char *name)
{
	char path[256];
	int len = snprintf(path, sizeof(path), "/run/netns/%s", name);

	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		die(name);
	}
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns == -1 || setns(ns, CLONE_NEWNET) == -1)
		die(path);
	close(ns);
}

/* The device belongs to the namespace that this process is in. */
static int
make_device(const char *name)
{
	struct ifreq request = { 0 };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1)
		die("/dev/net/tun");
	if (strlen(name) >= sizeof(request.ifr_name)) {
		errno = ENAMETOOLONG;
		die(name);
	}
	memcpy(request.ifr_name, name, strlen(name));
	request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &request) == -1)
		die(name);
	if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) == -1)
		die("TUNSETOFFLOAD");
	return fd;
}

static bool
has_room(const struct way *way)
{
	return way->len < QUEUE_LEN;
}

/* Takes all packets that are there, as far as there is room. */
static void
take_packets(struct way *way, int64_t delay_ns)
{
	while (has_room(way)) {
		struct packet *packet =
		    &way->queue[(way->first + way->len) % QUEUE_LEN];
		ssize_t n = read(way->from, packet->bytes, PACKET_MAX);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1 && errno != EINTR)
			die("reading a packet");
		if (n <= 0)
			continue;
		packet->len = (size_t)n;
		packet->due_ns = now_ns() + delay_ns;
		way->len++;
	}
}

/* Hands over what is due, and with it what is due within a breath. */
static void
hand_over(struct way *way)
{
	int64_t now = now_ns();

	if (way->len == 0 || way->queue[way->first].due_ns > now)
		return;
	while (way->len > 0) {
		const struct packet *packet = &way->queue[way->first];

		if (packet->due_ns > now + BREATH_NS)
			return;
		if (write(way->to, packet->bytes, packet->len) == -1)
			way->dropped++;
		else
			way->carried++;
		way->first = (way->first + 1) % QUEUE_LEN;
		way->len--;
	}
}

/* The time until the next packet is due; false if there is none. */
static bool
next_due(struct timespec *ret_wait)
{
	int64_t due_ns = INT64_MAX;

	for (unsigned i = 0; i < 2; i++) {
		if (ways[i].len == 0)
			continue;
		int64_t first_ns = ways[i].queue[ways[i].first].due_ns;

		if (first_ns < due_ns)
			due_ns = first_ns;
	}
	if (due_ns == INT64_MAX)
		return false;
	int64_t wait_ns = due_ns - now_ns();
	if (wait_ns < 0)
		wait_ns = 0;
	ret_wait->tv_sec = wait_ns / SECOND_NS;
	ret_wait->tv_nsec = wait_ns % SECOND_NS;
	return true;
}

/* Carries packets until standard input ends, which brings nothing else. */
static void
carry(int64_t delay_ns)
{
	struct pollfd fds[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };

	for (;;) {
		struct timespec wait;
		bool waits = next_due(&wait);

		for (unsigned i = 0; i < 2; i++) {
			fds[i + 1].fd = has_room(&ways[i]) ? ways[i].from : -1;
			fds[i + 1].events = POLLIN;
		}
		if (ppoll(fds, 3, waits ? &wait : NULL, NULL) == -1 &&
		    errno != EINTR)
			die("ppoll");
		if (fds[0].revents != 0)
			return;
		for (unsigned i = 0; i < 2; i++) {
			take_packets(&ways[i], delay_ns);
			hand_over(&ways[i]);
		}
	}
}

int
main(int argc, char *argv[])
{
	char *end = NULL;
	long delay_us = argc == 6 ? strtol(argv[1], &end, 10) : -1;

	if (delay_us < 0 || delay_us > 1000000 || *end != '\0') {
		fputs("usage: forward DELAY_US NETNS DEVICE NETNS DEVICE\n",
		    stderr);
		return 64;
	}
	for (int i = 0; i < 2; i++) {
		enter_namespace(argv[2 + 2 * i]);
		ways[i].from = make_device(argv[3 + 2 * i]);
	}
	ways[0].to = ways[1].from;
	ways[1].to = ways[0].from;
	/* The kernel may be 50 us late for who does not ask for better. */
	if (prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) == -1)
		die("PR_SET_TIMERSLACK");
	puts("ready");
	fflush(stdout);

	carry(delay_us * 1000);
	for (int i = 0; i < 2; i++)
		printf("from %s: %ju carried, %ju dropped\n", argv[3 + 2 * i],
		    ways[i].carried, ways[i].dropped);
	return 0;
}
