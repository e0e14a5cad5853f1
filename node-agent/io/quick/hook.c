/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/hook.h"
#include "node-agent/io/quick/session.h"

/*
 * A hook runs as wg-quick runs it: bash, with errexit, pipefail and extglob, $INTERFACE a variable of the shell, in the
 * directory we were called in, and within a function, so that `return` and `local` mean something. The program is fixed;
 * the hook is data to it.
 */
static const char PROGRAM[] = "INTERFACE=$1 HOLDFAST_HOOK=$2; shift 2; "
			      "holdfast_hook() { eval \"$HOLDFAST_HOOK\"; }; holdfast_hook";

void quick_hook_words(const char *interface, const char *line, const char *ret_words[QUICK_HOOK_WORDS])
{
	const char *const words[QUICK_HOOK_WORDS] = {"bash", "-e", "-o", "pipefail", "-O", "extglob", "-c",
		PROGRAM, "holdfast", interface, line, NULL};

	memcpy(ret_words, words, sizeof(words));
}

static int run_hook(struct quick *quick, const char *hook)
{
	const char *argv[QUICK_HOOK_WORDS];
	char path[PATH_MAX];

	if (!quick_has_program("bash", path))
		return err_set(quick->err, -1, "hooks need bash, and there is none in PATH");
	quick_hook_words(quick->name, hook, argv);
	return quick_run(quick, path, argv, NULL);
}

int quick_hooks(struct quick *quick, enum quick_hook hook)
{
	const struct quick_texts *hooks = &quick->config.hooks[hook];
	int r = 0;

	if (hooks->count && quick->spaces.missing && !quick->options->dry_run) {
		quick_say(quick, QUICK_WARNING, "%s is not run: its network namespace is gone",
			quick_hook_name(hook));
		return 0;
	}
	for (size_t i = 0; i < hooks->count && r >= 0; i++) {
		CLEANUP_FREE char *text = quick_hook_text(hooks->items[i], quick->name);

		r = quick_check_signal(quick, 0);
		if (r < 0)
			break;
		quick_say(quick, QUICK_HOOK, "%s = %s", quick_hook_name(hook), text);
		if (quick->options->dry_run)
			continue;
		quick_forget_device(quick);
		r = run_hook(quick, text);
		if (r < 0 && !quick->signal)
			err_prefix(quick->err, r, "%s", quick_hook_name(hook));
	}
	return r;
}
