/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_YAML_COMPOSE_INT_H
#define HOLDFAST_YAML_COMPOSE_INT_H

#include <yaml.h>

#include "common/yaml/anchor.h"
#include "common/yaml/compose.h"

/* Inside compose*.c only. */
struct composer {
	struct conf_doc *doc;
	const struct conf_limits *limits;
	yaml_parser_t parser;
	const char *input;
	size_t size, nodes;
	struct conf_anchor *anchors;
	struct err *err;
};

/* compose_fail.c: "file:line:column: ..." into c->err. Returns code. */
int composer_fail(struct composer *c, const yaml_mark_t *mark, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* libyaml's own failure, with a hint at what a person most likely did. Out of memory ends the program. */
int composer_fail_parser(struct composer *c);
/* For the end of a message: what to do, if that line of the input (from 0) looks as if it held an IPv6 address; or "". */
const char *composer_hint_ipv6(const struct composer *c, size_t line);

#endif
