/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/trace/rule.h"

enum { REGISTER_BYTES = NFT_REG32_COUNT * NFT_REG32_SIZE };

/* The registers, and which bytes of them hold what nobody knows. */
struct machine {
	const struct loaded_table *table;
	struct trace_packet *packet;
	struct trace_matched *matched;
	uint8_t bytes[REGISTER_BYTES];
	uint64_t unknown;
	char cause[TRACE_CAUSE_MAX]; /* of what was loaded last and is not known */
};

static uint64_t bits(size_t offset, size_t length)
{
	uint64_t low = length < 64 ? (1ULL << length) - 1 : UINT64_MAX;

	return offset < 64 ? low << offset : 0;
}

static bool fits(size_t offset, size_t length)
{
	return length <= REGISTER_BYTES && offset <= REGISTER_BYTES - length;
}

static void perhaps(struct machine *machine, const char *cause)
{
	if (machine->matched->match == TRACE_MATCH_PERHAPS)
		return; /* the first is told */
	machine->matched->match = TRACE_MATCH_PERHAPS;
	text_copy(machine->matched->cause, sizeof machine->matched->cause, cause);
}

static void fail(struct machine *machine)
{
	machine->matched->match = TRACE_MATCH_NO;
}

static void go_away(struct machine *machine, const char *cause)
{
	machine->matched->away = true;
	if (machine->matched->match == TRACE_MATCH_YES)
		text_copy(machine->matched->cause, sizeof machine->matched->cause, cause);
}

/* What does not fill a register of 4 bytes is followed by zeros. */
static void store(struct machine *machine, size_t offset, const struct loaded_value *value, uint64_t unknown)
{
	size_t padded = (value->length + 3U) / 4 * 4;

	if (!fits(offset, padded))
		return;
	memset(machine->bytes + offset, 0, padded);
	memcpy(machine->bytes + offset, value->bytes, value->length);
	machine->unknown = (machine->unknown & ~bits(offset, padded)) | unknown << offset;
}

static void load(struct machine *machine, const struct loaded_expr *expr)
{
	struct trace_loaded loaded;

	trace_load(machine->table, expr, machine->packet, &loaded);
	if (loaded.fails) {
		fail(machine);
		return;
	}
	if (loaded.value.length > REGISTER_BYTES - expr->target)
		loaded.value.length = (uint8_t)(REGISTER_BYTES - expr->target);
	store(machine, expr->target, &loaded.value, loaded.unknown);
	if (loaded.unknown)
		text_copy(machine->cause, sizeof machine->cause, loaded.cause);
}

static void load_nothing_known(struct machine *machine, const struct loaded_expr *expr)
{
	machine->unknown |= bits(expr->target, REGISTER_BYTES);
	text_copy(machine->cause, sizeof machine->cause, expr->what);
}

/* ---- comparing ---- */

static bool is_known(const struct machine *machine, size_t offset, size_t length)
{
	return !(machine->unknown & bits(offset, length));
}

/* Known bytes alone may tell that two values are not equal. */
static bool differ_for_sure(const struct machine *machine, size_t offset, const struct loaded_value *value)
{
	for (size_t i = 0; i < value->length; i++)
		if (is_known(machine, offset + i, 1) && machine->bytes[offset + i] != value->bytes[i])
			return true;
	return false;
}

static bool holds(uint32_t how, int order)
{
	switch (how) {
	case NFT_CMP_EQ:
		return order == 0;
	case NFT_CMP_NEQ:
		return order != 0;
	case NFT_CMP_LT:
		return order < 0;
	case NFT_CMP_LTE:
		return order <= 0;
	case NFT_CMP_GT:
		return order > 0;
	case NFT_CMP_GTE:
		return order >= 0;
	default: /* a number from the kernel */
		return false;
	}
}

static void compare(struct machine *machine, const struct loaded_expr *expr)
{
	const struct loaded_value *value = &expr->compare.value;
	uint32_t how = expr->compare.how;
	bool equality = how == NFT_CMP_EQ || how == NFT_CMP_NEQ;

	if (!fits(expr->source, value->length))
		return perhaps(machine, "a comparison out of bounds");
	if (is_known(machine, expr->source, value->length)) {
		if (!holds(how, memcmp(machine->bytes + expr->source, value->bytes, value->length)))
			fail(machine);
	} else if (equality && differ_for_sure(machine, expr->source, value)) {
		if (how == NFT_CMP_EQ)
			fail(machine);
	} else {
		perhaps(machine, machine->cause);
	}
}

