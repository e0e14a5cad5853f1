/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/load_int.h"

/*
 * Expression by expression, by name. One that would need a register of data that there is not, or a value that is too
 * long, becomes LOADED_PERHAPS, as does one of a name that is not known here.
 */
static void add_perhaps(struct loaded_rule *to, const char *name)
{
	loaded_add_what(to, LOADED_PERHAPS, "%s", name);
}

static bool get_register(const struct nftnl_expr *from, uint16_t attribute, uint8_t *ret_offset)
{
	return nftnl_expr_is_set(from, attribute) &&
	       loaded_register(nftnl_expr_get_u32(from, attribute), ret_offset) == 0;
}

static bool get_value(const struct nftnl_expr *from, uint16_t attribute, struct loaded_value *to)
{
	uint32_t length = 0;
	const void *data = nftnl_expr_get(from, attribute, &length);
	if (!data || length > LOADED_VALUE_MAX)
		return false;
	memcpy(to->bytes, data, length);
	to->length = (uint8_t)length;
	return true;
}

/* The last expression again as something that may match or not. */
static void give_up(struct loaded_rule *to, struct loaded_expr *expr, const char *name)
{
	if (!expr)
		return;
	to->count--;
	add_perhaps(to, name);
}

/* ---- loads and stores ---- */

struct key_attributes {
	uint16_t key, target, source, flags, direction; /* NFTNL_EXPR_*; 0: there is none */
};

static void load_keyed(const struct nftnl_expr *from, const struct key_attributes *attributes,
	enum loaded_op load, enum loaded_op set, const char *name, struct loaded_rule *to)
{
	bool stores = attributes->source && nftnl_expr_is_set(from, attributes->source);
	struct loaded_expr *expr = loaded_add_expr(to, stores ? set : load);
	if (!expr)
		return;
	expr->load.key = nftnl_expr_get_u32(from, attributes->key);
	expr->load.flags = attributes->flags ? nftnl_expr_get_u32(from, attributes->flags) : 0;
	expr->load.direction = UINT8_MAX;
	if (attributes->direction && nftnl_expr_is_set(from, attributes->direction))
		expr->load.direction = nftnl_expr_get_u8(from, attributes->direction);
	if (stores ? !get_register(from, attributes->source, &expr->source)
		   : !get_register(from, attributes->target, &expr->target))
		give_up(to, expr, name);
}

static void load_meta(struct nftnl_expr *from, struct loaded_rule *to)
{
	static const struct key_attributes attributes = {
		.key = NFTNL_EXPR_META_KEY, .target = NFTNL_EXPR_META_DREG, .source = NFTNL_EXPR_META_SREG};
	load_keyed(from, &attributes, LOADED_META, LOADED_META_SET, "meta", to);
}

static void load_ct(struct nftnl_expr *from, struct loaded_rule *to)
{
	static const struct key_attributes attributes = {.key = NFTNL_EXPR_CT_KEY,
		.target = NFTNL_EXPR_CT_DREG,
		.source = NFTNL_EXPR_CT_SREG,
		.direction = NFTNL_EXPR_CT_DIR};
	load_keyed(from, &attributes, LOADED_CT, LOADED_CT_SET, "ct", to);
}

static void load_fib(struct nftnl_expr *from, struct loaded_rule *to)
{
	static const struct key_attributes attributes = {
		.key = NFTNL_EXPR_FIB_RESULT, .target = NFTNL_EXPR_FIB_DREG, .flags = NFTNL_EXPR_FIB_FLAGS};
	load_keyed(from, &attributes, LOADED_FIB, LOADED_FIB, "fib", to);
}

static void load_payload(struct nftnl_expr *from, struct loaded_rule *to)
{
	bool stores = nftnl_expr_is_set(from, NFTNL_EXPR_PAYLOAD_SREG);
	struct loaded_expr *expr = loaded_add_expr(to, stores ? LOADED_PAYLOAD_SET : LOADED_PAYLOAD);
	if (!expr)
		return;
	expr->payload.base = nftnl_expr_get_u32(from, NFTNL_EXPR_PAYLOAD_BASE);
	expr->payload.offset = nftnl_expr_get_u32(from, NFTNL_EXPR_PAYLOAD_OFFSET);
	expr->payload.length = nftnl_expr_get_u32(from, NFTNL_EXPR_PAYLOAD_LEN);
	if (stores ? !get_register(from, NFTNL_EXPR_PAYLOAD_SREG, &expr->source)
		   : !get_register(from, NFTNL_EXPR_PAYLOAD_DREG, &expr->target))
		give_up(to, expr, "payload");
}

/* ---- verdicts, values ---- */

