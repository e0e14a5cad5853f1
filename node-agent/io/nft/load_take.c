/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/load_take.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/chain.h> /* after stdio.h, which libnftnl needs */
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/load_int.h"
#include "node-agent/io/nft/shape.h"
#include "node-agent/io/nft/udata.h"

static struct loaded_table *find_table(struct loaded_ruleset *ruleset, uint32_t family, const char *name)
{
	for (size_t i = 0; name && i < ruleset->count; i++)
		if (ruleset->tables[i].family == family && strcmp(ruleset->tables[i].name, name) == 0)
			return &ruleset->tables[i];
	return NULL;
}

static uint32_t family_of(const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	return header->nfgen_family;
}

static const char *text_of(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr = nft_attr(message, type);
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attr) : NULL;
}

/* ---- tables ---- */

int nft_load_take_table(const struct nlmsghdr *message, void *context)
{
	const char *name = text_of(message, NFTA_TABLE_NAME);
	const struct nlattr *flags = nft_attr(message, NFTA_TABLE_FLAGS);
	if (!name)
		return -EBADMSG;
	struct loaded_table *table = loaded_add_table(context, family_of(message), name);
	if (flags && mnl_attr_validate(flags, MNL_TYPE_U32) == 0)
		table->dormant = be32toh(mnl_attr_get_u32(flags)) & NFT_TABLE_F_DORMANT;
	return 0;
}

/* ---- chains ---- */

static void add_devices(const struct nftnl_chain *from, struct loaded_chain *to)
{
	const char *name = nftnl_chain_get_str(from, NFTNL_CHAIN_DEV);
	const char *const *names = nftnl_chain_get_array(from, NFTNL_CHAIN_DEVICES);
	if (name)
		loaded_add_device(to, name);
	for (size_t i = 0; !name && names && names[i]; i++)
		loaded_add_device(to, names[i]);
}

static void fill_base(const struct nftnl_chain *from, struct loaded_chain *to)
{
	const char *type = nftnl_chain_get_str(from, NFTNL_CHAIN_TYPE);
	if (!nftnl_chain_is_set(from, NFTNL_CHAIN_HOOKNUM))
		return;
	to->base = true;
	to->nat = type && strcmp(type, "nat") == 0;
	to->route = type && strcmp(type, "route") == 0;
	to->hook = nftnl_chain_get_u32(from, NFTNL_CHAIN_HOOKNUM);
	to->priority = nftnl_chain_get_s32(from, NFTNL_CHAIN_PRIO);
	if (nftnl_chain_is_set(from, NFTNL_CHAIN_POLICY))
		to->policy = nftnl_chain_get_u32(from, NFTNL_CHAIN_POLICY);
	add_devices(from, to);
}

int nft_load_take_chain(const struct nlmsghdr *message, void *context)
{
	struct nftnl_chain *chain;
	int error = nft_decode_chain(message, &chain);
	if (error)
		return error;
	struct loaded_table *table =
		find_table(context, family_of(message), nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE));
	if (table)
		fill_base(chain, loaded_add_chain(table, nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME)));
	nftnl_chain_free(chain);
	return 0;
}

/* ---- rules ---- */

static int take_expr(struct nftnl_expr *expr, void *context)
{
	nft_load_expr(expr, context);
	return 0;
}

/* The library refuses a rule as a whole for one expression that it does not know. */
static void fill_rule(const struct nlmsghdr *message, struct loaded_rule *to)
{
	const struct nlattr *handle = nft_attr(message, NFTA_RULE_HANDLE);
	struct nftnl_rule *rule = nftnl_rule_alloc();
	if (handle && mnl_attr_validate(handle, MNL_TYPE_U64) == 0)
		to->handle = be64toh(mnl_attr_get_u64(handle));
	if (!nft_shape_ok(message) || nftnl_rule_nlmsg_parse(message, rule) < 0) {
		loaded_add_what(to, LOADED_PERHAPS, "an expression not known here");
		loaded_add_what(to, LOADED_AWAY, "an expression not known here");
	} else {
		uint32_t length = 0;
		const void *data = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &length);
		const char *comment = data ? nft_udata_text(data, length, NFTNL_UDATA_RULE_COMMENT) : NULL;
		to->comment = mem_text(comment);
		nftnl_expr_foreach(rule, take_expr, to);
	}
	nftnl_rule_free(rule);
}

int nft_load_take_rule(const struct nlmsghdr *message, void *context)
{
	struct loaded_ruleset *ruleset = context;
	const char *name = text_of(message, NFTA_RULE_TABLE);
	const struct loaded_table *table = name ? find_table(ruleset, family_of(message), name) : NULL;
	struct loaded_chain *chain =
		table ? loaded_find_chain(table, text_of(message, NFTA_RULE_CHAIN)) : NULL;
	struct loaded_rule *rule = chain ? loaded_add_rule(ruleset, chain) : NULL;
	if (rule)
		fill_rule(message, rule);
	return 0;
}

/* ---- sets ---- */

int nft_load_take_set(const struct nlmsghdr *message, void *context)
{
	struct nftnl_set *set;
	int error = nft_decode_set(message, &set);
	if (error)
		return error;
	struct loaded_table *table =
		find_table(context, family_of(message), nftnl_set_get_str(set, NFTNL_SET_TABLE));
	if (table)
		error = nft_load_set(
			message, set, loaded_add_set(table, nftnl_set_get_str(set, NFTNL_SET_NAME)));
	nftnl_set_free(set);
	return error;
}

int nft_load_take_elements(const struct nlmsghdr *message, void *context)
{
	struct nftnl_set *set = nftnl_set_alloc();
	int error = !nft_shape_ok(message) || nftnl_set_elems_nlmsg_parse(message, set) < 0 ? -EBADMSG : 0;
	struct nftnl_set_elems_iter *iter = error ? NULL : nftnl_set_elems_iter_create(set);
	struct nftnl_set_elem *element;
	while (iter && (element = nftnl_set_elems_iter_next(iter)))
		nft_load_element(element, context);
	if (iter)
		nftnl_set_elems_iter_destroy(iter);
	nftnl_set_free(set);
	return error;
}