static void compare_range(struct machine *machine, const struct loaded_expr *expr)
{
	const struct loaded_value *from = &expr->range.from, *to = &expr->range.to;
	const uint8_t *bytes = machine->bytes + expr->source;
	bool inside;

	if (!fits(expr->source, from->length) || !is_known(machine, expr->source, from->length))
		return perhaps(machine, machine->cause);
	inside = memcmp(bytes, from->bytes, from->length) >= 0 && memcmp(bytes, to->bytes, from->length) <= 0;
	if (inside != (expr->range.how == NFT_RANGE_EQ))
		fail(machine);
}

/* ---- computing ---- */

static void apply_mask(struct machine *machine, const struct loaded_expr *expr)
{
	const struct loaded_value *mask = &expr->bitwise.mask, *exclusive = &expr->bitwise.exclusive;
	struct loaded_value value = {.length = mask->length};
	uint64_t unknown = 0;

	if (!fits(expr->source, mask->length))
		return;
	for (size_t i = 0; i < mask->length; i++) {
		value.bytes[i] = (machine->bytes[expr->source + i] & mask->bytes[i]) ^ exclusive->bytes[i];
		if (mask->bytes[i] && !is_known(machine, expr->source + i, 1))
			unknown |= bits(i, 1);
	}
	store(machine, expr->target, &value, unknown);
}

/* Whole units only, as the kernel does: nft(8) writes units of 2 bytes for a value of 1, which then stays as it is. */
static void turn_round(struct machine *machine, const struct loaded_expr *expr)
{
	size_t size = expr->byteorder.size, length = size ? expr->byteorder.length / size * size : 0;
	uint8_t turned[REGISTER_BYTES];

	if (!length || !fits(expr->source, length) || !fits(expr->target, length))
		return;
	for (size_t i = 0; i < length; i++) {
		size_t from = BYTE_ORDER == BIG_ENDIAN ? i : i / size * size + size - 1 - i % size;

		turned[i] = machine->bytes[expr->source + from];
	}
	memcpy(machine->bytes + expr->target, turned, length);
	if (is_known(machine, expr->source, length))
		machine->unknown &= ~bits(expr->target, length);
	else
		machine->unknown |= bits(expr->target, length);
}

/* ---- sets and maps ---- */

static enum trace_found find(const struct machine *machine, const struct loaded_expr *expr,
	const struct loaded_set *set, const struct loaded_element **ret_element)
{
	uint8_t key[LOADED_VALUE_MAX * 2] = {
		0}; /* elements of a broken answer may be longer than the register */

	*ret_element = NULL;
	if (!set)
		return TRACE_NOT_SURE;
	if (set->count && !is_known(machine, expr->source, set->key_length))
		return TRACE_NOT_SURE;
	memcpy(key, machine->bytes + expr->source, REGISTER_BYTES - expr->source);
	return trace_find(set, key, ret_element);
}

static void take_data(
	struct machine *machine, const struct loaded_expr *expr, const struct loaded_element *element)
{
	if (expr->lookup.verdict)
		machine->matched->verdict = &element->verdict;
	else if (expr->has_target)
		store(machine, expr->target, &element->data, 0);
}

static void look_up(struct machine *machine, const struct loaded_expr *expr)
{
	const struct loaded_set *set = loaded_find_set(machine->table, expr->lookup.set);
	const struct loaded_element *element;
	enum trace_found found = find(machine, expr, set, &element);
	char cause[TRACE_CAUSE_MAX];

	if (found == TRACE_NOT_SURE) {
		struct text text = {0};

		text_add(&text, "a look-up in the set %s", expr->lookup.set);
		text_copy(cause, sizeof cause, text.data);
		text_clear(&text);
		perhaps(machine, cause);
		if (expr->lookup.verdict)
			machine->matched->away = true;
		if (expr->has_target)
			machine->unknown |= bits(expr->target, REGISTER_BYTES);
	} else if ((found == TRACE_FOUND) == expr->lookup.inverted) {
		fail(machine);
	} else if (found == TRACE_FOUND) {
		take_data(machine, expr, element);
	}
}

/* ---- writing ---- */

static struct trace_mark mark_in(const struct machine *machine, const struct loaded_expr *expr)
{
	struct trace_mark mark = {.unknown = true};

