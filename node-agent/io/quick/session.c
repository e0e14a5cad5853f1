/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"

/* One command at work on one tunnel: its files, its lock, its journal, the namespace of its interface; and how it ends. */

void quick_say(const struct quick *quick, enum quick_word word, const char *format, ...)
{
	char *text;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	quick->options->say(word, text ? text : "");
	free(text);
}

/* Interfaces of the same name may exist in several network namespaces: each has a directory of its own. */
static int choose_directory(struct quick *quick)
{
	struct stat status;
	int length;

	if (stat("/proc/self/ns/net", &status) < 0)
		return err_set(
			quick->err, -errno, "/proc/self/ns/net: %s (is /proc mounted?)", strerror(errno));
	length = snprintf(quick->directory, sizeof(quick->directory), "%s/quick/net-%llu",
		quick->options->run_directory, (unsigned long long)status.st_ino);
	if (length >= (int)sizeof(quick->directory) - 64)
		return err_set(quick->err, -ENAMETOOLONG, "--run: the path is too long");
	text_copy(quick->route_directory, sizeof(quick->route_directory), quick->directory);
	return 0;
}

int quick_begin(struct quick *quick, const struct quick_options *options, struct err *err)
{
	*quick = (struct quick){.options = options,
		.err = err,
		.lock_fd = -1,
		.route_lock_fd = -1,
		.spaces = QUICK_SPACES_NONE,
		.signal_fd = -1,
		.cancel_fd = -1};
	*err = (struct err){0};
	if (geteuid() != 0)
		return err_set(err, -EPERM, "this must be run as root");
	return choose_directory(quick);
}

int quick_end(struct quick *quick, int result)
{
	int status = result < 0 ? (quick->status ? quick->status : 1) : 0;

	wg_device_clear(&quick->device);
	quick_spaces_leave(quick);
	quick_unlock(quick);
	if (quick->text)
		mem_wipe(quick->text, quick->size);
	free(quick->text);
	free(quick->endpoints);
	quick_config_clear(&quick->config);
	quick_sidecar_clear(&quick->sidecar);
	free(quick->sidecar_text);
	quick_allowed_clear(&quick->allowed);
	quick_journal_clear(&quick->journal);
	quick_signals_restore(quick);
	return status;
}

int quick_session(const struct quick_options *options, const struct quick_command *command, struct err *err)
{
	struct quick quick;
	int r = quick_begin(&quick, options, err);

	if (r >= 0)
		r = command->load(&quick);
	if (r >= 0)
		r = quick_signals_block(&quick);
	if (r >= 0)
		r = quick_lock(&quick);
	if (r >= 0)
		r = quick_journal_read(&quick);
	if (r >= 0 && command->may)
		r = command->may(&quick);
	if (r >= 0)
		r = quick_enter_as_made(&quick);
	if (r >= 0)
		r = command->work(&quick);
	return quick_end(&quick, r);
}
