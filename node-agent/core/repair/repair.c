/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/repair/repair.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *repair_what_name(enum repair_what what)
{
	switch (what) {
	case REPAIR_FIREWALL:
		return "firewall";
	case REPAIR_PARAMETER:
		return "parameter";
	case REPAIR_RULE:
		return "rule";
	case REPAIR_ROUTE:
		return "route";
	case REPAIR_ADDRESS:
		return "address";
	case REPAIR_LINK:
		return "link";
	case REPAIR_MTU:
		return "mtu";
	case REPAIR_WIREGUARD:
		return "wireguard";
	case REPAIR_ENDPOINT:
		return "endpoint";
	case REPAIR_DNS:
		return "dns";
	}
	return "";
}

void repair_tell(struct repair *repair, enum repair_what what, int64_t now_ms, const char *format, ...)
{
	struct repair_event *event = &repair->events[what];
	va_list list;

	if (event->told)
		return;
	event->told = true;
	event->at_ms = now_ms;
	va_start(list, format);
	vsnprintf(event->why, sizeof(event->why), format, list);
	va_end(list);
}

void repair_forget(struct repair *repair, enum repair_what what)
{
	repair->events[what].told = false;
}

static bool is_calm(const struct repair *repair, int64_t now_ms)
{
	return !repair->fights || now_ms - repair->last_ms > REPAIR_CALM_MS;
}

bool repair_is_fought(const struct repair *repair, int64_t now_ms)
{
	return !is_calm(repair, now_ms) && repair->fights >= REPAIR_FOUGHT;
}

int64_t repair_delay_ms(const struct repair *repair, int64_t now_ms)
{
	int64_t delay_ms = REPAIR_DEBOUNCE_MS;

	if (is_calm(repair, now_ms))
		return delay_ms;
	for (unsigned i = REPAIR_FOUGHT; i <= repair->fights && delay_ms < REPAIR_DEBOUNCE_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms < REPAIR_DEBOUNCE_MAX_MS ? delay_ms : REPAIR_DEBOUNCE_MAX_MS;
}

static bool basis_equal(const struct repair_basis *a, const struct repair_basis *b)
{
	return a->generation == b->generation && !memcmp(a->serving, b->serving, sizeof(a->serving)) &&
	       !memcmp(a->waking, b->waking, sizeof(a->waking));
}

void repair_begin(struct repair *repair, const struct repair_basis *basis, int64_t now_ms)
{
	if (!basis_equal(&repair->basis, basis))
		repair->whole = false;
	repair->basis = *basis;
	repair->repairing = repair->whole;
	repair->look_ms = now_ms;
	repair->in_look = 0;
	repair->again = false;
	memset(repair->done, 0, sizeof(repair->done));
	memset(repair->ids, 0, sizeof(repair->ids));
	memcpy(repair->seen, repair->events, sizeof(repair->seen));
	memset(repair->events, 0, sizeof(repair->events));
}

/* What was told of its own kind; else whatever was told first: a link that goes down takes its routes along
 * without a word about them. */
static const struct repair_event *reason(const struct repair *repair, enum repair_what what)
{
	const struct repair_event *first = NULL;

	if (repair->seen[what].told)
		return &repair->seen[what];
	for (size_t i = 0; i < REPAIR_WHATS; i++)
		if (repair->seen[i].told && (!first || repair->seen[i].at_ms < first->at_ms))
			first = &repair->seen[i];
	return first;
}

/* FNV-1a; never 0. */
static uint64_t identify(const char *operation)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *operation; operation++)
		hash = (hash ^ (unsigned char)*operation) * UINT64_C(1099511628211);
	return hash ? hash : 1;
}

static void remember(struct repair *repair, uint64_t id)
{
	for (size_t i = 0; i < REPAIR_IDS_MAX; i++)
		repair->again |= repair->last_ids[i] == id;
	if (repair->in_look < REPAIR_IDS_MAX)
		repair->ids[repair->in_look] = id;
}

bool repair_done(struct repair *repair, enum repair_what what, const char *operation, int64_t now_ms,
	const char **ret_why, int64_t *ret_took_ms)
{
	const struct repair_event *event = reason(repair, what);

	if (!repair->repairing)
		return false;
	remember(repair, identify(operation));
	repair->in_look++;
	repair->done[what] = true;
	repair->totals[what]++;
	*ret_why = event ? event->why : "the regular look found it";
	*ret_took_ms = now_ms - (event ? event->at_ms : repair->look_ms);
	return true;
}

static void keep_reasons(struct repair *repair, int64_t now_ms)
{
	for (size_t i = 0; i < REPAIR_WHATS; i++)
		if (repair->seen[i].told && !repair->done[i] &&
			now_ms - repair->seen[i].at_ms < REPAIR_REASON_MS)
			repair->events[i] = repair->seen[i];
}

void repair_end(struct repair *repair, bool well, int64_t now_ms)
{
	if (!well)
		keep_reasons(repair, now_ms);
	repair->whole = repair->whole || well;
	if (!repair->in_look)
		return;
	repair->fights = is_calm(repair, now_ms) || !repair->again ? 1 : repair->fights + 1;
	memcpy(repair->last_ids, repair->ids, sizeof(repair->last_ids));
	repair->last_ms = now_ms;
}

void repair_count(struct repair *repair, enum repair_what what)
{
	repair->totals[what]++;
}