	if (!fits(expr->source, sizeof mark.value) || !is_known(machine, expr->source, sizeof mark.value))
		return mark;
	mark.unknown = false;
	memcpy(&mark.value, machine->bytes + expr->source, sizeof mark.value);
	return mark;
}

static void set_mark(const struct machine *machine, const struct loaded_expr *expr, struct trace_mark *mark)
{
	struct trace_mark now = mark_in(machine, expr);

	if (machine->matched->match == TRACE_MATCH_PERHAPS && (mark->unknown || now.value != mark->value))
		now.unknown = true;
	*mark = now;
}

static bool is_destination(const struct trace_packet *packet, const struct loaded_expr *expr)
{
	size_t to = packet->to.family == AF_INET ? offsetof(struct iphdr, daddr)
						 : offsetof(struct ip6_hdr, ip6_dst);

	return expr->payload.offset < to + addr_bytes(&packet->to) &&
	       expr->payload.offset + expr->payload.length > to;
}

static void write_payload(struct machine *machine, const struct loaded_expr *expr)
{
	bool sure = machine->matched->match == TRACE_MATCH_YES && fits(expr->source, expr->payload.length) &&
		    is_known(machine, expr->source, expr->payload.length);

	if (expr->payload.base != NFT_PAYLOAD_NETWORK_HEADER)
		return;
	if (is_destination(machine->packet, expr))
		go_away(machine, "a destination that is written over");
	trace_write_network(machine->packet, expr->payload.offset, expr->payload.length,
		sure ? machine->bytes + expr->source : NULL);
}

/* ---- one after the other ---- */

static void step(struct machine *machine, const struct loaded_expr *expr)
{
	switch (expr->op) {
	case LOADED_META:
	case LOADED_CT:
	case LOADED_FIB:
	case LOADED_PAYLOAD:
		return load(machine, expr);
	case LOADED_META_SET:
		if (expr->load.key == NFT_META_MARK)
			set_mark(machine, expr, &machine->packet->mark);
		return;
	case LOADED_CT_SET:
		if (expr->load.key == NFT_CT_MARK && machine->packet->ct != TRACE_CT_NONE)
			set_mark(machine, expr, &machine->packet->ct_mark);
		return;
	case LOADED_PAYLOAD_SET:
		return write_payload(machine, expr);
	case LOADED_IMMEDIATE:
		return store(machine, expr->target, &expr->value, 0);
	case LOADED_VERDICT:
		machine->matched->verdict = &expr->verdict;
		return;
	case LOADED_COMPARE:
		return compare(machine, expr);
	case LOADED_RANGE:
		return compare_range(machine, expr);
	case LOADED_BITWISE:
		return apply_mask(machine, expr);
	case LOADED_BYTEORDER:
		return turn_round(machine, expr);
	case LOADED_LOOKUP:
		return look_up(machine, expr);
	case LOADED_UNKNOWN:
		return load_nothing_known(machine, expr);
	case LOADED_PASS:
		return;
	case LOADED_NOTRACK:
		if (machine->matched->match == TRACE_MATCH_YES && machine->packet->ct == TRACE_CT_NONE)
			machine->packet->ct = TRACE_CT_UNTRACKED;
		return;
	case LOADED_PERHAPS:
		return perhaps(machine, expr->what);
	case LOADED_REJECT:
		machine->matched->reject = true;
		return;
	case LOADED_SOURCE_NAT:
		machine->matched->source_nat = true;
		return;
	case LOADED_AWAY:
		return go_away(machine, expr->what);
	}
}

static bool is_over(const struct trace_matched *matched)
{
	return matched->match == TRACE_MATCH_NO || matched->verdict || matched->reject ||
	       matched->source_nat || matched->away;
}

void trace_rule(const struct loaded_table *table, const struct loaded_rule *rule, struct trace_packet *packet,
	struct trace_matched *ret_matched)
{
	struct machine machine = {
		.table = table, .packet = packet, .matched = ret_matched, .unknown = UINT64_MAX};

	*ret_matched = (struct trace_matched){.match = TRACE_MATCH_YES};
	text_copy(machine.cause, sizeof machine.cause, "a register that nothing was loaded into");
	for (size_t i = 0; i < rule->count && !is_over(ret_matched); i++)
		step(&machine, &rule->exprs[i]);
}
