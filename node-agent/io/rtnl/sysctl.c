/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"

enum { PATH_BYTES = SYSCTL_KEY_MAX + sizeof "/proc/sys/" };

/* sysctl(8): the first separator decides what separates; the other one then stands for itself, as a dot. */
static void key_to_path(char *key)
{
	size_t first = strcspn(key, "./");

	if (key[first] != '.')
		return;
	for (; *key; key++) {
		if (*key == '.')
			*key = '/';
		else if (*key == '/')
			*key = '.';
	}
}

/* Every component names something: not empty, not "." and not "..". */
static bool stays_inside(const char *path)
{
	size_t length;

	for (;; path += length + 1) {
		length = strcspn(path, "/");
		if (length == 0 || (length == 1 && path[0] == '.') ||
			(length == 2 && !strncmp(path, "..", 2)))
			return false;
		if (!path[length])
			return true;
	}
}

static int make_path(const char *key, char path[PATH_BYTES])
{
	char name[SYSCTL_KEY_MAX];

	if (!text_copy(name, sizeof name, key))
		return -EINVAL;
	key_to_path(name);
	if (!stays_inside(name))
		return -EINVAL;
	snprintf(path, PATH_BYTES, "/proc/sys/%s", name);
	return 0;
}

static void trim(char *text)
{
	size_t start = strspn(text, " \t\n"), length;

	memmove(text, text + start, strlen(text + start) + 1);
	length = strlen(text);
	while (length > 0 && strchr(" \t\n", text[length - 1]))
		text[--length] = '\0';
}

static int read_file(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, value, size);
	if (length < 0)
		length = -errno;
	close(fd);
	if (length < 0)
		return (int)length;
	if ((size_t)length == size)
		return -E2BIG;
	value[length] = '\0';
	trim(value);
	return 0;
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int sysctl_read(const char *key, char *value, size_t size, struct err *err)
{
	char path[PATH_BYTES], text[SYSCTL_VALUE_MAX];
	int r = make_path(key, path);

	if (r == 0)
		r = read_file(path, text, sizeof text);
	if (r == 0 && !text_copy(value, size, text))
		r = -E2BIG;
	return r < 0 ? err_set(err, r, "sysctl %.200s: %s", key, strerror(-r)) : 0;
}

int sysctl_ensure(const char *key, const char *value, bool *ret_changed, struct err *err)
{
	char path[PATH_BYTES], now[SYSCTL_VALUE_MAX];
	int r = sysctl_read(key, now, sizeof now, err);
	bool change;

	if (r < 0)
		return r;
	change = strcmp(now, value) != 0;
	if (change) {
		r = make_path(key, path);
		if (r == 0)
			r = write_file(path, value);
	}
	if (r < 0)
		return err_set(
			err, r, "sysctl -w %.200s=%.64s (it is %.64s): %s", key, value, now, strerror(-r));
	if (ret_changed)
		*ret_changed = change;
	return 0;
}

int sysctl_try(const char *key, struct err *err)
{
	char path[PATH_BYTES];
	int r = make_path(key, path);

	if (r == 0) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		r = -errno;
	}
	return err_set(err, r,
		"the kernel parameter %.200s cannot be written: %s: let the agent write /proc/sys (a "
		"container "
		"needs it mounted so)",
		key, strerror(-r));
}

char *sysctl_device_key(char *key, size_t size, const char *family, const char *device, const char *name)
{
	snprintf(key, size, "net/%s/conf/%s/%s", family, device, name);
	return key;
}
