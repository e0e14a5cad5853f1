/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/load_int.h"

/* `-m conntrack --ctstate` is in every ruleset that iptables-nft wrote. */
static bool load_xt_conntrack(const struct xt_conntrack_mtinfo3 *info, struct loaded_rule *to)
{
	uint32_t mask = info->state_mask, none = 0;
	bool inverted = info->invert_flags & XT_CONNTRACK_STATE;
	struct loaded_expr *load, *bitwise, *compare;
	if (info->match_flags != XT_CONNTRACK_STATE ||
		mask & (XT_CONNTRACK_STATE_SNAT | XT_CONNTRACK_STATE_DNAT))
		return false;
	if (mask & XT_CONNTRACK_STATE_UNTRACKED)
		mask = (mask & ~(uint32_t)XT_CONNTRACK_STATE_UNTRACKED) | NF_CT_STATE_UNTRACKED_BIT;
	if ((load = loaded_add_expr(to, LOADED_CT)))
		load->load.key = NFT_CT_STATE;
	if ((bitwise = loaded_add_expr(to, LOADED_BITWISE))) {
		bitwise->bitwise.mask.length = bitwise->bitwise.exclusive.length = sizeof mask;
		memcpy(bitwise->bitwise.mask.bytes, &mask, sizeof mask);
	}
	if ((compare = loaded_add_expr(to, LOADED_COMPARE))) {
		compare->compare.how = inverted ? NFT_CMP_EQ : NFT_CMP_NEQ;
		compare->compare.value.length = sizeof none;
	}
	return true;
}

void nft_load_match(struct nftnl_expr *from, struct loaded_rule *to)
{
	const char *name = nftnl_expr_get_str(from, NFTNL_EXPR_MT_NAME);
	uint32_t length = 0, revision = nftnl_expr_get_u32(from, NFTNL_EXPR_MT_REV);
	const void *info = nftnl_expr_get(from, NFTNL_EXPR_MT_INFO, &length);
	struct xt_conntrack_mtinfo3 conntrack;
	if (name && strcmp(name, "comment") == 0) {
		loaded_add_expr(to, LOADED_PASS);
		return;
	}
	if (name && strcmp(name, "conntrack") == 0 && revision == 3 && info && length >= sizeof conntrack) {
		memcpy(&conntrack, info, sizeof conntrack);
		if (load_xt_conntrack(&conntrack, to))
			return;
	}
	loaded_add_what(to, LOADED_PERHAPS, "xt match %s", name ? name : "?");
}

void nft_load_target(struct nftnl_expr *from, struct loaded_rule *to)
{
	static const char *const passing[] = {"LOG", "NFLOG", "TCPMSS", "CHECKSUM", "CLASSIFY", "DSCP"};
	const char *name = nftnl_expr_get_str(from, NFTNL_EXPR_TG_NAME);
	for (size_t i = 0; name && i < ARRAY_COUNT(passing); i++) {
		if (strcmp(name, passing[i]) == 0) {
			loaded_add_expr(to, LOADED_PASS);
			return;
		}
	}
	if (name && strcmp(name, "REJECT") == 0)
		loaded_add_expr(to, LOADED_REJECT);
	else if (name && (strcmp(name, "MASQUERADE") == 0 || strcmp(name, "SNAT") == 0))
		loaded_add_expr(to, LOADED_SOURCE_NAT);
	else
		loaded_add_what(to, LOADED_AWAY, "xt target %s", name ? name : "?");
}
