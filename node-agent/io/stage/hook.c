/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/stage/hook.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/core/hook/line.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/io/quick/child.h"

/* A list names programs. What a shell makes of a line is no program of the list. */
static int check_plain(const struct config *config, const char *program, struct err *err)
{
	if (!config_allows_program(config, program))
		return err_set(err, -EPERM,
			"%s does not allow the fleet to run %.200s here: put it into the list programs: "
			"there, and start the agent anew",
			config->path, program);
	if (access(program, X_OK) < 0)
		return err_set(err, -errno, "%.200s cannot be run here: %s", program, strerror(errno));
	return 0;
}

static int check_for_shell(const struct config *config, const char *line, struct err *err)
{
	char path[PATH_MAX];

	if (config->programs != PROGRAMS_ALLOW)
		return err_set(err, -EPERM,
			"\"%.80s\" is for a shell, which %s does not let the fleet have here: write a "
			"program's absolute path and plain words, and put the path into the list programs: "
			"there (programs: allow lets it run anything)",
			line, config->path);
	if (!quick_has_program("bash", path))
		return err_set(err, -ENOENT,
			"\"%.80s\" is for a shell, and there is no bash here: install it", line);
	return 0;
}

int stage_check_hook(const struct config *config, const char *tunnel, enum desired_hook hook,
	const char *line, struct err *err)
{
	CLEANUP_FREE char *text = quick_hook_text(line, tunnel);
	struct texts words = {0};
	int r;

	if (hook_line_is_plain(text)) {
		hook_line_words(text, &words);
		r = check_plain(config, words.items[0], err);
		texts_clear(&words);
	} else {
		r = check_for_shell(config, text, err);
	}
	return r < 0 ? err_prefix(err, r, "tunnel %s: %s", tunnel, desired_hook_names[hook]) : 0;
}

int stage_check_hooks(const struct config *config, const struct desired_tunnel *tunnel, struct err *err)
{
	int r = 0;

	for (size_t hook = 0; hook < HOOKS; hook++)
		for (size_t i = 0; r >= 0 && i < tunnel->hooks[hook].count; i++)
			r = stage_check_hook(config, tunnel->name, (enum desired_hook)hook,
				tunnel->hooks[hook].items[i], err);
	return r;
}
