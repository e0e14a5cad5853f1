/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/obstacle.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/socket.h"

enum { CHAINS_MAX = 16, NAME_MAX_BYTES = 64 };

struct dropping {
	uint16_t family;
	char table[NAME_MAX_BYTES], chain[NAME_MAX_BYTES];
};

struct search {
	size_t count;
	struct dropping chains[CHAINS_MAX];
	const char *interface;
	bool named;
};

bool nft_drops_forwarded(const struct nftnl_chain *chain)
{
	uint32_t family = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);

	return (family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_INET) &&
	       nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM) &&
	       nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM) == NF_INET_FORWARD &&
	       nftnl_chain_is_set(chain, NFTNL_CHAIN_POLICY) &&
	       nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP;
}

static void add_chain(struct search *search, const struct nftnl_chain *chain)
{
	struct dropping *to = &search->chains[search->count];

	if (search->count == CHAINS_MAX || !nft_drops_forwarded(chain))
		return;
	to->family = (uint16_t)nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
	if (text_copy(to->table, sizeof(to->table), nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE)) &&
		text_copy(to->chain, sizeof(to->chain), nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME)))
		search->count++;
}

static int take_chain(const struct nlmsghdr *message, void *context)
{
	struct nftnl_chain *chain;
	int error = nft_decode_chain(message, &chain);

	if (error)
		return error;
	add_chain(context, chain);
	nftnl_chain_free(chain);
	return 0;
}

static void forget_chains(void *context)
{
	((struct search *)context)->count = 0;
}

struct naming {
	const char *interface;
	bool found;
};

/* An interface's name is compared with all of it, its end included. */
static int look_for_name(struct nftnl_expr *expression, void *context)
{
	struct naming *naming = context;
	const char *name = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
	const void *data;
	uint32_t size = 0;

	if (!name || strcmp(name, "cmp"))
		return 0;
	data = nftnl_expr_get(expression, NFTNL_EXPR_CMP_DATA, &size);
	if (data && size > strlen(naming->interface) &&
		!memcmp(data, naming->interface, strlen(naming->interface) + 1))
		naming->found = true;
	return 0;
}

bool nft_names_interface(struct nftnl_rule *rule, const char *interface)
{
	struct naming naming = {.interface = interface};

	nftnl_expr_foreach(rule, look_for_name, &naming);
	return naming.found;
}

static int take_rule(const struct nlmsghdr *message, void *context)
{
	struct search *search = context;
	struct nftnl_rule *rule;
	int error = nft_decode_rule(message, &rule);

	if (error)
		return error;
	search->named |= nft_names_interface(rule, search->interface);
	nftnl_rule_free(rule);
	return 0;
}

static void forget_rules(void *context)
{
	((struct search *)context)->named = false;
}

static const char *family_name(uint16_t family)
{
	if (family == NFPROTO_INET)
		return "inet";
	return family == NFPROTO_IPV6 ? "ip6" : "ip";
}

static int check_chain(struct nft *nft, struct search *search, const struct dropping *chain)
{
	const struct nft_question question = {.type = NFT_MSG_GETRULE,
		.family = chain->family,
		.table = chain->table,
		.restart = forget_rules,
		.message = take_rule,
		.context = search};

	return nft_dump(nft, &question);
}

int nft_find_obstacle(struct nft *nft, const char *interface, char ret_chain[NFT_OBSTACLE_MAX])
{
	struct search search = {.interface = interface};
	const struct nft_question question = {.type = NFT_MSG_GETCHAIN,
		.family = NFPROTO_UNSPEC,
		.restart = forget_chains,
		.message = take_chain,
		.context = &search};
	int r = nft_dump(nft, &question);

	for (size_t i = 0; r >= 0 && i < search.count; i++) {
		const struct dropping *chain = &search.chains[i];

		r = check_chain(nft, &search, chain);
		if (r < 0 || search.named)
			continue;
		snprintf(ret_chain, NFT_OBSTACLE_MAX, "%s %s %s", family_name(chain->family), chain->table,
			chain->chain);
		return 0;
	}
	if (r >= 0)
		ret_chain[0] = '\0';
	return r;
}
