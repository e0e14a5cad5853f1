/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

/*
 * holdfast-sim [--seed N] [--count N] [--verbose]: runs schedules N, N + 1, ...; each failure with the command that
 * replays it. It must fail when a core is broken: tests/sim/mutants/ has changes that it has to notice
 * (tests/sim/check-mutants).
 */
enum { COUNT = 400, FAILURES_MAX = 20 };

static void usage(void)
{
	fprintf(stderr, "usage: holdfast-sim [--seed N] [--count N] [--verbose]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned long first = 1, count = COUNT, failures = 0;
	bool verbose = false, single = false;
	char failure[256];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			first = strtoul(argv[++i], NULL, 10), single = true;
		else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
			count = strtoul(argv[++i], NULL, 10), single = false;
		else
			usage();
	}
	if (single)
		count = 1;
	for (unsigned long seed = first; seed < first + count && failures < FAILURES_MAX; seed++) {
		if (schedule_run(seed, verbose, failure, sizeof(failure)) == 0)
			continue;
		failures++;
		printf("seed %lu: %s\n    replay: holdfast-sim --seed %lu --verbose\n", seed, failure, seed);
	}
	printf("%lu schedules, %lu failed\n", count, failures);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
