/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/elements.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include <sys/socket.h>

const struct nft_slot nft_slots[NFT_SLOTS] = {
	{FW_PERMIT_MARK, NFPROTO_INET, 4},
	{FW_PERMIT4, NFPROTO_INET, 4},
	{FW_PERMIT6, NFPROTO_INET, 16},
	{FW_ANNOUNCE6, NFPROTO_INET, 16},
	{FW_ANNOUNCE4, NFPROTO_ARP, 4},
};

static void add_key(struct nft_keys *keys, const void *key, size_t length)
{
	memcpy(keys->bytes[keys->count++], key, length);
}

static void add_addresses(const struct fw_permit *permit, uint8_t family, struct nft_keys *keys)
{
	for (size_t i = 0; i < permit->address_count; i++)
		if (permit->addresses[i].family == family)
			add_key(keys, permit->addresses[i].bytes, addr_bytes(&permit->addresses[i]));
}

void nft_slot_keys(const struct nft_slot *slot, const struct fw_permit *permit, struct nft_keys *keys)
{
	bool announces = strcmp(slot->set, FW_ANNOUNCE4) == 0 || strcmp(slot->set, FW_ANNOUNCE6) == 0;
	keys->count = 0;
	if (announces && !permit->announces)
		return;
	if (strcmp(slot->set, FW_PERMIT_MARK) != 0) {
		add_addresses(permit, slot->key_bytes == 4 ? AF_INET : AF_INET6, keys);
		return;
	}
	for (size_t i = 0; i < permit->mark_count; i++)
		add_key(keys, &permit->marks[i], sizeof permit->marks[i]);
}

static void put_set(struct nlmsghdr *message, const struct nft_slot *slot)
{
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, FW_TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, slot->set);
}

/* timeout_ms 0: none */
static void put_element(
	struct nlmsghdr *message, const struct nft_slot *slot, const uint8_t *key, int64_t timeout_ms)
{
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
	mnl_attr_put(message, NFTA_DATA_VALUE, slot->key_bytes, key);
	mnl_attr_nest_end(message, nest);
	if (timeout_ms)
		mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)timeout_ms));
	mnl_attr_nest_end(message, element);
}

void nft_put_key(struct nlmsghdr *message, const struct nft_slot *slot, const uint8_t *key)
{
	put_set(message, slot);
	struct nlattr *elements = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_element(message, slot, key, 0);
	mnl_attr_nest_end(message, elements);
}

static void put_keys(struct nlmsghdr *message, const struct nft_slot *slot, const struct nft_keys *keys,
	int64_t timeout_ms)
{
	put_set(message, slot);
	struct nlattr *elements = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < keys->count; i++)
		put_element(message, slot, keys->bytes[i], timeout_ms);
	mnl_attr_nest_end(message, elements);
}

void nft_add_slot(struct nft_batch *batch, struct nft *nft, const struct nft_slot *slot,
	const struct fw_permit *permit, int64_t timeout_ms)
{
	struct nft_keys keys;
	nft_slot_keys(slot, permit, &keys);
	if (!keys.count)
		return;
	uint16_t flags = NLM_F_CREATE | NLM_F_EXCL;
	put_keys(nft_batch_add(batch, nft, NFT_MSG_NEWSETELEM, slot->family, flags), slot, &keys, timeout_ms);
}

void nft_add_elements(
	struct nft_batch *batch, struct nft *nft, const struct fw_permit *permit, int64_t timeout_ms)
{
	for (size_t i = 0; i < NFT_SLOTS; i++)
		nft_add_slot(batch, nft, &nft_slots[i], permit, timeout_ms);
}

void nft_delete_elements(struct nft_batch *batch, struct nft *nft, const struct fw_permit *permit)
{
	struct nft_keys keys;
	for (size_t i = 0; i < NFT_SLOTS; i++) {
		nft_slot_keys(&nft_slots[i], permit, &keys);
		if (keys.count)
			put_keys(nft_batch_add(batch, nft, NFT_MSG_DELSETELEM, nft_slots[i].family, 0),
				&nft_slots[i], &keys, 0);
	}
}

void nft_delete_element(
	struct nft_batch *batch, struct nft *nft, const struct nft_slot *slot, const uint8_t *key)
{
	nft_put_key(nft_batch_add(batch, nft, NFT_MSG_DELSETELEM, slot->family, 0), slot, key);
}
