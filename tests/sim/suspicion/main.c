/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/suspicion/suspicion.h"

/*
 * holdfast-suspicions [--count N] [--seed N]: how often random loss makes a live gateway look dead (FAILOVER section 3).
 * N suspicions for each loss and number of observers, by the real cores; what was counted beside what is computed, and
 * from that the false verdicts per gateway and year. Fails if a count is not what the computation says.
 */
enum { COUNT = 1000000 };

static const double losses[] = {0, 0.05, 0.2, 0.4, 0.5};
static const size_t observers[] = {1, 2};

static void usage(void)
{
	fprintf(stderr, "usage: holdfast-suspicions [--count N] [--seed N]\n");
	exit(2);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value == 0)
		usage();
	return value;
}

/* Five standard deviations of a Poisson distribution, and one event. */
static int differs(const char *what, const struct suspicion_setup *setup, uint64_t counted, double computed)
{
	if (fabs((double)counted - computed) <= 5 * sqrt(computed) + 1)
		return 0;
	printf("%zu observers, %.0f %% loss: %s: %llu counted, %.1f computed\n", setup->observers,
		setup->loss * 100, what, (unsigned long long)counted, computed);
	return 1;
}

static int measure(const struct suspicion_setup *setup)
{
	struct suspicion_counts counts = {0};
	struct suspicion_odds odds = suspicion_odds(setup);
	double n = (double)setup->count;

	suspicion_count(setup, &counts);
	printf("%9zu %5.0f %% %10.3g %11llu %10.4g %11llu %6llu %13.2g %13.2g\n", setup->observers,
		setup->loss * 100, odds.a_year, (unsigned long long)counts.unanswered, odds.unanswered * n,
		(unsigned long long)counts.agent_down, (unsigned long long)counts.dead,
		odds.dead * odds.a_year, odds.filtered * odds.a_year);
	return differs("bursts that nobody answers", setup, counts.unanswered, odds.unanswered * n) +
	       differs("silences that raise suspicion", setup, counts.silences, odds.silences) +
	       (setup->loss <= 0.2 && counts.dead > 0 ? differs("deaths", setup, counts.dead, 0) : 0);
}

int main(int argc, char **argv)
{
	struct suspicion_setup setup = {.seed = 1, .count = COUNT};
	int failures = 0;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			usage();
		if (strcmp(argv[i], "--count") == 0)
			setup.count = number(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			setup.seed = number(argv[i + 1]);
		else
			usage();
	}
	printf("%lu suspicions each\n", setup.count);
	printf("%9s %7s %10s %11s %10s %11s %6s %13s %13s\n", "observers", "loss", "a year", "unanswered",
		"computed", "agent-down", "dead", "dead a year", "no ICMP");
	for (size_t i = 0; i < sizeof(observers) / sizeof(observers[0]); i++)
		for (size_t j = 0; j < sizeof(losses) / sizeof(losses[0]); j++) {
			setup.observers = observers[i];
			setup.loss = losses[j];
			failures += measure(&setup);
		}
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
