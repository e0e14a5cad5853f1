/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/netns/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-agent/io/netns/netns_int.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static const char OWN[] = "/proc/thread-self/ns/net";

/* ---- being there ---- */

int netns_enter(const struct netns *netns, struct netns_visit *ret_visit, struct err *err)
{
	int back = open(OWN, O_RDONLY | O_CLOEXEC), r;

	if (back < 0)
		return err_set(err, -errno, "%s: %s (is /proc mounted?)", OWN, strerror(errno));
	if (setns(netns->fd, CLONE_NEWNET) < 0) {
		r = -errno;
		close(back);
		return err_set(err, r, "cannot enter the network namespace: %s", strerror(-r));
	}
	ret_visit->back_fd = back;
	return 0;
}

/* Whatever came next would be done to the wrong machine. */
void netns_leave(struct netns_visit *visit)
{
	if (visit->back_fd < 0)
		return;
	if (setns(visit->back_fd, CLONE_NEWNET) < 0) {
		perror("cannot go back to the network namespace");
		abort();
	}
	close(visit->back_fd);
	visit->back_fd = -1;
}

/* ---- opening ---- */

static uint64_t own_cookie(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		cookie = 0;
	close(fd);
	return cookie;
}

static int look_inside(struct netns *netns, struct err *err)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	int r = netns_enter(netns, &visit, err);

	if (r >= 0)
		netns->cookie = own_cookie();
	return r;
}

/* We are in it, or have to enter it, which needs CAP_SYS_ADMIN. */
static int look_at(struct netns *netns, bool own, struct err *err)
{
	struct stat status;

	if (fstat(netns->fd, &status) < 0)
		return err_set(err, -errno, "%s", strerror(errno));
	if (ioctl(netns->fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(err, -EINVAL, "this is not a network namespace");
	netns->inode = status.st_ino;
	if (!own)
		return look_inside(netns, err);
	netns->cookie = own_cookie();
	return 0;
}

static int open_at(const char *path, bool own, struct netns *ret_netns, struct err *err)
{
	struct netns netns = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	int r;

	if (netns.fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	r = look_at(&netns, own, err);
	if (r < 0) {
		netns_close(&netns);
		return err_prefix(err, r, "%s", path);
	}
	*ret_netns = netns;
	return 0;
}

int netns_open_path(const char *path, struct netns *ret_netns, struct err *err)
{
	return open_at(path, false, ret_netns, err);
}

static bool is_name(const char *where)
{
	return where[0] && !strchr(where, '/') && strlen(where) <= NAME_MAX && strcmp(where, ".") != 0 &&
	       strcmp(where, "..") != 0;
}

int netns_path(const char *name, char path[NETNS_PATH_MAX], struct err *err)
{
	if (!is_name(name))
		return err_set(err, -EINVAL, "\"%.64s\" cannot be the name of a network namespace", name);
	snprintf(path, NETNS_PATH_MAX, "%s/%s", NETNS_DIRECTORY, name);
	return 0;
}

int netns_open(const char *where, struct netns *ret_netns, struct err *err)
{
	char path[NETNS_PATH_MAX];
	int r;

	if (where[0] == '/')
		return netns_open_path(where, ret_netns, err);
	r = netns_path(where, path, err);
	if (r >= 0)
		r = netns_open_path(path, ret_netns, err);
	return r == -ENOENT ? err_set(err, r, "there is no network namespace \"%s\"", where) : r;
}

int netns_open_own(struct netns *ret_netns, struct err *err)
{
	return open_at(OWN, true, ret_netns, err);
}

void netns_close(struct netns *netns)
{
	if (netns->fd >= 0)
		close(netns->fd);
	*netns = NETNS_NONE;
}

bool netns_same(const struct netns *one, const struct netns *other)
{
	if (one->cookie && other->cookie)
		return one->cookie == other->cookie;
	return one->inode == other->inode;
}

bool netns_leads_to(const char *where, const struct netns *netns)
{
	struct stat held, found;
	char path[NETNS_PATH_MAX];

	if (where[0] != '/') {
		if (netns_path(where, path, NULL) < 0)
			return false;
		where = path;
	}
	return fstat(netns->fd, &held) == 0 && stat(where, &found) == 0 && held.st_ino == found.st_ino &&
	       held.st_dev == found.st_dev;
}

bool netns_name(const char *where, char name[NAME_MAX + 1])
{
	static const char *const directories[] = {NETNS_DIRECTORY "/", "/var" NETNS_DIRECTORY "/"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (!strncmp(where, directories[i], strlen(directories[i]))) {
			where += strlen(directories[i]);
			break;
		}
	if (!is_name(where))
		return false;
	strcpy(name, where);
	return true;
}
