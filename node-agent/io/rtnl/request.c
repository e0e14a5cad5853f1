/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/request.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/internal.h"

void rtnl_request_format(const struct rtnl_request *request, char *buffer, size_t size)
{
	switch (request->noun) {
	case RTNL_LINK_CREATE:
		snprintf(buffer, size, "ip link add %s type %s", request->create.name, request->create.kind);
		break;
	case RTNL_LINK_DELETE:
		snprintf(buffer, size, "ip link del %s", request->create.name);
		break;
	case RTNL_LINK_CHANGE:
		rtnl_link_format_change(&request->change, buffer, size);
		break;
	case RTNL_ADDRESS:
		rtnl_address_format(request->op, &request->address, buffer, size);
		break;
	case RTNL_ROUTE:
		rtnl_route_format_request(request->op, &request->route, buffer, size);
		break;
	case RTNL_RULE:
		rtnl_rule_format(request->op, &request->rule, buffer, size);
		break;
	}
}

static int check_device(struct rtnl *rtnl, char name[IFNAMSIZ], unsigned *ifindex, bool required)
{
	name[IFNAMSIZ - 1] = '\0';
	if (*ifindex) {
		if (!name[0])
			rtnl_name_of(rtnl, *ifindex, name);
		return 0;
	}
	if (!name[0])
		return required ? -EINVAL : 0;
	return rtnl_is_device_name(name) ? rtnl_index_of(rtnl, name, ifindex) : -EINVAL;
}

static bool is_prefix(const struct prefix *prefix)
{
	return addr_is_set(&prefix->addr) && prefix->length <= addr_bits(&prefix->addr);
}

static int check_rule(const struct rtnl_rule *rule)
{
	bool family = rule->family == AF_INET || rule->family == AF_INET6;
	bool from = !addr_is_set(&rule->from.addr) ||
		    (rule->from.addr.family == rule->family && is_prefix(&rule->from));
	bool to = !addr_is_set(&rule->to.addr) ||
		  (rule->to.addr.family == rule->family && is_prefix(&rule->to));

	return family && from && to ? 0 : -EINVAL;
}

int rtnl_request_check(struct rtnl *rtnl, struct rtnl_request *request)
{
	switch (request->noun) {
	case RTNL_LINK_CREATE:
		return rtnl_is_device_name(request->create.name) && request->create.kind[0] ? 0 : -EINVAL;
	case RTNL_LINK_DELETE:
		return rtnl_is_device_name(request->create.name) ? 0 : -EINVAL;
	case RTNL_LINK_CHANGE:
		return rtnl_is_device_name(request->change.name) ? 0 : -EINVAL;
	case RTNL_ADDRESS:
		if (!is_prefix(&request->address.prefix))
			return -EINVAL;
		return check_device(rtnl, request->address.device, &request->address.ifindex, true);
	case RTNL_ROUTE:
		if (!is_prefix(&request->route.to))
			return -EINVAL;
		return check_device(rtnl, request->route.device, &request->route.ifindex, false);
	case RTNL_RULE:
		return check_rule(&request->rule);
	}
	return -EINVAL;
}

void rtnl_request_put(void *buffer, const struct rtnl_request *request)
{
	switch (request->noun) {
	case RTNL_LINK_CREATE:
		rtnl_link_put_create(buffer, request->create.name, request->create.kind, -1);
		break;
	case RTNL_LINK_DELETE:
		rtnl_link_put_delete(buffer, request->create.name);
		break;
	case RTNL_LINK_CHANGE:
		rtnl_link_put_change(buffer, &request->change);
		break;
	case RTNL_ADDRESS:
		rtnl_address_put(buffer, request->op, &request->address);
		break;
	case RTNL_ROUTE:
		rtnl_route_put(buffer, request->op, &request->route);
		break;
	case RTNL_RULE:
		rtnl_rule_put(buffer, request->op, &request->rule);
		break;
	}
}

/* "Not there" in all the kernel's words for it. */
static bool is_absent(int result)
{
	return result == -ESRCH || result == -ENOENT || result == -ENODEV || result == -EADDRNOTAVAIL ||
	       result == -EAFNOSUPPORT;
}

void rtnl_request_settle(struct rtnl_request *request, int result, const char *why)
{
	bool fine = (request->op == RTNL_DISCARD && is_absent(result)) ||
		    (request->op == RTNL_REPLACE && request->noun == RTNL_RULE && result == -EEXIST);

	request->waiting = false;
	request->result = fine ? 0 : result;
	if (request->result < 0 && why[0])
		request->why = mem_text(why);
}

bool rtnl_request_changes_names(const struct rtnl_request *request)
{
	return request->noun == RTNL_LINK_CREATE || request->noun == RTNL_LINK_DELETE;
}
