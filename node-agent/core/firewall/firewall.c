/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/firewall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/parts.h"

enum { INTERFACE_MAX = 15 }; /* IFNAMSIZ - 1 */

const struct firewall_tunnel *firewall_tunnel_named(const struct firewall *firewall, const char *interface)
{
	for (size_t t = 0; t < firewall->tunnel_count; t++)
		if (strcmp(firewall->tunnels[t].interface, interface) == 0)
			return &firewall->tunnels[t];
	return NULL;
}

static bool is_behind(const struct firewall_endpoint *endpoint, const struct firewall_tunnel *tunnel)
{
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		if (strcmp(endpoint->tunnels[i], tunnel->interface) == 0)
			return true;
	return false;
}

const struct firewall_endpoint *firewall_endpoint_of(
	const struct firewall *firewall, const struct firewall_tunnel *tunnel)
{
	for (size_t e = 0; e < firewall->endpoint_count; e++)
		if (is_behind(&firewall->endpoints[e], tunnel))
			return &firewall->endpoints[e];
	return NULL;
}

/* As the kernel's dev_valid_name(), and without what would end a quoted name in a listing. */
static int check_interface(const char *name, struct err *err)
{
	size_t length = strlen(name);
	if (length == 0 || length > INTERFACE_MAX)
		return err_set(err, -EINVAL, "\"%.40s\" is no name of an interface: 1 to %d characters", name,
			INTERFACE_MAX);
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c == '/' || *c == ':' || *c == '"' || *c == 0x7f)
			return err_set(err, -EINVAL,
				"\"%s\" is no name of an interface: it has a character that none can have",
				name);
	return 0;
}

static int check_snat(const struct firewall_snat *snat, size_t count, struct err *err)
{
	int error = 0;
	for (size_t i = 0; i < count && !error; i++) {
		error = check_interface(snat[i].interface, err);
		if (!error && addr_is_set(&snat[i].to) && snat[i].to.family != snat[i].from.addr.family)
			error = err_set(err, -EINVAL, "snat out of %s to an address of another family",
				snat[i].interface);
	}
	return error;
}

static int check_tunnel(const struct firewall_tunnel *tunnel, struct err *err)
{
	int error = check_interface(tunnel->interface, err);
	if (!error)
		error = check_snat(tunnel->snat, tunnel->snat_count, err);
	if (!error)
		error = check_snat(tunnel->masquerade, tunnel->masquerade_count, err);
	return error;
}

static int check_endpoint(
	const struct firewall *firewall, const struct firewall_endpoint *endpoint, struct err *err)
{
	for (size_t i = 0; i < endpoint->tunnel_count; i++) {
		const char *name = endpoint->tunnels[i];
		const struct firewall_tunnel *tunnel = firewall_tunnel_named(firewall, name);
		if (!tunnel)
			return err_set(
				err, -EINVAL, "endpoint %s: there is no tunnel %s", endpoint->name, name);
		if (tunnel->fwmark == 0 || tunnel->listen_port == 0)
			return err_set(err, -EINVAL,
				"endpoint %s: tunnel %s needs a fwmark and a listen port, it is fenced by "
				"them",
				endpoint->name, name);
	}
	return 0;
}

static int check(const struct firewall *firewall, struct err *err)
{
	int error = 0;
	if (strlen(firewall->scope) > FW_SCOPE_MAX)
		return err_set(err, -EINVAL, "the scope \"%.40s\" is too long", firewall->scope);
	if (firewall->table && (strlen(firewall->table) > FW_NAME_MAX || firewall->endpoint_count))
		return err_set(err, -EINVAL, "\"%.40s\" is no table for this firewall", firewall->table);
	for (size_t t = 0; t < firewall->tunnel_count && !error; t++)
		error = check_tunnel(&firewall->tunnels[t], err);
	for (size_t e = 0; e < firewall->endpoint_count && !error; e++)
		error = check_endpoint(firewall, &firewall->endpoints[e], err);
	return error;
}

static struct fw_table *add_inet(const struct firewall *firewall, struct fw_ruleset *ruleset)
{
	struct fw_table *inet;
	if (firewall->table)
		return fw_add_table(ruleset, FW_INET, firewall->table);
	inet = fw_add_table(ruleset, FW_INET, FW_TABLE);
	fw_add_set(inet, FW_PERMIT4, FW_KEY_IPV4);
	fw_add_set(inet, FW_PERMIT6, FW_KEY_IPV6);
	fw_add_set(inet, FW_PERMIT_MARK, FW_KEY_MARK);
	fw_add_set(inet, FW_ANNOUNCE6, FW_KEY_ND_TARGET);
	return inet;
}

static int fill(const struct firewall *firewall, struct fw_ruleset *ruleset, struct err *err)
{
	struct fw_table *inet = add_inet(firewall, ruleset);
	if (firewall->endpoint_count) {
		firewall_add_source(firewall, inet);
		firewall_add_fence(firewall, inet);
	}
	firewall_add_forward(firewall, inet);
	if (!(firewall->without & FIREWALL_SILENCING))
		firewall_add_multicast(firewall, inet);
	int error = firewall_add_srcnat(firewall, inet, err);
	if (error)
		return error;
	if (inet->chain_count == 0) {
		free(inet->sets);
		ruleset->count--;
	}
	if (firewall->endpoint_count) {
		struct fw_table *arp = fw_add_table(ruleset, FW_ARP, FW_TABLE);
		fw_add_set(arp, FW_ANNOUNCE4, FW_KEY_IPV4);
		firewall_add_arp_fence(firewall, arp);
	}
	for (size_t t = 0; t < firewall->tunnel_count; t++)
		firewall_add_wg_quick(firewall, &firewall->tunnels[t], ruleset);
	return 0;
}

int firewall_build(const struct firewall *firewall, struct fw_ruleset **ret_ruleset, struct err *err)
{
	int error = check(firewall, err);
	if (error)
		return error;
	struct fw_ruleset *ruleset = mem_new(1, sizeof *ruleset);
	text_copy(ruleset->scope, sizeof ruleset->scope, firewall->scope);
	error = fill(firewall, ruleset, err);
	if (error) {
		fw_ruleset_free(ruleset);
		return error;
	}
	*ret_ruleset = ruleset;
	return 0;
}
