/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/duration.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "proto/token.h"

enum { INVITE_TIMEOUT_MS = 10000, MS_PER_MINUTE = 60000 };
static const int64_t valid_min_ms = 1000, valid_max_ms = 24LL * 60 * 60 * 1000,
		     valid_default_ms = 60LL * 60 * 1000;

struct invite {
	const char *gateway;
	const char *address; /* NULL: as we reach it, or as it says */
	int64_t valid_ms;
	bool as_json;
};

static int read_options(const struct invocation *invocation, struct invite *invite, struct err *err)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'a')
			invite->address = optarg;
		else if (option == 'j')
			invite->as_json = true;
		else if (option != 'v' || duration_parse(optarg, &invite->valid_ms, NULL) < 0 ||
			 invite->valid_ms < valid_min_ms || invite->valid_ms > valid_max_ms)
			return err_set(err, -EINVAL, "--valid: expected from 1s to 24h");
	}
	if (invocation->argc - optind != 1)
		return err_set(err, -EINVAL, "needs a gateway");
	invite->gateway = invocation->argv[optind];
	if (!text_is_name(invite->gateway, PROTO_NAME_MAX))
		return err_set(
			err, -EINVAL, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	return 0;
}

static int read_answer(const json_t *answer, struct token *token, struct err *err)
{
	struct jnode root = jnode_root(answer);
	int r = jnode_name(&root, "gateway", JSON_REQUIRED, token->gateway, sizeof(token->gateway), err);

	if (!r)
		r = jnode_hex(&root, "secret", JSON_REQUIRED, token->secret.bytes, KEY_BYTES, err);
	if (!r)
		r = jnode_hex(&root, "authority", JSON_REQUIRED, token->authority.bytes, KEY_BYTES, err);
	return r ? r
		 : jnode_text(&root, "controller", JSON_REQUIRED, token->controller,
			   sizeof(token->controller), err);
}

/* Where the newcomer shall go: as somebody says, as we came here ourselves, or as the controller says. */
static int choose_address(const struct invite *invite, const struct controller *controller,
	struct token *token, struct err *err)
{
	const char *address = invite->address            ? invite->address
			      : *controller->unix_socket ? token->controller
							 : controller->url;
	char text[TOKEN_TEXT_MAX];
	struct token back;
	int r = 0;

	if (!*address)
		return err_set(err, -EINVAL,
			"the controller listens at all its addresses: say at which one the gateway reaches "
			"it, "
			"--address https://HOST:PORT");
	if (address != token->controller && !text_copy(token->controller, sizeof(token->controller), address))
		return err_set(err, -ENAMETOOLONG, "--address: at most %d characters", TOKEN_URL_MAX);
	if (token_decode(token_encode(token, text), &back, NULL) < 0)
		r = err_set(err, -EINVAL, "\"%s\" is no address of a controller: expected https://HOST:PORT",
			address);
	mem_wipe(text, sizeof(text));
	mem_wipe(&back, sizeof(back));
	return r;
}

static void print_json(const struct token *token, const char *text, int64_t valid_ms)
{
	json_t *json = json_object();

	jput_text(json, "gateway", token->gateway);
	jput_text(json, "token", text);
	jput_i64(json, "valid_ms", valid_ms);
	command_print_json(json);
	json_decref(json);
}

static void print_human(const struct token *token, const char *text, int64_t valid_ms)
{
	puts(text);
	fflush(stdout); /* before what explains it */
	fprintf(stderr,
		"valid once, for %lld minutes; on %s: holdfast join TOKEN ('holdfast join -' reads it from "
		"its "
		"input)\n",
		(long long)((valid_ms + MS_PER_MINUTE - 1) / MS_PER_MINUTE), token->gateway);
}

static void print(const struct invite *invite, const struct token *token)
{
	char text[TOKEN_TEXT_MAX];

	token_encode(token, text);
	if (invite->as_json)
		print_json(token, text, invite->valid_ms);
	else
		print_human(token, text, invite->valid_ms);
	mem_wipe(text, sizeof(text));
}

/* An address that will not do is better found before there is an invitation that nobody can use. */
static int check_address(const struct invite *invite, struct err *err)
{
	struct token token = {.gateway = "g"};

	return invite->address ? choose_address(invite, &(struct controller){0}, &token, err) : 0;
}

static int ask(const struct controller *controller, const struct invite *invite, struct token *token,
	struct err *err)
{
	json_t *body = json_object(), *answer = NULL;
	int r;

	jput_text(body, "gateway", invite->gateway);
	jput_i64(body, "valid_ms", invite->valid_ms);
	r = controller_call(controller, "POST", "/v1/invitations", body, INVITE_TIMEOUT_MS, &answer, err);
	json_decref(body);
	if (!r)
		r = read_answer(answer, token, err);
	if (!r)
		r = choose_address(invite, controller, token, err);
	json_decref(answer);
	return r;
}

int command_invite(const struct invocation *invocation)
{
	struct invite invite = {.valid_ms = valid_default_ms};
	struct controller controller;
	struct token token = {0};
	struct err err;
	int r;

	if (read_options(invocation, &invite, &err) < 0)
		return command_misused(invocation, err.text);
	r = check_address(&invite, &err);
	if (!r)
		r = controller_find(invocation, &controller, &err);
	if (!r)
		r = ask(&controller, &invite, &token, &err);
	if (!r)
		print(&invite, &token);
	mem_wipe(&token, sizeof(token));
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}
