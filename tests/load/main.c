/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holdfast-talker NAME URL DIRECTORY: one gateway that only talks (talker.h), until SIGTERM or until whoever started it ends. A process
 * for each, as with agents: what one computes keeps no other waiting.
 */
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/io/loop.h"
#include "tests/load/talker.h"

enum { EXIT_USAGE = 2, ARGUMENTS = 4, LARGE_BYTES = 64 * 1024 };

static void on_term(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	event_base_loopbreak(context);
}

static int serve(struct event_base *base, char **argv, struct err *err)
{
	struct event *term = evsignal_new(base, SIGTERM, on_term, base);
	struct talker *talker = NULL;
	int r = talker_new(base, argv[1], argv[2], argv[3], &talker, err);

	event_add(term, NULL);
	if (r >= 0)
		event_base_dispatch(base);
	talker_free(talker);
	event_free(term);
	return r;
}

int main(int argc, char **argv)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	struct event_base *base;
	struct err err = {0};
	int r;

	if (argc != ARGUMENTS) {
		fputs("usage: holdfast-talker NAME URL DIRECTORY\n", stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	mallopt(M_ARENA_MAX, 1); /* memory as the agent's main() has it */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	base = loop_new();
	if (!base)
		return EXIT_FAILURE;
	r = serve(base, argv, &err);
	loop_free(base);
	libevent_global_shutdown();
	if (r >= 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "holdfast-talker: %s\n", err_format(&err, line, sizeof(line)));
	return EXIT_FAILURE;
}
