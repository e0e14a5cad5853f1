/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/batch.h"

#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/rtnl/internal.h"
#include "node-agent/io/rtnl/request.h"

/* What goes into one sendmsg. Bounded by the socket's send buffer, and by what errors the receive queue holds while nobody
 * reads. */
enum { CHUNK_BYTES = 60000, CHUNK_REQUESTS = 512 };

struct rtnl_batch {
	struct rtnl_request *requests;
	size_t count, capacity;
};

struct rtnl_batch *rtnl_batch_new(void)
{
	return mem_new(1, sizeof(struct rtnl_batch));
}

void rtnl_batch_reset(struct rtnl_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		free(batch->requests[i].why);
	batch->count = 0;
}

void rtnl_batch_free(struct rtnl_batch *batch)
{
	if (!batch)
		return;
	rtnl_batch_reset(batch);
	free(batch->requests);
	free(batch);
}

size_t rtnl_batch_count(const struct rtnl_batch *batch)
{
	return batch->count;
}

int rtnl_batch_result(const struct rtnl_batch *batch, size_t index)
{
	return batch->requests[index].result;
}

/* ---- adding ---- */

static struct rtnl_request *add(struct rtnl_batch *batch, enum rtnl_noun noun, enum rtnl_op op)
{
	struct rtnl_request *request;

	batch->requests =
		mem_grow(batch->requests, &batch->capacity, batch->count + 1, sizeof batch->requests[0]);
	request = &batch->requests[batch->count++];
	memset(request, 0, sizeof *request);
	request->noun = noun;
	request->op = op;
	return request;
}

/* A name that does not fit stays empty, and is refused when the batch runs. */
static void copy_name(char *to, size_t size, const char *from)
{
	if (!text_copy(to, size, from))
		to[0] = '\0';
}

void rtnl_batch_link_create(struct rtnl_batch *batch, const char *name, const char *kind)
{
	struct rtnl_request *request = add(batch, RTNL_LINK_CREATE, RTNL_ADD);

	copy_name(request->create.name, sizeof request->create.name, name);
	copy_name(request->create.kind, sizeof request->create.kind, kind);
}

void rtnl_batch_link_delete(struct rtnl_batch *batch, const char *name)
{
	struct rtnl_request *request = add(batch, RTNL_LINK_DELETE, RTNL_DELETE);

	copy_name(request->create.name, sizeof request->create.name, name);
}

void rtnl_batch_link_change(struct rtnl_batch *batch, const struct rtnl_link_change *change)
{
	add(batch, RTNL_LINK_CHANGE, RTNL_REPLACE)->change = *change;
}

void rtnl_batch_address(struct rtnl_batch *batch, enum rtnl_op op, const struct rtnl_address *address)
{
	add(batch, RTNL_ADDRESS, op)->address = *address;
}

void rtnl_batch_route(struct rtnl_batch *batch, enum rtnl_op op, const struct rtnl_route *route)
{
	add(batch, RTNL_ROUTE, op)->route = *route;
}

void rtnl_batch_rule(struct rtnl_batch *batch, enum rtnl_op op, const struct rtnl_rule *rule)
{
	add(batch, RTNL_RULE, op)->rule = *rule;
}

/* ---- saying ---- */

char *rtnl_batch_format(const struct rtnl_batch *batch, size_t index, char *buffer, size_t size)
{
	const struct rtnl_request *request = &batch->requests[index];
	size_t length;

	rtnl_request_format(request, buffer, size);
	length = strlen(buffer);
	if (request->result < 0)
		snprintf(buffer + length, size - length, ": %s%s%s%s", strerror(-request->result),
			request->why ? " (" : "", request->why ? request->why : "", request->why ? ")" : "");
	return buffer;
}

static int first_failure(const struct rtnl_batch *batch, struct err *err)
{
	char text[RTNL_REQUEST_TEXT_MAX], more[48] = "";
	size_t i, first = batch->count, failed = 0;

	for (i = 0; i < batch->count; i++) {
		if (batch->requests[i].result == 0)
			continue;
		if (failed++ == 0)
			first = i;
	}
	if (failed == 0)
		return 0;
	if (failed > 1)
		snprintf(more, sizeof more, "; %zu more failed", failed - 1);
	return err_set(err, batch->requests[first].result, "%s%s",
		rtnl_batch_format(batch, first, text, sizeof text), more);
}

/* ---- running ---- */

