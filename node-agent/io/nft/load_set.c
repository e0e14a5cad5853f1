/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter/nf_tables.h> /* after stdio.h, which libnftnl needs */

#include "common/base/mem.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/load_int.h"

/* As the kernel has it: nft_set_desc_concat_parse(), net/netfilter/nf_tables_api.c. */
static int take_field(const struct nlattr *field, struct loaded_set *to)
{
	const struct nlattr *attr = nft_attr_within(field, NFTA_SET_FIELD_LEN);
	uint32_t length =
		attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0 ? be32toh(mnl_attr_get_u32(attr)) : 0;
	if (!length || length > LOADED_VALUE_MAX || to->field_count == LOADED_FIELDS_MAX)
		return -EBADMSG;
	to->fields[to->field_count++] = (uint8_t)length;
	return 0;
}

/* The library does not read how long the fields of a concatenation are. */
static int take_fields(const struct nlmsghdr *message, struct loaded_set *to)
{
	const struct nlattr *desc = nft_attr(message, NFTA_SET_DESC);
	const struct nlattr *concat = desc ? nft_attr_within(desc, NFTA_SET_DESC_CONCAT) : NULL;
	if (!concat)
		return 0;
	const struct nlattr *field = mnl_attr_get_payload(concat);
	int left = mnl_attr_get_payload_len(concat), error = 0;
	for (; !error && mnl_attr_ok(field, left); field = mnl_attr_next(field)) {
		error = take_field(field, to);
		left -= (int)MNL_ALIGN(field->nla_len);
	}
	return error;
}

int nft_load_set(const struct nlmsghdr *message, const struct nftnl_set *from, struct loaded_set *to)
{
	uint32_t flags = nftnl_set_get_u32(from, NFTNL_SET_FLAGS);
	uint32_t key_length = nftnl_set_get_u32(from, NFTNL_SET_KEY_LEN);
	if (key_length > LOADED_VALUE_MAX)
		return -EBADMSG;
	to->key_length = (uint8_t)key_length;
	to->interval = flags & NFT_SET_INTERVAL;
	to->incomplete = flags & NFT_SET_OBJECT;
	to->verdict_map =
		flags & NFT_SET_MAP && nftnl_set_get_u32(from, NFTNL_SET_DATA_TYPE) == NFT_DATA_VERDICT;
	return take_fields(message, to);
}

static void get_value(struct nftnl_set_elem *from, uint16_t attribute, struct loaded_value *to)
{
	uint32_t length = 0;
	const void *data;
	if (!nftnl_set_elem_is_set(from, attribute))
		return;
	data = nftnl_set_elem_get(from, attribute, &length);
	if (!data || length > LOADED_VALUE_MAX)
		return;
	memcpy(to->bytes, data, length);
	to->length = (uint8_t)length;
}

/* Some expressions of an element only count. */
static int find_condition(struct nftnl_expr *expr, void *context)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	if (!name || (strcmp(name, "counter") && strcmp(name, "last")))
		*(bool *)context = true;
	return 0;
}

static bool has_condition(struct nftnl_set_elem *from)
{
	bool found = false;
	if (nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_EXPRESSIONS) ||
		nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_EXPR))
		nftnl_set_elem_expr_foreach(from, find_condition, &found);
	return found;
}

void nft_load_element(struct nftnl_set_elem *from, struct loaded_set *to)
{
	struct loaded_element *element = loaded_add_element(to);
	if (!element)
		return;
	uint32_t flags = nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_FLAGS)
				 ? nftnl_set_elem_get_u32(from, NFTNL_SET_ELEM_FLAGS)
				 : 0;
	element->interval_end = flags & NFT_SET_ELEM_INTERVAL_END;
	element->catch_all = flags & NFT_SET_ELEM_CATCHALL;
	get_value(from, NFTNL_SET_ELEM_KEY, &element->key);
	get_value(from, NFTNL_SET_ELEM_KEY_END, &element->key_end);
	get_value(from, NFTNL_SET_ELEM_DATA, &element->data);
	if (nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_VERDICT))
		element->verdict.code = (int)nftnl_set_elem_get_u32(from, NFTNL_SET_ELEM_VERDICT);
	if (nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_CHAIN))
		element->verdict.chain = mem_text(nftnl_set_elem_get_str(from, NFTNL_SET_ELEM_CHAIN));
	element->perhaps = has_condition(from);
}
