/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new gateway gets its certificate from the controller that its token names. */
#include <errno.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/join_answer.h"
#include "common/authority/pair.h"
#include "common/authority/pem.h"
#include "common/authority/request.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/http_client.h"
#include "common/io/http_server.h"
#include "common/io/tls.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "proto/token.h"

enum {
	JOIN_TIMEOUT_MS = 15000,
	ANSWER_MAX_BYTES = 512 * 1024,
};
static const char DIRECTORY[] = "/etc/holdfast", CONFIG[] = "/etc/holdfast/agent.yaml";

struct join {
	const char *directory;
	bool force, as_json;
	struct token token;
	char config[PATH_MAX], ca[PATH_MAX];
	/* Names of its own, which nobody else puts in force: what came; and while it is asked for, or looked at. */
	char kept[PATH_MAX], new_key[PATH_MAX], new_certificate[PATH_MAX], new_ca[PATH_MAX];
	struct pair pair;
	struct join_answer answer;
};

static int set_path(
	const struct join *join, const char *name, const char *suffix, char to[PATH_MAX], struct err *err)
{
	if (snprintf(to, PATH_MAX, "%s/%s%s", join->directory, name, suffix) < PATH_MAX)
		return 0;
	return err_at(err, -ENAMETOOLONG, join->directory, 0, 0, "the path is too long");
}

static int set_paths(struct join *join, struct err *err)
{
	char certificate[PATH_MAX], key[PATH_MAX];
	int r = set_path(join, "agent", ".yaml", join->config, err);

	if (!r && !strcmp(join->token.gateway, "ca"))
		r = err_set(
			err, -EINVAL, "no gateway can be called ca: ca.pem is the authority's certificate");
	if (!r)
		r = set_path(join, "ca", ".pem", join->ca, err);
	if (!r)
		r = set_path(join, join->token.gateway, ".joining", join->kept, err);
	if (!r)
		r = set_path(join, join->token.gateway, ".joining-key", join->new_key, err);
	if (!r)
		r = set_path(join, join->token.gateway, ".joining-certificate", join->new_certificate, err);
	if (!r)
		r = set_path(join, join->token.gateway, ".joining-ca", join->new_ca, err);
	if (!r)
		r = set_path(join, join->token.gateway, ".pem", certificate, err);
	if (!r)
		r = set_path(join, join->token.gateway, ".key", key, err);
	return r ? r : pair_paths(certificate, key, &join->pair, err);
}

static int refuse_to_overwrite(const struct join *join, struct err *err)
{
	const char *const files[] = {join->config, join->ca, join->pair.certificate, join->pair.key};

	for (size_t i = 0; !join->force && i < ARRAY_COUNT(files); i++)
		if (access(files[i], F_OK) == 0)
			return err_at(err, -EEXIST, files[i], 0, 0,
				"is already there; --force replaces it and what else a join writes");
	return 0;
}

/* ---- the controller is asked ---- */

static char *body_text(const struct join *join, const char *request, size_t *ret_size)
{
	char secret[KEY_HEX_MAX], *text;
	json_t *json = json_object();

	jput_text(json, "secret", key_format_hex(&join->token.secret, secret));
	jput_text(json, "request", request);
	text = json_compact(json, ret_size);
	mem_wipe(secret, sizeof(secret));
	json_decref(json);
	return text;
}

static int take_answer(struct join *join, const struct http_response *response, struct err *err)
{
	static const struct json_limits limits = {ANSWER_MAX_BYTES, 8};
	json_t *json = NULL;
	const char *detail;
	int r = json_parse_bytes(response->body, response->size, &limits, &json, err);

	detail = r ? NULL : json_string_value(json_object_get(json, "detail"));
	if (response->status == 403)
		r = err_at(err, -EACCES, join->token.controller, 0, 0,
			"%s; 'holdfast invite %s' on the controller makes another",
			detail ? detail : http_status_phrase(response->status), join->token.gateway);
	else if (response->status != 200)
		r = err_at(err, -EACCES, join->token.controller, 0, 0, "%s",
			detail ? detail : http_status_phrase(response->status));
	else if (!r)
		r = join_answer_read(json, &join->token, &join->answer, err);
	json_decref(json);
	return r;
}

