/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holdfast-swarm: many stock WireGuard clients in one process, each with a key and a UDP socket of its own.
 *
 *   holdfast-swarm keys SEED COUNT                                  prints the clients' public keys, one a line
 *   holdfast-swarm run SEED COUNT GATEWAY-KEY ADDRESS PORT FIRST TARGET PING-MS
 *
 * FIRST is the tunnel's address of client 0, the others follow; each pings TARGET, in the tunnel. On stdin: "state" (who has had
 * an answer within two ping intervals, and may initiate again), "begin" (from now on answers count), "cross" (for each, the
 * gateway's next initiation crosses with its own), "result SECONDS" (waits as long for the first answer to each). Each is answered
 * with one line of JSON; the end of stdin ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/key.h"
#include "common/base/mem.h"
#include "common/io/clock.h"
#include "tests/swarm/client.h"

enum { EVENTS = 256, LINE_MAX_BYTES = 128, COUNT_MAX = 60000, STARTS_PER_TURN = 8, HUNDRED_MS = 100 };

struct swarm {
	size_t count;
	struct client *clients;
	int *sockets;
	int epoll;
	size_t cursor;                                             /* whose time is looked at next */
	int64_t swept_ms, begun_ms, begun_cpu_us, wanted_until_ms; /* wanted: 0: nobody waits for a result */
};

static void die(const char *what)
{
	fprintf(stderr, "holdfast-swarm: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The private key of client `number`: of a seed, so that who configures the gateways need not keep them. */
static void private_key(const char *seed, uint32_t number, uint8_t ret_key[32])
{
	hash_two(seed, strlen(seed), &number, sizeof(number), ret_key);
}

static void print_keys(const char *seed, size_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t private[32];
		struct key public;
		char text[KEY_TEXT_MAX];

		private_key(seed, i, private);
		x25519_public(private, public.bytes);
		puts(key_format(&public, text));
	}
}

/* ---- clients and their sockets ---- */

static int64_t cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

static void step(struct swarm *swarm, size_t number, const uint8_t *datagram, size_t size)
{
	struct client_event event = {
		.datagram = datagram, .size = size, .wall_ns = (uint64_t)clock_wall_ms() * 1000000};
	struct client_actions actions;

	if (getrandom(event.secret, sizeof(event.secret), 0) != sizeof(event.secret))
		die("getrandom");
	client_step(&swarm->clients[number], &event, clock_now_ms(), &actions);
	for (size_t i = 0; i < actions.count; i++)
		(void)!send(
			swarm->sockets[number], actions.items[i].bytes, actions.items[i].size, MSG_DONTWAIT);
}

static void raise_limit(size_t count)
{
	struct rlimit limit = {.rlim_cur = count + 64, .rlim_max = count + 64};

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("raise the number of open files");
}

static void open_socket(struct swarm *swarm, size_t number, const struct sockaddr_in *gateway)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)gateway, sizeof(*gateway)) < 0 ||
		epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("socket");
	swarm->sockets[number] = fd;
}

static void make_clients(struct swarm *swarm, const char *seed, const struct key *gateway, uint32_t first,
	uint32_t target, int64_t ping_ms)
{
	static const uint8_t no_psk[32];

	for (size_t i = 0; i < swarm->count; i++) {
		uint8_t private[32];
		uint64_t random;

		private_key(seed, (uint32_t)i, private);
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			die("getrandom");
		if (!identity_make(&swarm->clients[i].identity, private, gateway->bytes, no_psk))
			die("the gateway's key");
		client_init(&swarm->clients[i], first + (uint32_t)i, target, ping_ms, random, clock_now_ms());
	}
}

static void receive(struct swarm *swarm, size_t number)
{
	uint8_t datagram[CLIENT_MESSAGE_MAX + 1];
	ssize_t size;

	while ((size = recv(swarm->sockets[number], datagram, sizeof(datagram), MSG_DONTWAIT)) >= 0)
		step(swarm, number, datagram, (size_t)size);
}

