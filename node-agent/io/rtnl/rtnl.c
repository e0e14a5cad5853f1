/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/rtnl/internal.h"

int rtnl_open(int timeout_ms, struct rtnl **ret_rtnl, struct err *err)
{
	struct netlink *netlink = NULL;
	struct rtnl *rtnl;
	int r = netlink_open(NETLINK_ROUTE, timeout_ms, &netlink);

	if (r < 0)
		return err_set(err, r, "cannot open a routing netlink socket: %s", strerror(-r));
	rtnl = mem_new(1, sizeof *rtnl);
	rtnl->netlink = netlink;
	rtnl->timeout_ms = timeout_ms;
	*ret_rtnl = rtnl;
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	netlink_close(rtnl->netlink);
	free(rtnl);
}

const char *rtnl_op_word(enum rtnl_op op)
{
	switch (op) {
	case RTNL_ADD:
		return "add";
	case RTNL_REPLACE:
		return "replace";
	case RTNL_DELETE:
	case RTNL_DISCARD:
		return "del";
	}
	return "?";
}

int rtnl_list_add(struct rtnl_list *list, const void *item)
{
	if (list->count == RTNL_LIST_MAX)
		return -E2BIG;
	list->items = mem_grow(list->items, &list->capacity, list->count + 1, list->item_size);
	memcpy((char *)list->items + list->count++ * list->item_size, item, list->item_size);
	return 0;
}

/* The kernel's dev_valid_name(), as far as text from outside could break messages. */
bool rtnl_is_device_name(const char *name)
{
	size_t length = name ? strnlen(name, IFNAMSIZ) : 0;

	return length > 0 && length < IFNAMSIZ && !strpbrk(name, "/ \t\n:") && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

void rtnl_names_forget(struct rtnl *rtnl)
{
	rtnl->name_count = rtnl->name_next = 0;
}

static void remember_name(struct rtnl *rtnl, unsigned ifindex, const char *name)
{
	struct rtnl_name *slot = &rtnl->names[rtnl->name_next];

	slot->ifindex = ifindex;
	text_copy(slot->name, sizeof slot->name, name);
	rtnl->name_next = (rtnl->name_next + 1) % RTNL_NAMES_MAX;
	if (rtnl->name_count < RTNL_NAMES_MAX)
		rtnl->name_count++;
}

void rtnl_name_of(struct rtnl *rtnl, unsigned ifindex, char name[IFNAMSIZ])
{
	struct rtnl_link link = {0};
	size_t i;

	name[0] = '\0';
	if (ifindex == 0)
		return;
	for (i = 0; i < rtnl->name_count; i++) {
		if (rtnl->names[i].ifindex == ifindex) {
			text_copy(name, IFNAMSIZ, rtnl->names[i].name);
			return;
		}
	}
	/* One that is gone is remembered as "", so that its thousand routes are not a thousand questions. */
	(void)rtnl_link_get_index(rtnl, ifindex, &link, NULL);
	remember_name(rtnl, ifindex, link.name);
	text_copy(name, IFNAMSIZ, link.name);
}

int rtnl_index_of(struct rtnl *rtnl, const char *name, unsigned *ret_ifindex)
{
	struct rtnl_link link;
	size_t i;
	int r;

	for (i = 0; i < rtnl->name_count; i++) {
		if (strcmp(rtnl->names[i].name, name) == 0) {
			*ret_ifindex = rtnl->names[i].ifindex;
			return 0;
		}
	}
	r = rtnl_link_get(rtnl, name, &link, NULL);
	if (r < 0)
		return r;
	remember_name(rtnl, link.ifindex, name);
	*ret_ifindex = link.ifindex;
	return 0;
}
