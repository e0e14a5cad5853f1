/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/log.h"
#include "common/io/loop.h"
#include "node-agent/io/agent/agent.h"
#include "node-agent/io/config/config.h"

enum {
	EXIT_USAGE = 2,
	LARGE_BYTES = 64 * 1024, /* of memory, that goes back to the system as soon as it is free */
};

static const char usage[] =
	"usage: holdfast-agent --config FILE\n"
	"       holdfast-agent --help | --version\n"
	"\n"
	"The agent of one Holdfast gateway: sets up its WireGuard tunnels, serves the virtual\n"
	"endpoints that its controller names it owner of, and fences itself when it must not.\n"
	"Tunnels of `holdfast up` it keeps as they were made; without a gateway's name in FILE\n"
	"it does nothing else.\n"
	"\n"
	"  --config FILE   usually /etc/holdfast/agent.yaml\n"
	"  --help          this text\n"
	"  --version       the version\n"
	"\n"
	"Ends with 0 on SIGTERM or SIGINT, leaving everything as it is for the next start; on\n"
	"SIGTERM while the host goes down when what it served has moved away. Ends with 1\n"
	"when it could not start, with 2 when used wrongly.\n";

static int used_wrongly(const char *text)
{
	fprintf(stderr, "holdfast-agent: %s (try --help)\n", text);
	return -EXIT_USAGE;
}

/* 0: go on with *ret_config; else: -exit status, or 1 when all is said. */
static int read_options(int argc, char **argv, const char **ret_config)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};
	const char *config = NULL;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "c:hv", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case 'v':
			puts("holdfast-agent " HOLDFAST_VERSION);
			return 1;
		default:
			return used_wrongly("unknown option, or one without its value");
		}
	}
	if (optind < argc)
		return used_wrongly("there are no arguments but options");
	if (!config)
		return used_wrongly("--config FILE is missing");
	*ret_config = config;
	return 0;
}

/* sd_notify(3), which is one datagram. */
static void tell_systemd(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (!length || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		log_warning("agent", "sd-notify", log_errno(-errno));
	close(fd);
}

/* A page that has to come back from disk costs more than a missed beat. Only what has been touched is pinned. */
static void pin_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_info("agent", "memory-not-pinned", log_errno(-errno));
}

static void on_interrupt(evutil_socket_t signal_number, short what, void *context)
{
	(void)signal_number;
	(void)what;
	event_base_loopbreak(context);
}

static void on_term(evutil_socket_t signal_number, short what, void *context)
{
	struct agent **agent = context;

	(void)signal_number;
	(void)what;
	agent_stop(*agent);
}

static int serve(struct event_base *base, const struct config *config, struct err *err)
{
	struct agent *agent = NULL;
	struct event *term = evsignal_new(base, SIGTERM, on_term, &agent);
	struct event *interrupt = evsignal_new(base, SIGINT, on_interrupt, base);
	int r;

	signal(SIGPIPE, SIG_IGN);
	event_add(term, NULL);
	event_add(interrupt, NULL);
	r = agent_new(base, config, &agent, err);
	if (r >= 0) {
		pin_memory();
		tell_systemd("READY=1");
		log_notice("agent", "started", log_text("gateway", config->gateway),
			log_text("version", HOLDFAST_VERSION));
		event_base_dispatch(base);
		tell_systemd("STOPPING=1");
		agent_free(agent);
		log_notice("agent", "stopped", log_text("gateway", config->gateway));
	}
	event_free(term);
	event_free(interrupt);
	return r;
}

static int run(const char *path, struct err *err)
{
	struct event_base *base = NULL;
	struct config *config;
	int r = config_load(path, &config, err);

	if (r < 0)
		return r;
	r = log_configure(config->log, err);
	if (r >= 0) {
		base = loop_new();
		r = base ? serve(base, config, err) : err_set(err, -ENOMEM, "no event loop");
	}
	loop_free(base);
	libevent_global_shutdown();
	config_free(config);
	return r;
}

int main(int argc, char **argv)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	const char *path = NULL;
	struct err err = {0};
	int r = read_options(argc, argv, &path);

	if (r)
		return r < 0 ? -r : EXIT_SUCCESS;
	mallopt(M_ARENA_MAX, 1);                /* the thread that writes files needs no heap of its own */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* glibc would raise it, and keep what large buffers took */
	if (run(path, &err) >= 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "holdfast-agent: %s\n", err_format(&err, line, sizeof(line)));
	return EXIT_FAILURE;
}
