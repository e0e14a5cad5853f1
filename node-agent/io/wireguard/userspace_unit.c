/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/wireguard/userspace_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/wireguard/userspace_settings.h"

/* A unit starts in systemd's network namespace, unless it is told another. To look at ns/net of a process with more powers
 * takes CAP_SYS_PTRACE, which our own unit leaves us not; what lies under net is each namespace's own as well
 * (get_proc_task_net(), fs/proc/proc_net.c). */
static bool is_systemds_namespace(void)
{
	struct stat own, other;

	return stat("/proc/thread-self/net/dev", &own) == 0 && stat("/proc/1/net/dev", &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static void add_word(struct userspace_unit *unit, const char *begin, const char *end)
{
	struct text word = {0};

	text_add(&word, "%s%s", begin, end);
	unit->words = mem_grow(unit->words, &unit->capacity, unit->count + 2, sizeof(*unit->words));
	unit->words[unit->count++] = text_take(&word);
}

/* By their names: systemd-run has the values from us, and an argument is for everybody to read. */
static void add_settings(struct userspace_unit *unit)
{
	char **settings = userspace_settings(0);

	for (size_t i = 0; settings[i]; i++) {
		CLEANUP_FREE char *name = mem_text(settings[i]);

		name[strcspn(name, "=")] = '\0';
		add_word(unit, "--setenv=", name);
	}
	free(settings);
}

static void run_transient(struct userspace_unit *unit, const char *path, const char *name, bool here)
{
	char namespace[64];

	add_word(unit, "systemd-run", "");
	add_word(unit, "--quiet", "");
	add_word(unit, "--collect", "");
	add_word(unit, "--unit=", unit->name);
	add_word(unit, "--property=Type=forking", "");
	snprintf(namespace, sizeof namespace, "/proc/%ld/task/%ld/ns/net", (long)getpid(), (long)gettid());
	if (!here)
		add_word(unit, "--property=NetworkNamespacePath=", namespace);
	add_settings(unit);
	add_word(unit, "--", "");
	add_word(unit, path, "");
	add_word(unit, name, "");
}

void userspace_unit_make(const char *path, const char *name, bool has_unit, struct userspace_unit *ret_unit)
{
	bool here = is_systemds_namespace(), ours = here && has_unit;
	struct userspace_unit unit = {0};

	snprintf(unit.name, sizeof unit.name, "holdfast-userspace%c%.15s.service", ours ? '@' : '-', name);
	if (ours) {
		add_word(&unit, "systemctl", "");
		add_word(&unit, "start", "");
		add_word(&unit, unit.name, "");
	} else {
		run_transient(&unit, path, name, here);
	}
	*ret_unit = unit;
}

void userspace_unit_clear(struct userspace_unit *unit)
{
	for (size_t i = 0; i < unit->count; i++)
		free(unit->words[i]);
	free(unit->words);
	*unit = (struct userspace_unit){0};
}
