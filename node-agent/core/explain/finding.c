/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

void explain_findings_clear(struct explain_findings *findings)
{
	if (!findings)
		return;
	free(findings->items);
	*findings = (struct explain_findings){0};
}

struct explain_finding *explain_find(struct explain_findings *findings, enum explain_step step,
	enum explain_says says, const char *format, ...)
{
	struct explain_finding *finding;
	va_list arguments;

	findings->items =
		mem_grow(findings->items, &findings->capacity, findings->count + 1, sizeof(*findings->items));
	finding = &findings->items[findings->count++];
	*finding = (struct explain_finding){.step = step, .says = says};
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	return finding;
}

void explain_todo(struct explain_finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->todo, sizeof(finding->todo), format, arguments);
	va_end(arguments);
}

const struct explain_finding *explain_first_no(const struct explain_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].says == EXPLAIN_NO)
			return &findings->items[i];
	return NULL;
}

const char *explain_step_name(enum explain_step step)
{
	switch (step) {
	case EXPLAIN_PEER:
		return "peer";
	case EXPLAIN_TUNNEL:
		return "tunnel";
	case EXPLAIN_OWNER:
		return "owner";
	case EXPLAIN_FORWARDING:
		return "forwarding";
	case EXPLAIN_RULE:
		return "rule";
	case EXPLAIN_ROUTE:
		return "route";
	case EXPLAIN_SOURCE:
		return "source";
	case EXPLAIN_FIREWALL:
		return "firewall";
	case EXPLAIN_ALLOWED:
		return "allowed-ip";
	case EXPLAIN_ENDPOINT:
		return "endpoint";
	case EXPLAIN_OUTER_RULE:
		return "outer-rule";
	case EXPLAIN_OUTER_ROUTE:
		return "outer-route";
	case EXPLAIN_MTU:
		return "mtu";
	case EXPLAIN_OUTER_FIREWALL:
		return "outer-firewall";
	case EXPLAIN_OUTER_RP_FILTER:
		return "outer-rp_filter";
	case EXPLAIN_ANSWER_FIREWALL:
		return "answer-firewall";
	case EXPLAIN_HANDSHAKE:
		return "handshake";
	case EXPLAIN_RP_FILTER:
		return "rp_filter";
	case EXPLAIN_REPLY_FIREWALL:
		return "reply-firewall";
	}
	abort();
}

const char *explain_says_name(enum explain_says says)
{
	switch (says) {
	case EXPLAIN_OK:
		return "ok";
	case EXPLAIN_NO:
		return "no";
	case EXPLAIN_DOUBTFUL:
		return "doubtful";
	}
	abort();
}
