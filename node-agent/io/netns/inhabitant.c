/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-agent/io/netns/netns_int.h"

enum { PATH_BYTES = 64 };

/* The next process of /proc that is in it; 0: no more. */
static pid_t next_inside(DIR *processes, const struct netns *netns, char path[PATH_BYTES])
{
	struct dirent *entry;
	struct stat status;

	while ((entry = readdir(processes))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid())
			continue;
		snprintf(path, PATH_BYTES, "/proc/%ld/ns/net", pid);
		if (stat(path, &status) == 0 && status.st_ino == netns->inode)
			return (pid_t)pid;
	}
	return 0;
}

static void read_command(pid_t pid, char command[NETNS_COMMAND_MAX])
{
	char path[PATH_BYTES];
	ssize_t length = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		length = read(fd, command, NETNS_COMMAND_MAX - 1);
	if (fd >= 0)
		close(fd);
	command[length > 0 ? length : 0] = '\0';
	command[strcspn(command, "\n")] = '\0';
}

bool netns_inhabitant(const struct netns *netns, pid_t *ret_pid, char command[NETNS_COMMAND_MAX])
{
	DIR *processes = opendir("/proc");
	char path[PATH_BYTES];
	pid_t pid = processes ? next_inside(processes, netns, path) : 0;

	if (processes)
		closedir(processes);
	if (!pid)
		return false;
	read_command(pid, command);
	*ret_pid = pid;
	return true;
}

int netns_open_inhabited(const struct netns *lost, struct netns *ret_netns)
{
	DIR *processes = opendir("/proc");
	char path[PATH_BYTES];
	int r = -ENOENT;

	while (r < 0 && processes && next_inside(processes, lost, path)) {
		struct netns netns = NETNS_NONE;

		if (netns_open_path(path, &netns, NULL) < 0)
			continue;
		if (netns_same(&netns, lost)) {
			*ret_netns = netns;
			r = 0;
		} else {
			netns_close(&netns);
		}
	}
	if (processes)
		closedir(processes);
	return r;
}
