/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/yaml/compose_int.h"

int composer_fail(struct composer *c, const yaml_mark_t *mark, int code, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	err_at(c->err, code, c->doc->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1, "%s",
		text ? text : format);
	free(text);
	return code;
}

/* Does this line of the input (from 0) hold "::"? Then its author most likely meant an IPv6 address. */
static bool line_has_ipv6(const struct composer *c, size_t line)
{
	const char *at = c->input, *end = c->input + c->size, *stop;

	for (; line > 0 && at < end; line--) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		at = next ? next + 1 : end;
	}
	stop = memchr(at, '\n', (size_t)(end - at));
	return memmem(at, (size_t)((stop ? stop : end) - at), "::", 2) != NULL;
}

const char *composer_hint_ipv6(const struct composer *c, size_t line)
{
	return line_has_ipv6(c, line) ? "; quote IPv6 that starts or ends with ':'" : "";
}

static yaml_mark_t mark_of_offset(const struct composer *c, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < c->size; i++) {
		mark.column++;
		if (c->input[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

/* libyaml's words are its own; what a person most likely did is ours. */
static const char *hint(const struct composer *c)
{
	const char *ipv6 = composer_hint_ipv6(c, c->parser.problem_mark.line);

	if (ipv6[0])
		return ipv6;
	if (c->parser.problem && strstr(c->parser.problem, "cannot start any token"))
		return "; indent with spaces, not tabs, and quote text that starts with '@', '`' or '%'";
	return "";
}

int composer_fail_parser(struct composer *c)
{
	const yaml_parser_t *p = &c->parser;
	const char *problem = p->problem ? p->problem : "not YAML";
	yaml_mark_t mark;

	if (p->error == YAML_MEMORY_ERROR)
		mem_new(SIZE_MAX, 2); /* ends here */
	if (p->error == YAML_READER_ERROR) {
		mark = mark_of_offset(c, p->problem_offset);
		return composer_fail(c, &mark, -EINVAL, "%s", problem);
	}
	return composer_fail(c, &p->problem_mark, -EINVAL, "%s%s%s%s%s", problem, p->context ? " (" : "",
		p->context ? p->context : "", p->context ? ")" : "", hint(c));
}
