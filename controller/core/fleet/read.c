/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/read.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/check.h"
#include "controller/core/fleet/defaults.h"
#include "controller/core/fleet/note.h"
#include "controller/core/fleet/reader.h"

/* Only the fleet file itself is asked who it is and what holds for all. */
static void read_label(struct reader *reader, const struct conf_node *root)
{
	const char *name;

	if (reader_require(reader, root, "fleet") &&
		reader_ok_in(reader, "fleet",
			conf_as_name(conf_find(root, "fleet"), PROTO_NAME_MAX, &name, &reader->err)))
		(void)text_copy(reader->fleet->name, sizeof(reader->fleet->name), name);
}

static void refuse_in_include(struct reader *reader, const struct conf_node *root, const char *key)
{
	const struct conf_node *node = conf_find_key(root, key);

	if (node)
		reader_fail(reader, node, "\"%s\" belongs into the fleet file itself, %s", key,
			reader->fleet->sources[0]);
}

static void read_includes(struct reader *reader, const struct conf_node *root)
{
	const struct conf_node *list = conf_find(root, "include");
	const char *path;

	for (size_t i = 0; i < conf_list_count(list); i++)
		(void)reader_ok_in(reader, "include",
			conf_as_text(conf_list_item(list, i), PROTO_PATH_MAX, &path, &reader->err));
}

static void read_sections(struct reader *reader, const struct conf_node *root)
{
	static const struct {
		const char *key;
		void (*read)(struct reader *reader, const struct conf_node *node);
	} sections[] = {{"gateways", read_gateways}, {"virtual_endpoints", read_endpoints},
		{"tunnels", read_tunnels}, {"groups", read_groups}, {"peers", read_peers}};

	for (size_t i = 0; i < ARRAY_COUNT(sections); i++) {
		const struct conf_node *node = conf_find(root, sections[i].key);

		if (node)
			sections[i].read(reader, node);
	}
}

static void read_root(struct reader *reader, const struct conf_node *root)
{
	if (!reader_keys(reader, root, KEYS_ROOT))
		return;
	if (reader->source == 0) {
		read_label(reader, root);
		if (conf_find(root, "defaults"))
			read_defaults(reader, conf_find(root, "defaults"));
	} else {
		refuse_in_include(reader, root, "fleet");
		refuse_in_include(reader, root, "defaults");
	}
	reader->has_gateways |= conf_find(root, "gateways") != NULL;
	reader->has_tunnels |= conf_find(root, "tunnels") != NULL;
	read_includes(reader, root);
	read_sections(reader, root);
}

/* False if it is not even YAML. */
static bool read_source(struct reader *reader, const struct fleet_source *source)
{
	struct conf_doc *doc;

	if (!reader_ok(reader, conf_parse(source->name, source->text, source->size, &conf_limits_fleet, &doc,
				       &reader->err)))
		return false;
	read_root(reader, conf_root(doc));
	conf_free(doc);
	return true;
}

static struct fleet *new_fleet(const struct fleet_source *sources, size_t count)
{
	struct fleet *fleet = mem_new(1, sizeof(*fleet));

	fleet->liveness_ms = DEFAULT_LIVENESS_MS;
	fleet->lease_ms = DEFAULT_LEASE_MS;
	fleet->sources = mem_new(count, sizeof(*fleet->sources));
	fleet->source_count = count;
	for (size_t i = 0; i < count; i++)
		fleet->sources[i] = mem_text(sources[i].name);
	return fleet;
}

static void check_sections(const struct reader *reader)
{
	struct diagnostic missing = {.file = reader->fleet->sources[0], .line = 1, .column = 1};

	missing.text = (char[]){"a fleet needs gateways"};
	if (!reader->has_gateways)
		diagnostics_add(reader->diagnostics, &missing);
	missing.text = (char[]){"a fleet needs tunnels"};
	if (!reader->has_tunnels)
		diagnostics_add(reader->diagnostics, &missing);
}

static void read_all(struct fleet *fleet, const struct fleet_source *sources, size_t count, bool stored,
	struct diagnostics *diagnostics)
{
	struct reader reader = {.fleet = fleet, .diagnostics = diagnostics};
	bool whole = true;

	for (size_t i = 0; i < count; i++) {
		reader.source = (uint32_t)i;
		whole = read_source(&reader, &sources[i]) && whole;
	}
	/* What a file that could not be read would have defined must not be reported as unknown. */
	if (!whole)
		return;
	check_sections(&reader);
	check_fleet(fleet, stored, diagnostics);
}

static int read_fleet(const struct fleet_source *sources, size_t count, bool stored, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics)
{
	struct diagnostic none = {.text = (char[]){"no files"}, .file = (char[]){""}};
	struct diagnostic many = {.text = (char[]){"too many files"}, .file = (char[]){""}};
	struct fleet *fleet;

	if (count == 0 || count > FLEET_SOURCES_MAX) {
		diagnostics_add(ret_diagnostics, count ? &many : &none);
		return -EINVAL;
	}
	fleet = new_fleet(sources, count);
	read_all(fleet, sources, count, stored, ret_diagnostics);
	diagnostics_sort(ret_diagnostics);
	if (ret_diagnostics->errors) {
		fleet_free(fleet);
		return -EINVAL;
	}
	*ret_fleet = fleet;
	return 0;
}

int fleet_read(const struct fleet_source *sources, size_t count, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics)
{
	return read_fleet(sources, count, false, ret_fleet, ret_diagnostics);
}

int fleet_read_stored(const struct fleet_source *sources, size_t count, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics)
{
	return read_fleet(sources, count, true, ret_fleet, ret_diagnostics);
}