static int ask(struct join *join, const char *request, struct err *err)
{
	struct tls_pin pin = {.server_kind = TLS_KIND_CONTROLLER};
	const struct http_client_options options = {.pin = &pin};
	struct text url = {0};
	struct http_exchange exchange = {
		.method = "POST", .timeout_ms = JOIN_TIMEOUT_MS, .response_max = ANSWER_MAX_BYTES};
	struct http_response response;
	char *body = body_text(join, request, &exchange.body_size);
	int r;

	memcpy(pin.authority, join->token.authority.bytes, sizeof(pin.authority));
	text_add(&url, "%s/v1/join", join->token.controller);
	exchange.url = url.data;
	exchange.body = body;
	r = http_call(&options, &exchange, &response, err);
	mem_wipe(body, exchange.body_size);
	free(body);
	text_clear(&url);
	if (r == -EACCES)
		return err_at(err, r, join->token.controller, 0, 0,
			"no invitation is open there: the token has ended or was used; 'holdfast invite %s' "
			"on the "
			"controller makes another",
			join->token.gateway);
	if (r == -ETIMEDOUT || r == -EIO)
		return err_prefix(err, r,
			"its answer may be lost (if the token is refused from now on, 'holdfast invite %s' "
			"on "
			"the controller makes another)",
			join->token.gateway);
	if (r < 0)
		return r;
	r = take_answer(join, &response, err);
	http_response_clear(&response);
	return r;
}

/* ---- the files ---- */

static int write_text(const char *path, const char *text, mode_t mode, struct err *err)
{
	return file_write(path, text, strlen(text), mode, err);
}

static int check_identity(const struct join *join, struct err *err)
{
	const struct tls_files files = {
		.ca = join->new_ca, .certificate = join->new_certificate, .key = join->new_key};
	struct tls_identity own;
	SSL_CTX *context;
	int r = tls_client_new(&files, TLS_KIND_CONTROLLER, &context, &own, err);

	if (r < 0)
		return r;
	SSL_CTX_free(context);
	if (own.kind == TLS_KIND_GATEWAY && !strcmp(own.name, join->token.gateway))
		return 0;
	return err_at(err, -EPROTO, join->token.controller, 0, 0, "the certificate that came is of %s %s",
		tls_kind_text(own.kind), own.name);
}

static void drop_new(const struct join *join)
{
	unlink(join->new_key);
	unlink(join->new_certificate);
	unlink(join->new_ca);
}

/* They must belong together before they replace anything. *ret_wrong: they do not, and never will. */
static int check_files(const struct join *join, bool *ret_wrong, struct err *err)
{
	int r = write_text(join->new_key, join->answer.key_pem, 0600, err);

	*ret_wrong = false;
	if (!r)
		r = write_text(join->new_certificate, join->answer.certificate_pem, 0644, err);
	if (!r)
		r = write_text(join->new_ca, join->answer.ca_pem, 0644, err);
	if (!r) {
		r = check_identity(join, err);
		*ret_wrong = r < 0;
	}
	drop_new(join);
	return r;
}

static int write_config(const struct join *join, struct err *err)
{
	const char *name = join->token.gateway;
	struct text text = {0};
	int r;

	text_add(&text,
		"# Written by holdfast join. Every key: docs/agent.md\n"
		"gateway: \"%s\"\n"
		"controllers: [\"%s\"]\n"
		"tls: { ca: ca.pem, certificate: \"%s.pem\", key: \"%s.key\" }\n",
		name, join->token.controller, name, name);
	r = file_write(join->config, text.data, text.length, 0644, err);
	text_clear(&text);
	return r;
}

/* The pair only with its authority in place: an agent's start finishes what is prepared. What another left prepared is of an
 * identity that ends here. */
static int replace_pair(const struct join *join, struct err *err)
{
	int r;

	pair_drop(&join->pair);
	r = pair_prepare_key(&join->pair, join->answer.key_pem, err);
	if (!r)
		r = pair_prepare_certificate(&join->pair, join->answer.certificate_pem, err);
	return r ? r : pair_commit(&join->pair, err);
}

/* agent.yaml last: whoever finds it finds what it names. Each step may have been done before. */
static int put_in_place(const struct join *join, struct err *err)
{
	int r = write_text(join->ca, join->answer.ca_pem, 0644, err);

	if (!r)
		r = replace_pair(join, err);
	return r ? r : write_config(join, err);
}

/* What came is on the disk. If it will not do, nothing of it stays; if there is no room for it, it waits for the same token. */
static int install(const struct join *join, struct err *err)
{
	bool wrong;
	int r = check_files(join, &wrong, err);

	if (!r)
		r = put_in_place(join, err);
	if (!r || wrong) {
		unlink(join->kept);
		return r;
	}
	return err_prefix(
		err, r, "the certificate has come, and 'holdfast join' with the same token goes on with it");
}

