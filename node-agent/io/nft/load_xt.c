/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <net/if.h> /* before the kernel's, which then leave out what it has */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/load_int.h"

/* All that iptables-nft adds goes through the first register, which its own expressions load anew before they use it. */

static void add_load(struct loaded_rule *to, enum loaded_op op, uint32_t key, uint32_t flags)
{
	struct loaded_expr *expr = loaded_add_expr(to, op);
	if (!expr)
		return;
	expr->load.key = key;
	expr->load.flags = flags;
	expr->load.direction = UINT8_MAX;
}

static void add_compare(struct loaded_rule *to, bool equal, const void *value, size_t length)
{
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_COMPARE);
	if (!expr)
		return;
	expr->compare.how = equal ? NFT_CMP_EQ : NFT_CMP_NEQ;
	expr->compare.value.length = (uint8_t)length;
	memcpy(expr->compare.value.bytes, value, length);
}

static void add_bitwise(struct loaded_rule *to, uint32_t mask, uint32_t exclusive)
{
	struct loaded_expr *expr = loaded_add_expr(to, LOADED_BITWISE);
	if (!expr)
		return;
	expr->bitwise.mask.length = expr->bitwise.exclusive.length = sizeof mask;
	memcpy(expr->bitwise.mask.bytes, &mask, sizeof mask);
	memcpy(expr->bitwise.exclusive.bytes, &exclusive, sizeof exclusive);
}

/* ---- matches: false is what cannot be said in expressions ---- */

