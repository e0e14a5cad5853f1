/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client_file.h"
#include "cli/command.h"
#include "cli/fleet.h"
#include "cli/made_files.h"
#include "cli/qr.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/key_pair.h"
#include "common/json/write.h"
#include "common/yaml/plain.h"

/*
 * holdfast peer new: a client from nothing. The fleet gets the public key; the private key goes to standard output or a file
 * that the caller names, and nowhere else.
 */
enum {
	GROUPS_MAX = 16,
	PNG_SCALE = 8,                   /* pixels to a module */
	PICTURE_MAX_BYTES = 1024 * 1024, /* room for the largest of either kind, so that it never moves */
};

struct request {
	const char *name, *fleet, *tunnel, *dial, *into, *png, *out;
	size_t group_count, address_count;
	const char *groups[GROUPS_MAX];
	struct prefix addresses[CLIENT_ADDRESSES_MAX];
	bool preshared, as_json;
};

/* What is made of it. */
struct client {
	struct key private_key, public_key, preshared_key; /* secret, but for the public one; wiped */
	struct text conf;                                  /* secret */
	struct qr *code;                                   /* secret; NULL: does not fit */
	char *entry;                                       /* for the fleet file */
	char *entry_path, *preshared_path;                 /* NULL: not asked for */
	bool included;                                     /* an include: names entry_path */
};

/* ---- options ---- */

static int add_address(struct request *request, const char *text, struct err *err)
{
	struct addr addr;
	int r = addr_parse(text, &addr, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < request->address_count; i++)
		if (request->addresses[i].addr.family == addr.family)
			return err_set(err, -EINVAL, "--address: at most one of each family");
	request->addresses[request->address_count++] = addr_to_prefix(&addr);
	return 0;
}

static int take_option(struct request *request, int option, struct err *err)
{
	switch (option) {
	case 'f':
		request->fleet = optarg;
		return 0;
	case 't':
		request->tunnel = optarg;
		return 0;
	case 'g':
		if (request->group_count == GROUPS_MAX)
			return err_set(err, -EINVAL, "--group: at most %d", GROUPS_MAX);
		request->groups[request->group_count++] = optarg;
		return 0;
	case 'a':
		return add_address(request, optarg, err);
	case 'e':
		request->dial = optarg;
		return 0;
	case 'p':
		request->preshared = true;
		return 0;
	case 'i':
		request->into = optarg;
		return 0;
	case 'n':
		request->png = optarg;
		return 0;
	case 'o':
		request->out = optarg;
		return 0;
	case 'j':
		request->as_json = true;
		return 0;
	default: /* getopt_long() has said what is wrong */
		return err_set(err, -EINVAL, "see above");
	}
}

static int read_request(const struct invocation *invocation, struct request *request, struct err *err)
{
	int option, r = 0;

	while (!r && (option = command_next_option(invocation)) != -1)
		r = take_option(request, option, err);
	if (r < 0)
		return r;
	if (optind + 2 != invocation->argc || strcmp(invocation->argv[optind], "new"))
		return err_set(err, -EINVAL, "needs the word new, and a name");
	request->name = invocation->argv[optind + 1];
	if (!text_is_name(request->name, PROTO_NAME_MAX))
		return err_set(err, -EINVAL,
			"a name is made of letters, digits, '-', '_' and '.', at most %d", PROTO_NAME_MAX);
	if (request->as_json && !request->out && !request->png)
		return err_set(err, -EINVAL,
			"--json prints no private key: say where it goes, --out FILE or --png FILE");
	if (!request->fleet)
		request->fleet = fleet_default_path();
	return 0;
}

/* ---- the fleet ---- */

static const struct fleet_tunnel *find_tunnel(const struct fleet *fleet, const char *name, struct err *err)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		if (name ? !strcmp(fleet->tunnels[i].name, name) : fleet->tunnel_count == 1)
			return &fleet->tunnels[i];
	if (name)
		err_set(err, -ENOENT, "the fleet has no tunnel \"%.32s\"", name);
	else
		err_set(err, -EINVAL, "the fleet has %zu tunnels: say which with --tunnel",
			fleet->tunnel_count);
	return NULL;
}

static const struct fleet_peer *find_peer(const struct fleet *fleet, const char *name)
{
	for (size_t i = 0; i < fleet->peer_count; i++)
		if (!strcmp(fleet->peers[i].name, name))
			return &fleet->peers[i];
	return NULL;
}

/* IPv6 is quoted: it may begin or end with a colon. */
static void add_entry_address(struct text *text, const struct prefix *address)
{
	char buffer[PREFIX_TEXT_MAX];
	const char *quote = address->addr.family == AF_INET6 ? "\"" : "";

	text_add(text, "%s%s%s", quote, prefix_format(address, buffer, sizeof(buffer)), quote);
}

