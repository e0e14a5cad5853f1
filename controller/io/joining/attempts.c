/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/joining/attempts.h"

static struct attempts_bucket full(unsigned max, int64_t now_ms)
{
	return (struct attempts_bucket){.left = max, .filled_ms = now_ms};
}

static void fill(struct attempts_bucket *bucket, unsigned max, int64_t now_ms)
{
	bucket->left += (double)(now_ms - bucket->filled_ms) * max / ATTEMPTS_MS;
	bucket->filled_ms = now_ms;
	if (bucket->left > max)
		bucket->left = max;
}

void attempts_init(struct attempts *attempts, int64_t now_ms)
{
	*attempts = (struct attempts){.all = full(ATTEMPTS_ALL_MAX, now_ms)};
}

static size_t find_quietest(const struct attempts *attempts)
{
	size_t quietest = 0;
	for (size_t i = 1; i < attempts->count; i++)
		if (attempts->sources[i].bucket.filled_ms < attempts->sources[quietest].bucket.filled_ms)
			quietest = i;
	return quietest;
}

static struct attempts_bucket *bucket_of(struct attempts *attempts, const struct addr *from, int64_t now_ms)
{
	struct addr source = addr_source(from);
	for (size_t i = 0; i < attempts->count; i++)
		if (addr_equal(&attempts->sources[i].source, &source))
			return &attempts->sources[i].bucket;
	size_t place = attempts->count < ATTEMPTS_SOURCES_MAX ? attempts->count++ : find_quietest(attempts);
	attempts->sources[place].source = source;
	attempts->sources[place].bucket = full(ATTEMPTS_MAX, now_ms);
	return &attempts->sources[place].bucket;
}

/* What a source may not do any more costs the others nothing. */
bool attempts_spend(struct attempts *attempts, const struct addr *from, int64_t now_ms)
{
	struct attempts_bucket *own = bucket_of(attempts, from, now_ms);
	fill(own, ATTEMPTS_MAX, now_ms);
	fill(&attempts->all, ATTEMPTS_ALL_MAX, now_ms);
	if (own->left < 1 || attempts->all.left < 1)
		return false;
	own->left -= 1;
	attempts->all.left -= 1;
	return true;
}