/* `-m conntrack --ctstate` is in every ruleset that iptables-nft wrote; `-m state --state` is an alias of it. */
static bool load_conntrack(const void *data, struct loaded_rule *to)
{
	struct xt_conntrack_mtinfo3 info;
	uint32_t none = 0;
	memcpy(&info, data, sizeof info);
	uint32_t mask = info.state_mask;
	if ((info.match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE ||
		mask & (XT_CONNTRACK_STATE_SNAT | XT_CONNTRACK_STATE_DNAT))
		return false;
	if (mask & XT_CONNTRACK_STATE_UNTRACKED)
		mask = (mask & ~(uint32_t)XT_CONNTRACK_STATE_UNTRACKED) | NF_CT_STATE_UNTRACKED_BIT;
	add_load(to, LOADED_CT, NFT_CT_STATE, 0);
	add_bitwise(to, mask, 0);
	add_compare(to, info.invert_flags & XT_CONNTRACK_STATE, &none, sizeof none);
	return true;
}

static bool load_mark(const void *data, struct loaded_rule *to)
{
	struct xt_mark_mtinfo1 info;
	memcpy(&info, data, sizeof info);
	add_load(to, LOADED_META, NFT_META_MARK, 0);
	add_bitwise(to, info.mask, 0);
	add_compare(to, !info.invert, &info.mark, sizeof info.mark);
	return true;
}

static bool load_icmp_type(uint8_t type, const uint8_t code[2], bool inverted, struct loaded_rule *to)
{
	struct loaded_expr *load;
	if (code[0] != 0 || code[1] != UINT8_MAX)
		return false;
	if ((load = loaded_add_expr(to, LOADED_PAYLOAD))) {
		load->payload.base = NFT_PAYLOAD_TRANSPORT_HEADER;
		load->payload.length = sizeof type;
	}
	add_compare(to, !inverted, &type, sizeof type);
	return true;
}

static bool load_icmp(const void *data, struct loaded_rule *to)
{
	struct ipt_icmp info;
	memcpy(&info, data, sizeof info);
	if (info.type == UINT8_MAX)
		return false; /* any */
	return load_icmp_type(info.type, info.code, info.invflags & IPT_ICMP_INV, to);
}

static bool load_icmp6(const void *data, struct loaded_rule *to)
{
	struct ip6t_icmp info;
	memcpy(&info, data, sizeof info);
	return load_icmp_type(info.type, info.code, info.invflags & IP6T_ICMP_INV, to);
}

/* The bits are of numbers RTN_*. Of several types no single comparison tells, and what IPv6 calls unicast may be local. */
static bool load_address_type(uint16_t types, bool inverted, uint32_t flags, struct loaded_rule *to)
{
	uint32_t type = 0;
	if (types & (types - 1) || types == XT_ADDRTYPE_UNICAST)
		return false;
	while (types >>= 1)
		type++;
	add_load(to, LOADED_FIB, NFT_FIB_RESULT_ADDRTYPE, flags);
	add_compare(to, !inverted, &type, sizeof type);
	return true;
}

static bool load_addrtype(const void *data, struct loaded_rule *to)
{
	struct xt_addrtype_info_v1 info;
	memcpy(&info, data, sizeof info);
	if (info.flags & (XT_ADDRTYPE_LIMIT_IFACE_IN | XT_ADDRTYPE_LIMIT_IFACE_OUT))
		return false;
	if (info.source &&
		!load_address_type(info.source, info.flags & XT_ADDRTYPE_INVERT_SOURCE, NFTA_FIB_F_SADDR, to))
		return false;
	return !info.dest ||
	       load_address_type(info.dest, info.flags & XT_ADDRTYPE_INVERT_DEST, NFTA_FIB_F_DADDR, to);
}

static bool load_comment(const void *data, struct loaded_rule *to)
{
	(void)data;
	loaded_add_expr(to, LOADED_PASS);
	return true;
}

/* ---- targets ---- */

static bool load_set_mark(const void *data, struct loaded_rule *to)
{
	struct xt_mark_tginfo2 info;
	memcpy(&info, data, sizeof info);
	add_load(to, LOADED_META, NFT_META_MARK, 0);
	add_bitwise(to, ~info.mask, info.mark);
	add_load(to, LOADED_META_SET, NFT_META_MARK, 0);
	return true;
}

/* It may set either mark; which, and to what, is not worked out. */
static bool load_connmark(const void *data, struct loaded_rule *to)
{
	(void)data;
	loaded_add_what(to, LOADED_UNKNOWN, "xt target CONNMARK");
	add_load(to, LOADED_META_SET, NFT_META_MARK, 0);
	add_load(to, LOADED_CT_SET, NFT_CT_MARK, 0);
	return true;
}

static bool load_ct(const void *data, struct loaded_rule *to)
{
	struct xt_ct_target_info_v1 info;
	memcpy(&info, data, sizeof info);
	loaded_add_expr(to, info.flags & XT_CT_NOTRACK ? LOADED_NOTRACK : LOADED_PASS);
	return true;
}

static bool load_passing(const void *data, struct loaded_rule *to)
{
	(void)data;
	loaded_add_expr(to, LOADED_PASS);
	return true;
}

static bool load_reject(const void *data, struct loaded_rule *to)
{
	(void)data;
	loaded_add_expr(to, LOADED_REJECT);
	return true;
}

static bool load_source_nat(const void *data, struct loaded_rule *to)
{
	(void)data;
	loaded_add_expr(to, LOADED_SOURCE_NAT);
	return true;
}

/* ---- by name ---- */

/* The revisions of the kernels that are alive; of which the data is as long as this at least. */
struct extension {
	const char *name;
	bool (*load)(const void *data, struct loaded_rule *to);
	size_t bytes;
	uint32_t revision;
};

enum { ANY_REVISION = UINT32_MAX };

static const struct extension matches[] = {{"addrtype", load_addrtype, sizeof(struct xt_addrtype_info_v1), 1},
	{"comment", load_comment, 0, ANY_REVISION},
	{"conntrack", load_conntrack, sizeof(struct xt_conntrack_mtinfo3), 3},
	{"icmp", load_icmp, sizeof(struct ipt_icmp), 0}, {"icmp6", load_icmp6, sizeof(struct ip6t_icmp), 0},
	{"mark", load_mark, sizeof(struct xt_mark_mtinfo1), 1}};

static const struct extension targets[] = {{"CHECKSUM", load_passing, 0, ANY_REVISION},
	{"CLASSIFY", load_passing, 0, ANY_REVISION}, {"CONNMARK", load_connmark, 0, ANY_REVISION},
	{"CT", load_ct, sizeof(struct xt_ct_target_info_v1), 1},
	{"CT", load_ct, sizeof(struct xt_ct_target_info_v1), 2}, {"DSCP", load_passing, 0, ANY_REVISION},
	{"LOG", load_passing, 0, ANY_REVISION}, {"MARK", load_set_mark, sizeof(struct xt_mark_tginfo2), 2},
	{"MASQUERADE", load_source_nat, 0, ANY_REVISION}, {"NFLOG", load_passing, 0, ANY_REVISION},
	{"REJECT", load_reject, 0, ANY_REVISION}, {"SNAT", load_source_nat, 0, ANY_REVISION},
	{"TCPMSS", load_passing, 0, ANY_REVISION}};

/* What it said so far is taken back if it then turns out that it cannot be said. */
static bool load_extension(const struct extension *extensions, size_t count, const char *name,
	uint32_t revision, const void *data, size_t bytes, struct loaded_rule *to)
{
	size_t before = to->count;
	for (size_t i = 0; name && i < count; i++) {
		const struct extension *extension = &extensions[i];
		if (strcmp(name, extension->name) != 0 || bytes < extension->bytes ||
			(extension->revision != ANY_REVISION && extension->revision != revision))
			continue;
		if (extension->load(data, to))
			return true;
		to->count = before;
		return false;
	}
	return false;
}

void nft_load_match(struct nftnl_expr *from, struct loaded_rule *to)
{
	const char *name = nftnl_expr_get_str(from, NFTNL_EXPR_MT_NAME);
	uint32_t length = 0, revision = nftnl_expr_get_u32(from, NFTNL_EXPR_MT_REV);
	const void *info = nftnl_expr_get(from, NFTNL_EXPR_MT_INFO, &length);
	if (!load_extension(matches, ARRAY_COUNT(matches), name, revision, info, info ? length : 0, to))
		loaded_add_what(to, LOADED_PERHAPS, "xt match %s", name ? name : "?");
}

void nft_load_target(struct nftnl_expr *from, struct loaded_rule *to)
{
	const char *name = nftnl_expr_get_str(from, NFTNL_EXPR_TG_NAME);
	uint32_t length = 0, revision = nftnl_expr_get_u32(from, NFTNL_EXPR_TG_REV);
	const void *info = nftnl_expr_get(from, NFTNL_EXPR_TG_INFO, &length);
	if (!load_extension(targets, ARRAY_COUNT(targets), name, revision, info, info ? length : 0, to))
		loaded_add_what(to, LOADED_AWAY, "xt target %s", name ? name : "?");
}
