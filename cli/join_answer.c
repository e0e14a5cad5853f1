/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/join_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/authority/pem.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/mac.h"
#include "common/json/read.h"
#include "common/json/write.h"

enum { CERTIFICATE_MAX_BYTES = 64 * 1024, CA_MAX_BYTES = 256 * 1024, FILE_MAX_BYTES = 512 * 1024 };

int join_answer_read(
	const json_t *json, const struct token *token, struct join_answer *ret_answer, struct err *err)
{
	char gateway[PROTO_NAME_MAX + 1];
	struct jnode root = jnode_root(json);
	int r = jnode_name(&root, "gateway", JSON_REQUIRED, gateway, sizeof(gateway), err);

	if (!r)
		r = jnode_text_new(&root, "certificate", JSON_REQUIRED, CERTIFICATE_MAX_BYTES,
			&ret_answer->certificate_pem, err);
	if (!r)
		r = jnode_text_new(&root, "ca", JSON_REQUIRED, CA_MAX_BYTES, &ret_answer->ca_pem, err);
	if (!r && strcmp(gateway, token->gateway) != 0)
		r = err_set(err, -EPROTO, "the token is for %s, and the controller calls it %s",
			token->gateway, gateway);
	return r;
}

static const char *hash_of(const struct token *token, char hash[SHA256_HEX_MAX])
{
	return sha256_hex(token->secret.bytes, sizeof(token->secret.bytes), hash);
}

int join_answer_keep(
	const char *path, const struct join_answer *answer, const struct token *token, struct err *err)
{
	char hash[SHA256_HEX_MAX];
	json_t *json = json_object();
	struct text both = {0};
	char *text;
	size_t size;
	int r;

	jput_text(json, "token_sha256", hash_of(token, hash));
	jput_text(json, "gateway", token->gateway);
	jput_text(json, "certificate", answer->certificate_pem);
	jput_text(json, "ca", answer->ca_pem);
	text = json_compact(json, &size);
	json_decref(json);
	text_add(&both, "%s%s", answer->key_pem, text);
	r = file_write(path, both.data, both.length, 0600, err);
	mem_wipe(both.data, both.capacity);
	text_clear(&both);
	free(text);
	return r;
}

static int read_kept(const json_t *json, const struct token *token, struct join_answer *answer)
{
	const char *kept = json_string_value(json_object_get(json, "token_sha256"));
	char hash[SHA256_HEX_MAX];

	if (!kept || strcmp(kept, hash_of(token, hash)) != 0)
		return -ENOENT;
	return join_answer_read(json, token, answer, NULL) ? -ENOENT : 0;
}

/* The key, up to the JSON that follows it: a PEM text has no brace. */
static int split(const char *text, size_t size, const struct token *token, struct join_answer *answer)
{
	static const struct json_limits limits = {FILE_MAX_BYTES, 8};
	size_t key_size = strcspn(text, "{");
	json_t *json = NULL;
	int r;

	if (json_parse_bytes(text + key_size, size - key_size, &limits, &json, NULL))
		return -ENOENT;
	r = read_kept(json, token, answer);
	json_decref(json);
	answer->key_pem = mem_new(key_size + 1, 1);
	memcpy(answer->key_pem, text, key_size);
	return r;
}

int join_answer_find(const char *path, const struct token *token, struct join_answer *ret_answer)
{
	struct join_answer answer = {0};
	char *text = NULL;
	size_t size;
	int r;

	if (file_read(path, FILE_MAX_BYTES, &text, &size, NULL) < 0)
		return -ENOENT;
	r = split(text, size, token, &answer);
	mem_wipe(text, size);
	free(text);
	if (r)
		join_answer_clear(&answer);
	else
		*ret_answer = answer;
	return r;
}

void join_answer_clear(struct join_answer *answer)
{
	free(answer->certificate_pem);
	free(answer->ca_pem);
	pem_wipe(answer->key_pem);
	*answer = (struct join_answer){0};
}