static void load_immediate(struct nftnl_expr *from, struct loaded_rule *to)
{
	bool verdict = nftnl_expr_is_set(from, NFTNL_EXPR_IMM_VERDICT);
	struct loaded_expr *expr = loaded_add_expr(to, verdict ? LOADED_VERDICT : LOADED_IMMEDIATE);
	if (!expr)
		return;
	if (verdict) {
		expr->verdict.code = (int)nftnl_expr_get_u32(from, NFTNL_EXPR_IMM_VERDICT);
		expr->verdict.chain = mem_text(nftnl_expr_get_str(from, NFTNL_EXPR_IMM_CHAIN));
	} else if (!get_register(from, NFTNL_EXPR_IMM_DREG, &expr->target) ||
		   !get_value(from, NFTNL_EXPR_IMM_DATA, &expr->value)) {
		give_up(to, expr, "immediate");
	}
}

static void load_compare(struct nftnl_expr *from, struct loaded_rule *to)
{
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_COMPARE);
	if (!expr)
		return;
	expr->compare.how = nftnl_expr_get_u32(from, NFTNL_EXPR_CMP_OP);
	if (!get_register(from, NFTNL_EXPR_CMP_SREG, &expr->source) ||
		!get_value(from, NFTNL_EXPR_CMP_DATA, &expr->compare.value))
		give_up(to, expr, "cmp");
}

static void load_range(struct nftnl_expr *from, struct loaded_rule *to)
{
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_RANGE);
	if (!expr)
		return;
	expr->range.how = nftnl_expr_get_u32(from, NFTNL_EXPR_RANGE_OP);
	if (!get_register(from, NFTNL_EXPR_RANGE_SREG, &expr->source) ||
		!get_value(from, NFTNL_EXPR_RANGE_FROM_DATA, &expr->range.from) ||
		!get_value(from, NFTNL_EXPR_RANGE_TO_DATA, &expr->range.to) ||
		expr->range.from.length != expr->range.to.length)
		give_up(to, expr, "range");
}

/* ---- computing ---- */

static void load_bitwise(struct nftnl_expr *from, struct loaded_rule *to)
{
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_BITWISE);
	uint32_t op = nftnl_expr_is_set(from, NFTNL_EXPR_BITWISE_OP)
			      ? nftnl_expr_get_u32(from, NFTNL_EXPR_BITWISE_OP)
			      : NFT_BITWISE_BOOL;
	if (!expr)
		return;
	if (!get_register(from, NFTNL_EXPR_BITWISE_DREG, &expr->target)) {
		give_up(to, expr, "bitwise");
	} else if (op != NFT_BITWISE_BOOL || !get_register(from, NFTNL_EXPR_BITWISE_SREG, &expr->source) ||
		   !get_value(from, NFTNL_EXPR_BITWISE_MASK, &expr->bitwise.mask) ||
		   !get_value(from, NFTNL_EXPR_BITWISE_XOR, &expr->bitwise.exclusive) ||
		   expr->bitwise.mask.length != expr->bitwise.exclusive.length) {
		expr->op = LOADED_UNKNOWN;
		snprintf(expr->what, sizeof expr->what, "a shift, or arithmetic of registers");
	}
}

static void load_byteorder(struct nftnl_expr *from, struct loaded_rule *to)
{
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_BYTEORDER);
	if (!expr)
		return;
	expr->byteorder.length = (uint8_t)nftnl_expr_get_u32(from, NFTNL_EXPR_BYTEORDER_LEN);
	expr->byteorder.size = (uint8_t)nftnl_expr_get_u32(from, NFTNL_EXPR_BYTEORDER_SIZE);
	if (!get_register(from, NFTNL_EXPR_BYTEORDER_SREG, &expr->source) ||
		!get_register(from, NFTNL_EXPR_BYTEORDER_DREG, &expr->target) ||
		expr->byteorder.length > LOADED_VALUE_MAX)
		give_up(to, expr, "byteorder");
}