/* Time goes on for everybody, every 10 ms; at most STARTS_PER_TURN initiations, so that answers are not late for them. */
static void sweep(struct swarm *swarm)
{
	int64_t now_ms = clock_now_ms();
	size_t looked = 0;

	if (now_ms - swarm->swept_ms < 10)
		return;
	swarm->swept_ms = now_ms;
	for (size_t steps = 0; looked < swarm->count && steps < STARTS_PER_TURN * 4; looked++) {
		size_t number = swarm->cursor;

		swarm->cursor = (number + 1) % swarm->count;
		if (client_deadline(&swarm->clients[number]) > now_ms)
			continue;
		step(swarm, number, NULL, 0);
		steps += swarm->clients[number].initiated_ms >= now_ms ? 4 : 0;
	}
}

/* ---- what it says ---- */

static void say_state(const struct swarm *swarm)
{
	int64_t now_ms = clock_now_ms();
	size_t answered = 0, sessions = 0, may_initiate = 0;

	for (size_t i = 0; i < swarm->count; i++) {
		const struct client *client = &swarm->clients[i];

		sessions += client->current.present;
		may_initiate += client_may_initiate(client, now_ms);
		answered +=
			client->answered_ms >= 0 && now_ms - client->answered_ms < 2 * client->ping_every_ms;
	}
	printf("{\"clients\": %zu, \"sessions\": %zu, \"answered\": %zu, \"may_initiate\": %zu}\n",
		swarm->count, sessions, answered, may_initiate);
}

static int by_value(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static size_t collect_back(const struct swarm *swarm, int64_t *back_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < swarm->count; i++)
		if (swarm->clients[i].first_ms >= 0)
			back_ms[count++] = swarm->clients[i].first_ms - swarm->begun_ms;
	qsort(back_ms, count, sizeof(*back_ms), by_value);
	return count;
}

static void begin(struct swarm *swarm)
{
	swarm->begun_ms = clock_now_ms();
	swarm->begun_cpu_us = cpu_us();
	for (size_t i = 0; i < swarm->count; i++) {
		client_begin(&swarm->clients[i], swarm->begun_ms);
		swarm->clients[i].cookies = swarm->clients[i].handshakes_answered =
			swarm->clients[i].handshakes_made = swarm->clients[i].crossed = 0;
	}
	printf("{\"begun\": %" PRId64 "}\n", clock_wall_ms());
}

static void cross(struct swarm *swarm)
{
	for (size_t i = 0; i < swarm->count; i++)
		client_cross(&swarm->clients[i]);
	printf("{\"cross\": %zu}\n", swarm->count);
}

static int64_t share(const int64_t *back_ms, size_t back, size_t count, unsigned percent)
{
	size_t needed = (count * percent + 99) / 100;

	return needed > 0 && needed <= back ? back_ms[needed - 1] : -1;
}

/* How many came back in the first HUNDRED_MS, the second, and so on. */
static void say_hundreds(const int64_t *back_ms, size_t back)
{
	size_t from = 0;

	printf(", \"hundreds\": [");
	for (int64_t end_ms = HUNDRED_MS; from < back; end_ms += HUNDRED_MS) {
		size_t to = from;

		while (to < back && back_ms[to] < end_ms)
			to++;
		printf("%s%zu", end_ms == HUNDRED_MS ? "" : ", ", to - from);
		from = to;
	}
	printf("]");
}

/* -1: so many are not back. by_itself: by the client's own handshake, not the gateway's. */
static void say_result(const struct swarm *swarm)
{
	CLEANUP_FREE int64_t *back_ms = mem_new(swarm->count, sizeof(*back_ms));
	size_t back = collect_back(swarm, back_ms), late = 0;
	uint64_t cookies = 0, answered = 0, made = 0, crossed = 0;

	for (size_t i = 0; i < swarm->count; i++) {
		cookies += swarm->clients[i].cookies;
		answered += swarm->clients[i].handshakes_answered;
		made += swarm->clients[i].handshakes_made;
		crossed += swarm->clients[i].crossed;
	}
	for (size_t i = 0; i < back; i++)
		late += back_ms[i] > 1000;
	printf("{\"clients\": %zu, \"back\": %zu, \"after_a_second\": %zu, \"first_ms\": %" PRId64
	       ", \"p50_ms\": %" PRId64 ", \"p99_ms\": %" PRId64 ", \"all_ms\": %" PRId64
	       ", \"handshakes_answered\": %" PRIu64 ", \"handshakes_made\": %" PRIu64
	       ", \"crossed\": %" PRIu64 ", \"cookies\": %" PRIu64 ", \"cpu_ms\": %" PRId64,
		swarm->count, back, late, back > 0 ? back_ms[0] : -1, share(back_ms, back, swarm->count, 50),
		share(back_ms, back, swarm->count, 99), share(back_ms, back, swarm->count, 100), answered,
		made, crossed, cookies, (cpu_us() - swarm->begun_cpu_us) / 1000);
	say_hundreds(back_ms, back);
	printf("}\n");
}

