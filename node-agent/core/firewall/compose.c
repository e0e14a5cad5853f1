/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/compose.h"

#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

enum {
	STATE_ESTABLISHED =
		1 << 1, /* NF_CT_STATE_BIT(IP_CT_ESTABLISHED), linux/netfilter/nf_conntrack_common.h */
	STATE_RELATED = 1 << 2,
	TCP_FLAGS_OFFSET = 13,
	TCP_SYN_BIT = 0x02,
	TCP_RST_BIT = 0x04,
	ND_TARGET_OFFSET = 8,
	ETHER_SOURCE_OFFSET = 6,
	/* From the start of the UDP header: WireGuard's paper, section 5.4. */
	WG_TYPE_OFFSET = 8,
	WG_SENDER_OFFSET = 12,   /* of initiations and responses */
	WG_RECEIVER_OFFSET = 12, /* of cookie replies and data */
	WG_RESPONSE_RECEIVER_OFFSET = 16,
	WG_RESPONSE = 2,
	ARP_SENDER_OFFSET = 14,
	ARP_TARGET_OFFSET = 24,
	FIB_TYPE_LOCAL = 2, /* RTN_LOCAL, linux/rtnetlink.h */
};

struct fw_table *fw_add_table(struct fw_ruleset *ruleset, enum fw_family family, const char *name)
{
	ruleset->tables =
		mem_grow(ruleset->tables, &ruleset->capacity, ruleset->count + 1, sizeof *ruleset->tables);
	struct fw_table *table = &ruleset->tables[ruleset->count++];
	*table = (struct fw_table){.family = family};
	text_copy(table->name, sizeof table->name, name);
	return table;
}

void fw_add_set(struct fw_table *table, const char *name, enum fw_key key)
{
	table->sets = mem_grow(table->sets, &table->set_capacity, table->set_count + 1, sizeof *table->sets);
	struct fw_set *set = &table->sets[table->set_count++];
	set->key = key;
	text_copy(set->name, sizeof set->name, name);
}

void fw_add_interval_set(struct fw_table *table, const char *name, enum fw_key key)
{
	fw_add_set(table, name, key);
	table->sets[table->set_count - 1].interval = true;
}

struct fw_chain *fw_add_chain(
	struct fw_table *table, const char *name, enum fw_chain_type type, enum fw_hook hook, int priority)
{
	assert(table->chain_count < FW_CHAINS_MAX);
	struct fw_chain *chain = &table->chains[table->chain_count++];
	*chain = (struct fw_chain){.type = type, .hook = hook, .priority = priority};
	text_copy(chain->name, sizeof chain->name, name);
	return chain;
}

void fw_add_learned_set(
	struct fw_table *table, const char *name, enum fw_key key, uint32_t size, uint32_t timeout_ms)
{
	fw_add_set(table, name, key);
	table->sets[table->set_count - 1].size = size;
	table->sets[table->set_count - 1].timeout_ms = timeout_ms;
}

struct fw_chain *fw_add_device_chain(
	struct fw_table *table, const char *name, enum fw_hook hook, const char *device, int priority)
{
	struct fw_chain *chain = fw_add_chain(table, name, FW_FILTER, hook, priority);
	text_copy(chain->device, sizeof chain->device, device);
	return chain;
}

struct fw_rule *fw_add_rule(struct fw_chain *chain)
{
	chain->rules = mem_grow(chain->rules, &chain->capacity, chain->count + 1, sizeof *chain->rules);
	return &chain->rules[chain->count++];
}

static struct fw_expr *add(struct fw_rule *rule, enum fw_op op)
{
	assert(rule->count < FW_EXPRS_MAX);
	struct fw_expr *expr = &rule->exprs[rule->count++];
	expr->op = op;
	return expr;
}

static struct fw_value value_of(const void *bytes, size_t length)
{
	struct fw_value value = {.length = (uint8_t)length};
	memcpy(value.bytes, bytes, length);
	return value;
}

static struct fw_value value_of_address(const struct addr *address)
{
	return value_of(address->bytes, addr_bytes(address));
}

