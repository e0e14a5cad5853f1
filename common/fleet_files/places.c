/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/fleet_files/places.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"

struct walk {
	struct file_places *places;
	bool is_pattern;
};

static void step(const struct walk *walk, const char *directory, const char *rest, unsigned links);

/* "" and "a" give "a", "/" and "a" give "/a". The caller frees. */
static char *join(const char *directory, const char *name)
{
	struct text path = {0};
	size_t length = strlen(directory);

	text_add(&path, "%s%s%s", directory, length && directory[length - 1] != '/' ? "/" : "", name);
	return text_take(&path);
}

static bool matches(const struct file_place_name *name, const char *text)
{
	return name->is_pattern ? !fnmatch(name->text, text, FNM_PERIOD) : !strcmp(name->text, text);
}

bool file_place_has(const struct file_place *place, const char *name)
{
	if (place->has_any)
		return true;
	for (size_t i = 0; i < place->count; i++) {
		if (matches(&place->names[i], name))
			return true;
	}
	return false;
}

/* NULL beyond the limit. */
static struct file_place *place_of(struct file_places *places, const char *directory)
{
	const char *name = *directory ? directory : ".";

	for (size_t i = places->count; i > 0; i--) { /* the last is asked for again and again */
		if (!strcmp(places->items[i - 1].directory, name))
			return &places->items[i - 1];
	}
	if (places->count == FILE_PLACES_MAX) {
		places->is_cut = true;
		return NULL;
	}
	places->items = mem_grow(places->items, &places->capacity, places->count + 1, sizeof(*places->items));
	places->items[places->count].directory = mem_text(name);
	return &places->items[places->count++];
}

static bool has_name(const struct file_place *place, const char *text, bool is_pattern)
{
	for (size_t i = 0; i < place->count; i++) {
		if (place->names[i].is_pattern == is_pattern && !strcmp(place->names[i].text, text))
			return true;
	}
	return !is_pattern && file_place_has(place, text);
}

bool file_place_covers(const struct file_place *place, const struct file_place *other)
{
	if ((other->has_files && !place->has_files) || (other->has_any && !place->has_any))
		return false;
	for (size_t i = 0; i < other->count && !place->has_any; i++) {
		if (!has_name(place, other->names[i].text, other->names[i].is_pattern))
			return false;
	}
	return true;
}

static void add_name(
	struct file_places *places, const char *directory, const char *text, bool is_pattern, bool is_file)
{
	struct file_place *place = place_of(places, directory);

	if (!place)
		return;
	place->has_files |= is_file;
	if (place->has_any || has_name(place, text, is_pattern))
		return;
	place->has_any = place->count == FILE_PLACE_NAMES_MAX;
	if (place->has_any)
		return;
	place->names = mem_grow(place->names, &place->capacity, place->count + 1, sizeof(*place->names));
	place->names[place->count++] =
		(struct file_place_name){.text = mem_text(text), .is_pattern = is_pattern};
}

/* Where a symbolic link leads, and on from there; NULL: it is none. The caller frees. Not on the stack, of which whoever walks on
 * needs some for each component. */
static char *target_of(const char *path, const char *rest)
{
	char *target CLEANUP_FREE = mem_new(1, PATH_MAX);
	ssize_t length = readlink(path, target, PATH_MAX - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	return *rest ? join(target, rest) : mem_text(target);
}

/* What the name in that directory leads to: another path, or simply on. */
static void go_on(
	const struct walk *walk, const char *directory, const char *name, const char *rest, unsigned links)
{
	char *path CLEANUP_FREE = join(directory, name), *target CLEANUP_FREE = target_of(path, rest);

	if (target && links < FILE_PLACE_LINKS_MAX)
		step(walk, *target == '/' ? "/" : directory, target, links + 1);
	else if (!target && *rest && !access(path, F_OK))
		step(walk, path, rest, links);
}

static void go_on_with_all(
	const struct walk *walk, const char *directory, const char *pattern, const char *rest, unsigned links)
{
	DIR *listing = opendir(*directory ? directory : ".");
	struct dirent *entry;

	while (listing && (entry = readdir(listing))) {
		if (!fnmatch(pattern, entry->d_name, FNM_PERIOD))
			go_on(walk, directory, entry->d_name, rest, links);
	}
	if (listing)
		closedir(listing);
}

static void step(const struct walk *walk, const char *directory, const char *rest, unsigned links)
{
	const char *begin = rest + strspn(rest, "/"), *end = begin + strcspn(begin, "/");
	const char *after = end + strspn(end, "/");
	char *name CLEANUP_FREE = NULL, *path CLEANUP_FREE = NULL;
	bool is_pattern;

	if (begin == end || walk->places->is_cut)
		return;
	name = mem_copy(begin, (size_t)(end - begin) + 1);
	name[end - begin] = '\0';
	if (!strcmp(name, ".") || !strcmp(name, "..")) {
		path = join(directory, name);
		step(walk, path, after, links);
		return;
	}
	is_pattern = walk->is_pattern && strpbrk(name, "*?[\\");
	add_name(walk->places, directory, name, is_pattern, !*after);
	if (!is_pattern)
		go_on(walk, directory, name, after, links);
	else if (*after)
		go_on_with_all(walk, directory, name, after, links);
}

void file_places_add_file(struct file_places *places, const char *path)
{
	step(&(struct walk){.places = places}, *path == '/' ? "/" : "", path, 0);
}

void file_places_add_pattern(struct file_places *places, const char *pattern)
{
	step(&(struct walk){.places = places, .is_pattern = true}, *pattern == '/' ? "/" : "", pattern, 0);
}

void file_places_clear(struct file_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		struct file_place *place = &places->items[i];

		for (size_t j = 0; j < place->count; j++)
			free(place->names[j].text);
		free(place->names);
		free(place->directory);
	}
	free(places->items);
	*places = (struct file_places){0};
}