/* From here on the token is used. */
static int keep_answer(const struct join *join, struct err *err)
{
	int r = join_answer_keep(join->kept, &join->answer, &join->token, err);

	return r ? err_prefix(err, r,
			   "the token is used, and what came for it is lost ('holdfast invite %s' on the "
			   "controller makes another)",
			   join->token.gateway)
		 : 0;
}

/* The key is on the disk before the token is used: a directory that cannot be written costs no token. What came for another
 * token stays until there is an answer to this one. */
static int ask_with_new_key(struct join *join, struct err *err)
{
	char *request = NULL;
	int r = request_new(&join->answer.key_pem, &request, err);

	if (!r)
		r = write_text(join->new_key, join->answer.key_pem, 0600, err);
	if (!r)
		r = ask(join, request, err);
	if (!r)
		r = keep_answer(join, err);
	drop_new(join);
	free(request);
	return r;
}

/* Of one that was killed. */
static void sweep(const struct join *join)
{
	const char *const files[] = {join->kept, join->new_key, join->new_certificate, join->new_ca};

	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		file_sweep(files[i]);
	drop_new(join);
}

static int run(struct join *join, struct err *err)
{
	int r = set_paths(join, err);

	if (r)
		return r;
	sweep(join);
	if (!join_answer_find(join->kept, &join->token, &join->answer))
		return install(join, err); /* what an earlier one began with this token */
	r = refuse_to_overwrite(join, err);
	if (!r)
		r = file_make_directories(join->directory, 0755, err);
	if (!r)
		r = ask_with_new_key(join, err);
	return r ? r : install(join, err);
}

/* ---- the command ---- */

/* A token on the command line is seen by everybody on the host while it runs: "-" takes it from the input. */
static int read_token(const char *argument, struct token *token, struct err *err)
{
	char line[TOKEN_TEXT_MAX + 64] = "";
	int r;

	if (strcmp(argument, "-") != 0)
		return token_decode(argument, token, err);
	if (!fgets(line, sizeof(line), stdin))
		return err_set(err, -EINVAL, "there is no token on the input");
	r = token_decode(line, token, err);
	mem_wipe(line, sizeof(line));
	return r;
}

static int read_options(const struct invocation *invocation, struct join *join)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'd')
			join->directory = optarg;
		else if (option == 'f')
			join->force = true;
		else if (option == 'j')
			join->as_json = true;
		else
			return -EINVAL;
	}
	return invocation->argc - optind == 1 ? 0 : -EINVAL;
}

/* Whatever it was called: by another path, or by a link. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* The unit reads the file in the usual place alone. */
static void print_next(const struct join *join)
{
	if (!is_same_file(join->config, CONFIG))
		printf("next: holdfast-agent --config %s", join->config);
	else
		fputs("next: systemctl enable --now holdfast-agent", stdout);
	puts("; 'holdfast status' here then tells whether the controller answers");
	printf("and unless the fleet file names %s already: name it there, 'holdfast plan FILE', 'holdfast "
	       "apply "
	       "FILE'\n",
		join->token.gateway);
}

static void print(const struct join *join)
{
	printf("this is %s now: %s, and the certificate and key beside it\n", join->token.gateway,
		join->config);
	print_next(join);
}

/* The token and the key are secrets: only where the key is. */
static void print_json(const struct join *join)
{
	json_t *json = json_object();

	jput_text(json, "gateway", join->token.gateway);
	jput_text(json, "controller", join->token.controller);
	jput_text(json, "config", join->config);
	jput_text(json, "ca", join->ca);
	jput_text(json, "certificate", join->pair.certificate);
	jput_text(json, "key", join->pair.key);
	command_print_json(json);
	json_decref(json);
}

int command_join(const struct invocation *invocation)
{
	struct join join = {.directory = DIRECTORY};
	struct err err;
	int r;

	if (read_options(invocation, &join) < 0)
		return command_misused(invocation, "needs a token, or - to read it from the input");
	r = read_token(invocation->argv[optind], &join.token, &err);
	if (!r)
		r = run(&join, &err);
	if (!r && join.as_json)
		print_json(&join);
	else if (!r)
		print(&join);
	mem_wipe(&join.token, sizeof(join.token));
	join_answer_clear(&join.answer);
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}
