/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "node-agent/io/netns/netns.h"

enum { PATH_BYTES = sizeof("/etc/netns/") + 2 * (NAME_MAX + 1) };

/* A read-only one cannot be covered by one that is not. */
static void mount_sys(void)
{
	struct statvfs status;
	unsigned long flags = 0;

	if (umount2("/sys", MNT_DETACH) < 0 && statvfs("/sys", &status) == 0 && status.f_flag & ST_RDONLY)
		flags = MS_RDONLY;
	if (mount("sysfs", "/sys", "sysfs", flags, NULL) < 0)
		fprintf(stderr, "/sys of the network namespace cannot be mounted: %s\n", strerror(errno));
}

static void cover(const char *name, const char *file)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	snprintf(from, sizeof(from), "/etc/netns/%s/%s", name, file);
	snprintf(to, sizeof(to), "/etc/%s", file);
	if (mount(from, to, "none", MS_BIND, NULL) < 0)
		fprintf(stderr, "%s cannot be mounted on %s: %s\n", from, to, strerror(errno));
}

static void cover_all(const char *name)
{
	char directory[PATH_BYTES];
	struct dirent *entry;
	DIR *files;

	snprintf(directory, sizeof(directory), "/etc/netns/%s", name);
	files = opendir(directory);
	while (files && (entry = readdir(files)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			cover(name, entry->d_name);
	if (files)
		closedir(files);
}

int netns_unshare_mounts(const char *name)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", "none", MS_SLAVE | MS_REC, NULL) < 0)
		return -errno;
	mount_sys();
	if (name)
		cover_all(name);
	return 0;
}
