/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/addr.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/ruleset.h"

/*
 * nft(8) lists the expression of a rule as phrases "what [!=] value". `what` is what was loaded last; `protocol` and
 * `family` are what the rule has compared before, since they decide what a payload is called and since nft leaves them
 * out where a later phrase implies them.
 */
struct printer {
	struct text *text;
	const struct fw_rule *rule;
	enum fw_family family; /* of the table; in inet of the packet, once compared */
	uint8_t protocol;
	const struct fw_expr *loaded; /* the last load */
	struct fw_value mask;         /* since then; length 0: none */
	struct fw_value constant;     /* loaded by FW_OP_LOAD */
};

static const char *meta_name(enum fw_meta meta)
{
	switch (meta) {
	case FW_META_MARK:
		return "meta mark";
	case FW_META_IIFNAME:
		return "iifname";
	case FW_META_OIFNAME:
		return "oifname";
	case FW_META_NFPROTO:
		return "meta nfproto";
	case FW_META_L4PROTO:
		return "meta l4proto";
	case FW_META_PROTOCOL:
		return "meta protocol";
	}
	abort();
}

static const char *network_name(const struct printer *printer, uint8_t offset)
{
	switch (printer->family) {
	case FW_IP:
	case FW_INET:
		return offset == 12 ? "ip saddr" : "ip daddr";
	case FW_IP6:
		return offset == 8 ? "ip6 saddr" : "ip6 daddr";
	case FW_NETDEV: /* once the packet's protocol was compared it is one of the others */
		break;
	case FW_ARP:
		return offset == 14 ? "arp saddr ip" : "arp daddr ip";
	}
	abort();
}

static const char *udp_name(uint8_t offset)
{
	switch (offset) {
	case 0:
		return "udp sport";
	case 2:
		return "udp dport";
	case 8:
		return "@th,64,8";
	case 12:
		return "@th,96,32";
	}
	return "@th,128,32";
}

static const char *transport_name(const struct printer *printer, uint8_t offset)
{
	if (printer->protocol == IPPROTO_UDP)
		return udp_name(offset);
	if (printer->protocol == IPPROTO_TCP)
		return "tcp flags";
	switch (offset) {
	case 0:
		return "icmpv6 type";
	case 36:
		return "@th,288,128";
	case 56:
		return "@th,448,128";
	}
	return "@th,64,128";
}

static const char *payload_name(const struct printer *printer, const struct fw_payload *payload)
{
	if (payload->base == FW_LINK)
		return "ether saddr";
	return payload->base == FW_NETWORK ? network_name(printer, payload->offset)
					   : transport_name(printer, payload->offset);
}

static const char *loaded_name(const struct printer *printer)
{
	const struct fw_expr *loaded = printer->loaded;
	switch (loaded->op) {
	case FW_OP_META:
		return meta_name(loaded->meta);
	case FW_OP_PAYLOAD:
		return payload_name(printer, &loaded->payload);
	case FW_OP_CT_MARK:
		return "ct mark";
	case FW_OP_CT_STATE:
		return "ct state";
	case FW_OP_FIB_TYPE:
		return "fib saddr type";
	case FW_OP_LOAD:
	case FW_OP_ROUTE_TCPMSS:
	case FW_OP_META_SET:
	case FW_OP_PAYLOAD_SET:
	case FW_OP_COMPARE:
	case FW_OP_MASK:
	case FW_OP_LOOKUP:
	case FW_OP_CT_MARK_SET:
	case FW_OP_TO_NETWORK:
	case FW_OP_TCPMSS_SET:
	case FW_OP_SNAT:
	case FW_OP_MASQUERADE:
	case FW_OP_COUNTER:
	case FW_OP_VERDICT:
	case FW_OP_LEARN:
	case FW_OP_FORWARD:
		break;
	}
	abort();
}

static void print_address(struct printer *printer, uint8_t family, const struct fw_value *value)
{
	struct addr address = {.family = family};
	char buffer[ADDR_TEXT_MAX];
	memcpy(address.bytes, value->bytes, value->length);
	text_add(printer->text, "%s", addr_format(&address, buffer, sizeof buffer));
}

