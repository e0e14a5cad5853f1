/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/socket.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "node-agent/io/netlink/datagram.h"

enum {
	SOCKET_BUFFER_BYTES = 4 * 1024 * 1024, /* a whole ruleset as one batch */
	ANSWER_WAIT_MS = 1000,
	COMMIT_ATTEMPTS_MAX = 50,
	QUESTION_BYTES = 1024, /* headers and two names of NFT_NAME_MAXLEN (256) */
};

uint32_t nft_next_sequence(struct nft *nft)
{
	if (++nft->sequence == 0) /* 0 is what the kernel puts into events */
		nft->sequence = 1;
	return nft->sequence;
}

static void set_options(const struct mnl_socket *socket)
{
	int one = 1, bytes = SOCKET_BUFFER_BYTES;
	/* Errors come without a copy of what was sent. Without these it still works, for smaller batches. */
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &one, sizeof one);
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
}

int nft_open(struct nft **ret_nft, struct err *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!socket)
		return err_set(err, -errno, "cannot open a netlink socket to nftables: %s", strerror(errno));
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;
		mnl_socket_close(socket);
		return err_set(err, error, "cannot bind a netlink socket to nftables: %s", strerror(-error));
	}
	set_options(socket);
	struct nft *nft = mem_new(1, sizeof *nft);
	nft->socket = socket;
	*ret_nft = nft;
	return 0;
}

void nft_close(struct nft *nft)
{
	if (!nft)
		return;
	mnl_socket_close(nft->socket);
	nft_batch_clear(&nft->batch);
	free(nft);
}

uint32_t nft_port_id(const struct nft *nft)
{
	return mnl_socket_get_portid(nft->socket);
}

