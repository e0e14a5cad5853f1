/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/liveness/internal.h"

struct batch {
	size_t count;
	struct mmsghdr messages[OUTBOX_MAX];
	struct iovec vectors[OUTBOX_MAX];
	struct sockaddr_storage to[OUTBOX_MAX];
};

static void add(struct batch *batch, struct letter *letter)
{
	size_t i = batch->count++;

	batch->vectors[i] = (struct iovec){.iov_base = letter->bytes, .iov_len = letter->size};
	batch->messages[i] = (struct mmsghdr){0};
	batch->messages[i].msg_hdr.msg_name = &batch->to[i];
	batch->messages[i].msg_hdr.msg_namelen = endpoint_to_sockaddr(&letter->to.endpoint, &batch->to[i]);
	batch->messages[i].msg_hdr.msg_iov = &batch->vectors[i];
	batch->messages[i].msg_hdr.msg_iovlen = 1;
}

/* One that cannot be sent (no route, a firewall, a full buffer) is a lost datagram; the rest go on. */
static void send_batch(struct liveness *liveness, int fd, struct batch *batch)
{
	size_t done = 0;

	while (done < batch->count) {
		int sent = sendmmsg(fd, batch->messages + done, (unsigned)(batch->count - done), 0);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			liveness->counters.send_failed++;
			done++;
			continue;
		}
		liveness->counters.sent += (uint64_t)sent;
		done += (size_t)sent;
	}
}

void outbox_flush(struct liveness *liveness)
{
	struct outbox *outbox = &liveness->outbox;
	struct batch batch;

	for (size_t local = 0; local < liveness->config.local_count; local++) {
		batch.count = 0;
		for (size_t i = 0; i < outbox->count; i++)
			if (outbox->letters[i].to.local == local)
				add(&batch, &outbox->letters[i]);
		if (batch.count > 0)
			send_batch(liveness, liveness->locals[local].fd, &batch);
	}
	outbox->count = 0;
}

struct letter *outbox_next(struct liveness *liveness)
{
	if (liveness->outbox.count == OUTBOX_MAX)
		outbox_flush(liveness);
	return &liveness->outbox.letters[liveness->outbox.count++];
}
