/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FILE_PLACES_H
#define HOLDFAST_FILE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where a change would be one of a path: names in directories, from the root to the file, through symbolic links and whatever
 * a glob's directories match now. For whoever watches directories (inotify(7)): the file need not be there yet.
 */
enum {
	FILE_PLACES_MAX = 1000,     /* directories */
	FILE_PLACE_NAMES_MAX = 256, /* told apart in one; beyond, all of its names count */
	FILE_PLACE_LINKS_MAX = 40,  /* symbolic links in one path, as the kernel follows */
};

struct file_place_name {
	char *text;
	bool is_pattern; /* as glob(7) matches: no leading dot */
};

struct file_place {
	char *directory;
	bool has_files; /* what a file of that name holds counts, too, and not only that there is one */
	bool has_any;   /* every name counts */
	size_t count, capacity;
	struct file_place_name *names;
};

struct file_places {
	size_t count, capacity;
	struct file_place *items;
	bool is_cut; /* there would be more than FILE_PLACES_MAX */
};

void file_places_add_file(struct file_places *places, const char *path);
void file_places_add_pattern(struct file_places *places, const char *pattern);
/* Does that name count there? */
bool file_place_has(const struct file_place *place, const char *name);
/* Does every change that counts for the other one count for this one, too? Both of the same directory. */
bool file_place_covers(const struct file_place *place, const struct file_place *other);
void file_places_clear(struct file_places *places);

#endif
