/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/export.h"
#include "cli/fleet.h"
#include "cli/made_files.h"
#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/json/write.h"

#define AGENT_DIRECTORY "/etc/holdfast"

struct request {
	const char *tunnel, *gateway, *fleet, *keys, *out;
	bool as_json;
};

static int read_request(const struct invocation *invocation, struct request *request)
{
	int option;

	*request = (struct request){.fleet = fleet_default_path()};
	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'f')
			request->fleet = optarg;
		else if (option == 'k')
			request->keys = optarg;
		else if (option == 'o')
			request->out = optarg;
		else if (option == 'j')
			request->as_json = true;
		else
			return command_misused(invocation, NULL);
	}
	if (optind + 2 != invocation->argc)
		return command_misused(invocation, "needs a gateway and a tunnel");
	request->gateway = invocation->argv[optind];
	request->tunnel = invocation->argv[optind + 1];
	if (!request->keys)
		return COMMAND_OK;
	if (geteuid() != 0)
		return command_misused(invocation, "--keys puts private keys into the file: as root only");
	if (!request->out)
		return command_misused(invocation,
			"--keys puts private keys into the file: needs --out FILE, which gets mode 0600");
	return COMMAND_OK;
}

static int read_key(void *context, const char *path, struct key *ret_key, struct err *err)
{
	CLEANUP_FREE char *inside = NULL;
	struct text base = {0};

	text_add(&base, "%s/agent.yaml", (const char *)context);
	inside = file_beside(base.data, path);
	text_clear(&base);
	return file_read_key(inside, ret_key, err);
}

static int find_gateway(const struct fleet *fleet, const struct fleet_tunnel *tunnel, const char *name,
	size_t *ret_gateway, struct err *err)
{
	const struct fleet_gateway *gateway = fleet_find_gateway(fleet, name);

	if (!gateway)
		return err_set(err, -ENOENT, "the fleet has no gateway \"%.64s\"", name);
	*ret_gateway = (size_t)(gateway - fleet->gateways);
	if (!fleet_tunnel_is_on(fleet, tunnel, *ret_gateway))
		return err_set(err, -ENOENT, "tunnel %s is not on gateway %s", tunnel->name, name);
	return 0;
}

static int put_out(const struct request *request, const struct text *text, struct err *err)
{
	struct made_files made = {0};
	int r;

	if (!request->out)
		return 0;
	r = made_files_add(&made, request->out, text->data, text->length, 0600, err);
	made_files_clear(&made);
	return r;
}

static void tell(const struct request *request, const struct text *text, const struct quick_texts *told)
{
	for (size_t i = 0; i < told->count; i++)
		fprintf(stderr, "holdfast: %s\n", told->items[i]);
	if (!request->out)
		fputs(text->data, stdout);
}

/* A text that is printed has no keys in it: those want --out, and then only the file is named. */
static void tell_as_json(
	const struct request *request, const struct text *text, const struct quick_texts *told)
{
	json_t *json = json_object(), *notes;

	jput_text(json, "gateway", request->gateway);
	jput_text(json, "tunnel", request->tunnel);
	jput_text(json, "file", request->out);
	if (!request->out)
		jput_text(json, "text", text->data);
	notes = jput_array(json, "notes");
	for (size_t i = 0; i < told->count; i++)
		jput_text(notes, NULL, told->items[i]);
	command_print_json(json);
	json_decref(json);
}

static int make(const struct request *request, const struct fleet *fleet, struct err *err)
{
	struct export export = {.fleet = fleet,
		.now_s = fleet_now_s(),
		.read_key = request->keys ? read_key : NULL,
		.directory = AGENT_DIRECTORY};
	struct quick_texts told = {0};
	struct text text = {0};
	int r = 0;

	for (size_t i = 0; i < fleet->tunnel_count; i++)
		if (!strcmp(fleet->tunnels[i].name, request->tunnel))
			export.tunnel = &fleet->tunnels[i];
	if (!export.tunnel)
		return err_set(err, -ENOENT, "the fleet has no tunnel \"%.32s\"", request->tunnel);
	export.context = (void *)(uintptr_t)request->keys; /* read_key() reads it only */
	r = find_gateway(fleet, export.tunnel, request->gateway, &export.gateway, err);
	if (!r)
		r = export_make(&export, &text, &told, err);
	if (!r)
		r = put_out(request, &text, err);
	if (!r && request->as_json)
		tell_as_json(request, &text, &told);
	else if (!r)
		tell(request, &text, &told);
	mem_wipe(text.data, text.capacity);
	text_clear(&text);
	quick_texts_clear(&told);
	return r;
}

int command_export(const struct invocation *invocation)
{
	struct request request;
	struct fleet_files files;
	struct fleet *fleet;
	struct err err;
	int r = read_request(invocation, &request);

	if (r != COMMAND_OK)
		return r;
	r = fleet_load(request.fleet, &files, &fleet, &err);
	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	r = make(&request, fleet, &err);
	fleet_free(fleet);
	fleet_files_clear(&files);
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}
