/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/nft/encode.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/nft/socket.h"

struct comment {
	char *text;
	size_t size;
};

static int find_comment(const struct nftnl_udata *attr, void *context)
{
	struct comment *comment = context;
	const char *text = nftnl_udata_get(attr);
	size_t length = nftnl_udata_len(attr);
	if (nftnl_udata_type(attr) == NFTNL_UDATA_SET_COMMENT && length > 0 && text[length - 1] == '\0')
		text_copy(comment->text, comment->size, text);
	return 0;
}

static int take_set(const struct nlmsghdr *message, void *context)
{
	struct nftnl_set *set = nftnl_set_alloc();
	uint32_t length = 0;
	const void *data = NULL;
	if (nftnl_set_nlmsg_parse(message, set) == 0)
		data = nftnl_set_get_data(set, NFTNL_SET_USERDATA, &length);
	if (data)
		nftnl_udata_parse(data, length, find_comment, context);
	nftnl_set_free(set);
	return 0;
}

int nft_set_comment(struct nft *nft, enum fw_family family, const char *table, const char *set,
	char *ret_comment, size_t size)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSET, nft_family(family), 0, 0);
	char text[FW_COMMENT_MAX + 1] = "";
	struct comment comment = {text, sizeof text};
	mnl_attr_put_strz(request, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(request, NFTA_SET_NAME, set);
	int error = nft_ask(nft, request, take_set, &comment);
	if (!error)
		text_copy(ret_comment, size, text);
	return error;
}