static void load_lookup(struct nftnl_expr *from, struct loaded_rule *to)
{
	const char *set = nftnl_expr_get_str(from, NFTNL_EXPR_LOOKUP_SET);
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_LOOKUP);
	if (!expr)
		return;
	if (!set || !get_register(from, NFTNL_EXPR_LOOKUP_SREG, &expr->source)) {
		give_up(to, expr, "lookup");
		return;
	}
	expr->lookup.set = mem_text(set);
	expr->lookup.inverted = nftnl_expr_get_u32(from, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	expr->has_target = nftnl_expr_is_set(from, NFTNL_EXPR_LOOKUP_DREG);
	expr->lookup.verdict =
		expr->has_target && nftnl_expr_get_u32(from, NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT;
	if (expr->has_target && !expr->lookup.verdict)
		(void)get_register(from, NFTNL_EXPR_LOOKUP_DREG, &expr->target);
}

/* ---- what ends a rule ---- */

static void load_nat(struct nftnl_expr *from, struct loaded_rule *to)
{
	if (nftnl_expr_get_u32(from, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_SNAT)
		loaded_add_expr(to, LOADED_SOURCE_NAT);
	else
		loaded_add_what(to, LOADED_AWAY, "dnat: it goes elsewhere");
}

/* Named objects that only count, or attach something to the connection. */
static void load_object(struct nftnl_expr *from, struct loaded_rule *to)
{
	switch (nftnl_expr_is_set(from, NFTNL_EXPR_OBJREF_IMM_TYPE)
			? nftnl_expr_get_u32(from, NFTNL_EXPR_OBJREF_IMM_TYPE)
			: NFT_OBJECT_UNSPEC) {
	case NFT_OBJECT_COUNTER:
	case NFT_OBJECT_CT_HELPER:
	case NFT_OBJECT_CT_TIMEOUT:
	case NFT_OBJECT_CT_EXPECT:
	case NFT_OBJECT_SECMARK:
		loaded_add_expr(to, LOADED_PASS);
		return;
	default: /* a number from the kernel */
		add_perhaps(to, "a named limit, quota or the like");
	}
}

/* Elements that rules add: one with a limit of its own decides whether the rule goes on. */
static void load_dynset(struct nftnl_expr *from, struct loaded_rule *to)
{
	if (nftnl_expr_is_set(from, NFTNL_EXPR_DYNSET_EXPR) ||
		nftnl_expr_is_set(from, NFTNL_EXPR_DYNSET_EXPRESSIONS))
		add_perhaps(to, "a limit or the like in a dynamic set");
	else
		loaded_add_expr(to, LOADED_PASS);
}

/* Options of TCP are written by some rules (MSS), and asked for by few. */
static void load_exthdr(struct nftnl_expr *from, struct loaded_rule *to)
{
	struct loaded_expr *expr;
	if (nftnl_expr_is_set(from, NFTNL_EXPR_EXTHDR_SREG) ||
		!nftnl_expr_is_set(from, NFTNL_EXPR_EXTHDR_DREG)) {
		loaded_add_expr(to, LOADED_PASS);
		return;
	}
	expr = loaded_add_what(to, LOADED_UNKNOWN, "an option or extension header");
	if (expr && !get_register(from, NFTNL_EXPR_EXTHDR_DREG, &expr->target))
		give_up(to, expr, "exthdr");
}

/* ---- by name ---- */

static void load_pass(struct nftnl_expr *from, struct loaded_rule *to)
{
	(void)from;
	loaded_add_expr(to, LOADED_PASS);
}

static void load_notrack(struct nftnl_expr *from, struct loaded_rule *to)
{
	(void)from;
	loaded_add_expr(to, LOADED_NOTRACK);
}

static void load_reject(struct nftnl_expr *from, struct loaded_rule *to)
{
	(void)from;
	loaded_add_expr(to, LOADED_REJECT);
}

static void load_masquerade(struct nftnl_expr *from, struct loaded_rule *to)
{
	(void)from;
	loaded_add_expr(to, LOADED_SOURCE_NAT);
}

static void load_away(struct nftnl_expr *from, struct loaded_rule *to)
{
	loaded_add_what(to, LOADED_AWAY, "%s: it goes elsewhere", nftnl_expr_get_str(from, NFTNL_EXPR_NAME));
}

/* Loads something into a register that nothing here can say. */
static void load_unknown(struct nftnl_expr *from, struct loaded_rule *to)
{
	loaded_add_what(to, LOADED_UNKNOWN, "%s", nftnl_expr_get_str(from, NFTNL_EXPR_NAME));
}

static const struct {
	const char *name;
	void (*load)(struct nftnl_expr *from, struct loaded_rule *to);
} loaders[] = {{"meta", load_meta}, {"ct", load_ct}, {"fib", load_fib}, {"payload", load_payload},
	{"immediate", load_immediate}, {"cmp", load_compare}, {"range", load_range},
	{"bitwise", load_bitwise}, {"byteorder", load_byteorder}, {"lookup", load_lookup},
	{"counter", load_pass}, {"log", load_pass}, {"last", load_pass}, {"dup", load_pass},
	{"flow_offload", load_pass}, {"notrack", load_notrack}, {"reject", load_reject}, {"nat", load_nat},
	{"masq", load_masquerade}, {"redir", load_away}, {"tproxy", load_away}, {"queue", load_away},
	{"fwd", load_away}, {"synproxy", load_away}, {"objref", load_object}, {"dynset", load_dynset},
	{"exthdr", load_exthdr}, {"match", nft_load_match}, {"target", nft_load_target}, {"rt", load_unknown},
	{"socket", load_unknown}, {"osf", load_unknown}, {"numgen", load_unknown}, {"hash", load_unknown},
	{"xfrm", load_unknown}, {"tunnel", load_unknown}};

void nft_load_expr(struct nftnl_expr *from, struct loaded_rule *to)
{
	const char *name = nftnl_expr_get_str(from, NFTNL_EXPR_NAME);
	for (size_t i = 0; name && i < ARRAY_COUNT(loaders); i++) {
		if (strcmp(name, loaders[i].name) == 0) {
			loaders[i].load(from, to);
			return;
		}
	}
	add_perhaps(to, name ? name : "an expression without a name");
}