static void print_constant(struct printer *printer)
{
	print_address(printer, printer->constant.length == 4 ? AF_INET : AF_INET6, &printer->constant);
}

static unsigned mask_length(const struct fw_value *mask)
{
	unsigned length = 0;
	for (size_t i = 0; i < mask->length; i++)
		length += (unsigned)__builtin_popcount(mask->bytes[i]);
	return length;
}

static void print_network_value(struct printer *printer, const struct fw_value *value)
{
	uint8_t family = printer->family == FW_IP6 ? AF_INET6 : AF_INET;
	print_address(printer, family, value);
	if (printer->mask.length)
		text_add(printer->text, "/%u", mask_length(&printer->mask));
	else if (value->length < (family == AF_INET ? 4 : 16))
		text_add(printer->text, "/%u", value->length * 8U);
}

static void print_target(struct printer *printer, const struct fw_value *value)
{
	text_add(printer->text, "0x");
	for (size_t i = 0; i < value->length; i++)
		text_add(printer->text, "%02x", value->bytes[i]);
}

static void print_icmpv6_type(struct printer *printer, uint8_t type)
{
	text_add(printer->text, "%s",
		type == ND_NEIGHBOR_SOLICIT ? "nd-neighbor-solicit" : "nd-neighbor-advert");
}

static void print_transport_value(struct printer *printer, const struct fw_value *value)
{
	if (printer->protocol == IPPROTO_UDP && value->length == 1)
		text_add(printer->text, "%u", value->bytes[0]);
	else if (printer->protocol == IPPROTO_UDP)
		text_add(printer->text, "%u", value->bytes[0] << 8 | value->bytes[1]);
	else if (printer->protocol == IPPROTO_TCP)
		text_add(printer->text, "syn / syn,rst");
	else if (value->length == 1)
		print_icmpv6_type(printer, value->bytes[0]);
	else
		print_target(printer, value);
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_TCP ? "tcp" : "ipv6-icmp";
}

/* ETH_P_IP is 0x0800, ETH_P_IPV6 0x86dd. */
static bool is_ip4(const struct fw_value *value)
{
	return value->bytes[0] == 0x08;
}

static void print_mac(struct printer *printer, const struct fw_value *value)
{
	for (size_t i = 0; i < value->length; i++)
		text_add(printer->text, "%s%02x", i ? ":" : "", value->bytes[i]);
}

static void print_meta_value(struct printer *printer, enum fw_meta meta, const struct fw_value *value)
{
	uint32_t mark;
	switch (meta) {
	case FW_META_MARK:
		memcpy(&mark, value->bytes, sizeof mark);
		text_add(printer->text, "0x%08x", mark);
		break;
	case FW_META_IIFNAME:
	case FW_META_OIFNAME:
		text_add(printer->text, "\"%.*s\"", (int)value->length, (const char *)value->bytes);
		break;
	case FW_META_NFPROTO:
		text_add(printer->text, "%s", value->bytes[0] == AF_INET ? "ipv4" : "ipv6");
		break;
	case FW_META_L4PROTO:
		text_add(printer->text, "%s", protocol_name(value->bytes[0]));
		break;
	case FW_META_PROTOCOL:
		text_add(printer->text, "%s", is_ip4(value) ? "ip" : "ip6");
		break;
	}
}

static void print_value(struct printer *printer, const struct fw_value *value)
{
	const struct fw_expr *loaded = printer->loaded;
	if (loaded->op == FW_OP_META)
		print_meta_value(printer, loaded->meta, value);
	else if (loaded->op == FW_OP_FIB_TYPE)
		text_add(printer->text, "local");
	else if (loaded->op == FW_OP_CT_STATE)
		text_add(printer->text, "established,related");
	else if (loaded->payload.base == FW_LINK)
		print_mac(printer, value);
	else if (loaded->payload.base == FW_NETWORK)
		print_network_value(printer, value);
	else
		print_transport_value(printer, value);
}

/* Does this expression imply what was compared of `meta`? A payload implies its protocol, ICMPv6 implies IPv6. */
static bool implies(const struct fw_expr *expr, enum fw_meta meta)
{
	if (expr->op == FW_OP_PAYLOAD)
		return expr->payload.base ==
		       (meta == FW_META_NFPROTO || meta == FW_META_PROTOCOL ? FW_NETWORK : FW_TRANSPORT);
	return meta == FW_META_NFPROTO && expr->op == FW_OP_COMPARE && expr[-1].op == FW_OP_META &&
	       expr[-1].meta == FW_META_L4PROTO && expr->value.bytes[0] == IPPROTO_ICMPV6;
}

