/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/batch.h"

#include <arpa/inet.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/netlink/datagram.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/socket.h"

static struct nlmsghdr *last_message(const struct nft_batch *batch)
{
	return (struct nlmsghdr *)(void *)(batch->data + batch->last);
}

/* The message before has all its attributes now: count them in, and make room for the next. */
static uint8_t *next_message(struct nft_batch *batch)
{
	if (batch->length)
		batch->length = batch->last + MNL_ALIGN(last_message(batch)->nlmsg_len);
	batch->data = mem_grow(batch->data, &batch->capacity, batch->length + NFT_MESSAGE_BYTES_MAX, 1);
	batch->last = batch->length;
	return batch->data + batch->last;
}

void nft_batch_begin(struct nft_batch *batch, struct nft *nft)
{
	batch->length = batch->last = 0;
	batch->first_sequence = nft_next_sequence(nft);
	struct nlmsghdr *begin = nftnl_batch_begin((char *)next_message(batch), batch->first_sequence);
	batch->length = MNL_ALIGN(begin->nlmsg_len);
	batch->last_sequence = batch->first_sequence;
}

struct nlmsghdr *nft_batch_add(
	struct nft_batch *batch, struct nft *nft, uint16_t type, uint16_t family, uint16_t flags)
{
	batch->last_sequence = nft_next_sequence(nft);
	char *at = (char *)next_message(batch);
	return nftnl_nlmsg_build_hdr(at, type, family, flags, batch->last_sequence);
}

void nft_batch_try(struct nft_batch *batch)
{
	last_message(batch)->nlmsg_flags |= NLM_F_ACK;
	batch->length = batch->last + MNL_ALIGN(last_message(batch)->nlmsg_len);
}

void nft_batch_end(struct nft_batch *batch, struct nft *nft)
{
	last_message(batch)->nlmsg_flags |= NLM_F_ACK;
	struct nlmsghdr *end = nftnl_batch_end((char *)next_message(batch), nft_next_sequence(nft));
	batch->length = batch->last + MNL_ALIGN(end->nlmsg_len);
}

void nft_batch_clear(struct nft_batch *batch)
{
	free(batch->data);
	*batch = (struct nft_batch){0};
}

size_t nft_batch_count(const struct nft_batch *batch)
{
	return batch->last_sequence - batch->first_sequence;
}

/* What a message is about, and the attribute that names it. */
struct object {
	const char *name;
	uint16_t attribute; /* 0: none but the table */
};

static struct object object_of(const struct nlmsghdr *message)
{
	switch (NFNL_MSG_TYPE(message->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
		return (struct object){"", 0};
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
		return (struct object){"chain", NFTA_CHAIN_NAME};
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		return (struct object){"a rule of chain", NFTA_RULE_CHAIN};
	case NFT_MSG_NEWSET:
	case NFT_MSG_DELSET:
		return (struct object){"set", NFTA_SET_NAME};
	default: /* types are numbers of the kernel, not an enum of ours */
		return (struct object){"an element of set", NFTA_SET_ELEM_LIST_SET};
	}
}

static const char *family_name(const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);

	switch (header->nfgen_family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_ARP:
		return "arp";
	default: /* numbers of the kernel */
		return "netdev";
	}
}

static const struct nlmsghdr *find(const struct nft_batch *batch, uint32_t sequence)
{
	struct netlink_datagram datagram = {batch->data, batch->length};
	const struct nlmsghdr *message;

	while ((message = netlink_datagram_next(&datagram)))
		if (message->nlmsg_seq == sequence && message->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES)
			return message;
	return NULL;
}

bool nft_batch_is_rule(const struct nft_batch *batch, uint32_t sequence)
{
	const struct nlmsghdr *message = find(batch, sequence);
	return message && NFNL_MSG_TYPE(message->nlmsg_type) == NFT_MSG_NEWRULE;
}

char *nft_batch_describe(const struct nft_batch *batch, uint32_t sequence, char *buffer, size_t size)
{
	const struct nlmsghdr *message = find(batch, sequence);
	const struct nlattr *name;
	struct object object;

	if (!message) {
		snprintf(buffer, size, "as a whole");
		return buffer;
	}
	object = object_of(message);
	name = object.attribute ? nft_attr(message, object.attribute) : NULL;
	if (name)
		snprintf(buffer, size, "%s %s in table %s %s", object.name, mnl_attr_get_str(name),
			family_name(message), nft_attr_table(message));
	else
		snprintf(buffer, size, "table %s %s", family_name(message), nft_attr_table(message));
	return buffer;
}
