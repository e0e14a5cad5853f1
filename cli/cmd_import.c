/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/fleet.h"
#include "cli/import.h"
#include "cli/made_files.h"
#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/io/key_pair.h"
#include "common/json/write.h"
#include "node-agent/core/quick/read.h"

enum { SOURCES_MAX = PROTO_GATEWAYS_MAX * PROTO_TUNNELS_MAX };

struct request {
	const char *label, *out;
	size_t count;
	struct import_source *sources; /* owned */
	size_t unnamed;                /* gateways that no directory named, so far */
	bool as_json;
};

/* ---- which gateway, which tunnel ---- */

/* Like the part of a path that ends at `end`, without the slashes. */
static void last_part(const char *path, const char *end, char *name, size_t size)
{
	const char *begin = end;

	while (begin > path && begin[-1] != '/')
		begin--;
	snprintf(name, size, "%.*s", (int)(end - begin), begin);
}

/* Files of one directory are of one gateway. */
static const struct import_source *same_directory(const struct request *request, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t length = slash ? (size_t)(slash - file) : 0;

	for (size_t i = 0; i < request->count; i++) {
		const char *other = request->sources[i].file, *other_slash = strrchr(other, '/');

		if (length == (other_slash ? (size_t)(other_slash - other) : 0) &&
			!strncmp(other, file, length))
			return &request->sources[i];
	}
	return NULL;
}

/* "GATEWAY=FILE"; else the directory's name, unless that is where such files are on any host; else gateway-1, ... */
static int name_gateway(
	struct request *request, const char *given, struct import_source *source, struct err *err)
{
	const char *equals = strchr(given, '='), *slash;
	const struct import_source *sibling;

	source->file = equals ? equals + 1 : given;
	slash = strrchr(source->file, '/');
	if (equals)
		snprintf(source->gateway, sizeof(source->gateway), "%.*s", (int)(equals - given), given);
	else if (slash)
		last_part(source->file, slash, source->gateway, sizeof(source->gateway));
	if (equals && !text_is_name(source->gateway, PROTO_NAME_MAX))
		return err_at(err, -EINVAL, given, 0, 0, "what stands before = is no name of a gateway");
	if (equals || (text_is_name(source->gateway, PROTO_NAME_MAX) && strcmp(source->gateway, "wireguard")))
		return 0;
	sibling = same_directory(request, source->file);
	if (sibling)
		text_copy(source->gateway, sizeof(source->gateway), sibling->gateway);
	else
		snprintf(source->gateway, sizeof(source->gateway), "gateway-%zu", ++request->unnamed);
	return 0;
}

static int name_tunnel(struct import_source *source, struct err *err)
{
	char base[PROTO_INTERFACE_MAX + 16];
	size_t length;

	last_part(source->file, source->file + strlen(source->file), base, sizeof(base));
	length = strlen(base);
	if (length > 5 && !strcmp(base + length - 5, ".conf"))
		base[length - 5] = '\0';
	if (!text_is_name(base, PROTO_INTERFACE_MAX))
		return err_at(err, -EINVAL, source->file, 0, 0,
			"is no INTERFACE.conf: the interface has its name from it");
	text_copy(source->tunnel, sizeof(source->tunnel), base);
	return 0;
}

/* ---- reading ---- */

static int take_text(struct import_source *source, const char *text, size_t size, struct err *err)
{
	int r = quick_read(source->file, text, size, &source->config, err);

	if (r < 0)
		return r;
	if (!source->config.has_private_key || key_is_zero(&source->config.private_key))
		return err_at(
			err, -EINVAL, source->file, 0, 0, "has no PrivateKey: put it in for the import");
	key_pair_public(&source->config.private_key, &source->public_key);
	quick_allowed_init(&source->allowed, &source->config, source->file, &source->notes.told);
	return 0;
}

static int read_source(struct request *request, const char *given, struct err *err)
{
	struct import_source *source = &request->sources[request->count];
	char *text = NULL;
	size_t size = 0;
	int r = name_gateway(request, given, source, err);

	if (!r)
		r = name_tunnel(source, err);
	if (!r)
		r = file_read(source->file, QUICK_FILE_MAX_BYTES, &text, &size, err);
	if (r < 0)
		return r;
	conf_notes_read(source->file, text, size, &source->notes);
	r = take_text(source, text, size, err);
	mem_wipe(text, size);
	free(text);
	request->count++;
	for (size_t i = 0; i + 1 < request->count && !r; i++)
		if (!strcmp(request->sources[i].gateway, source->gateway) &&
			!strcmp(request->sources[i].tunnel, source->tunnel))
			r = err_at(err, -EINVAL, source->file, 0, 0,
				"%s of gateway %s is here twice; say whose it is: GATEWAY=%s", source->tunnel,
				source->gateway, source->file);
	return r;
}

