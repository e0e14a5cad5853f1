/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/rule.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/internal.h"

/* In the kernel's answers: no prefix length is suppressed. */
#define NO_SUPPRESSION UINT32_MAX

/* ---- reading ---- */

static bool is_well_formed(const struct nlattr *const table[], const struct fib_rule_hdr *header)
{
	const size_t addr_size = header->family == AF_INET ? 4 : 16;
	const struct attribute_size sizes[] = {
		{FRA_SRC, addr_size},
		{FRA_DST, addr_size},
		{FRA_PRIORITY, sizeof(uint32_t)},
		{FRA_TABLE, sizeof(uint32_t)},
		{FRA_FWMARK, sizeof(uint32_t)},
		{FRA_FWMASK, sizeof(uint32_t)},
		{FRA_SUPPRESS_PREFIXLEN, sizeof(uint32_t)},
		{FRA_SUPPRESS_IFGROUP, sizeof(uint32_t)},
		{FRA_PROTOCOL, sizeof(uint8_t)},
		{FRA_L3MDEV, sizeof(uint8_t)},
	};

	return attribute_sizes_hold(table, sizes, ARRAY_COUNT(sizes)) &&
	       (!header->src_len || table[FRA_SRC]) && (!header->dst_len || table[FRA_DST]) &&
	       header->src_len <= 8 * addr_size && header->dst_len <= 8 * addr_size;
}

static void parse_mark(const struct nlattr *const table[], struct rtnl_rule *rule)
{
	(void)attribute_u32(table[FRA_FWMARK], &rule->fwmark);
	(void)attribute_u32(table[FRA_FWMASK], &rule->fwmask);
	rule->has_fwmark = rule->fwmark || rule->fwmask;
}

static void parse_suppress(const struct nlattr *const table[], struct rtnl_rule *rule)
{
	uint32_t length;

	if (!attribute_u32(table[FRA_SUPPRESS_PREFIXLEN], &length) || length == NO_SUPPRESSION)
		return;
	rule->has_suppress = true;
	rule->suppress_prefixlength = length;
}

static void parse_prefix(const struct nlattr *attribute, int family, uint8_t length, struct prefix *prefix)
{
	if (attribute_addr(attribute, family, &prefix->addr))
		prefix->length = length;
}

static bool has_more(const struct fib_rule_hdr *header, const struct nlattr *const table[])
{
	static const uint16_t others[] = {FRA_GOTO, FRA_FLOW, FRA_TUN_ID, FRA_SUPPRESS_IFGROUP, FRA_UID_RANGE,
		FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE};
	uint32_t group;
	uint8_t l3mdev = 0;
	size_t i;

	(void)attribute_u8(table[FRA_L3MDEV], &l3mdev);
	if (header->tos || l3mdev)
		return true;
	for (i = 0; i < ARRAY_COUNT(others); i++) {
		if (!table[others[i]])
			continue;
		if (others[i] != FRA_SUPPRESS_IFGROUP || !attribute_u32(table[others[i]], &group) ||
			group != UINT32_MAX)
			return true;
	}
	return false;
}

static bool parse_attributes(
	const struct nlattr *const table[], const struct fib_rule_hdr *header, struct rtnl_rule *rule)
{
	(void)attribute_u32(table[FRA_PRIORITY], &rule->priority);
	(void)attribute_u32(table[FRA_TABLE], &rule->table);
	(void)attribute_u8(table[FRA_PROTOCOL], &rule->protocol);
	parse_prefix(table[FRA_SRC], header->family, header->src_len, &rule->from);
	parse_prefix(table[FRA_DST], header->family, header->dst_len, &rule->to);
	parse_mark(table, rule);
	parse_suppress(table, rule);
	rule->has_more = has_more(header, table);
	return attribute_text_if_any(table[FRA_IIFNAME], rule->iif, sizeof rule->iif) &&
	       attribute_text_if_any(table[FRA_OIFNAME], rule->oif, sizeof rule->oif);
}

int rtnl_rule_parse(const struct nlmsghdr *message, struct rtnl_rule *ret_rule)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[FRA_MAX + 1];
	struct rtnl_rule rule = {0};

	if (!attribute_table(message, sizeof *header, table, ARRAY_COUNT(table)))
		return -EPROTO;
	/* Multicast routing has rules of its own under families of its own. */
	if (header->family != AF_INET && header->family != AF_INET6)
		return -EPROTO;
	if (!is_well_formed(table, header))
		return -EPROTO;
	rule.family = header->family;
	rule.has_priority = true;
	rule.invert = header->flags & FIB_RULE_INVERT;
	rule.table = header->table;
	rule.action = header->action;
	if (!parse_attributes(table, header, &rule))
		return -EPROTO;
	*ret_rule = rule;
	return 0;
}

/* ---- writing ---- */

static uint16_t request_flags(enum rtnl_op op)
{
	switch (op) {
	case RTNL_ADD:
	case RTNL_REPLACE: /* a batch takes -EEXIST for success then */
		return NLM_F_CREATE | NLM_F_EXCL;
	case RTNL_DELETE:
	case RTNL_DISCARD:
		return 0;
	}
	return 0;
}

static uint8_t put_prefix(struct nlmsghdr *message, uint16_t type, const struct prefix *prefix)
{
	struct prefix masked = prefix_mask(prefix);

	if (!addr_is_set(&prefix->addr))
		return 0;
	attribute_put_addr(message, type, &masked.addr);
	return prefix->length;
}

