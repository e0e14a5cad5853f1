/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "node-agent/io/netlink/datagram.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/observe.h"
#include "node-agent/io/nft/obstacle.h"
#include "node-agent/io/nft/udata.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/unit/firewall/sample.h"

static const struct fw_ruleset *wanted_ruleset(void)
{
	static const struct fw_ruleset *ruleset;

	if (!ruleset) {
		struct firewall firewall = sample_gateway();

		ruleset = sample_build(&firewall);
	}
	return ruleset;
}

static void take_table(struct listing *listing, const struct nlmsghdr *message)
{
	size_t before = listing->count;
	int r = nft_take_table(message, listing);

	FUZZ_CHECK(r == 0 || r == -EBADMSG);
	if (listing->count > before)
		nft_listed_start(&listing->tables[before]);
}

/* The listed table that a message is about; NULL: none. */
static struct listed_table *table_of(const struct listing *listing, const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const char *name = nft_attr_table(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return NULL;
	for (size_t i = 0; i < listing->count; i++)
		if (listing->tables[i].family == header->nfgen_family &&
			!strcmp(listing->tables[i].name, name))
			return &listing->tables[i];
	return NULL;
}

static void look_at_chain(const struct nlmsghdr *message)
{
	struct nftnl_chain *chain;

	if (nft_decode_chain(message, &chain) < 0)
		return;
	(void)nft_drops_forwarded(chain);
	nftnl_chain_free(chain);
}

static void look_at_rule(const struct nlmsghdr *message)
{
	struct nftnl_rule *rule;

	if (nft_decode_rule(message, &rule) < 0)
		return;
	(void)nft_names_interface(rule, "wg0");
	nftnl_rule_free(rule);
}

static void look_at_set(const struct nlmsghdr *message)
{
	struct nftnl_set *set;
	uint32_t length = 0;
	const void *data;
	const char *text;

	if (nft_decode_set(message, &set) < 0)
		return;
	data = nftnl_set_get_data(set, NFTNL_SET_USERDATA, &length);
	text = data ? nft_udata_text(data, length, NFTNL_UDATA_SET_COMMENT) : NULL;
	FUZZ_CHECK(!text || strlen(text) < length);
	nftnl_set_free(set);
}

static void take(struct listing *listing, const struct nlmsghdr *message)
{
	struct listed_table *table = table_of(listing, message);

	(void)nft_decode_news(message);
	FUZZ_CHECK(nft_decode_expiration_ms(message) >= 0);
	switch (NFNL_MSG_TYPE(message->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
		take_table(listing, message);
		break;
	case NFT_MSG_NEWSET:
		look_at_set(message);
		FUZZ_CHECK(!table || nft_take_set(message, table) <= 0);
		break;
	case NFT_MSG_NEWCHAIN:
		look_at_chain(message);
		FUZZ_CHECK(!table || nft_take_chain(message, table) <= 0);
		break;
	case NFT_MSG_NEWRULE:
		look_at_rule(message);
		FUZZ_CHECK(!table || nft_take_rule(message, table) <= 0);
		break;
	}
}

static void compare(const struct listing *listing)
{
	struct nft_difference difference;

	nft_compare(listing, wanted_ruleset(), &difference);
	FUZZ_CHECK(memchr(difference.what, '\0', sizeof(difference.what)));
	FUZZ_CHECK(difference.differs == (difference.what[0] != '\0'));
	FUZZ_CHECK(difference.differs || !difference.fence_missing);
}

/* Listings of nftables, and events: tables, then what is in them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_datagram datagram = {data, size};
	const struct nlmsghdr *message;
	struct listing listing = {0};

	while ((message = netlink_datagram_next(&datagram)))
		take(&listing, message);
	compare(&listing);
	nft_listing_clear(&listing);
	return 0;
}