static void add_entry_list(struct text *text, const char *key, const char *const *names, size_t count)
{
	text_add(text, "    %s: [", key);
	for (size_t i = 0; i < count; i++) {
		text_add(text, "%s", i ? ", " : "");
		yaml_put_text(text, names[i]);
	}
	text_add(text, "]\n");
}

/* What the fleet file says of it. The caller frees. */
static char *make_entry(
	const struct request *request, const struct client *client, bool name_tunnel, const char *tunnel)
{
	struct text text = {0};
	char key[KEY_TEXT_MAX];

	text_add(&text, "peers:\n  ");
	yaml_put_text(&text, request->name);
	text_add(
		&text, ":\n    public_key: \"%s\"\n    allowed_ips: [", key_format(&client->public_key, key));
	for (size_t i = 0; i < request->address_count; i++) {
		text_add(&text, "%s", i ? ", " : "");
		add_entry_address(&text, &request->addresses[i]);
	}
	text_add(&text, "]\n");
	if (name_tunnel)
		add_entry_list(&text, "tunnels", &tunnel, 1);
	if (request->group_count)
		add_entry_list(&text, "groups", request->groups, request->group_count);
	if (request->preshared)
		text_add(&text, "    preshared_key_file: psk/%s\n", request->name);
	return text_take(&text);
}

/* ---- making ---- */

static struct text secret_text(size_t capacity)
{
	return (struct text){.data = mem_new(capacity, 1), .capacity = capacity};
}

static void wipe_text(struct text *text)
{
	mem_wipe(text->data, text->capacity);
	text_clear(text);
}

static void client_clear(struct client *client)
{
	key_wipe(&client->private_key);
	key_wipe(&client->preshared_key);
	client_file_wipe(&client->conf);
	if (client->code)
		qr_wipe(client->code);
	free(client->code);
	free(client->entry);
	free(client->entry_path);
	free(client->preshared_path);
}

static char *join_path(const char *directory, const char *name, const char *end)
{
	struct text text = {0};

	text_add(&text, "%s/%s%s", directory, name, end);
	return text_take(&text);
}

static void choose_paths(const struct request *request, struct client *client)
{
	CLEANUP_FREE char *beside = file_beside(request->fleet, "psk");

	if (request->into)
		client->entry_path = join_path(request->into, request->name, ".yaml");
	if (request->preshared)
		client->preshared_path = join_path(beside, request->name, "");
}

static void make_keys(struct client *client)
{
	key_pair_generate(&client->private_key);
	key_pair_public(&client->private_key, &client->public_key);
	key_random(&client->preshared_key);
}

static int make_conf(const struct request *request, const struct fleet *fleet,
	const struct fleet_tunnel *tunnel, struct client *client, struct err *err)
{
	struct client_file file = {.fleet = fleet,
		.tunnel = tunnel,
		.peer = find_peer(fleet, request->name),
		.name = request->name,
		.private_key = &client->private_key,
		.preshared_key = request->preshared ? &client->preshared_key : NULL,
		.dial = request->dial,
		.address_count = request->address_count};
	int r;

	memcpy(file.addresses, request->addresses, sizeof(file.addresses));
	r = client_file_make(&file, &client->conf, err);
	if (r < 0)
		return r;
	client->code = mem_new(1, sizeof(*client->code));
	r = qr_encode(client->conf.data, client->conf.length, client->code);
	if (!r)
		return 0;
	free(client->code);
	client->code = NULL;
	if (request->png)
		return err_set(err, r,
			"the client's file does not fit a QR code: it has %zu bytes, and %d fit",
			client->conf.length, QR_BYTES_MAX);
	return 0;
}

/* Everything but writing. -EINVAL: the fleet would not take it, and all has been said. */
static int make_client(struct request *request, const struct fleet_files *files, const struct fleet *before,
	struct client *client, struct err *err)
{
	const struct fleet_tunnel *tunnel = find_tunnel(before, request->tunnel, err);
	struct fleet *after = NULL;
	int r = tunnel ? 0 : -ENOENT;

	if (!r && find_peer(before, request->name))
		r = err_set(err, -EEXIST, "the fleet has a peer %s already", request->name);
	if (!r && !request->address_count)
		r = client_address_pick(before, tunnel, request->addresses, &request->address_count, err);
	if (r < 0)
		return r;
	make_keys(client);
	choose_paths(request, client);
	client->entry = make_entry(request, client, before->tunnel_count > 1, tunnel->name);
	r = fleet_check_with(
		files, client->entry_path ? client->entry_path : "(the new peer)", client->entry, &after);
	if (r < 0)
		return r;
	r = make_conf(request, after, find_tunnel(after, request->tunnel, err), client, err);
	fleet_free(after);
	return r;
}

/* ---- writing and telling ---- */

