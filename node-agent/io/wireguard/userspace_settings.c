/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/wireguard/userspace_settings.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

static bool begins_with(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_setting(const char *variable)
{
	return begins_with(variable, "WG_") && !begins_with(variable, "WG_TUN_FD=") &&
	       !begins_with(variable, "WG_UAPI_FD=");
}

char **userspace_settings(size_t before)
{
	size_t count = 0, kept = before;
	char **settings;

	while (environ && environ[count])
		count++;
	settings = mem_new(before + count + 1, sizeof(*settings));
	for (size_t i = 0; i < count; i++)
		if (is_setting(environ[i]))
			settings[kept++] = environ[i];
	return settings;
}