static void clear(struct request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		quick_allowed_clear(&request->sources[i].allowed);
		conf_notes_clear(&request->sources[i].notes);
		quick_config_clear(&request->sources[i].config);
	}
	free(request->sources);
}

/* ---- writing ---- */

static int write_key(
	struct made_files *made, const char *fleet, const struct import_key *key, struct err *err)
{
	CLEANUP_FREE char *path = file_beside(fleet, key->path);
	char text[KEY_TEXT_MAX + 1];
	int r;

	key_format(key->key, text);
	strcat(text, "\n");
	r = made_files_add(made, path, text, strlen(text), 0600, err);
	mem_wipe(text, sizeof(text));
	return r;
}

static int write_all(const char *fleet, const struct import_result *result, struct err *err)
{
	struct made_files made = {0};
	int r = made_files_add(&made, fleet, result->fleet.data, result->fleet.length, 0644, err);

	for (size_t i = 0; !r && i < result->key_count; i++)
		r = write_key(&made, fleet, &result->keys[i], err);
	if (r < 0)
		made_files_undo(&made);
	made_files_clear(&made);
	return r;
}

/* ---- telling ---- */

static int is_not_valid(const struct request *request, struct err *err)
{
	return err_at(err, -EBADMSG, request->out, 0, 0, "is written, and is not valid yet: see above");
}

static int tell(const struct request *request, const struct import_result *result, struct err *err)
{
	struct fleet_files files;
	int r;

	for (size_t i = 0; i < result->told.count; i++)
		fprintf(stderr, "holdfast: %s\n", result->told.items[i]);
	fprintf(stderr,
		"%s: written, and %zu keys beside it, mode 0600: they belong beside every "
		"agent.yaml\n",
		request->out, result->key_count);
	r = fleet_check(request->out, &files, NULL, err);
	if (r == -EINVAL)
		return is_not_valid(request, err);
	if (!r)
		fleet_files_clear(&files);
	return r;
}

/* What was written and what has to be looked at. Of the keys, where they are. */
static void print_json(const struct request *request, const struct import_result *result,
	const struct diagnostics *diagnostics)
{
	json_t *json = json_object(), *list;

	jput_text(json, "fleet", request->out);
	list = jput_array(json, "keys");
	for (size_t i = 0; i < result->key_count; i++) {
		CLEANUP_FREE char *path = file_beside(request->out, result->keys[i].path);

		jput_text(list, NULL, path);
	}
	list = jput_array(json, "notes");
	for (size_t i = 0; i < result->told.count; i++)
		jput_text(list, NULL, result->told.items[i]);
	fleet_put_diagnostics(json, diagnostics);
	command_print_json(json);
	json_decref(json);
}

static int tell_as_json(const struct request *request, const struct import_result *result, struct err *err)
{
	struct diagnostics diagnostics;
	struct fleet_files files;
	int r = fleet_examine(request->out, &files, NULL, &diagnostics, err);

	if (!r || r == -EINVAL)
		print_json(request, result, &diagnostics);
	diagnostics_clear(&diagnostics);
	if (r == -EINVAL)
		return is_not_valid(request, err);
	if (!r)
		fleet_files_clear(&files);
	return r;
}

static int make(const struct request *request, struct err *err)
{
	struct import_result result;
	int r;

	import_make(request->label, request->sources, request->count, &result);
	r = write_all(request->out, &result, err);
	if (!r)
		r = request->as_json ? tell_as_json(request, &result, err) : tell(request, &result, err);
	import_result_clear(&result);
	return r;
}

static int read_options(const struct invocation *invocation, struct request *request)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'o')
			request->out = optarg;
		else if (option == 'n')
			request->label = optarg;
		else if (option == 'j')
			request->as_json = true;
		else
			return command_misused(invocation, NULL);
	}
	if (!text_is_name(request->label, PROTO_NAME_MAX))
		return command_misused(
			invocation, "--name: a name is made of letters, digits, '-', '_' and '.'");
	if (optind == invocation->argc || invocation->argc - optind > SOURCES_MAX)
		return command_misused(invocation, "needs one or more wg-quick files");
	return COMMAND_OK;
}

int command_import(const struct invocation *invocation)
{
	struct request request = {.label = "imported", .out = "fleet.yaml"};
	struct err err;
	int r = read_options(invocation, &request);

	if (r != COMMAND_OK)
		return r;
	request.sources = mem_new((size_t)(invocation->argc - optind), sizeof(*request.sources));
	for (int i = optind; !r && i < invocation->argc; i++)
		r = read_source(&request, invocation->argv[i], &err);
	if (!r)
		r = make(&request, &err);
	clear(&request);
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}