static void add_meta(struct fw_rule *rule, enum fw_meta meta)
{
	add(rule, FW_OP_META)->meta = meta;
}

static void add_payload(struct fw_rule *rule, enum fw_base base, size_t offset, size_t length)
{
	add(rule, FW_OP_PAYLOAD)->payload = (struct fw_payload){base, (uint8_t)offset, (uint8_t)length};
}

static void add_compare(struct fw_rule *rule, enum fw_compare compare, const void *bytes, size_t length)
{
	struct fw_expr *expr = add(rule, FW_OP_COMPARE);
	expr->compare = compare;
	expr->value = value_of(bytes, length);
}

static void add_mask(struct fw_rule *rule, const void *bytes, size_t length)
{
	add(rule, FW_OP_MASK)->value = value_of(bytes, length);
}

static void add_load(struct fw_rule *rule, const struct addr *address)
{
	add(rule, FW_OP_LOAD)->value = value_of_address(address);
}

static void add_not_in(struct fw_rule *rule, const char *set)
{
	struct fw_expr *expr = add(rule, FW_OP_LOOKUP);
	expr->compare = FW_NOT_EQUAL;
	text_copy(expr->set, sizeof expr->set, set);
}

static void add_name(struct fw_rule *rule, enum fw_compare compare, const char *name)
{
	char padded[FW_DATA_MAX] = ""; /* IFNAMSIZ: the kernel compares the padding too */
	text_copy(padded, sizeof padded, name);
	add_compare(rule, compare, padded, sizeof padded);
}

void rule_iifname(struct fw_rule *rule, enum fw_compare compare, const char *name)
{
	add_meta(rule, FW_META_IIFNAME);
	add_name(rule, compare, name);
}

void rule_oifname(struct fw_rule *rule, enum fw_compare compare, const char *name)
{
	add_meta(rule, FW_META_OIFNAME);
	add_name(rule, compare, name);
}

void rule_nfproto(struct fw_rule *rule, uint8_t address_family)
{
	add_meta(rule, FW_META_NFPROTO); /* NFPROTO_IPV4 is AF_INET, NFPROTO_IPV6 is AF_INET6 */
	add_compare(rule, FW_EQUAL, &address_family, sizeof address_family);
}

void rule_l4proto(struct fw_rule *rule, uint8_t protocol)
{
	add_meta(rule, FW_META_L4PROTO);
	add_compare(rule, FW_EQUAL, &protocol, sizeof protocol);
}

void rule_mark(struct fw_rule *rule, uint32_t mark)
{
	add_meta(rule, FW_META_MARK);
	add_compare(rule, FW_EQUAL, &mark, sizeof mark);
}

void rule_mark_not_in(struct fw_rule *rule, const char *set)
{
	add_meta(rule, FW_META_MARK);
	add_not_in(rule, set);
}

static void add_udp_port(struct fw_rule *rule, size_t offset, uint16_t port)
{
	const uint8_t bytes[] = {(uint8_t)(port >> 8), (uint8_t)port};
	rule_l4proto(rule, IPPROTO_UDP);
	add_payload(rule, FW_TRANSPORT, offset, sizeof bytes);
	add_compare(rule, FW_EQUAL, bytes, sizeof bytes);
}

void rule_udp_sport(struct fw_rule *rule, uint16_t port)
{
	add_udp_port(rule, 0, port);
}

void rule_udp_dport(struct fw_rule *rule, uint16_t port)
{
	add_udp_port(rule, 2, port);
}

void rule_protocol(struct fw_rule *rule, uint8_t address_family)
{
	uint16_t type = address_family == AF_INET ? ETH_P_IP : ETH_P_IPV6;
	const uint8_t bytes[] = {(uint8_t)(type >> 8), (uint8_t)type};
	add_meta(rule, FW_META_PROTOCOL);
	add_compare(rule, FW_EQUAL, bytes, sizeof bytes);
}

void rule_ether_source(struct fw_rule *rule, const uint8_t mac[6])
{
	add_payload(rule, FW_LINK, ETHER_SOURCE_OFFSET, ETH_ALEN);
	add_compare(rule, FW_EQUAL, mac, ETH_ALEN);
}

