/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/stage/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/io/key_pair.h"
#include "common/io/log.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/stage/crowd.h"
#include "node-agent/io/stage/hook.h"
#include "node-agent/io/wireguard/implementation.h"

static int check_identity(const struct stage_host *host, const struct desired *desired, struct err *err)
{
	if (strcmp(desired->gateway, host->config->gateway))
		return err_set(err, -EINVAL, "this is gateway %s, and the generation is for %s",
			host->config->gateway, desired->gateway);
	if (host->store && desired->store != host->store)
		return err_set(err, -EPERM,
			"this gateway belongs to the controller store %016" PRIx64 ", not to %016" PRIx64
			"; to move it, stop the agent, remove its state directory and start it",
			host->store, desired->store);
	if (desired->generation < host->floor)
		return err_set(err, -ESTALE,
			"generation %" PRIu64 " is below the revocation floor %" PRIu64
			" and would let removed peers in again: the controller's store is an old one "
			"(restored?): "
			"apply the present fleet file",
			desired->generation, host->floor);
	return 0;
}

int stage_check_private_key(const char *config_path, const struct desired_tunnel *tunnel, struct err *err)
{
	CLEANUP_FREE char *path = file_beside(config_path, tunnel->private_key_file);
	CLEANUP_KEY struct key private_key = {{0}};
	char expected[KEY_TEXT_MAX], found[KEY_TEXT_MAX];
	struct key public_key;
	int r = file_read_key(path, &private_key, err);

	if (r < 0)
		return r;
	key_pair_public(&private_key, &public_key);
	if (key_equal(&public_key, &tunnel->public_key))
		return 0;
	return err_set(err, -EINVAL,
		"%s: its public key is %s, but tunnel %s has public_key %s: put the tunnel's shared key "
		"there",
		path, key_format(&public_key, found), tunnel->name,
		key_format(&tunnel->public_key, expected));
}

static int check_private_key(
	const struct stage_host *host, const struct desired_tunnel *tunnel, struct err *err)
{
	CLEANUP_FREE char *path = file_beside(host->config->path, tunnel->private_key_file);
	char warning[1024];
	int r = stage_check_private_key(host->config->path, tunnel, err);

	if (r >= 0 && file_secret_is_open(path, warning, sizeof(warning)))
		log_warning("stage", "open-key-file", log_text("warning", warning));
	return r;
}

static const struct desired_tunnel *current_tunnel(const struct stage_host *host, const char *name)
{
	for (size_t i = 0; host->current && i < host->current->tunnel_count; i++)
		if (!strcmp(host->current->tunnels[i].name, name))
			return &host->current->tunnels[i];
	return NULL;
}

/* 0: free. WireGuard binds both families, so both are tried; a host without one of them has it free. */
static int try_port(int family, uint16_t port)
{
	struct endpoint any = {.addr = {.family = (uint8_t)family}, .port = port};
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(&any, &address);
	int yes = 1, r = 0, fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address, length) < 0 && errno == EADDRINUSE)
		r = -EADDRINUSE;
	close(fd);
	return r;
}

static bool holds_port(struct reconcile *reconcile, const struct stage_host *host, uint16_t port)
{
	for (size_t i = 0; host->current && i < host->current->tunnel_count; i++)
		if (host->current->tunnels[i].listen_port == port)
			return reconcile_wg(reconcile, host->current->tunnels[i].name, &(struct wg *){NULL},
				       NULL) >= 0;
	return false;
}

/* The tunnel's device from before its state was lost, or from somebody else's wg-quick: it is taken over. */
static bool has_port_already(struct reconcile *reconcile, const struct desired_tunnel *tunnel)
{
	CLEANUP_WG_DEVICE struct wg_device device = {0};

	return reconcile_get(reconcile, tunnel->name, &device, NULL) >= 0 &&
	       device.listen_port == tunnel->listen_port;
}

static int check_port(struct reconcile *reconcile, const struct stage_host *host,
	const struct desired_tunnel *tunnel, struct err *err)
{
	if (!tunnel->listen_port || holds_port(reconcile, host, tunnel->listen_port))
		return 0;
	if (try_port(AF_INET, tunnel->listen_port) >= 0 && try_port(AF_INET6, tunnel->listen_port) >= 0)
		return 0;
	if (has_port_already(reconcile, tunnel))
		return 0;
	return err_set(err, -EADDRINUSE,
		"tunnel %s: UDP port %u is taken by another program (ss -ulnp 'sport = %u' shows it): "
		"stop that, or give the tunnel another listen_port",
		tunnel->name, tunnel->listen_port, tunnel->listen_port);
}

