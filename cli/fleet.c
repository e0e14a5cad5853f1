/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "controller/core/fleet/read.h"

static void print_diagnostics(const struct diagnostics *diagnostics)
{
	char line[DIAGNOSTIC_TEXT_MAX];
	size_t all = diagnostics->errors + diagnostics->warnings;

	for (size_t i = 0; i < diagnostics->count; i++)
		fprintf(stderr, "%s%s\n", diagnostic_format(&diagnostics->items[i], line, sizeof(line)),
			diagnostics->items[i].warning ? " (warning)" : "");
	if (all > diagnostics->count)
		fprintf(stderr, "and %zu more\n", all - diagnostics->count);
}

static int read_sources(const struct fleet_files *files, struct fleet **ret_fleet)
{
	CLEANUP_FREE struct fleet_source *sources = mem_new(files->count, sizeof(*sources));
	struct diagnostics diagnostics = {0};
	int r;

	for (size_t i = 0; i < files->count; i++)
		sources[i] = (struct fleet_source){
			files->items[i].name, files->items[i].text, files->items[i].size};
	r = fleet_read(sources, files->count, ret_fleet, &diagnostics);
	print_diagnostics(&diagnostics);
	diagnostics_clear(&diagnostics);
	return r;
}

int fleet_check(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet, struct err *err)
{
	struct fleet_files files = {0};
	struct fleet *fleet = NULL;
	int r = fleet_files_read(path, &files, err);

	if (r < 0)
		return r == -EINVAL ? -EBADMSG : r; /* -EINVAL means that all has been said */
	r = read_sources(&files, &fleet);
	if (r < 0) {
		fleet_files_clear(&files);
		return -EINVAL;
	}
	*ret_files = files;
	if (ret_fleet)
		*ret_fleet = fleet;
	else
		fleet_free(fleet);
	return 0;
}