/* Does a later phrase say it too? "meta l4proto udp udp sport 51820" is listed as "udp sport 51820". */
static bool is_implied(const struct printer *printer, const struct fw_expr *compare)
{
	if (printer->loaded->op != FW_OP_META)
		return false;
	enum fw_meta meta = printer->loaded->meta;
	if (meta != FW_META_NFPROTO && meta != FW_META_L4PROTO && meta != FW_META_PROTOCOL)
		return false;
	const struct fw_expr *end = printer->rule->exprs + printer->rule->count;
	for (const struct fw_expr *expr = compare + 1; expr < end; expr++)
		if (implies(expr, meta))
			return true;
	return false;
}

static void learn(struct printer *printer, const struct fw_expr *compare)
{
	if (printer->loaded->op != FW_OP_META)
		return;
	if (printer->loaded->meta == FW_META_NFPROTO)
		printer->family = compare->value.bytes[0] == AF_INET ? FW_IP : FW_IP6;
	if (printer->loaded->meta == FW_META_PROTOCOL)
		printer->family = is_ip4(&compare->value) ? FW_IP : FW_IP6;
	if (printer->loaded->meta == FW_META_L4PROTO)
		printer->protocol = compare->value.bytes[0];
}

static void print_compare(struct printer *printer, const struct fw_expr *expr)
{
	bool negated = expr->compare == FW_NOT_EQUAL && printer->loaded->op != FW_OP_CT_STATE;
	learn(printer, expr);
	if (is_implied(printer, expr))
		return;
	text_add(printer->text, " %s%s ", loaded_name(printer), negated ? " !=" : "");
	print_value(printer, &expr->value);
}

static void print_lookup(struct printer *printer, const struct fw_expr *expr)
{
	text_add(printer->text, " %s%s @%s", loaded_name(printer), expr->compare == FW_NOT_EQUAL ? " !=" : "",
		expr->set);
}

static void print_payload_set(struct printer *printer, const struct fw_expr *expr)
{
	text_add(printer->text, " %s set ", payload_name(printer, &expr->payload));
	print_constant(printer);
}

static void print_snat(struct printer *printer, const struct fw_expr *expr)
{
	text_add(printer->text, " snat %s to ", fw_family_name(expr->nat));
	print_constant(printer);
}

static void print_forward(struct printer *printer, const struct fw_expr *expr)
{
	uint8_t family = expr->forward.to.length == 4 ? AF_INET : AF_INET6;
	text_add(printer->text, " fwd %s to ", family == AF_INET ? "ip" : "ip6");
	print_address(printer, family, &expr->forward.to);
	text_add(printer->text, " device \"%s\"", expr->forward.device);
}

static void load(struct printer *printer, const struct fw_expr *expr)
{
	printer->loaded = expr;
	printer->mask.length = 0;
}

static void print_expr(struct printer *printer, const struct fw_expr *expr)
{
	switch (expr->op) {
	case FW_OP_META:
	case FW_OP_PAYLOAD:
	case FW_OP_CT_MARK:
	case FW_OP_CT_STATE:
	case FW_OP_FIB_TYPE:
		load(printer, expr);
		break;
	case FW_OP_LOAD:
		printer->constant = expr->value;
		break;
	case FW_OP_MASK:
		printer->mask = expr->value;
		break;
	case FW_OP_COMPARE:
		print_compare(printer, expr);
		break;
	case FW_OP_LOOKUP:
		print_lookup(printer, expr);
		break;
	case FW_OP_META_SET:
		text_add(printer->text, " %s set %s", meta_name(expr->meta), loaded_name(printer));
		break;
	case FW_OP_CT_MARK_SET:
		text_add(printer->text, " ct mark set %s", loaded_name(printer));
		break;
	case FW_OP_PAYLOAD_SET:
		print_payload_set(printer, expr);
		break;
	case FW_OP_ROUTE_TCPMSS:
	case FW_OP_TO_NETWORK:
		break; /* said by what follows */
	case FW_OP_TCPMSS_SET:
		text_add(printer->text, " tcp option maxseg size set rt mtu");
		break;
	case FW_OP_SNAT:
		print_snat(printer, expr);
		break;
	case FW_OP_MASQUERADE:
		text_add(printer->text, " masquerade");
		break;
	case FW_OP_COUNTER:
		text_add(printer->text, " counter");
		break;
	case FW_OP_VERDICT:
		text_add(printer->text, " %s", expr->verdict == FW_ACCEPT ? "accept" : "drop");
		break;
	case FW_OP_LEARN:
		text_add(printer->text, " update @%s { %s }", expr->set, loaded_name(printer));
		break;
	case FW_OP_FORWARD:
		print_forward(printer, expr);
		break;
	}
}

