/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SIM_SUSPICION_H
#define HOLDFAST_TESTS_SIM_SUSPICION_H

#include <stddef.h>
#include <stdint.h>

/*
 * Suspicions, and nothing else: a gateway that lives and answers, whose beats were lost for so long that all who watch it
 * are about to suspect it; what happens then is up to the verdict cores and to chance. Every datagram is lost with the
 * same probability, each way, independently.
 */
enum { SUSPICION_OBSERVERS_MAX = 2 };

struct suspicion_setup {
	uint64_t seed;
	unsigned long count;
	size_t observers;
	double loss;
};

struct suspicion_counts {
	uint64_t
		silences; /* among `count` beats: so many after which all observers heard nothing for 110 ms */
	uint64_t unanswered; /* whole bursts of the first observer: of 8 probes, or, of a lone one, of 16 */
	uint64_t agent_down, dead; /* verdicts of any observer */
};

struct suspicion_odds {
	double silences;   /* expected among `count` beats */
	double a_year;     /* suspicions by all observers together of one gateway */
	double unanswered; /* of a burst, per suspicion */
	double dead;       /* per suspicion */
	double filtered;   /* likewise, of a gateway whose kernel answers no echo request */
};

void suspicion_count(const struct suspicion_setup *setup, struct suspicion_counts *ret_counts);
struct suspicion_odds suspicion_odds(const struct suspicion_setup *setup);

#endif
