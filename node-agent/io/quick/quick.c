/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/quick/quick.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/core/quick/line.h"
#include "node-agent/core/quick/strip.h"
#include "node-agent/io/quick/quick_int.h"

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
		.signal_fd = -1};
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

/* wg-quick refuses a bad SaveConfig even here. */
static int check_save_config(struct quick *quick)
{
	struct quick_lines lines;
	struct quick_line line;

	quick_lines_init(&lines, quick->text, quick->size);
	while (quick_lines_next(&lines, &line))
		if (line.key == QUICK_KEY_SAVE_CONFIG && !quick_span_is(line.value, "true") &&
			!quick_span_is(line.value, "false"))
			return err_at(quick->err, -EINVAL, quick->path, line.number,
				quick_column(&line, line.value.at), "SaveConfig is neither true nor false");
	return 0;
}

int quick_print_stripped(const struct quick_options *options, struct err *err)
{
	struct quick quick;
	char *stripped;
	int r = quick_begin(&quick, options, err);

	if (r >= 0)
		r = quick_find(&quick);
	if (r >= 0)
		r = file_read(quick.path, QUICK_FILE_MAX_BYTES, &quick.text, &quick.size, err);
	if (r >= 0)
		r = check_save_config(&quick);
	if (r >= 0) {
		stripped = quick_strip(quick.text, quick.size);
		options->say(QUICK_OUTPUT, stripped);
		mem_wipe(stripped, strlen(stripped));
		free(stripped);
	}
	return quick_end(&quick, r);
}
