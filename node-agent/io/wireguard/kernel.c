/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/netlink.h"
#include "node-agent/io/wireguard/internal.h"

struct wg_kernel {
	struct netlink *netlink;
	uint16_t family; /* generic netlink's number for "wireguard": fixed while the module is loaded */
	uint8_t *buffer; /* WG_MESSAGE_MAX_BYTES */
};

static struct nlmsghdr *put_header(void *buffer, uint16_t family, uint8_t command, uint8_t version)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header;

	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->cmd = command;
	header->version = version;
	return message;
}

static int take_family(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *table[CTRL_ATTR_MAX + 1];

	if (!attribute_table(message, sizeof(struct genlmsghdr), table, ARRAY_COUNT(table)) ||
		!attribute_u16(table[CTRL_ATTR_FAMILY_ID], context))
		return -EPROTO;
	return 0;
}

/* The kernel loads the module for this question, if it has one. */
static int resolve_family(struct netlink *netlink, uint16_t *ret_family)
{
	uint8_t buffer[256] = {0};
	struct nlmsghdr *message = put_header(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	uint16_t family = 0;
	int r;

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	r = netlink_talk(netlink, message, take_family, &family);
	if (r < 0)
		return r;
	if (family == 0)
		return -EPROTO;
	*ret_family = family;
	return 0;
}

int wg_kernel_open(int timeout_ms, struct wg_kernel **ret_kernel, struct err *err)
{
	struct netlink *netlink = NULL;
	struct wg_kernel *kernel;
	uint16_t family = 0;
	int r = netlink_open(NETLINK_GENERIC, timeout_ms, &netlink);

	if (r < 0)
		return err_set(err, r, "cannot open a generic netlink socket: %s", strerror(-r));
	r = resolve_family(netlink, &family);
	if (r < 0) {
		netlink_close(netlink);
		if (r == -ENOENT)
			return err_set(
				err, -EOPNOTSUPP, "this kernel has no WireGuard (no module \"wireguard\")");
		return err_set(err, r, "generic netlink family \"wireguard\": %s", strerror(-r));
	}
	kernel = mem_new(1, sizeof *kernel);
	kernel->netlink = netlink;
	kernel->family = family;
	kernel->buffer = mem_new(1, WG_MESSAGE_MAX_BYTES);
	*ret_kernel = kernel;
	return 0;
}

void wg_kernel_close(struct wg_kernel *kernel)
{
	if (!kernel)
		return;
	netlink_close(kernel->netlink);
	mem_wipe(kernel->buffer, WG_MESSAGE_MAX_BYTES);
	free(kernel->buffer);
	free(kernel);
}

static struct nlmsghdr *start_message(struct wg_kernel *kernel, uint8_t command)
{
	memset(kernel->buffer, 0, MNL_NLMSG_HDRLEN);
	return put_header(kernel->buffer, kernel->family, command, WG_GENL_VERSION);
}

static int take_device(const struct nlmsghdr *message, void *context)
{
	return wg_decode(context, message);
}

static void forget_device(void *context)
{
	wg_builder_restart(context);
}

static int fail(const struct wg_kernel *kernel, const char *name, const char *what, int r, struct err *err)
{
	const char *why = netlink_why(kernel->netlink);

	if (r == -ENODEV)
		return err_set(err, r, "%s: there is no such interface", name);
	if (r == -EOPNOTSUPP)
		return err_set(err, r, "%s: not a WireGuard interface", name);
	return err_set(err, r, "%s: %s: %s%s%s%s", name, what, strerror(-r), why[0] ? " (" : "", why,
		why[0] ? ")" : "");
}

int wg_kernel_get(struct wg_kernel *kernel, const char *name, struct wg_device *ret_device, struct err *err)
{
	struct nlmsghdr *message = start_message(kernel, WG_CMD_GET_DEVICE);
	struct wg_builder builder;
	struct wg_device device;
	int r;

	wg_builder_init(&builder, &device);
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, name);
	r = netlink_dump(kernel->netlink, message, take_device, forget_device, &builder);
	netlink_wipe(kernel->netlink);
	if (r < 0) {
		wg_builder_abort(&builder);
		return fail(kernel, name, "cannot read the WireGuard configuration", r, err);
	}
	wg_builder_finish(&builder);
	*ret_device = device;
	return 0;
}

int wg_kernel_set(struct wg_kernel *kernel, const char *name, const struct wg_change *change, struct err *err)
{
	struct wg_encoder encoder = {.change = change, .name = name};
	struct nlmsghdr *message;
	bool more = true;
	int r = 0;

	while (more && r == 0) {
		message = start_message(kernel, WG_CMD_SET_DEVICE);
		more = wg_encode(&encoder, message);
		r = netlink_talk(kernel->netlink, message, NULL, NULL);
		mem_wipe(kernel->buffer, message->nlmsg_len);
	}
	return r < 0 ? fail(kernel, name, "cannot change the WireGuard configuration", r, err) : 0;
}
