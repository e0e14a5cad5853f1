/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel's WireGuard key, the same on all its gateways: made once, put on each of them by hand, as through ssh. It never
 * goes through the controller.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/base/key.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/key_pair.h"
#include "common/json/write.h"
#include "proto/limits.h"

enum { KEY_LINE_MAX = KEY_TEXT_MAX + 64 };

struct key_request {
	const char *verb, *tunnel, *file; /* file: NULL, or what install reads; "-": standard input */
	const char *out;                  /* NULL: the verb's default */
	const char *public_key;           /* NULL, or what the key must belong to */
	bool force, as_json;
};

static int read_options(const struct invocation *invocation, struct key_request *request)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'o')
			request->out = optarg;
		else if (option == 'p')
			request->public_key = optarg;
		else if (option == 'f')
			request->force = true;
		else if (option == 'j')
			request->as_json = true;
		else
			return -EINVAL;
	}
	if (invocation->argc - optind < 2 || invocation->argc - optind > 3)
		return -EINVAL;
	request->verb = invocation->argv[optind];
	request->tunnel = invocation->argv[optind + 1];
	request->file = invocation->argv[optind + 2];
	return 0;
}

static int write_key(
	const struct key_request *request, const char *path, const struct key *key, struct err *err)
{
	char line[KEY_LINE_MAX];
	size_t length = strlen(key_format(key, line));
	int r;

	line[length++] = '\n';
	r = request->force ? file_write(path, line, length, 0600, err)
			   : file_create(path, line, length, 0600, err);
	mem_wipe(line, sizeof(line));
	return r;
}

static void print_json(const struct key_request *request, const char *path, const struct key *public_key)
{
	json_t *json = json_object();
	char text[KEY_TEXT_MAX];

	jput_text(json, "tunnel", request->tunnel);
	jput_text(json, "file", path);
	jput_text(json, "public_key", key_format(public_key, text));
	command_print_json(json);
	json_decref(json);
}

static void print_made(const struct key_request *request, const char *path, const struct key *public_key)
{
	char text[KEY_TEXT_MAX];

	printf("public_key: \"%s\"\n", key_format(public_key, text));
	fflush(stdout); /* before what explains it */
	fprintf(stderr,
		"that line belongs to tunnel %s in the fleet file; the private key is in %s: put it on each "
		"of its "
		"gateways, as with\n  ssh GATEWAY holdfast key install %s - <%s\nand keep no other copy\n",
		request->tunnel, path, request->tunnel, path);
}

static int make(const struct key_request *request, const char *path, struct err *err)
{
	CLEANUP_KEY struct key private_key = {{0}};
	struct key public_key;
	int r;

	key_pair_generate(&private_key);
	key_pair_public(&private_key, &public_key);
	r = write_key(request, path, &private_key, err);
	if (r < 0)
		return r;
	if (request->as_json)
		print_json(request, path, &public_key);
	else
		print_made(request, path, &public_key);
	return 0;
}

static int read_input(struct key *ret_key, struct err *err)
{
	char line[KEY_LINE_MAX] = "";
	int r = -EINVAL;

	if (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, " \t\r\n")] = '\0';
		r = key_parse(line, ret_key, NULL);
	}
	mem_wipe(line, sizeof(line));
	return r < 0 ? err_set(err, r,
			       "there is no WireGuard key on the input: expected 44 characters of base64")
		     : 0;
}

/* Before it takes the place of anything. */
static int check_public(const struct key_request *request, const struct key *public_key, struct err *err)
{
	struct key expected;
	int r = request->public_key ? key_parse(request->public_key, &expected, err) : 0;

	if (r < 0)
		return err_prefix(err, r, "--public-key");
	if (!request->public_key || key_equal(&expected, public_key))
		return 0;
	return err_set(
		err, -EINVAL, "the key that came belongs to another public key than %s", request->public_key);
}

static int install(const struct key_request *request, const char *path, struct err *err)
{
	CLEANUP_KEY struct key private_key = {{0}};
	struct key public_key;
	char text[KEY_TEXT_MAX];
	int r = strcmp(request->file, "-") != 0 ? file_read_key(request->file, &private_key, err)
						: read_input(&private_key, err);

	if (r < 0)
		return r;
	key_pair_public(&private_key, &public_key);
	r = check_public(request, &public_key, err);
	if (!r)
		r = write_key(request, path, &private_key, err);
	if (!r && request->as_json)
		print_json(request, path, &public_key);
	else if (!r)
		printf("%s: its public key is %s\n", path, key_format(&public_key, text));
	return r;
}

int command_key(const struct invocation *invocation)
{
	struct key_request request = {0};
	char path[PATH_MAX];
	struct err err;
	bool installs;
	int r = read_options(invocation, &request);

	if (r < 0)
		return command_misused(invocation, "needs new or install, and a tunnel");
	installs = !strcmp(request.verb, "install");
	if (!installs && strcmp(request.verb, "new") != 0)
		return command_misused(invocation, "there is new, and install");
	if (!installs && request.public_key)
		return command_misused(invocation, "--public-key: only install has a key to hold against it");
	if (!text_is_name(request.tunnel, PROTO_NAME_MAX))
		return command_misused(
			invocation, "a tunnel's name is made of letters, digits, '-', '_' and '.'");
	if (installs != (request.file != NULL))
		return command_misused(
			invocation, installs ? "install needs a file to read, or - for its input"
					     : "new takes nothing but a tunnel");
	snprintf(path, sizeof(path), "%s%s.key", installs ? "/etc/holdfast/" : "", request.tunnel);
	if (request.out && !text_copy(path, sizeof(path), request.out))
		return command_misused(invocation, "--out: the path is too long");
	r = installs ? install(&request, path, &err) : make(&request, path, &err);
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}