/* A device of that name which is not ours to change. */
static int check_name(struct reconcile *reconcile, const struct stage_host *host,
	const struct desired_tunnel *tunnel, struct err *err)
{
	struct rtnl_link link;
	struct wg *wg;

	if (current_tunnel(host, tunnel->name))
		return 0;
	if (rtnl_link_get(reconcile_rtnl(reconcile), tunnel->name, &link, NULL) < 0)
		return 0;
	if (reconcile_wg(reconcile, tunnel->name, &wg, NULL) >= 0)
		return 0; /* a WireGuard device: taken over */
	return err_set(err, -EEXIST,
		"tunnel %s: an interface of that name exists and is not WireGuard: remove or rename it",
		tunnel->name);
}

/* A device that is there stays what it is; others will be what agent.yaml says. */
static bool is_userspace(struct reconcile *reconcile, const struct desired_tunnel *tunnel, bool new_ones_are)
{
	struct wg *wg;

	return reconcile_wg(reconcile, tunnel->name, &wg, NULL) >= 0 ? wg_is_userspace(wg) : new_ones_are;
}

static int check_tunnel(struct reconcile *reconcile, const struct stage_host *host,
	const struct desired *desired, const struct desired_tunnel *tunnel, bool new_ones_are_userspace,
	struct err *err)
{
	int r = check_private_key(host, tunnel, err);

	if (r >= 0)
		r = crowd_check(desired, tunnel, is_userspace(reconcile, tunnel, new_ones_are_userspace),
			host->config->implementation, err);
	if (r >= 0)
		r = check_name(reconcile, host, tunnel, err);
	if (r >= 0)
		r = check_port(reconcile, host, tunnel, err);
	if (r >= 0)
		r = stage_check_hooks(host->config, tunnel, err);
	return r;
}

static int check_interface(
	struct reconcile *reconcile, const char *endpoint, const char *interface, struct err *err)
{
	struct rtnl_link link;

	if (!interface[0] || rtnl_link_get(reconcile_rtnl(reconcile), interface, &link, NULL) >= 0)
		return 0;
	return err_set(err, -ENODEV,
		"endpoint %s: there is no interface %s: correct this gateway's interfaces: in the fleet file",
		endpoint, interface);
}

static bool is_tunnel(const struct desired *desired, const char *interface)
{
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, interface))
			return true;
	return false;
}

static int check_program(
	const struct stage_host *host, const char *endpoint, const char *path, struct err *err)
{
	if (!config_allows_program(host->config, path))
		return err_set(err, -EPERM,
			"endpoint %s: %s does not allow the fleet to run %s here: put it into the list "
			"programs: there, "
			"and start the agent anew",
			endpoint, host->config->path, path);
	if (access(path, X_OK) < 0)
		return err_set(err, -errno, "endpoint %s: %s cannot be run here: %s", endpoint, path,
			strerror(errno));
	return 0;
}

static int check_programs(
	const struct stage_host *host, const struct desired_endpoint *endpoint, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < endpoint->check_count; i++)
		if (endpoint->checks[i].kind == CHECK_PROGRAM)
			r = check_program(host, endpoint->name, endpoint->checks[i].path, err);
	for (size_t i = 0; r >= 0 && i < endpoint->notify_count; i++)
		r = check_program(host, endpoint->name, endpoint->notify[i].program, err);
	return r;
}

static int check_endpoint(struct reconcile *reconcile, const struct stage_host *host,
	const struct desired *desired, const struct desired_endpoint *endpoint, struct err *err)
{
	int r;

	if (endpoint->isolation == ISOLATION_FENCE && key_is_zero(&desired->grant_key))
		return err_set(err, -EINVAL,
			"endpoint %s: isolation: fence needs the controller's key for grants, and it sent "
			"none",
			endpoint->name);
	r = check_interface(reconcile, endpoint->name, endpoint->dial_interface, err);
	for (size_t i = 0; r >= 0 && i < endpoint->inside_count; i++)
		r = check_interface(reconcile, endpoint->name, endpoint->inside[i].interface, err);
	for (size_t i = 0; r >= 0 && i < endpoint->route_count; i++)
		if (!is_tunnel(desired, endpoint->routes[i].interface))
			r = check_interface(reconcile, endpoint->name, endpoint->routes[i].interface, err);
	return r < 0 ? r : check_programs(host, endpoint, err);
}

int stage_check(const struct stage_host *host, struct reconcile *reconcile, const struct desired *desired,
	struct key **ret_preshared_keys, struct err *err)
{
	int r = check_identity(host, desired, err);
	bool userspace = false;

	if (r >= 0 && desired->tunnel_count)
		r = wg_implementation_check(host->config->implementation, &userspace, err);
	for (size_t i = 0; r >= 0 && i < desired->tunnel_count; i++)
		r = check_tunnel(reconcile, host, desired, &desired->tunnels[i], userspace, err);
	for (size_t i = 0; r >= 0 && i < desired->endpoint_count; i++)
		r = check_endpoint(reconcile, host, desired, &desired->endpoints[i], err);
	if (r < 0)
		return r;
	return stage_read_preshared_keys(host->config->path, desired, ret_preshared_keys, err);
}
