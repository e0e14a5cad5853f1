/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/wireguard/implementation.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/wireguard/internal.h"
#include "node-agent/io/wireguard/userspace.h"

static const char DEFAULT_PROGRAM[] = "wireguard-go";

static int no_kernel(struct err *err)
{
	return err_set(err, -EOPNOTSUPP,
		"this kernel has no WireGuard: install a kernel that has (Debian: linux-image-amd64), or set "
		"wireguard: { implementation: wireguard-go } in agent.yaml");
}

static int nothing_at_all(struct err *err)
{
	return err_set(err, -ENOENT,
		"no WireGuard here: this kernel has none, and there is no program wireguard-go in PATH: "
		"install the "
		"package wireguard-go, or set wireguard: { implementation: ... } in agent.yaml");
}

int wg_implementation_check(const char *implementation, bool *ret_userspace, struct err *err)
{
	bool automatic = strcmp(implementation, "auto") == 0, ignored;
	bool *userspace = ret_userspace ? ret_userspace : &ignored;
	struct wg_kernel *kernel = NULL;
	char path[USERSPACE_PATH_MAX];
	int r;

	*userspace = true;
	if (!automatic && strcmp(implementation, "kernel") != 0)
		return userspace_find(implementation, path, err);
	r = wg_kernel_open(WG_TIMEOUT_MS, &kernel, err);
	wg_kernel_close(kernel);
	*userspace = r == -EOPNOTSUPP;
	if (!*userspace)
		return r;
	if (!automatic)
		return no_kernel(err);
	return userspace_find(DEFAULT_PROGRAM, path, NULL) == 0 ? 0 : nothing_at_all(err);
}

/* Sockets are told apart by name alone, whatever namespace their interface is in. */
static int refuse_answering(const char *name, struct err *err)
{
	if (userspace_is_live(name))
		return err_set(err, -EEXIST,
			"%s: a program answers on its socket already, in another namespace?", name);
	return 0;
}

static int refuse_existing(struct rtnl *rtnl, const char *name, struct err *err)
{
	struct rtnl_link link;
	int r = rtnl_link_get(rtnl, name, &link, err);

	if (r == 0)
		return err_set(err, -EEXIST, "%s: an interface of that name exists already", name);
	return r == -ENODEV ? refuse_answering(name, err) : r;
}

/* Until the program answers: before, it may not have looked at its device yet, and would not find it. */
static int move(struct rtnl *rtnl, const char *name, int netns_fd, int timeout_ms, struct err *err)
{
	struct wg_device device;
	int r = wg_uapi_get(name, timeout_ms, &device, err);

	if (r < 0)
		return r;
	wg_device_clear(&device);
	return rtnl_link_move(rtnl, name, netns_fd, err);
}

/* A program makes its device where it runs: what has that name here is in its way. */
static int start(struct rtnl *rtnl, const char *program, const char *name, int netns_fd, int timeout_ms,
	struct err *err)
{
	int r = refuse_existing(rtnl, name, err);

	if (r == 0)
		r = userspace_start(program, name, timeout_ms, err);
	if (r < 0 || netns_fd < 0)
		return r;
	r = move(rtnl, name, netns_fd, timeout_ms, err);
	if (r < 0)
		(void)wg_remove(name, timeout_ms, NULL);
	return r;
}

static int create_kernel(struct rtnl *rtnl, const char *name, int netns_fd, struct err *err)
{
	bool here = netns_fd < 0;
	int r = refuse_existing(
		rtnl, name, err); /* the kernel refuses a name that is taken here in either case */

	if (r < 0)
		return r;
	return here ? rtnl_link_create(rtnl, name, "wireguard", err)
		    : rtnl_link_create_in(rtnl, name, "wireguard", netns_fd, err);
}

static int create(struct rtnl *rtnl, const char *name, const char *implementation, int netns_fd,
	int timeout_ms, struct err *err)
{
	bool automatic = strcmp(implementation, "auto") == 0;
	char path[USERSPACE_PATH_MAX];
	int r;

	if (!automatic && strcmp(implementation, "kernel") != 0)
		return start(rtnl, implementation, name, netns_fd, timeout_ms, err);
	r = create_kernel(rtnl, name, netns_fd, err);
	if (r != -EOPNOTSUPP)
		return r;
	if (!automatic)
		return no_kernel(err);
	if (userspace_find(DEFAULT_PROGRAM, path, NULL) < 0)
		return nothing_at_all(err);
	return start(rtnl, DEFAULT_PROGRAM, name, netns_fd, timeout_ms, err);
}

int wg_create_in(const char *name, const char *implementation, int netns_fd, int timeout_ms, struct err *err)
{
	struct rtnl *rtnl = NULL;
	int r = rtnl_open(timeout_ms, &rtnl, err);

	if (r < 0)
		return r;
	r = create(rtnl, name, implementation, netns_fd, timeout_ms, err);
	rtnl_close(rtnl);
	return r;
}

int wg_create(const char *name, const char *implementation, int timeout_ms, struct err *err)
{
	return wg_create_in(name, implementation, -1, timeout_ms, err);
}

/* Only what is WireGuard's: the caller's word, the kind, or a program that answers for it. A program that ends takes its
 * socket away before its device: for a moment only the first of them can tell. */
static int delete_link(struct rtnl *rtnl, const char *name, unsigned made_ifindex, struct err *err)
{
	struct rtnl_link link;
	int r = rtnl_link_get(rtnl, name, &link, err);

	if (r < 0)
		return r;
	if (link.ifindex != made_ifindex && strcmp(link.kind, "wireguard") != 0 && !userspace_is_live(name))
		return err_set(err, -EINVAL, "%s: not a WireGuard interface", name);
	return rtnl_link_delete(rtnl, name, err);
}

int wg_remove_made(const char *name, unsigned ifindex, int timeout_ms, struct err *err)
{
	struct rtnl *rtnl = NULL;
	int r = rtnl_open(timeout_ms, &rtnl, err);

	if (r < 0)
		return r;
	r = delete_link(rtnl, name, ifindex, err);
	rtnl_close(rtnl);
	if (r == -ENODEV)
		wg_uapi_remove_stale(name);
	if (r < 0)
		return r;
	if (userspace_wait_gone(name, timeout_ms) < 0)
		return err_set(
			err, -ETIMEDOUT, "%s: its interface is gone, but its program still runs", name);
	return 0;
}

int wg_remove(const char *name, int timeout_ms, struct err *err)
{
	return wg_remove_made(name, 0, timeout_ms, err);
}
