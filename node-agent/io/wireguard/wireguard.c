/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/wireguard/wireguard.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/wireguard/internal.h"
#include "node-agent/io/wireguard/userspace.h"

struct wg {
	char name[IFNAMSIZ];
	int timeout_ms;
	struct wg_kernel *kernel; /* NULL: userspace */
};

int wg_public_key(const struct key *private_key, struct key *ret_public_key)
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key->bytes, KEY_BYTES);
	struct key public_key;
	size_t size = KEY_BYTES;
	bool fine =
		pair && EVP_PKEY_get_raw_public_key(pair, public_key.bytes, &size) == 1 && size == KEY_BYTES;

	EVP_PKEY_free(pair);
	if (!fine)
		return -EINVAL;
	*ret_public_key = public_key;
	return 0;
}

/* ---- opening ---- */

static int check_kernel_device(const char *name, int timeout_ms, struct err *err)
{
	struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r = rtnl_open(timeout_ms, &rtnl, err);

	if (r < 0)
		return r;
	r = rtnl_link_get(rtnl, name, &link, err);
	rtnl_close(rtnl);
	if (r < 0)
		return r;
	if (strcmp(link.kind, "wireguard") != 0)
		return err_set(
			err, -ENODEV, "%s: not a WireGuard interface, and no program answers for it", name);
	return 0;
}

static int open_kernel(const char *name, int timeout_ms, struct wg_kernel **ret_kernel, struct err *err)
{
	int r = check_kernel_device(name, timeout_ms, err);

	return r < 0 ? r : wg_kernel_open(timeout_ms, ret_kernel, err);
}

int wg_open(const char *name, int timeout_ms, struct wg **ret_wg, struct err *err)
{
	struct wg_kernel *kernel = NULL;
	struct wg *wg;
	int r = 0;

	if (!rtnl_is_device_name(name))
		return err_set(err, -EINVAL, "'%.32s' cannot be the name of an interface", name);
	if (!userspace_is_live(name))
		r = open_kernel(name, timeout_ms, &kernel, err);
	if (r < 0)
		return r;
	wg = mem_new(1, sizeof *wg);
	text_copy(wg->name, sizeof wg->name, name);
	wg->timeout_ms = timeout_ms;
	wg->kernel = kernel;
	*ret_wg = wg;
	return 0;
}

void wg_close(struct wg *wg)
{
	if (!wg)
		return;
	wg_kernel_close(wg->kernel);
	free(wg);
}

void wg_set_timeout(struct wg *wg, int timeout_ms)
{
	wg->timeout_ms = timeout_ms;
}

bool wg_is_userspace(const struct wg *wg)
{
	return !wg->kernel;
}

/* ---- talking ---- */

/* What a userspace program does not say of itself. */
static void complete_userspace(const char *name, struct wg_device *device)
{
	text_copy(device->name, sizeof device->name, name);
	device->ifindex = if_nametoindex(name);
	device->userspace = true;
	if (!key_is_zero(&device->private_key))
		(void)wg_public_key(&device->private_key, &device->public_key);
}

int wg_get(struct wg *wg, struct wg_device *ret_device, struct err *err)
{
	int r;

	if (wg->kernel)
		return wg_kernel_get(wg->kernel, wg->name, ret_device, err);
	r = wg_uapi_get(wg->name, wg->timeout_ms, ret_device, err);
	if (r == 0)
		complete_userspace(wg->name, ret_device);
	return r;
}

int wg_set(struct wg *wg, const struct wg_change *change, struct err *err)
{
	if (wg->kernel)
		return wg_kernel_set(wg->kernel, wg->name, change, err);
	return wg_uapi_set(wg->name, wg->timeout_ms, change, err);
}

/* ---- listing ---- */

struct names {
	char (*names)[IFNAMSIZ];
	size_t count, capacity;
};

static void add_name(struct names *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->names[i], name) == 0)
			return;
	}
	list->names = mem_grow(list->names, &list->capacity, list->count + 1, sizeof list->names[0]);
	text_copy(list->names[list->count++], IFNAMSIZ, name);
}

static int add_kernel_names(struct names *list, struct err *err)
{
	struct rtnl_link *links = NULL;
	struct rtnl *rtnl = NULL;
	size_t count = 0, i;
	int r = rtnl_open(WG_TIMEOUT_MS, &rtnl, err);

	if (r < 0)
		return r;
	r = rtnl_link_list(rtnl, "wireguard", &links, &count, err);
	rtnl_close(rtnl);
	if (r < 0)
		return r;
	for (i = 0; i < count; i++)
		add_name(list, links[i].name);
	free(links);
	return 0;
}

/* NAME.sock of a program that lives and whose interface is in this namespace. */
static void add_socket_name(struct names *list, const char *file)
{
	static const char suffix[] = ".sock";
	char name[IFNAMSIZ + sizeof suffix];
	size_t length;

	if (!text_copy(name, sizeof name, file))
		return;
	length = strlen(name);
	if (length < sizeof suffix || strcmp(name + length - (sizeof suffix - 1), suffix) != 0)
		return;
	name[length - (sizeof suffix - 1)] = '\0';
	if (rtnl_is_device_name(name) && if_nametoindex(name) != 0 && userspace_is_live(name))
		add_name(list, name);
}

static void add_userspace_names(struct names *list)
{
	DIR *directory = opendir("/var/run/wireguard");
	const struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		add_socket_name(list, entry->d_name);
	closedir(directory);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int wg_list(char (**ret_names)[IFNAMSIZ], size_t *ret_count, struct err *err)
{
	struct names list = {0};
	int r = add_kernel_names(&list, err);

	if (r < 0)
		return r;
	add_userspace_names(&list);
	if (list.count)
		qsort(list.names, list.count, sizeof list.names[0], compare_names);
	*ret_names = list.names;
	*ret_count = list.count;
	return 0;
}