void rule_wg_type(struct fw_rule *rule, uint8_t type)
{
	add_payload(rule, FW_TRANSPORT, WG_TYPE_OFFSET, sizeof type);
	add_compare(rule, FW_EQUAL, &type, sizeof type);
}

void rule_wg_learn_sender(struct fw_rule *rule, const char *set)
{
	add_payload(rule, FW_TRANSPORT, WG_SENDER_OFFSET, sizeof(uint32_t));
	text_copy(add(rule, FW_OP_LEARN)->set, FW_NAME_MAX + 1, set);
}

void rule_wg_receiver_not_in(struct fw_rule *rule, uint8_t type, const char *set)
{
	size_t offset = type == WG_RESPONSE ? WG_RESPONSE_RECEIVER_OFFSET : WG_RECEIVER_OFFSET;
	add_payload(rule, FW_TRANSPORT, offset, sizeof(uint32_t));
	add_not_in(rule, set);
}

void rule_forward(struct fw_rule *rule, const struct addr *to, uint32_t ifindex, const char *device)
{
	struct fw_expr *expr = add(rule, FW_OP_FORWARD);
	expr->forward.to = value_of_address(to);
	expr->forward.ifindex = ifindex;
	text_copy(expr->forward.device, sizeof expr->forward.device, device);
}

void rule_icmpv6_type(struct fw_rule *rule, uint8_t type)
{
	rule_l4proto(rule, IPPROTO_ICMPV6);
	add_payload(rule, FW_TRANSPORT, 0, sizeof type);
	add_compare(rule, FW_EQUAL, &type, sizeof type);
}

static size_t ip_offset(enum fw_side side, const struct addr *address)
{
	if (address->family == AF_INET)
		return side == FW_SOURCE ? 12 : 16; /* RFC 791 */
	return side == FW_SOURCE ? 8 : 24;          /* RFC 8200 */
}

static void add_ip(struct fw_rule *rule, enum fw_side side, const struct addr *address)
{
	add_payload(rule, FW_NETWORK, ip_offset(side, address), addr_bytes(address));
}

void rule_ip(struct fw_rule *rule, enum fw_side side, enum fw_compare compare, const struct addr *address)
{
	add_ip(rule, side, address);
	add_compare(rule, compare, address->bytes, addr_bytes(address));
}

void rule_ip_not_in(struct fw_rule *rule, enum fw_side side, const struct addr *address, const char *set)
{
	add_ip(rule, side, address);
	add_not_in(rule, set);
}

void rule_ip_in(struct fw_rule *rule, enum fw_side side, const struct addr *address, const char *set)
{
	add_ip(rule, side, address);
	struct fw_expr *expr = add(rule, FW_OP_LOOKUP);
	expr->compare = FW_EQUAL;
	text_copy(expr->set, sizeof expr->set, set);
}

static struct addr mask_of(const struct prefix *prefix)
{
	struct prefix ones = {.addr.family = prefix->addr.family, .length = prefix->length};
	memset(ones.addr.bytes, 0xff, addr_bytes(&ones.addr));
	return prefix_mask(&ones).addr;
}

/* Prefixes of whole bytes are compared as such, as nft compiles them. */
void rule_ip_within(struct fw_rule *rule, enum fw_side side, const struct prefix *prefix)
{
	struct prefix masked = prefix_mask(prefix);
	bool whole = masked.length % 8 == 0;
	size_t length = whole ? masked.length / 8 : addr_bytes(&masked.addr);
	if (masked.length == 0)
		return;
	add_payload(rule, FW_NETWORK, ip_offset(side, &masked.addr), length);
	if (!whole)
		add_mask(rule, mask_of(prefix).bytes, length);
	add_compare(rule, FW_EQUAL, masked.addr.bytes, length);
}

