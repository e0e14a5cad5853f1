/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-agent/io/netns/netns_int.h"

/* Mounts in it reach all mount namespaces, as ip-netns(8) arranges it: a name that is taken away goes for all of them, and
 * the namespace with it. Under a lock (also ip-netns(8)'s), or two would mount the directory on itself. */
static int share_directory(void)
{
	if (mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL) /* it is no mount point yet */
		return -errno;
	if (mount(NETNS_DIRECTORY, NETNS_DIRECTORY, "none", MS_BIND | MS_REC, NULL) < 0 ||
		mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL) < 0)
		return -errno;
	return 0;
}

static int prepare_directory(struct err *err)
{
	int fd, r;

	if (mkdir(NETNS_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", NETNS_DIRECTORY, strerror(errno));
	fd = open(NETNS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		r = -errno;
	else
		r = share_directory();
	if (fd >= 0)
		close(fd);
	return r < 0 ? err_set(err, r, "%s: %s", NETNS_DIRECTORY, strerror(-r)) : 0;
}

/* The calling thread is in a new one until it leaves. */
static int enter_fresh(struct netns_visit *ret_visit)
{
	int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), r;

	if (back < 0)
		return -errno;
	if (unshare(CLONE_NEWNET) < 0) {
		r = -errno;
		close(back);
		return r;
	}
	ret_visit->back_fd = back;
	return 0;
}

int netns_open_fresh(struct netns *ret_netns, struct err *err)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	int r = enter_fresh(&visit);

	if (r < 0)
		return err_set(err, r, "cannot make a network namespace: %s", strerror(-r));
	return netns_open_own(ret_netns, err);
}

static int make_at(const char *path)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	int r = enter_fresh(&visit);

	if (r >= 0 && mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) < 0)
		r = -errno;
	return r;
}

int netns_make(const char *name, struct err *err)
{
	char path[NETNS_PATH_MAX];
	int r = netns_path(name, path, err), fd;

	if (r >= 0)
		r = prepare_directory(err);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	close(fd);
	r = make_at(path);
	if (r < 0)
		unlink(path);
	return r < 0 ? err_set(err, r, "cannot make the network namespace \"%s\": %s", name, strerror(-r))
		     : 0;
}

int netns_delete(const char *name, struct err *err)
{
	char path[NETNS_PATH_MAX];
	int r = netns_path(name, path, err);

	if (r < 0)
		return r;
	(void)umount2(path, MNT_DETACH); /* EINVAL: it was not mounted */
	if (unlink(path) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}