static void put_attributes(struct nlmsghdr *message, const struct rtnl_rule *rule)
{
	if (rule->has_priority)
		mnl_attr_put_u32(message, FRA_PRIORITY, rule->priority);
	if (rule->has_fwmark) {
		mnl_attr_put_u32(message, FRA_FWMARK, rule->fwmark);
		mnl_attr_put_u32(message, FRA_FWMASK, rule->fwmask ? rule->fwmask : UINT32_MAX);
	}
	if (rule->has_suppress)
		mnl_attr_put_u32(message, FRA_SUPPRESS_PREFIXLEN, rule->suppress_prefixlength);
	if (rule->iif[0])
		mnl_attr_put_strz(message, FRA_IIFNAME, rule->iif);
	if (rule->oif[0])
		mnl_attr_put_strz(message, FRA_OIFNAME, rule->oif);
	if (rule->protocol)
		mnl_attr_put_u8(message, FRA_PROTOCOL, rule->protocol);
}

void rtnl_rule_put(void *buffer, enum rtnl_op op, const struct rtnl_rule *rule)
{
	bool remove = op == RTNL_DELETE || op == RTNL_DISCARD;
	uint8_t action = rule->action ? rule->action : FR_ACT_TO_TBL;
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *header;

	message->nlmsg_type = remove ? RTM_DELRULE : RTM_NEWRULE;
	message->nlmsg_flags = NLM_F_REQUEST | request_flags(op);
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->family = (uint8_t)rule->family;
	header->action = action;
	header->flags = rule->invert ? FIB_RULE_INVERT : 0;
	header->src_len = put_prefix(message, FRA_SRC, &rule->from);
	header->dst_len = put_prefix(message, FRA_DST, &rule->to);
	if (action == FR_ACT_TO_TBL)
		mnl_attr_put_u32(message, FRA_TABLE, rule->table ? rule->table : RT_TABLE_MAIN);
	put_attributes(message, rule);
}

/* ---- as ip(8) would say it ---- */

static void add_prefix(struct text *text, const char *word, const struct prefix *prefix)
{
	char buffer[PREFIX_TEXT_MAX];

	if (addr_is_set(&prefix->addr))
		text_add(text, " %s %s", word, prefix_format(prefix, buffer, sizeof buffer));
}

static void add_selectors(struct text *text, const struct rtnl_rule *rule)
{
	add_prefix(text, "from", &rule->from);
	add_prefix(text, "to", &rule->to);
	if (rule->has_fwmark && rule->fwmask && rule->fwmask != UINT32_MAX)
		text_add(text, " fwmark 0x%x/0x%x", rule->fwmark, rule->fwmask);
	else if (rule->has_fwmark)
		text_add(text, " fwmark 0x%x", rule->fwmark);
	if (rule->iif[0])
		text_add(text, " iif %s", rule->iif);
	if (rule->oif[0])
		text_add(text, " oif %s", rule->oif);
}

static void add_action(struct text *text, const struct rtnl_rule *rule)
{
	if (rule->action == 0 || rule->action == FR_ACT_TO_TBL)
		text_add(text, " lookup %u", rule->table ? rule->table : RT_TABLE_MAIN);
	else if (rule->action == FR_ACT_UNREACHABLE)
		text_add(text, " unreachable");
	else if (rule->action == FR_ACT_BLACKHOLE)
		text_add(text, " blackhole");
	else if (rule->action == FR_ACT_PROHIBIT)
		text_add(text, " prohibit");
}

char *rtnl_rule_format(enum rtnl_op op, const struct rtnl_rule *rule, char *buffer, size_t size)
{
	struct text text = {0};

	text_add(&text, "ip %srule %s%s", rule->family == AF_INET6 ? "-6 " : "", rtnl_op_word(op),
		rule->invert ? " not" : "");
	add_selectors(&text, rule);
	add_action(&text, rule);
	if (rule->has_suppress)
		text_add(&text, " suppress_prefixlength %u", rule->suppress_prefixlength);
	if (rule->has_priority)
		text_add(&text, " priority %u", rule->priority);
	text_copy(buffer, size, text.data);
	text_clear(&text);
	return buffer;
}

/* ---- asking and changing ---- */

struct rule_dump {
	struct rtnl_list list;
	size_t before;
};

static int take_rule(const struct nlmsghdr *message, void *context)
{
	struct rule_dump *dump = context;
	struct rtnl_rule rule;

	if (message->nlmsg_type != RTM_NEWRULE || rtnl_rule_parse(message, &rule) < 0)
		return 0;
	return rtnl_list_add(&dump->list, &rule);
}

static void forget_rules(void *context)
{
	struct rule_dump *dump = context;

	dump->list.count = dump->before;
}

static int dump_family(struct rtnl *rtnl, int wanted, int family, struct rule_dump *dump)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *header;
	int r;

	if (wanted && wanted != family)
		return 0;
	dump->before = dump->list.count;
	message->nlmsg_type = RTM_GETRULE;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->family = (uint8_t)family;
	r = netlink_dump(rtnl->netlink, message, take_rule, forget_rules, dump);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

int rtnl_rule_list(
	struct rtnl *rtnl, int family, struct rtnl_rule **ret_rules, size_t *ret_count, struct err *err)
{
	struct rule_dump dump = {.list = {.item_size = sizeof(struct rtnl_rule)}};
	int r = dump_family(rtnl, family, AF_INET, &dump);

	if (r == 0)
		r = dump_family(rtnl, family, AF_INET6, &dump);
	if (r < 0) {
		free(dump.list.items);
		return err_set(err, r, "ip rule show: %s", strerror(-r));
	}
	*ret_rules = dump.list.items;
	*ret_count = dump.list.count;
	return 0;
}

int rtnl_rule_request(struct rtnl *rtnl, enum rtnl_op op, const struct rtnl_rule *rule, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	rtnl_batch_rule(batch, op, rule);
	r = rtnl_batch_run(rtnl, batch, err);
	rtnl_batch_free(batch);
	return r;
}
