/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_match.h"

#include <stddef.h>
#include <string.h>

struct tag {
	bool weak;
	const char *text; /* with its quotes */
	size_t length;
};

static const char *skip(const char *at, const char *what)
{
	return at + strspn(at, what);
}

/* etagc: visible, and no quote. */
static const char *skip_opaque(const char *at)
{
	while (*at == '!' || ((unsigned char)*at > '"' && *at != 0x7f))
		at++;
	return at;
}

/* What follows it; NULL: there is none. */
static const char *take_tag(const char *at, struct tag *tag)
{
	const char *end;

	tag->weak = strncmp(at, "W/", 2) == 0;
	tag->text = tag->weak ? at + 2 : at;
	if (*tag->text != '"')
		return NULL;
	end = skip_opaque(tag->text + 1);
	if (*end != '"')
		return NULL;
	tag->length = (size_t)(end + 1 - tag->text);
	return end + 1;
}

static bool is_strongly(const struct tag *tag, const char *etag)
{
	return !tag->weak && etag && strlen(etag) == tag->length && memcmp(tag->text, etag, tag->length) == 0;
}

bool http_if_match_holds(const char *if_match, const char *etag)
{
	const char *at = skip(if_match, " \t");
	bool found = false;
	struct tag tag;

	if (*at == '*' && !*skip(at + 1, " \t"))
		return etag != NULL;
	/* Empty elements are allowed (5.6.1.2). */
	for (at = skip(at, " \t,"); *at; at = skip(at, " \t,")) {
		at = take_tag(at, &tag);
		if (!at)
			return false;
		found = found || is_strongly(&tag, etag);
		at = skip(at, " \t");
		if (*at && *at != ',')
			return false;
	}
	return found;
}