static void print_rule(const struct fw_rule *rule, enum fw_family family, struct text *text)
{
	struct text phrases = {0};
	struct printer printer = {.text = &phrases, .rule = rule, .family = family};
	for (size_t i = 0; i < rule->count; i++)
		print_expr(&printer, &rule->exprs[i]);
	text_add(text, "\t\t%s\n", phrases.data ? phrases.data + 1 : ""); /* without the first space */
	text_clear(&phrases);
}

/* The names nft has for priorities; it prints others as numbers. */
static void print_priority(int priority, struct text *text)
{
	static const struct {
		int priority;
		const char *name;
	} names[] = {{-300, "raw"}, {-150, "mangle"}, {0, "filter"}, {100, "srcnat"}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (names[i].priority == priority) {
			text_add(text, "%s", names[i].name);
			return;
		}
	}
	text_add(text, "%d", priority);
}

static void print_chain(const struct fw_chain *chain, enum fw_family family, struct text *text)
{
	text_add(text, "\tchain %s {\n\t\ttype %s hook %s ", chain->name, fw_type_name(chain->type),
		fw_hook_name(chain->hook));
	if (chain->device[0])
		text_add(text, "device \"%s\" ", chain->device);
	text_add(text, "priority ");
	print_priority(chain->priority, text);
	text_add(text, "; policy accept;\n");
	for (size_t i = 0; i < chain->count; i++)
		print_rule(&chain->rules[i], family, text);
	text_add(text, "\t}\n");
}

static const char *key_text(enum fw_key key)
{
	switch (key) {
	case FW_KEY_IPV4:
		return "type ipv4_addr";
	case FW_KEY_IPV6:
		return "type ipv6_addr";
	case FW_KEY_MARK:
		return "type mark";
	case FW_KEY_ND_TARGET:
		return "typeof @th,64,128";
	case FW_KEY_INDEX:
		return "typeof @th,96,32";
	}
	abort();
}

static void print_set(const struct fw_set *set, struct text *text)
{
	text_add(text, "\tset %s {\n\t\t%s\n", set->name, key_text(set->key));
	if (set->size)
		text_add(text,
			"\t\tsize %u\n\t\tflags dynamic,timeout\n\t\ttimeout %um\n\t\tcomment \"%s\"\n\t}\n",
			set->size, set->timeout_ms / 60000, set->comment);
	else
		text_add(text, "\t\tflags timeout\n\t}\n");
}

static void print_table(const struct fw_table *table, const char *scope, struct text *text)
{
	text_add(text, "table %s %s {\n", fw_family_name(table->family), table->name);
	if (scope[0])
		text_add(text, "\tcomment \"holdfast %s\"\n", scope);
	for (size_t i = 0; i < table->set_count; i++) {
		text_add(text, "%s", i ? "\n" : "");
		print_set(&table->sets[i], text);
	}
	for (size_t i = 0; i < table->chain_count; i++) {
		text_add(text, "%s", table->set_count || i ? "\n" : "");
		print_chain(&table->chains[i], table->family, text);
	}
	text_add(text, "}\n");
}

char *fw_ruleset_print(const struct fw_ruleset *ruleset)
{
	struct text text = {0};
	for (size_t i = 0; i < ruleset->count; i++)
		print_table(&ruleset->tables[i], ruleset->scope, &text);
	return text_take(&text);
}
