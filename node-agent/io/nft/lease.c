/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/lease.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <string.h>

#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/elements.h"
#include "node-agent/io/nft/socket.h"

static bool is_empty(const struct fw_permit *permit)
{
	return permit->address_count == 0 && permit->mark_count == 0;
}

static int commit(struct nft *nft)
{
	nft_batch_end(&nft->batch, nft);
	return nft_batch_count(&nft->batch) ? nft_commit(nft, &nft->batch, NULL) : 0;
}

/* Is the set of the slot there? 0, -ENOENT, or why it could not be asked. */
static int ask_set(struct nft *nft, const struct nft_slot *slot)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSET, slot->family, 0, 0);
	mnl_attr_put_strz(request, NFTA_SET_TABLE, FW_TABLE);
	mnl_attr_put_strz(request, NFTA_SET_NAME, slot->set);
	return nft_ask(nft, request, NULL, NULL);
}

/* The kernel says ENOENT for a missing element, set or table: the sets tell which. Off the path of a renewal. */
static int name_loss(struct nft *nft)
{
	for (size_t i = 0; i < NFT_SLOTS; i++)
		if (ask_set(nft, &nft_slots[i]) == -ENOENT)
			return -ESTALE;
	return -ENOENT;
}

int nft_permit_acquire(struct nft *nft, const struct fw_permit *permit, int64_t timeout_ms)
{
	if (is_empty(permit) || timeout_ms <= 0)
		return -EINVAL;
	nft_batch_begin(&nft->batch, nft);
	nft_add_elements(&nft->batch, nft, permit, timeout_ms);
	int error = commit(nft);
	return error == -ENOENT ? -ESTALE : error;
}

int nft_permit_change(
	struct nft *nft, const struct fw_permit *from, const struct fw_permit *to, int64_t timeout_ms)
{
	if (is_empty(from) || is_empty(to) || timeout_ms <= 0)
		return -EINVAL;
	nft_batch_begin(&nft->batch, nft);
	nft_delete_elements(&nft->batch, nft, from);
	nft_add_elements(&nft->batch, nft, to, timeout_ms);
	int error = commit(nft);
	return error == -ENOENT ? name_loss(nft) : error;
}

int nft_permit_renew(struct nft *nft, const struct fw_permit *permit, int64_t timeout_ms)
{
	return nft_permit_change(nft, permit, permit, timeout_ms);
}

/* One by one, since a batch fails with the first element that is not there. */
static int release_slot(struct nft *nft, const struct nft_slot *slot, const struct fw_permit *permit)
{
	struct nft_keys keys;
	int result = 0;
	nft_slot_keys(slot, permit, &keys);
	for (size_t i = 0; i < keys.count; i++) {
		nft_batch_begin(&nft->batch, nft);
		nft_delete_element(&nft->batch, nft, slot, keys.bytes[i]);
		int error = commit(nft);
		if (error && error != -ENOENT && !result)
			result = error; /* and go on: the more is fenced the better */
	}
	return result;
}

int nft_permit_release(struct nft *nft, const struct fw_permit *permit)
{
	nft_batch_begin(&nft->batch, nft);
	nft_delete_elements(&nft->batch, nft, permit);
	int result = commit(nft);
	if (result != -ENOENT)
		return result;
	result = 0;
	for (size_t i = 0; i < NFT_SLOTS; i++) {
		int error = release_slot(nft, &nft_slots[i], permit);
		if (error && !result)
			result = error;
	}
	return result;
}

static int take_expiration(const struct nlmsghdr *message, void *context)
{
	int64_t *ret_left_ms = context;
	*ret_left_ms = nft_decode_expiration_ms(message);
	return 0;
}

/* A question by key, not a dump: it cannot be interrupted, and does not grow with what else the set holds. */
static int read_key(struct nft *nft, const struct nft_slot *slot, const uint8_t *key, int64_t *ret_left_ms)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, slot->family, 0, 0);
	nft_put_key(request, slot, key);
	*ret_left_ms = 0;
	int error = nft_ask(nft, request, take_expiration, ret_left_ms);
	return error == -ENOENT ? 0 : error;
}

static int read_slot(
	struct nft *nft, const struct nft_slot *slot, const struct fw_permit *permit, int64_t *least_ms)
{
	struct nft_keys keys;
	int error = 0;
	nft_slot_keys(slot, permit, &keys);
	for (size_t i = 0; i < keys.count && !error; i++) {
		int64_t left_ms;
		error = read_key(nft, slot, keys.bytes[i], &left_ms);
		if (!error && left_ms < *least_ms)
			*least_ms = left_ms;
	}
	return error;
}

int nft_permit_read(struct nft *nft, const struct fw_permit *permit, int64_t *ret_left_ms)
{
	int64_t least_ms = INT64_MAX;
	int error = is_empty(permit) ? -EINVAL : 0;
	for (size_t i = 0; i < NFT_SLOTS && !error; i++)
		error = read_slot(nft, &nft_slots[i], permit, &least_ms);
	if (!error)
		*ret_left_ms = least_ms;
	return error;
}