static bool all_back(const struct swarm *swarm)
{
	for (size_t i = 0; i < swarm->count; i++)
		if (swarm->clients[i].first_ms < 0)
			return false;
	return true;
}

static void look_for_result(struct swarm *swarm)
{
	if (swarm->wanted_until_ms == 0 || (!all_back(swarm) && clock_now_ms() < swarm->wanted_until_ms))
		return;
	swarm->wanted_until_ms = 0;
	say_result(swarm);
}

/* ---- the loop ---- */

/* False: the end of stdin. A line is written at once, so it is read at once. */
static bool take_command(struct swarm *swarm)
{
	char line[LINE_MAX_BYTES];
	ssize_t size = read(STDIN_FILENO, line, sizeof(line) - 1);
	int seconds;

	if (size <= 0)
		return false;
	line[size] = '\0';
	if (strcmp(line, "state\n") == 0)
		say_state(swarm);
	else if (strcmp(line, "begin\n") == 0)
		begin(swarm);
	else if (strcmp(line, "cross\n") == 0)
		cross(swarm);
	else if (sscanf(line, "result %d", &seconds) == 1)
		swarm->wanted_until_ms = clock_now_ms() + seconds * INT64_C(1000);
	else
		fprintf(stderr, "holdfast-swarm: there is no command %s", line);
	return true;
}

static void loop(struct swarm *swarm)
{
	struct epoll_event events[EVENTS], input = {.events = EPOLLIN, .data.u64 = UINT64_MAX};

	if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0)
		die("stdin");
	for (;;) {
		int count = epoll_wait(swarm->epoll, events, EVENTS, 5);

		for (int i = 0; i < count; i++) {
			if (events[i].data.u64 != UINT64_MAX)
				receive(swarm, events[i].data.u64);
			else if (!take_command(swarm))
				return;
		}
		sweep(swarm);
		look_for_result(swarm);
	}
}

static uint32_t parse_address(const char *text)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1) {
		errno = EINVAL;
		die(text);
	}
	return ntohl(address.s_addr);
}

static void run(size_t count, char **argv)
{
	struct swarm swarm = {.count = count};
	struct sockaddr_in gateway = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[6]))};
	struct key key;

	gateway.sin_addr.s_addr = htonl(parse_address(argv[5]));
	if (key_parse(argv[4], &key, NULL) < 0) {
		errno = EINVAL;
		die("the gateway's key");
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	raise_limit(count);
	swarm.clients = mem_new(count, sizeof(*swarm.clients));
	swarm.sockets = mem_new(count, sizeof(*swarm.sockets));
	swarm.epoll = epoll_create1(EPOLL_CLOEXEC);
	make_clients(&swarm, argv[2], &key, parse_address(argv[7]), parse_address(argv[8]), atoi(argv[9]));
	for (size_t i = 0; i < count; i++)
		open_socket(&swarm, i, &gateway);
	loop(&swarm);
	for (size_t i = 0; i < count; i++)
		close(swarm.sockets[i]);
	close(swarm.epoll);
	free(swarm.sockets);
	free(swarm.clients);
}

int main(int argc, char **argv)
{
	long count = argc > 3 ? atol(argv[3]) : 0;

	if (count < 1 || count > COUNT_MAX ||
		(strcmp(argv[1], "keys") != 0 &&
			(strcmp(argv[1], "run") != 0 || argc != 10 || atoi(argv[9]) < 1))) {
		fprintf(stderr, "usage: holdfast-swarm keys SEED COUNT\n"
				"       holdfast-swarm run SEED COUNT GATEWAY-KEY ADDRESS PORT FIRST TARGET "
				"PING-MS\n");
		return 2;
	}
	if (strcmp(argv[1], "keys") == 0)
		print_keys(argv[2], (size_t)count);
	else
		run((size_t)count, argv);
	return 0;
}
