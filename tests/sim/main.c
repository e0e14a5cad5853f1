/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/world.h"

/*
 * holdfast-sim [--mode hold|fence] [--seed N] [--count N] [--jobs N] [--killer NAME] [--every-ms] [--verbose]: first
 * every killer by name, with a hundred seeds from N on, then schedules N, N + 1, ... of all sorts, half of them in each mode unless one is named; each
 * failure with the command that replays it. With --every-ms the clock skips nothing; one in SKIPS_EVERY must end the same
 * with and without. It must fail when a core is broken:
 * tests/sim/mutants/ has changes that it has to notice (tests/sim/check-mutants).
 */
enum { COUNT = 20000, KILLER_COUNT = 100, SKIPS_EVERY = 97, FAILURES_MAX = 20, JOBS_MAX = 64 };

struct options {
	unsigned long first, count, jobs;
	enum mode mode;
	const char *killer; /* NULL: schedules of all sorts */
	bool verbose, every_ms;
};

static void usage(void)
{
	fprintf(stderr, "usage: holdfast-sim [--mode hold|fence] [--seed N] [--count N] [--jobs N] "
			"[--killer NAME] [--every-ms] [--verbose]\nkillers:\n");
	for (size_t i = 0; i < killer_count(); i++)
		fprintf(stderr, "  %s\n", killer_name(i));
	exit(2);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0')
		usage();
	return value;
}

static enum mode mode_of(const char *text)
{
	if (strcmp(text, "hold") != 0 && strcmp(text, "fence") != 0)
		usage();
	return text[0] == 'h' ? MODE_HOLD : MODE_FENCE;
}

static struct options read_options(int argc, char **argv)
{
	struct options options = {.first = 1, .jobs = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN)};
	bool chosen = false, counted = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			options.verbose = true;
		else if (strcmp(argv[i], "--every-ms") == 0)
			options.every_ms = true;
		else if (i + 1 == argc)
			usage();
		else if (strcmp(argv[i], "--mode") == 0)
			options.mode = mode_of(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0)
			options.first = number(argv[++i]), chosen = true;
		else if (strcmp(argv[i], "--count") == 0)
			options.count = number(argv[++i]), counted = true;
		else if (strcmp(argv[i], "--jobs") == 0)
			options.jobs = number(argv[++i]);
		else if (strcmp(argv[i], "--killer") == 0)
			options.killer = argv[++i];
		else
			usage();
	}
	if (options.killer && !killer_exists(options.killer))
		usage();
	if (!counted)
		options.count = chosen ? 1 : options.killer ? KILLER_COUNT : COUNT;
	if (options.jobs < 1 || options.count == 1)
		options.jobs = 1;
	if (options.jobs > JOBS_MAX)
		options.jobs = JOBS_MAX;
	return options;
}

static int run_one(const struct options *options, unsigned long seed)
{
	static const char *const modes[] = {
		[MODE_OF_SEED] = "", [MODE_HOLD] = " --mode hold", [MODE_FENCE] = " --mode fence"};
	struct schedule schedule = {
		seed, options->mode, options->killer, options->verbose, options->every_ms};
	char failure[256], killer[128] = "";

	if (schedule_run(&schedule, failure, sizeof(failure)) == 0)
		return 0;
	if (options->killer)
		snprintf(killer, sizeof(killer), " --killer %s", options->killer);
	printf("seed %lu%s%s: %s\n    replay: holdfast-sim --seed %lu%s%s --verbose\n", seed,
		modes[options->mode], killer, failure, seed, modes[options->mode], killer);
	fflush(stdout);
	return 1;
}

static int check_skips(const struct options *options, unsigned long seed)
{
	struct schedule schedule = {.seed = seed, .mode = options->mode, .killer = options->killer};

	if (schedule_skips_nothing(&schedule))
		return 0;
	printf("seed %lu%s%s: tests/sim/moment.c leaves out a time: it ends otherwise with --every-ms\n",
		seed, options->killer ? " --killer " : "", options->killer ? options->killer : "");
	fflush(stdout);
	return 1;
}

/* Every jobs-th seed, so that all of them end at about the same time. */
static int run_share(const struct options *options, unsigned long job)
{
	int failures = 0;

	for (unsigned long n = job; n < options->count && failures < FAILURES_MAX; n += options->jobs) {
		int failed = run_one(options, options->first + n);
		if (failed == 0 && options->count > 1 && n % SKIPS_EVERY == 0)
			failed = check_skips(options, options->first + n);
		failures += failed;
	}
	return failures;
}

static int failures_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("a process of the simulator was ended by signal %d\n", WTERMSIG(status));
	return 1;
}

static int run_shares(const struct options *options)
{
	pid_t children[JOBS_MAX];
	int failures = 0;

	fflush(stdout);
	for (unsigned long job = 0; job < options->jobs; job++) {
		children[job] = fork();
		if (children[job] < 0) {
			perror("fork");
			exit(EXIT_FAILURE);
		}
		if (children[job] == 0)
			exit(run_share(options, job));
	}
	for (unsigned long job = 0; job < options->jobs; job++)
		failures += failures_of(children[job]);
	return failures;
}

static int run(const struct options *options)
{
	int failures = options->jobs > 1 ? run_shares(options) : run_share(options, 0);

	printf("%-32s %7lu schedules, %d failed\n", options->killer ? options->killer : "all sorts",
		options->count, failures);
	return failures;
}

static int run_killers(const struct options *options)
{
	struct options one = *options;
	int failures = 0;

	one.count = KILLER_COUNT;
	for (size_t i = 0; i < killer_count(); i++) {
		one.killer = killer_name(i);
		failures += run(&one);
	}
	return failures;
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	int failures = options.killer || options.count == 1 ? 0 : run_killers(&options);

	return failures + run(&options) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
