/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/fleet/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "proto/limits.h"

static const struct json_limits limits = {.max_bytes = BUNDLE_JSON_MAX, .max_depth = 8};

int bundle_add(struct bundle *bundle, const char *name, const char *text, size_t size, struct err *err)
{
	if (bundle->count == BUNDLE_FILES_MAX)
		return err_set(err, -E2BIG, "a fleet of more than %d files", BUNDLE_FILES_MAX);
	if (size > BUNDLE_BYTES_MAX - bundle->bytes)
		return err_at(err, -E2BIG, name, 0, 0, "with it the fleet's files are larger than %d MiB",
			BUNDLE_BYTES_MAX / 1024 / 1024);
	bundle->files = mem_grow(bundle->files, &bundle->capacity, bundle->count + 1, sizeof *bundle->files);
	char *copy = mem_new(size + 1, 1);
	memcpy(copy, text, size);
	bundle->files[bundle->count++] =
		(struct bundle_file){.name = mem_text(name), .text = copy, .size = size};
	bundle->bytes += size;
	return 0;
}

void bundle_clear(struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->count; i++) {
		free(bundle->files[i].name);
		free(bundle->files[i].text);
	}
	free(bundle->files);
	*bundle = (struct bundle){0};
}

char *bundle_encode(const struct bundle *bundle)
{
	json_t *json = json_object();
	json_t *files = jput_array(json, "files");
	for (size_t i = 0; i < bundle->count; i++) {
		json_t *file = jput_object(files, NULL);
		jput_text(file, "name", bundle->files[i].name);
		jput_text(file, "text", bundle->files[i].text);
	}
	char *text = json_canonical(json, NULL);
	json_decref(json);
	return text;
}

static int decode_file(const struct jnode *node, struct bundle *bundle, struct err *err)
{
	char name[PROTO_PATH_MAX + 1];
	CLEANUP_FREE char *text = NULL;
	int r = jnode_text(node, "name", JSON_REQUIRED, name, sizeof name, err);
	if (r < 0)
		return r;
	r = jnode_text_new(node, "text", JSON_REQUIRED, BUNDLE_BYTES_MAX, &text, err);
	if (r < 0)
		return r;
	if (!name[0])
		return jnode_fail(node, err, -EINVAL, "a file without a name");
	return bundle_add(bundle, name, text, strlen(text), err);
}

static int decode_files(const struct jnode *root, struct bundle *bundle, struct err *err)
{
	struct jnode files;
	int r = jnode_array(root, "files", JSON_REQUIRED, BUNDLE_FILES_MAX, &files, err);
	for (size_t i = 0; r >= 0 && i < jnode_count(&files); i++) {
		struct jnode file = jnode_item(&files, i);
		r = decode_file(&file, bundle, err);
	}
	if (r >= 0 && bundle->count == 0)
		r = jnode_fail(&files, err, -EINVAL, "no file");
	return r;
}

int bundle_decode(const char *json_text, size_t size, struct bundle *ret_bundle, struct err *err)
{
	struct bundle bundle = {0};
	json_t *json;
	int r = json_parse_bytes(json_text, size, &limits, &json, err);
	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	r = decode_files(&root, &bundle, err);
	json_decref(json);
	if (r < 0)
		bundle_clear(&bundle);
	else
		*ret_bundle = bundle;
	return r;
}
