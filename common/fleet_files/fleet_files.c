/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/fleet_files/fleet_files.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/yaml/conf.h"

/* Which file it is, whatever its path. */
struct identity {
	dev_t device;
	ino_t inode;
};

struct loader {
	struct fleet_files files;
	struct identity *identities; /* of files.items */
	size_t identity_capacity, bytes;
	struct file_places *places; /* NULL: nobody asks */
};

/* The includes that led to a file. */
struct chain {
	const struct chain *up;
	struct identity identity;
	unsigned depth;
};

static int load(struct loader *loader, const char *path, const struct chain *up,
	const struct conf_node *include, struct err *err);

static bool same(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* A complaint about a file: where it is included, or at the file itself. */
static int fail(
	const struct conf_node *include, const char *path, int code, const char *what, struct err *err)
{
	if (include)
		return conf_fail(include, err, code, "include: %s: %s", path, what);
	return err_at(err, code, path, 0, 0, "%s", what);
}

static int identify(
	const char *path, const struct conf_node *include, struct identity *ret_identity, struct err *err)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return fail(include, path, -errno, strerror(errno), err);
	*ret_identity = (struct identity){.device = status.st_dev, .inode = status.st_ino};
	return 0;
}

static int check_chain(
	const struct chain *chain, const char *path, const struct conf_node *include, struct err *err)
{
	for (const struct chain *link = chain->up; link; link = link->up) {
		if (same(&link->identity, &chain->identity))
			return fail(include, path, -ELOOP, "includes itself", err);
	}
	if (chain->depth > FLEET_FILES_DEPTH_MAX)
		return fail(include, path, -ELOOP, "includes are nested too deep", err);
	return 0;
}

static bool is_loaded(const struct loader *loader, const struct identity *identity)
{
	for (size_t i = 0; i < loader->files.count; i++) {
		if (same(&loader->identities[i], identity))
			return true;
	}
	return false;
}

static void add_file(struct loader *loader, const struct fleet_file *file, const struct identity *identity)
{
	struct fleet_files *files = &loader->files;

	files->items = mem_grow(files->items, &files->capacity, files->count + 1, sizeof(*files->items));
	loader->identities = mem_grow(loader->identities, &loader->identity_capacity, files->count + 1,
		sizeof(*loader->identities));
	loader->identities[files->count] = *identity;
	files->items[files->count++] = *file;
	loader->bytes += file->size;
}

static int read_file(struct loader *loader, const char *path, const struct identity *identity,
	const struct conf_node *include, struct fleet_file *ret_file, struct err *err)
{
	struct fleet_file file;
	int r;

	if (loader->files.count == FLEET_FILES_MAX)
		return fail(include, path, -E2BIG, "too many files: at most 10000", err);
	r = file_read(path, FLEET_FILES_BYTES_MAX - loader->bytes, &file.text, &file.size, err);
	if (r == -EFBIG)
		return fail(include, path, -E2BIG, "too large: all files together at most 32 MiB", err);
	if (r < 0)
		return r;
	file.name = mem_text(path);
	add_file(loader, &file, identity);
	*ret_file = file;
	return 0;
}

static int load_glob(struct loader *loader, const char *pattern, const struct chain *chain,
	const struct conf_node *include, struct err *err)
{
	glob_t found = {0};
	int r;

	if (loader->places)
		file_places_add_pattern(loader->places, pattern);
	r = glob(pattern, 0, NULL, &found);
	if (r == GLOB_NOMATCH)
		return 0;
	if (r)
		return fail(include, pattern, -EIO, "cannot be looked for", err);
	for (size_t i = 0; !r && i < found.gl_pathc; i++)
		r = load(loader, found.gl_pathv[i], chain, include, err);
	globfree(&found);
	return r;
}

static void note_include(struct fleet_files *files, const char *path)
{
	files->includes = mem_grow(files->includes, &files->include_capacity, files->include_count + 1,
		sizeof(*files->includes));
	files->includes[files->include_count++] = mem_text(path);
}

static int load_include(struct loader *loader, const char *base, const struct chain *chain,
	const struct conf_node *include, struct err *err)
{
	char *path CLEANUP_FREE = NULL;

	/* Something else than text: whoever reads the fleet says so. */
	if (include->kind != CONF_SCALAR || conf_is_null(include))
		return 0;
	path = file_beside(base, include->text);
	note_include(&loader->files, path);
	if (strpbrk(include->text, "*?["))
		return load_glob(loader, path, chain, include, err);
	return load(loader, path, chain, include, err);
}

static int load_includes(
	struct loader *loader, const struct fleet_file *file, const struct chain *chain, struct err *err)
{
	const struct conf_node *list;
	struct conf_doc *doc;
	int r = 0;

	if (conf_parse(file->name, file->text, file->size, &conf_limits_fleet, &doc, NULL))
		return 0;
	list = conf_find(conf_root(doc), "include");
	for (size_t i = 0; !r && i < conf_list_count(list); i++)
		r = load_include(loader, file->name, chain, conf_list_item(list, i), err);
	conf_free(doc);
	return r;
}

static int load(struct loader *loader, const char *path, const struct chain *up,
	const struct conf_node *include, struct err *err)
{
	struct chain chain = {.up = up, .depth = up ? up->depth + 1 : 0};
	/* A copy: the array moves while its includes are added, the texts do not. */
	struct fleet_file file = {0};
	int r;

	if (loader->places)
		file_places_add_file(loader->places, path);
	if ((r = identify(path, include, &chain.identity, err)) ||
		(r = check_chain(&chain, path, include, err)))
		return r;
	if (is_loaded(loader, &chain.identity))
		return 0;
	r = read_file(loader, path, &chain.identity, include, &file, err);
	return r ? r : load_includes(loader, &file, &chain, err);
}

int fleet_files_read(const char *path, struct fleet_files *ret_files, struct err *err)
{
	return fleet_files_read_and_place(path, ret_files, NULL, err);
}

int fleet_files_read_and_place(
	const char *path, struct fleet_files *ret_files, struct file_places *places, struct err *err)
{
	struct loader loader = {.places = places};
	int r = load(&loader, path, NULL, NULL, err);

	free(loader.identities);
	if (r)
		fleet_files_clear(&loader.files);
	else
		*ret_files = loader.files;
	return r;
}

static bool is_file(const char *path, const struct identity *wanted)
{
	struct stat status;

	return !stat(path, &status) && status.st_dev == wanted->device && status.st_ino == wanted->inode;
}

static bool finds(const char *pattern, const struct identity *wanted)
{
	glob_t found = {0};
	bool there = false;

	if (glob(pattern, 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc && !there; i++)
		there = is_file(found.gl_pathv[i], wanted);
	globfree(&found);
	return there;
}

bool fleet_files_include(const struct fleet_files *files, const char *path)
{
	struct identity wanted = {0};
	struct err err;

	if (identify(path, NULL, &wanted, &err))
		return false;
	for (size_t i = 0; i < files->include_count; i++)
		if (is_file(files->includes[i], &wanted) || finds(files->includes[i], &wanted))
			return true;
	return false;
}

void fleet_files_clear(struct fleet_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].name);
		free(files->items[i].text);
	}
	for (size_t i = 0; i < files->include_count; i++)
		free(files->includes[i]);
	free(files->includes);
	free(files->items);
	*files = (struct fleet_files){0};
}
