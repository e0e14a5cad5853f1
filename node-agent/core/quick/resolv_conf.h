/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_RESOLV_CONF_H
#define HOLDFAST_QUICK_RESOLV_CONF_H

#include "node-agent/core/quick/config.h"

/*
 * A tunnel's name servers in resolv.conf(5), for machines where nothing manages that file. The tunnel's lines stand in
 * front, between two comments, and every line that was there becomes a comment (the servers are exclusive, as
 * `resolvconf -x` makes them). Each tunnel takes away its own, in whatever order they go: then the file is what it was.
 * The caller frees.
 */
char *quick_resolv_conf_add(const char *text, const char *interface, const struct quick_texts *servers,
	const struct quick_texts *search);
char *quick_resolv_conf_remove(const char *text, const char *interface);

#endif
