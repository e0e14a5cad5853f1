/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"

/*
 * Host names become addresses in a process of their own, so that a signal ends the wait for a name server at once. As
 * wg(8) does it: one after the other, the first result, at most 15 tries with growing waits between them (or as
 * WG_ENDPOINT_RESOLUTION_RETRIES says), none after an answer that is final.
 *
 * Where an agent keeps the tunnel, a name server that does not answer is no reason to wait, or to stay down: one try, and
 * the agent goes on asking.
 */
enum { TRIES = 15, FIRST_WAIT_MS = 1000, WAIT_MAX_MS = 20000, FAILURE_MAX = 400 };

struct answer {
	size_t peer;
	struct endpoint endpoint;
	char failure[FAILURE_MAX]; /* "": none */
	bool later;                /* the agent's to ask again */
};

static unsigned tries_allowed(bool kept)
{
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	uint64_t tries = kept ? 1 : TRIES;

	if (text && !strcmp(text, "infinity"))
		return 0;
	if (text && text_to_u64(text, 0, INT32_MAX, &tries) < 0)
		return TRIES;
	return (unsigned)tries + (text ? 1 : 0);
}

static bool is_final(int error)
{
	return error == EAI_NONAME || error == EAI_FAIL || error == EAI_NODATA || error == EAI_SERVICE;
}

static int look_up(const struct quick_peer *peer, struct endpoint *ret_endpoint)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_protocol = IPPROTO_UDP}, *found;
	int error = getaddrinfo(peer->host, peer->service, &hints, &found);

	if (error)
		return error;
	if (endpoint_from_sockaddr(found->ai_addr, ret_endpoint) < 0)
		error = EAI_NONAME;
	freeaddrinfo(found);
	return error;
}

static void wait_ms(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&time, NULL);
}

static void say_failure(const struct quick_peer *peer, int error, struct answer *answer)
{
	if (peer->zone && error == EAI_NONAME)
		snprintf(answer->failure, sizeof(answer->failure), "%.255s: there is no interface %.20s",
			peer->host, peer->zone);
	else
		snprintf(answer->failure, sizeof(answer->failure), "%.255s: %s", peer->host,
			error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

static void resolve_one(
	const struct quick *quick, const struct quick_peer *peer, bool kept, struct answer *answer)
{
	unsigned allowed = tries_allowed(kept), wait = FIRST_WAIT_MS;
	int error;

	for (unsigned tries = 1; (error = look_up(peer, &answer->endpoint)); tries++) {
		if (is_final(error) || (allowed && tries >= allowed)) {
			say_failure(peer, error, answer);
			answer->later = kept && !is_final(error);
			return;
		}
		quick_say(quick, QUICK_WARNING, "%s: %s; trying again in %u.%02u s", peer->host,
			gai_strerror(error), wait / 1000, wait % 1000 / 10);
		wait_ms(wait);
		wait = wait * 6 / 5 < WAIT_MAX_MS ? wait * 6 / 5 : WAIT_MAX_MS;
	}
}

static bool is_wanted(const struct quick *quick, size_t peer, bool all)
{
	const struct quick_peer *from = &quick->config.peers[peer];
	const struct quick_memory_peer *before;
	char text[2 * QUICK_NAME_MAX + 2];

	if (from->disabled || !from->host)
		return false;
	if (addr_is_set(&from->endpoint.addr))
		return from->zone; /* no name, but which interface that is, only the host knows */
	before = all ? NULL : quick_memory_find(&quick->journal.memory, &from->public_key);
	snprintf(text, sizeof(text), "%s:%s", from->host, from->service);
	return !before || !before->endpoint || strcmp(before->endpoint, text) != 0;
}

/* The child's life. */
static void resolve_all(const struct quick *quick, bool all, int out)
{
	bool kept = quick_has_keeper(quick) && quick_is_here(quick), later = false;
	struct answer lost = {0};
	struct err err;
	sigset_t none;

	if (quick_live_in_birth(quick, &err) < 0) {
		snprintf(lost.failure, sizeof(lost.failure), "%.300s", err.text);
		_exit(write(out, &lost, sizeof(lost)) == (ssize_t)sizeof(lost));
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < quick->config.peer_count; i++) {
		struct answer answer = {.peer = i};

		if (!is_wanted(quick, i, all))
			continue;
		if (later && !quick->config.peers[i].zone)
			continue; /* whoever does not answer one question lets the next wait as long */
		resolve_one(quick, &quick->config.peers[i], kept, &answer);
		if (write(out, &answer, sizeof(answer)) != (ssize_t)sizeof(answer) ||
			(answer.failure[0] && !answer.later))
			_exit(1);
		later |= answer.later;
	}
	_exit(0);
}

/* -EINTR: a signal came. 0: the child has no more to say. */
static int read_answers(struct quick *quick, int in)
{
	struct pollfd fds[] = {{.fd = in, .events = POLLIN}, {.fd = quick->signal_fd, .events = POLLIN}};
	struct answer answer;
	ssize_t length;
	int r;

	for (;;) {
		(void)poll(fds, 2, -1);
		r = quick_check_signal(quick, 0);
		if (r < 0)
			return r;
		if (!fds[0].revents)
			continue;
		length = read(in, &answer, sizeof(answer)); /* atomic: smaller than PIPE_BUF */
		if (length != (ssize_t)sizeof(answer))
			return 0;
		if (answer.later) {
			quick_say(quick, QUICK_WARNING,
				"%s: the tunnel comes up without it, and the agent goes on asking",
				answer.failure);
			continue;
		}
		if (answer.failure[0])
			return err_at(quick->err, -EHOSTUNREACH, quick->path,
				quick->config.peers[answer.peer].endpoint_place.line,
				quick->config.peers[answer.peer].endpoint_place.column, "%s", answer.failure);
		quick->endpoints[answer.peer] = answer.endpoint;
	}
}

static int in_a_child(struct quick *quick, bool all)
{
	pid_t pid, parent = getpid();
	int ends[2], status = 0, r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(quick->err, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		if (quick_die_with(parent) < 0)
			_exit(1);
		close(ends[0]);
		resolve_all(quick, all, ends[1]);
	}
	close(ends[1]);
	r = pid < 0 ? err_set(quick->err, -errno, "fork: %s", strerror(errno)) : read_answers(quick, ends[0]);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	return r;
}

int quick_resolve_endpoints(struct quick *quick, bool all)
{
	bool wanted = false;

	free(quick->endpoints);
	quick->endpoints = mem_new(quick->config.peer_count + 1, sizeof(*quick->endpoints));
	for (size_t i = 0; i < quick->config.peer_count; i++) {
		if (!quick->config.peers[i].disabled)
			quick->endpoints[i] = quick->config.peers[i].endpoint;
		wanted |= is_wanted(quick, i, all);
	}
	if (!wanted || quick->options->dry_run)
		return 0;
	return in_a_child(quick, all);
}