void rule_ip_set(struct fw_rule *rule, enum fw_side side, const struct addr *address)
{
	add_load(rule, address);
	add(rule, FW_OP_PAYLOAD_SET)->payload = (struct fw_payload){
		FW_NETWORK, (uint8_t)ip_offset(side, address), (uint8_t)addr_bytes(address)};
}

void rule_nd_target(struct fw_rule *rule, const struct addr *address)
{
	add_payload(rule, FW_TRANSPORT, ND_TARGET_OFFSET, addr_bytes(address));
	add_compare(rule, FW_EQUAL, address->bytes, addr_bytes(address));
}

void rule_nd_target_not_in(struct fw_rule *rule, const char *set)
{
	add_payload(rule, FW_TRANSPORT, ND_TARGET_OFFSET, sizeof(struct in6_addr));
	add_not_in(rule, set);
}

static void add_arp(struct fw_rule *rule, enum fw_side side)
{
	size_t offset = side == FW_SOURCE ? ARP_SENDER_OFFSET : ARP_TARGET_OFFSET;
	add_payload(rule, FW_NETWORK, offset, sizeof(struct in_addr));
}

void rule_arp(struct fw_rule *rule, enum fw_side side, enum fw_compare compare, const struct addr *address)
{
	add_arp(rule, side);
	add_compare(rule, compare, address->bytes, addr_bytes(address));
}

void rule_arp_not_in(struct fw_rule *rule, enum fw_side side, const char *set)
{
	add_arp(rule, side);
	add_not_in(rule, set);
}

void rule_token(struct fw_rule *rule, size_t offset, const uint8_t token[16])
{
	add_payload(rule, FW_TRANSPORT, offset, FW_DATA_MAX);
	add_compare(rule, FW_EQUAL, token, FW_DATA_MAX);
}

void rule_source_not_local(struct fw_rule *rule)
{
	const uint32_t local = FIB_TYPE_LOCAL;
	add(rule, FW_OP_FIB_TYPE);
	add_compare(rule, FW_NOT_EQUAL, &local, sizeof local);
}

void rule_established(struct fw_rule *rule)
{
	const uint32_t bits = STATE_ESTABLISHED | STATE_RELATED, none = 0;
	add(rule, FW_OP_CT_STATE);
	add_mask(rule, &bits, sizeof bits);
	add_compare(rule, FW_NOT_EQUAL, &none, sizeof none);
}

void rule_clamp_mss(struct fw_rule *rule)
{
	const uint8_t mask = TCP_SYN_BIT | TCP_RST_BIT, syn = TCP_SYN_BIT;
	rule_l4proto(rule, IPPROTO_TCP);
	add_payload(rule, FW_TRANSPORT, TCP_FLAGS_OFFSET, sizeof mask);
	add_mask(rule, &mask, sizeof mask);
	add_compare(rule, FW_EQUAL, &syn, sizeof syn);
	add(rule, FW_OP_ROUTE_TCPMSS);
	add(rule, FW_OP_TO_NETWORK);
	add(rule, FW_OP_TCPMSS_SET);
}

void rule_mark_from_connection(struct fw_rule *rule)
{
	add(rule, FW_OP_CT_MARK);
	add(rule, FW_OP_META_SET)->meta = FW_META_MARK;
}

void rule_mark_to_connection(struct fw_rule *rule)
{
	add_meta(rule, FW_META_MARK);
	add(rule, FW_OP_CT_MARK_SET);
}

void rule_snat(struct fw_rule *rule, const struct addr *to)
{
	add_load(rule, to);
	add(rule, FW_OP_SNAT)->nat = to->family == AF_INET ? FW_IP : FW_IP6;
}

void rule_masquerade(struct fw_rule *rule)
{
	add(rule, FW_OP_MASQUERADE);
}

void rule_accept(struct fw_rule *rule)
{
	add(rule, FW_OP_VERDICT)->verdict = FW_ACCEPT;
}

void rule_drop(struct fw_rule *rule)
{
	add(rule, FW_OP_VERDICT)->verdict = FW_DROP;
}

void rule_count_and_drop(struct fw_rule *rule)
{
	add(rule, FW_OP_COUNTER);
	rule_drop(rule);
}