struct run {
	struct rtnl *rtnl;
	struct rtnl_batch *batch;
	uint8_t *chunk;
	size_t chunk_bytes;
	struct nlmsghdr *last; /* in the chunk */
	size_t first;          /* the first request that may be in the chunk */
	size_t waiting;        /* how many are */
};

static void settle_waiting(struct run *run, size_t end, int result)
{
	size_t i;

	for (i = run->first; i < end; i++) {
		if (run->batch->requests[i].waiting)
			rtnl_request_settle(&run->batch->requests[i], result, "");
	}
	run->waiting = 0;
}

/* An error or the acknowledgement of the last. The kernel works through a chunk in order and tells of every error, so
 * those before it that nothing was said of have succeeded. */
static void settle_up_to(struct run *run, size_t index, int result, const char *why)
{
	for (; run->first <= index; run->first++) {
		struct rtnl_request *request = &run->batch->requests[run->first];

		if (!request->waiting)
			continue;
		rtnl_request_settle(
			request, run->first == index ? result : 0, run->first == index ? why : "");
		run->waiting--;
	}
}

/* SIZE_MAX: it is the answer to nothing that we wait for. */
static size_t find_waiting(const struct run *run, uint32_t sequence, size_t end)
{
	for (size_t i = run->first; i < end; i++)
		if (run->batch->requests[i].waiting && run->batch->requests[i].sequence == sequence)
			return i;
	return SIZE_MAX;
}

static void take_answers(struct run *run, struct netlink_datagram *datagram, size_t end)
{
	const struct nlmsghdr *message;
	char why[NETLINK_WHY_MAX];
	size_t index;
	int r;

	while ((message = netlink_datagram_next(datagram))) {
		if (message->nlmsg_type != NLMSG_ERROR)
			continue;
		index = find_waiting(run, message->nlmsg_seq, end);
		if (index == SIZE_MAX)
			continue;
		r = netlink_error(message, why);
		settle_up_to(run, index, r, why);
	}
}

/* Send the chunk and wait until its last request is answered. A failure of the conversation itself is every unanswered one's result. */
static int flush(struct run *run, size_t end)
{
	struct netlink_datagram datagram;
	int r = 0;

	if (run->waiting > 0) {
		run->last->nlmsg_flags |= NLM_F_ACK;
		r = netlink_send(run->rtnl->netlink, run->chunk, run->chunk_bytes);
	}
	while (r == 0 && run->waiting > 0) {
		r = netlink_receive(run->rtnl->netlink, &datagram);
		if (r == 0)
			take_answers(run, &datagram, end);
	}
	if (r < 0)
		settle_waiting(run, end, r);
	run->first = end;
	run->chunk_bytes = 0;
	return r;
}

static void append(struct run *run, struct rtnl_request *request)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(void *)(run->chunk + run->chunk_bytes);

	memset(message, 0, RTNL_REQUEST_MAX);
	rtnl_request_put(message, request);
	message->nlmsg_flags |= NLM_F_REQUEST;
	message->nlmsg_seq = request->sequence = netlink_sequence(run->rtnl->netlink, 1);
	run->chunk_bytes += MNL_ALIGN(message->nlmsg_len);
	run->last = message;
	request->waiting = true;
	run->waiting++;
}

static int run_one(struct run *run, size_t index)
{
	struct rtnl_request *request = &run->batch->requests[index];
	int r = rtnl_request_check(run->rtnl, request);

	if (r < 0) {
		rtnl_request_settle(request, r, "");
		return 0;
	}
	append(run, request);
	if (rtnl_request_changes_names(request)) {
		rtnl_names_forget(run->rtnl);
		return flush(run, index + 1);
	}
	if (run->chunk_bytes + RTNL_REQUEST_MAX > CHUNK_BYTES || run->waiting == CHUNK_REQUESTS)
		return flush(run, index + 1);
	return 0;
}

static void forget_results(struct rtnl_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++) {
		free(batch->requests[i].why);
		batch->requests[i].why = NULL;
		batch->requests[i].result = 0;
	}
}

int rtnl_batch_run(struct rtnl *rtnl, struct rtnl_batch *batch, struct err *err)
{
	struct run run = {.rtnl = rtnl, .batch = batch};
	size_t i;
	int r = 0;

	forget_results(batch);
	rtnl_names_forget(rtnl);
	run.chunk = mem_new(1, CHUNK_BYTES);
	for (i = 0; i < batch->count && r == 0; i++)
		r = run_one(&run, i);
	if (r == 0)
		r = flush(&run, batch->count);
	for (; i < batch->count; i++)
		batch->requests[i].result = r;
	free(run.chunk);
	return first_failure(batch, err);
}