/* The kernel's next datagram. -EAGAIN: none is there, and none came within wait_ms. */
static int receive(struct nft *nft, int wait_ms, struct netlink_datagram *ret_datagram)
{
	for (;;) {
		int error = netlink_datagram_receive(
			mnl_socket_get_fd(nft->socket), nft->answer, sizeof nft->answer, ret_datagram);
		if (error != -EAGAIN || wait_ms == 0)
			return error;
		struct pollfd poll_fd = {.fd = mnl_socket_get_fd(nft->socket), .events = POLLIN};
		int ready = poll(&poll_fd, 1, wait_ms);
		if (ready == 0)
			return -EAGAIN;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

static int send_bytes(struct nft *nft, const void *data, size_t length)
{
	while (mnl_socket_sendto(nft->socket, data, length) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int error_of(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	return mnl_nlmsg_get_payload_len(message) < sizeof error->error ? -EBADMSG : error->error;
}

/* What became of a batch, as its answers come in. */
struct outcome {
	uint32_t first, last; /* sequence numbers of the batch */
	int error;            /* the first */
	uint32_t failed;
	bool complete; /* the last message was answered */
};

static void take_in(struct outcome *outcome, const struct nlmsghdr *message)
{
	uint32_t offset = message->nlmsg_seq - outcome->first; /* sequence numbers wrap */
	if (message->nlmsg_type != NLMSG_ERROR || offset > outcome->last - outcome->first)
		return; /* the answer to something older */
	if (message->nlmsg_seq == outcome->last)
		outcome->complete = true;
	int error = error_of(message);
	if (error && !outcome->error) {
		outcome->error = error;
		outcome->failed = message->nlmsg_seq;
	}
}

static void take_in_all(struct outcome *outcome, struct netlink_datagram *datagram)
{
	const struct nlmsghdr *message;

	while ((message = netlink_datagram_next(datagram)))
		take_in(outcome, message);
}

/* The elements of 100,000 peers in one batch: what the kernel takes at once is what the buffer for it holds. */
static void make_room(struct nft *nft, size_t length)
{
	int bytes = (int)length;

	if (length > SOCKET_BUFFER_BYTES && length < INT_MAX / 2)
		setsockopt(mnl_socket_get_fd(nft->socket), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
}

static int commit_once(struct nft *nft, const struct nft_batch *batch, uint32_t *ret_failed)
{
	make_room(nft, batch->length);
	struct outcome outcome = {.first = batch->first_sequence, .last = batch->last_sequence};
	int error = send_bytes(nft, batch->data, batch->length);
	if (error)
		return error;
	while (!outcome.complete) {
		/* After an error of the whole batch (no permission) nothing more comes. */
		struct netlink_datagram datagram;
		error = receive(nft, outcome.error ? 0 : ANSWER_WAIT_MS, &datagram);
		if (outcome.error && (error == -EAGAIN || error == -ENOBUFS))
			break;
		if (error)
			return error == -EAGAIN ? -ETIMEDOUT : error;
		take_in_all(&outcome, &datagram);
	}
	*ret_failed = outcome.failed;
	return outcome.error;
}

/* The kernel itself starts a batch again after loading a module, and makes batches wait for each other; should it say
 * otherwise, nothing has happened yet and the same batch may be sent again. */
int nft_commit(struct nft *nft, const struct nft_batch *batch, uint32_t *ret_failed)
{
	uint32_t failed = 0;
	int error = -EAGAIN;
	for (int attempt = 0; attempt < COMMIT_ATTEMPTS_MAX && (error == -EAGAIN || error == -EBUSY);
		attempt++)
		error = commit_once(nft, batch, &failed);
	if (ret_failed)
		*ret_failed = failed;
	return error;
}

/* How a dump went. */
struct progress {
	uint32_t sequence;
	bool done, interrupted;
	int error;
};

static void progress_message(
	struct progress *progress, const struct nlmsghdr *message, const struct nft_question *question)
{
	if (message->nlmsg_seq != progress->sequence)
		return;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		progress->interrupted = true;
	if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
		/* NLMSG_DONE carries the dump's own error too (netlink_dump_done(), net/netlink/af_netlink.c). */
		int error = error_of(message);
		progress->done = true;
		if (error < 0 && !progress->error)
			progress->error = error;
		return;
	}
	if (!progress->error && !progress->interrupted)
		progress->error = question->message(message, question->context);
}

static bool is_transient(int error)
{
	switch (error) {
	case -EINTR:  /* the list changed while it was walked */
	case -EAGAIN: /* a set was resized under the walk, a module is being loaded */
	case -EBUSY:  /* the dump before has not ended yet */
	case -ENOBUFS:
		return true;
	default: /* errno, not an enum */
		return false;
	}
}

static struct nlmsghdr *build_question(struct nft *nft, const struct nft_question *question, char *buffer)
{
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(
		buffer, question->type, question->family, NLM_F_DUMP, nft_next_sequence(nft));
	if (question->table)
		mnl_attr_put_strz(
			request, NFTA_TABLE_NAME, question->table); /* 1 for chains, rules, sets too */
	if (question->set)
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, question->set);
	return request;
}

/* One attempt. It reads to the end whatever happens, or the kernel would call the next one busy. */
static int dump_once(struct nft *nft, const struct nft_question *question)
{
	char buffer[QUESTION_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = build_question(nft, question, buffer);
	struct progress progress = {.sequence = request->nlmsg_seq};
	int error = send_bytes(nft, request, request->nlmsg_len);
	if (error)
		return error;
	while (!progress.done) {
		struct netlink_datagram datagram;
		const struct nlmsghdr *message;
		error = receive(nft, ANSWER_WAIT_MS, &datagram);
		if (error == -ENOBUFS) {
			progress.interrupted = true; /* something was lost; the rest still comes */
			continue;
		}
		if (error)
			return error == -EAGAIN ? -ETIMEDOUT : error;
		while ((message = netlink_datagram_next(&datagram)))
			progress_message(&progress, message, question);
	}
	return progress.error ? progress.error : progress.interrupted ? -EINTR : 0;
}

int nft_dump(struct nft *nft, const struct nft_question *question)
{
	int error = -EINTR;
	for (int attempt = 0; attempt < NFT_ATTEMPTS_MAX && is_transient(error); attempt++) {
		question->restart(question->context);
		error = dump_once(nft, question);
	}
	return error;
}

static int ask_once(struct nft *nft, struct nlmsghdr *request,
	int (*message)(const struct nlmsghdr *, void *), void *context)
{
	request->nlmsg_seq = nft_next_sequence(nft);
	int error = send_bytes(nft, request, request->nlmsg_len);
	while (!error) {
		struct netlink_datagram datagram;
		const struct nlmsghdr *answer;
		int r = receive(nft, ANSWER_WAIT_MS, &datagram);
		if (r)
			return r == -EAGAIN ? -ETIMEDOUT : r;
		while ((answer = netlink_datagram_next(&datagram))) {
			if (answer->nlmsg_seq != request->nlmsg_seq)
				continue;
			if (answer->nlmsg_type == NLMSG_ERROR)
				return error_of(answer);
			if (message && !error)
				error = message(answer, context);
		}
	}
	return error;
}

int nft_ask(struct nft *nft, struct nlmsghdr *request, int (*message)(const struct nlmsghdr *, void *),
	void *context)
{
	int error = -EINTR;
	request->nlmsg_flags |= NLM_F_ACK; /* so that an answer has an end */
	for (int attempt = 0; attempt < NFT_ATTEMPTS_MAX && is_transient(error); attempt++)
		error = ask_once(nft, request, message, context);
	return error;
}
