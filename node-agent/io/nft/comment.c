/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <libnftnl/common.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/encode.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/nft/socket.h"
#include "node-agent/io/nft/udata.h"

struct comment {
	char *text;
	size_t size;
};

static int take_set(const struct nlmsghdr *message, void *context)
{
	struct comment *comment = context;
	struct nftnl_set *set;
	uint32_t length = 0;
	int error = nft_decode_set(message, &set);
	if (error)
		return error;
	const void *data = nftnl_set_get_data(set, NFTNL_SET_USERDATA, &length);
	const char *text = data ? nft_udata_text(data, length, NFTNL_UDATA_SET_COMMENT) : NULL;
	if (text)
		text_copy(comment->text, comment->size, text);
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
