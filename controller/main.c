/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include "common/io/log.h"
#include "controller/io/controller.h"

enum { EXIT_FAILED = 1, EXIT_MISUSED = 2 };

static const char usage[] =
	"Usage: holdfast-controller --config FILE\n"
	"\n"
	"The controller of a Holdfast fleet: watches the gateways and says which of them serves what.\n"
	"\n"
	"  --config FILE  controller.yaml\n"
	"  --help         this text\n"
	"  --version      the version\n"
	"\n"
	"SIGHUP reads the fleet file, the certificates and operators: again. SIGTERM ends it:\n"
	"gateways carry on.\n";

static int misused(void)
{
	fputs("Try 'holdfast-controller --help'.\n", stderr);
	return EXIT_MISUSED;
}

static int fail(const struct err *err)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];
	fprintf(stderr, "holdfast-controller: %s\n", err_format(err, line, sizeof line));
	return EXIT_FAILED;
}

/* A page that has to come back from disk may cost more than a beat. Only what has been touched is pinned. */
static void pin_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_info("controller", "memory-not-pinned", log_errno(-errno));
}

static int run(const char *path)
{
	struct config config = {0};
	struct controller *controller;
	struct err err = {0};
	if (config_load(path, &config, &err) < 0)
		return fail(&err);
	if (log_configure(config.log, &err) < 0) {
		config_clear(&config);
		err_prefix(&err, 0, "%s: log", path);
		return fail(&err);
	}
	signal(SIGPIPE, SIG_IGN);
	if (controller_new(&config, &controller, &err) < 0)
		return fail(&err);
	pin_memory();
	int r = controller_run(controller);
	controller_free(controller);
	log_flush();
	return r < 0 ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};
	const char *path = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "c:hv", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("holdfast-controller " HOLDFAST_VERSION);
			return 0;
		default:
			return misused();
		}
	}
	if (!path || optind != argc) {
		fputs("holdfast-controller: needs --config FILE and nothing else\n", stderr);
		return misused();
	}
	int status = run(path);
	libevent_global_shutdown();
	return status;
}
