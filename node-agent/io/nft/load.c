/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/load.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/chain.h> /* after stdio.h, which libnftnl needs */
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/load_int.h"
#include "node-agent/io/nft/shape.h"
#include "node-agent/io/nft/socket.h"

enum { LOAD_ATTEMPTS_MAX = 10 };

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

static int take_table(const struct nlmsghdr *message, void *context)
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

static void forget_tables(void *context)
{
	loaded_clear(context);
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

static int take_chain(const struct nlmsghdr *message, void *context)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	int error = !nft_shape_ok(message) || nftnl_chain_nlmsg_parse(message, chain) < 0 ? -EBADMSG : 0;
	struct loaded_table *table = error ? NULL
					   : find_table(context, family_of(message),
						     nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE));
	if (table)
		fill_base(chain, loaded_add_chain(table, nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME)));
	nftnl_chain_free(chain);
	return error;
}

/* ---- rules ---- */

static int take_comment(const struct nftnl_udata *attr, void *context)
{
	const char *text = nftnl_udata_get(attr);
	size_t length = nftnl_udata_len(attr);
	struct loaded_rule *rule = context;
	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT && length && !text[length - 1] &&
		!rule->comment)
		rule->comment = mem_text(text);
	return 0;
}

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
		if (data)
			nftnl_udata_parse(data, length, take_comment, to);
		nftnl_expr_foreach(rule, take_expr, to);
	}
	nftnl_rule_free(rule);
}

static int take_rule(const struct nlmsghdr *message, void *context)
{
	struct loaded_ruleset *ruleset = context;
	const struct loaded_table *table =
		find_table(ruleset, family_of(message), text_of(message, NFTA_RULE_TABLE));
	struct loaded_chain *chain =
		table ? loaded_find_chain(table, text_of(message, NFTA_RULE_CHAIN)) : NULL;
	struct loaded_rule *rule = chain ? loaded_add_rule(ruleset, chain) : NULL;
	if (rule)
		fill_rule(message, rule);
	return 0;
}

/* ---- sets ---- */

static int take_set(const struct nlmsghdr *message, void *context)
{
	struct nftnl_set *set = nftnl_set_alloc();
	int error = !nft_shape_ok(message) || nftnl_set_nlmsg_parse(message, set) < 0 ? -EBADMSG : 0;
	struct loaded_table *table =
		error ? NULL
		      : find_table(context, family_of(message), nftnl_set_get_str(set, NFTNL_SET_TABLE));
	if (table)
		nft_load_set(message, set, loaded_add_set(table, nftnl_set_get_str(set, NFTNL_SET_NAME)));
	nftnl_set_free(set);
	return error;
}

static int take_elements(const struct nlmsghdr *message, void *context)
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

static void forget_elements(void *context)
{
	loaded_clear_elements(context);
}

static int load_elements(struct nft *nft, const struct loaded_table *table, struct loaded_set *set)
{
	const struct nft_question question = {.type = NFT_MSG_GETSETELEM,
		.family = (uint16_t)table->family,
		.table = table->name,
		.set = set->name,
		.restart = forget_elements,
		.message = take_elements,
		.context = set};
	return nft_dump(nft, &question);
}

/* ---- all of it ---- */

static int take_generation(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attr = nft_attr(message, NFTA_GEN_ID);
	if (attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		*(uint32_t *)context = mnl_attr_get_u32(attr);
	return 0;
}

static int ask_generation(struct nft *nft, uint32_t *ret_generation)
{
	char buffer[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETGEN, NFPROTO_UNSPEC, 0, 0);
	return nft_ask(nft, request, take_generation, ret_generation);
}

static void forget_chains(void *context)
{
	struct loaded_ruleset *ruleset = context;
	for (size_t i = 0; i < ruleset->count; i++)
		loaded_clear_chains(&ruleset->tables[i]);
}

static void forget_rules(void *context)
{
	loaded_clear_rules(context);
}

static void forget_sets(void *context)
{
	struct loaded_ruleset *ruleset = context;
	for (size_t i = 0; i < ruleset->count; i++)
		loaded_clear_sets(&ruleset->tables[i]);
}

static int load_all_elements(struct nft *nft, struct loaded_ruleset *ruleset)
{
	int error = 0;
	for (size_t i = 0; i < ruleset->count && !error; i++)
		for (size_t j = 0; j < ruleset->tables[i].set_count && !error; j++)
			error = load_elements(nft, &ruleset->tables[i], &ruleset->tables[i].sets[j]);
	return error;
}

static int load_once(struct nft *nft, struct loaded_ruleset *ruleset)
{
	const struct nft_question questions[] = {
		{.type = NFT_MSG_GETTABLE,
			.restart = forget_tables,
			.message = take_table,
			.context = ruleset},
		{.type = NFT_MSG_GETCHAIN,
			.restart = forget_chains,
			.message = take_chain,
			.context = ruleset},
		{.type = NFT_MSG_GETRULE, .restart = forget_rules, .message = take_rule, .context = ruleset},
		{.type = NFT_MSG_GETSET, .restart = forget_sets, .message = take_set, .context = ruleset},
	};
	int error = 0;
	for (size_t i = 0; i < ARRAY_COUNT(questions) && !error; i++)
		error = nft_dump(nft, &questions[i]);
	return error ? error : load_all_elements(nft, ruleset);
}

/* A set may go between the list of sets and that of its elements, and a rule come that names a new one. */
int nft_load(struct nft *nft, struct loaded_ruleset *ret_ruleset, struct err *err)
{
	struct loaded_ruleset ruleset = {0};
	uint32_t before = 0, after = 0;
	int error = ask_generation(nft, &before);
	if (error == -EINVAL || error == -EOPNOTSUPP || error == -EPROTONOSUPPORT) {
		*ret_ruleset = ruleset; /* nobody answers for nftables: there are no rules */
		return 0;
	}
	for (int attempt = 0; attempt < LOAD_ATTEMPTS_MAX; attempt++) {
		if (!error)
			error = load_once(nft, &ruleset);
		if (!error)
			error = ask_generation(nft, &after);
		if (!error && before != after)
			error = -EAGAIN;
		if (error != -ENOENT && error != -EAGAIN)
			break;
		if (attempt + 1 < LOAD_ATTEMPTS_MAX)
			error = ask_generation(nft, &before);
	}
	if (error) {
		loaded_clear(&ruleset);
		return err_set(err, error, "nft list ruleset: %s", strerror(-error));
	}
	*ret_ruleset = ruleset;
	return 0;
}
