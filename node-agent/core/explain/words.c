/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/words.h"

#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/base/text.h"

char *explain_table_format(uint32_t table, char buffer[EXPLAIN_TABLE_MAX])
{
	switch (table) {
	case RT_TABLE_MAIN:
		return text_copy(buffer, EXPLAIN_TABLE_MAX, "main"), buffer;
	case RT_TABLE_LOCAL:
		return text_copy(buffer, EXPLAIN_TABLE_MAX, "local"), buffer;
	case RT_TABLE_DEFAULT:
		return text_copy(buffer, EXPLAIN_TABLE_MAX, "default"), buffer;
	default: /* a number */
		snprintf(buffer, EXPLAIN_TABLE_MAX, "%u", table);
		return buffer;
	}
}

static void add_prefix(struct text *text, const char *word, const struct prefix *prefix)
{
	char buffer[PREFIX_TEXT_MAX];

	if (addr_is_set(&prefix->addr) && prefix->length)
		text_add(text, " %s %s", word, prefix_format(prefix, buffer, sizeof(buffer)));
}

static void add_action(struct text *text, const struct explain_rule *rule)
{
	char table[EXPLAIN_TABLE_MAX];

	switch (rule->action) {
	case FR_ACT_TO_TBL:
		text_add(text, " lookup %s", explain_table_format(rule->table, table));
		return;
	case FR_ACT_BLACKHOLE:
		text_add(text, " blackhole");
		return;
	case FR_ACT_UNREACHABLE:
		text_add(text, " unreachable");
		return;
	case FR_ACT_PROHIBIT:
		text_add(text, " prohibit");
		return;
	default: /* a number from the kernel */
		text_add(text, " action %u", rule->action);
	}
}

char *explain_rule_format(const struct explain_rule *rule, char buffer[EXPLAIN_WORDS_MAX])
{
	struct text text = {0};

	text_add(&text, "%" PRIu32 ":%s", rule->priority, rule->invert ? " not" : "");
	if (addr_is_set(&rule->from.addr) && rule->from.length)
		add_prefix(&text, "from", &rule->from);
	else
		text_add(&text, " from all");
	add_prefix(&text, "to", &rule->to);
	if (rule->has_fwmark)
		text_add(&text, " fwmark 0x%x", rule->fwmark);
	if (rule->has_fwmark && rule->fwmask != UINT32_MAX)
		text_add(&text, "/0x%x", rule->fwmask);
	if (rule->iif[0])
		text_add(&text, " iif %s", rule->iif);
	if (rule->oif[0])
		text_add(&text, " oif %s", rule->oif);
	add_action(&text, rule);
	if (rule->has_suppress)
		text_add(&text, " suppress_prefixlength %u", rule->suppress_prefixlength);
	text_copy(buffer, EXPLAIN_WORDS_MAX, text.data);
	text_clear(&text);
	return buffer;
}

static const char *type_word(uint8_t type)
{
	static const char *const words[] = {[RTN_LOCAL] = "local ",
		[RTN_BROADCAST] = "broadcast ",
		[RTN_ANYCAST] = "anycast ",
		[RTN_MULTICAST] = "multicast ",
		[RTN_BLACKHOLE] = "blackhole ",
		[RTN_UNREACHABLE] = "unreachable ",
		[RTN_PROHIBIT] = "prohibit ",
		[RTN_THROW] = "throw "};

	return type < ARRAY_COUNT(words) && words[type] ? words[type] : "";
}

char *explain_route_format(const struct explain_route *route, char buffer[EXPLAIN_WORDS_MAX])
{
	char to[PREFIX_TEXT_MAX], via[ADDR_TEXT_MAX], table[EXPLAIN_TABLE_MAX];
	struct text text = {0};

	text_add(&text, "%s%s", type_word(route->type),
		route->to.length ? prefix_format(&route->to, to, sizeof(to)) : "default");
	if (addr_is_set(&route->via))
		text_add(&text, " via %s", addr_format(&route->via, via, sizeof(via)));
	if (route->device[0])
		text_add(&text, " dev %s", route->device);
	if (route->table != RT_TABLE_MAIN)
		text_add(&text, " table %s", explain_table_format(route->table, table));
	if (route->metric)
		text_add(&text, " metric %u", route->metric);
	text_copy(buffer, EXPLAIN_WORDS_MAX, text.data);
	text_clear(&text);
	return buffer;
}

char *explain_age_format(int64_t age_s, char buffer[EXPLAIN_AGE_MAX])
{
	if (age_s < 120)
		snprintf(buffer, EXPLAIN_AGE_MAX, "%" PRId64 " s", age_s);
	else if (age_s < 2 * 3600)
		snprintf(buffer, EXPLAIN_AGE_MAX, "%" PRId64 " min", age_s / 60);
	else if (age_s < 2 * 24 * 3600)
		snprintf(buffer, EXPLAIN_AGE_MAX, "%" PRId64 " h", age_s / 3600);
	else
		snprintf(buffer, EXPLAIN_AGE_MAX, "%" PRId64 " d", age_s / (24 * 3600));
	return buffer;
}
