/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/attr.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* libmnl's own loop macros cast const away. */
static const struct nlattr *find(const void *start, size_t length, uint16_t type)
{
	const struct nlattr *attr = start;
	int left = (int)length;
	while (mnl_attr_ok(attr, left)) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
		left -= (int)MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
	return NULL;
}

const struct nlattr *nft_attr(const struct nlmsghdr *message, uint16_t type)
{
	size_t header = MNL_ALIGN(sizeof(struct nfgenmsg)), length = mnl_nlmsg_get_payload_len(message);
	if (length < header)
		return NULL;
	return find(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)), length - header, type);
}

const struct nlattr *nft_attr_within(const struct nlattr *nest, uint16_t type)
{
	return find(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), type);
}

const char *nft_attr_table(const struct nlmsghdr *message)
{
	const struct nlattr *attr = nft_attr(message, NFTA_TABLE_NAME);
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attr) : "";
}
