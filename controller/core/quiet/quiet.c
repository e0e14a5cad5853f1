/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/quiet/quiet.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static struct quiet_file *find(const struct quiet *quiet, int directory, const char *name)
{
	for (size_t i = 0; i < quiet->count; i++)
		if (quiet->written[i].directory == directory && strcmp(quiet->written[i].name, name) == 0)
			return &quiet->written[i];
	return NULL;
}

static void set(struct quiet_file *file, int directory, const char *name)
{
	file->directory = directory;
	text_copy(file->name, sizeof file->name, name);
}

static void begin(struct quiet *quiet, int directory, const char *name)
{
	if (find(quiet, directory, name) || quiet->count == QUIET_WRITINGS_MAX)
		return;
	quiet->written = mem_grow(quiet->written, &quiet->capacity, quiet->count + 1, sizeof *quiet->written);
	set(&quiet->written[quiet->count++], directory, name);
}

static void end(struct quiet *quiet, int directory, const char *name)
{
	struct quiet_file *file = find(quiet, directory, name);
	if (file)
		*file = quiet->written[--quiet->count];
}

void quiet_note(
	struct quiet *quiet, enum quiet_change change, int directory, const char *name, int64_t now_ms)
{
	if (!quiet->pending)
		quiet->first_ms = now_ms;
	quiet->pending = true;
	quiet->last_ms = now_ms;
	set(&quiet->last, directory, name);
	if (change == QUIET_WRITTEN)
		begin(quiet, directory, name);
	else if (change == QUIET_CHANGED)
		end(quiet, directory, name);
}

int64_t quiet_due_ms(const struct quiet *quiet)
{
	if (!quiet->pending)
		return -1;
	return quiet->last_ms + (quiet->count ? QUIET_WRITING_MS : QUIET_MS);
}

bool quiet_take(struct quiet *quiet, int64_t now_ms)
{
	if (!quiet->pending || now_ms < quiet_due_ms(quiet))
		return false;
	quiet->pending = false;
	quiet->count = 0;
	return true;
}

const struct quiet_file *quiet_restless(const struct quiet *quiet, int64_t now_ms)
{
	return quiet->pending && now_ms - quiet->first_ms >= QUIET_RESTLESS_MS ? &quiet->last : NULL;
}

void quiet_clear(struct quiet *quiet)
{
	free(quiet->written);
	*quiet = (struct quiet){0};
}