static int write_key(struct made_files *made, const char *path, const struct key *key, struct err *err)
{
	char text[KEY_TEXT_MAX + 1];
	int r;

	key_format(key, text);
	strcat(text, "\n");
	r = made_files_add(made, path, text, strlen(text), 0600, err);
	mem_wipe(text, sizeof(text));
	return r;
}

static int write_png(struct made_files *made, const char *path, const struct qr *code, struct err *err)
{
	struct text png = secret_text(PICTURE_MAX_BYTES);
	int r;

	qr_png(code, PNG_SCALE, &png);
	r = made_files_add(made, path, png.data, png.length, 0600, err);
	wipe_text(&png);
	return r;
}

static int write_files(const struct request *request, const struct client *client, struct err *err)
{
	struct made_files made = {0};
	int r = 0;

	if (client->preshared_path)
		r = write_key(&made, client->preshared_path, &client->preshared_key, err);
	if (!r && request->out)
		r = made_files_add(&made, request->out, client->conf.data, client->conf.length, 0600, err);
	if (!r && request->png)
		r = write_png(&made, request->png, client->code, err);
	if (!r && client->entry_path)
		r = made_files_add(
			&made, client->entry_path, client->entry, strlen(client->entry), 0644, err);
	if (r < 0)
		made_files_undo(&made);
	made_files_clear(&made);
	return r;
}

/* A file that no include: names changes nothing: that would be noticed late. */
static void warn_of_left_out(const struct request *request, const char *path)
{
	fprintf(stderr, "holdfast: %s: no include: of %s names it: add one, such as include: [ %s/*.yaml ]\n",
		path, request->fleet, request->into);
}

static void tell_fleet(const struct request *request, const struct client *client)
{
	if (client->entry_path) {
		fprintf(stderr, "%s: written; 'holdfast apply %s' lets %s in\n", client->entry_path,
			request->fleet, request->name);
		if (!client->included)
			warn_of_left_out(request, client->entry_path);
	} else {
		fprintf(stderr, "For the fleet file:\n\n%s\n", client->entry);
	}
	if (client->preshared_path)
		fprintf(stderr,
			"%s: written; every gateway needs it as psk/%s beside its agent.yaml, mode 0600, "
			"before 'holdfast "
			"apply'\n",
			client->preshared_path, request->name);
}

/* A terminal gets a picture, too; what goes into a file or a program is the file alone. */
static void tell_client(const struct request *request, const struct client *client)
{
	struct text picture = secret_text(PICTURE_MAX_BYTES);

	if (!request->out)
		fputs(client->conf.data, stdout);
	if (isatty(STDOUT_FILENO) && client->code) {
		qr_draw(client->code, !getenv("NO_COLOR"), &picture);
		printf("\n%s", picture.data);
	} else if (isatty(STDOUT_FILENO)) {
		fprintf(stderr, "holdfast: it does not fit a QR code\n");
	}
	wipe_text(&picture);
}

/* The private key is in the files that the caller named, and so is the preshared one. */
static void print_json(const struct request *request, const struct client *client)
{
	json_t *json = json_object(), *addresses;
	char key[KEY_TEXT_MAX];

	jput_text(json, "name", request->name);
	jput_text(json, "public_key", key_format(&client->public_key, key));
	addresses = jput_array(json, "addresses");
	for (size_t i = 0; i < request->address_count; i++)
		jput_prefix(addresses, NULL, &request->addresses[i]);
	jput_text(json, "file", request->out);
	jput_text(json, "png", request->png);
	jput_text(json, "preshared_key_file", client->preshared_path);
	jput_text(json, "entry", client->entry);
	jput_text(json, "entry_file", client->entry_path);
	if (client->entry_path)
		jput_bool(json, "included", client->included);
	command_print_json(json);
	json_decref(json);
}

static void tell(const struct request *request, const struct client *client)
{
	tell_fleet(request, client);
	tell_client(request, client);
}

static int run(struct request *request, struct err *err)
{
	struct client client = {0};
	struct fleet_files files = {0};
	struct fleet *before = NULL;
	int r = fleet_load(request->fleet, &files, &before, err);

	if (r < 0)
		return r;
	r = make_client(request, &files, before, &client, err);
	if (!r)
		r = write_files(request, &client, err);
	if (!r && client.entry_path)
		client.included = fleet_files_include(&files, client.entry_path);
	if (!r && request->as_json)
		print_json(request, &client);
	else if (!r)
		tell(request, &client);
	client_clear(&client);
	fleet_free(before);
	fleet_files_clear(&files);
	return r;
}

int command_peer(const struct invocation *invocation)
{
	struct request request = {0};
	struct err err;
	int r = read_request(invocation, &request, &err);

	if (r < 0)
		return command_misused(invocation, err.text);
	setvbuf(stdout, NULL, _IONBF, 0); /* no private key stays behind in a buffer */
	r = run(&request, &err);
	if (r == -EINVAL)
		return COMMAND_FAILED; /* all has been said */
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}
