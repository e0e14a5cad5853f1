/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_SESSION_H
#define HOLDFAST_AGENT_QUICK_SESSION_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"
#include "node-agent/core/quick/allowed.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/core/quick/sidecar.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/quick.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/rtnl/rtnl.h"
#include "node-agent/io/wireguard/wireguard.h"

/* One command at work on one tunnel. */

struct quick_keeping;

struct quick {
	const struct quick_options *options;
	struct err *err;
	int status; /* of a hook or program that failed; 0: none did */
	char name[IFNAMSIZ];
	char path[PATH_MAX]; /* of the file, resolved */
	char *text;          /* of the file; wiped */
	size_t size;
	char sidecar_path[PATH_MAX]; /* NAME.yaml beside the file as it was given; need not be there */
	char *sidecar_text;          /* NULL: it is not */
	size_t sidecar_size;
	struct quick_config config;
	struct quick_sidecar sidecar;
	struct quick_allowed allowed;
	struct key public_key;
	uint32_t table_number;
	struct endpoint *endpoints; /* owned; by peer of the file */

	char directory
		[PATH_MAX]; /* of journals and locks, for the network namespace that we were called in */
	char route_directory[PATH_MAX]; /* of the lock of routes, for the interface's */
	int lock_fd, route_lock_fd;
	struct quick_journal journal;
	struct rtnl *rtnl;
	struct nft *nft; /* opened when needed */
	struct wg *wg;   /* opened when needed */
	bool device_known;
	struct wg_device device; /* as it was read last; see quick_read_device() */
	struct quick_spaces spaces;

	int signal_fd;
	int cancel_fd;                 /* without signals: readable when it shall stop; -1: nobody stops it */
	int signal;                    /* that asked us to stop; 0 */
	bool undoing;                  /* signals no longer stop us */
	struct quick_keeping *keeping; /* what is made is kept, by no command; NULL: a command works */
	int child_timeout_ms;          /* 0: programs may take their time */
	int lock_timeout_ms;           /* 0: so may those that have a lock */
};

void quick_say(const struct quick *quick, enum quick_word word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int quick_begin(struct quick *quick, const struct quick_options *options, struct err *err);
/* Frees; the exit status for a result. */
int quick_end(struct quick *quick, int result);

/* All that a command is made of between the two: its files are loaded, the tunnel is locked, its journal read and its
 * namespaces entered. */
struct quick_command {
	int (*load)(struct quick *quick);
	int (*may)(struct quick *quick);  /* before anything is entered; NULL: it always may */
	int (*work)(struct quick *quick); /* as what the journal says, and where the interface is */
};
int quick_session(const struct quick_options *options, const struct quick_command *command, struct err *err);

int quick_signals_block(struct quick *quick);
void quick_signals_restore(struct quick *quick);
/* Readable when it may have to stop; -1: never. */
int quick_stop_fd(const struct quick *quick);
/* -EINTR, with status and err, if a signal asks us to stop; -ECANCELED, with err, if cancel_fd does. timeout_ms to wait for
 * that. */
int quick_check_signal(struct quick *quick, int timeout_ms);

#endif
