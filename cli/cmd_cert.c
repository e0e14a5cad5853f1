/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/command.h"
#include "common/authority/authority.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/json/write.h"
#include "proto/limits.h"

enum { CERTIFICATE_DAYS = 825 };

struct cert_request {
	const char *directory; /* of the authority */
	const char *out;       /* NULL: the same */
	uint64_t days;
	bool fresh, as_json;
};

/* Returns the option that is wrong, or 0. */
static int read_options(const struct invocation *invocation, struct cert_request *request)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'd')
			request->directory = optarg;
		else if (option == 'o')
			request->out = optarg;
		else if (option == 'f')
			request->fresh = true;
		else if (option == 'j')
			request->as_json = true;
		else if (option != 'n' || text_to_u64(optarg, 1, AUTHORITY_DAYS_MAX, &request->days) < 0)
			return option;
	}
	return 0;
}

/* Where they are: what is in the key's file is nobody's but its holder's. */
static void print_json(
	const struct cert_request *request, enum authority_kind kind, const char *name, const char *out)
{
	json_t *json = json_object();

	jput_text(json, "kind", authority_kind_text(kind));
	jput_text(json, "name", name);
	jput_text_of(json, "certificate", "%s/%s.pem", out, name);
	jput_text_of(json, "key", "%s/%s.key", out, name);
	jput_u64(json, "days", request->days);
	command_print_json(json);
	json_decref(json);
}

static int issue(const struct cert_request *request, enum authority_kind kind, const char *name)
{
	const char *out = request->out ? request->out : request->directory;
	struct authority authority;
	struct err err;
	int r;

	if (authority_open(request->directory, &authority, &err) < 0)
		return command_fail(&err);
	r = file_make_directories(out, 0755, &err);
	if (!r)
		r = authority_issue(
			&authority, kind, name, out, (unsigned)request->days, request->fresh, &err);
	authority_clear(&authority);
	if (r < 0)
		return command_fail(&err);
	if (request->as_json)
		print_json(request, kind, name, out);
	else
		printf("%s/%s.pem and %s/%s.key: valid for %u days\n", out, name, out, name,
			(unsigned)request->days);
	return COMMAND_OK;
}

int command_cert(const struct invocation *invocation)
{
	struct cert_request request = {.directory = "/etc/holdfast", .days = CERTIFICATE_DAYS};
	enum authority_kind kind;
	struct err err;
	int wrong = read_options(invocation, &request);

	if (wrong == 'n')
		return command_misused(invocation, "--days: expected a number from 1 to 36500");
	if (wrong)
		return command_misused(invocation, NULL);
	if (invocation->argc - optind != 2)
		return command_misused(invocation, "needs a kind and a name");
	if (authority_kind_parse(invocation->argv[optind], &kind, &err) < 0)
		return command_misused(invocation, err.text);
	if (!text_is_name(invocation->argv[optind + 1], PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	return issue(&request, kind, invocation->argv[optind + 1]);
}
