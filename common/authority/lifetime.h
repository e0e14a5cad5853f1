/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AUTHORITY_LIFETIME_H
#define HOLDFAST_AUTHORITY_LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

/* When a certificate is renewed, and when somebody should worry. Pure; wall clock, in ms. */
struct lifetime {
	int64_t start_ms, end_ms;
};

/* At two thirds: what fails then can be tried for as long again as half of what has passed. */
bool lifetime_is_due(const struct lifetime *lifetime, int64_t wall_ms);
/* How long to wait after a failure: from 10 s to an hour, by its length. */
int64_t lifetime_retry_ms(const struct lifetime *lifetime);
/* Less than a quarter of it is left, or less than 30 days if that is less. One that is renewed in time never gets there. */
bool lifetime_is_short(const struct lifetime *lifetime, int64_t wall_ms);
/* The same of an authority's, which nothing renews and which takes longer to follow: 90 days. */
bool lifetime_of_authority_is_short(const struct lifetime *lifetime, int64_t wall_ms);
bool lifetime_has_ended(const struct lifetime *lifetime, int64_t wall_ms);
/* Whole days, downwards; negative when it has ended. */
int64_t lifetime_days_left(const struct lifetime *lifetime, int64_t wall_ms);

#endif
