/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_DNS_H
#define HOLDFAST_AGENT_QUICK_DNS_H

#include <limits.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/io/quick/journal.h"

/* Name servers of the tunnel. */

struct quick;

/* ---- dns.c ---- */
int quick_set_dns(struct quick *quick);
int quick_take_dns_away(struct quick *quick);
int quick_unset_dns(struct quick *quick);  /* what stays is told, and no failure */
void quick_guess_dns(struct quick *quick); /* as wg-quick told it to resolvconf, if that is there */
int quick_change_dns(struct quick *quick); /* on a reload: only if the file says something else now */
bool quick_dns_is_as_wanted(const struct quick *quick); /* for all that its journal says */
/* As they were set before. A warning if that cannot be. */
void quick_restore_dns(struct quick *quick, struct quick_dns_state *before);
void quick_dns_state_clear(struct quick_dns_state *state); /* none are set */
/* Are the servers still set, as far as that can be seen without asking a program? */
bool quick_dns_is_set(struct quick *quick);

/* ---- dns_resolvconf.c, dns_resolved.c, dns_file.c, dns_namespace.c: the ways to set them ---- */
struct quick_dns_backend {
	int (*add)(struct quick *quick); /* as the files say */
	int (*remove)(struct quick *quick);
	bool (*has)(const struct quick *quick); /* as far as that can be seen without asking a program */
};
extern const struct quick_dns_backend quick_dns_resolvconf, quick_dns_resolved, quick_dns_file,
	quick_dns_namespace;

/* What resolvconf reads, which also tells whether the files say the same as before. The caller frees it. */
char *quick_dns_text(const struct quick_config *config, const struct quick_texts *domains);
void quick_dns_choose_name(struct quick *quick, const char *program, char name[QUICK_DNS_NAME_MAX + 1]);
bool quick_resolved_runs(char program[PATH_MAX]);
void quick_namespace_dns_note(struct quick *quick); /* what will be made of /etc/netns/NAME/resolv.conf */

/* ---- overwrite.c ---- */
/* What is in the file, changed in place: it is all there at any moment. */
int quick_overwrite(const char *path, const char *before, const char *after, struct err *err);

#endif
