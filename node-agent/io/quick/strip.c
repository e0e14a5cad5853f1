/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/strip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "node-agent/core/quick/line.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/session.h"

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
