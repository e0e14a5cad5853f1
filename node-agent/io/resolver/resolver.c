/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/resolver/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"

struct question {
	struct question *next;
	struct netns netns;            /* where to ask, if it is open */
	char netns_name[NAME_MAX + 1]; /* "": without files of its own */
	struct resolver_answer answer; /* filled in by the thread */
};

struct queue {
	struct question *first, **last;
	size_t count;
};

struct thread {
	struct resolver *resolver;
	pthread_t id;
	bool runs;   /* the place is taken */
	bool asking; /* for how long, nobody knows */
};

/* Shared by the loop and the threads; whoever leaves last frees it. */
struct resolver {
	int fd;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t work;
	unsigned users, idle;
	bool ending;
	struct queue questions, answers;
	struct thread threads[RESOLVER_THREADS];
};

static void push(struct queue *queue, struct question *question)
{
	question->next = NULL;
	*queue->last = question;
	queue->last = &question->next;
	queue->count++;
}

static struct question *pop(struct queue *queue)
{
	struct question *question = queue->first;

	if (!question)
		return NULL;
	queue->first = question->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	return question;
}

static void free_question(struct question *question)
{
	netns_close(&question->netns);
	free(question);
}

static void clear(struct queue *queue)
{
	struct question *question;

	while ((question = pop(queue)))
		free_question(question);
}

/* With the mutex held; gives it back. */
static void leave(struct resolver *resolver)
{
	bool last = --resolver->users == 0;

	pthread_mutex_unlock(&resolver->mutex);
	if (!last)
		return;
	clear(&resolver->questions);
	clear(&resolver->answers);
	pthread_cond_destroy(&resolver->work);
	pthread_mutex_destroy(&resolver->mutex);
	close(resolver->fd);
	free(resolver);
}

static bool has(const struct resolver_answer *answer, const struct addr *addr)
{
	for (size_t i = 0; i < answer->count; i++)
		if (addr_equal(&answer->addresses[i], addr))
			return true;
	return false;
}

static void take(struct resolver_answer *answer, const struct addrinfo *list)
{
	struct endpoint endpoint;

	for (; list && answer->count < RESOLVER_ADDRESSES_MAX; list = list->ai_next)
		if (endpoint_from_sockaddr(list->ai_addr, &endpoint) >= 0 && !has(answer, &endpoint.addr))
			answer->addresses[answer->count++] = endpoint.addr;
	if (!answer->count)
		text_copy(answer->failure, sizeof(answer->failure), "it has no address");
}

static void resolve(struct resolver_answer *answer)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	int r = getaddrinfo(answer->name, NULL, &hints, &list);

	if (r) {
		text_copy(answer->failure, sizeof(answer->failure),
			r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return;
	}
	take(answer, list);
	freeaddrinfo(list);
}

/* The C library reads its files anew where they are others, and each thread has its own state of them. */
static void resolve_there(struct question *question)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	struct err err = {0};
	int r = netns_enter(&question->netns, &visit, &err);

	if (r >= 0 && question->netns_name[0]) {
		r = netns_unshare_mounts(question->netns_name);
		if (r < 0)
			err_set(&err, r, "a mount namespace: %s", strerror(-r));
	}
	if (r < 0)
		text_copy(question->answer.failure, sizeof(question->answer.failure), err.text);
	else
		resolve(&question->answer);
}

static void push_answer(struct resolver *resolver, struct question *question)
{
	const uint64_t one = 1;

	push(&resolver->answers, question);
	if (write(resolver->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort(); /* an eventfd of our own */
}

/* Called and returns with the mutex held, which it lets go meanwhile. */
static void answer_one(struct thread *thread, struct question *question)
{
	struct resolver *resolver = thread->resolver;

	thread->asking = true;
	pthread_mutex_unlock(&resolver->mutex);
	if (question->netns.fd >= 0)
		resolve_there(question);
	else
		resolve(&question->answer);
	netns_close(&question->netns); /* which may end now */
	pthread_mutex_lock(&resolver->mutex);
	thread->asking = false;
	push_answer(resolver, question);
}

static struct thread *free_place(struct resolver *resolver)
{
	for (size_t i = 0; i < RESOLVER_THREADS; i++)
		if (!resolver->threads[i].runs)
			return &resolver->threads[i];
	return NULL;
}

static bool any_runs(const struct resolver *resolver)
{
	for (size_t i = 0; i < RESOLVER_THREADS; i++)
		if (resolver->threads[i].runs)
			return true;
	return false;
}

static int start_thread(struct resolver *resolver);

/* Nobody is there to ask: whoever asked is told, and may ask again. */
static void give_up(struct resolver *resolver, int error)
{
	struct question *question;

	while ((question = pop(&resolver->questions))) {
		snprintf(question->answer.failure, sizeof(question->answer.failure), "no thread to ask: %s",
			strerror(error));
		netns_close(&question->netns);
		push_answer(resolver, question);
	}
}

/* A thread that was elsewhere is of no more use; those that wait need another one. */
static void end_thread(struct thread *thread)
{
	struct resolver *resolver = thread->resolver;
	int r = 0;

	pthread_detach(thread->id);
	thread->runs = false;
	if (resolver->questions.count > resolver->idle)
		r = start_thread(resolver);
	if (r < 0 && !any_runs(resolver))
		give_up(resolver, -r);
}

static void *work(void *context)
{
	struct thread *thread = context;
	struct resolver *resolver = thread->resolver;
	struct question *question;
	bool was_elsewhere = false;

	pthread_mutex_lock(&resolver->mutex);
	while (!resolver->ending && !was_elsewhere) {
		question = pop(&resolver->questions);
		if (question) {
			was_elsewhere = question->netns.fd >= 0;
			answer_one(thread, question);
			continue;
		}
		resolver->idle++;
		pthread_cond_wait(&resolver->work, &resolver->mutex);
		resolver->idle--;
	}
	if (!resolver->ending) /* else resolver_free() saw to it */
		end_thread(thread);
	leave(resolver);
	return NULL;
}

/* With the mutex held. */
static int start_thread(struct resolver *resolver)
{
	struct thread *thread = free_place(resolver);
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	if (!thread)
		return -EAGAIN;
	thread->resolver = resolver;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 512 * 1024);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread->id, &attributes, work, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (r)
		return -EAGAIN;
	thread->runs = true;
	resolver->users++;
	return 0;
}

int resolver_new(struct resolver **ret_resolver, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct resolver *resolver;

	if (fd < 0)
		return err_set(err, -errno, "cannot make an eventfd: %s", strerror(errno));
	resolver = mem_new(1, sizeof(*resolver));
	resolver->fd = fd;
	resolver->users = 1;
	resolver->questions.last = &resolver->questions.first;
	resolver->answers.last = &resolver->answers.first;
	pthread_mutex_init(&resolver->mutex, NULL);
	pthread_cond_init(&resolver->work, NULL);
	*ret_resolver = resolver;
	return 0;
}

/* Those that wait end at once: what the C library keeps for a thread is given back before the process may end. */
void resolver_free(struct resolver *resolver)
{
	pthread_t waited_for[RESOLVER_THREADS];
	size_t count = 0;

	if (!resolver)
		return;
	pthread_mutex_lock(&resolver->mutex);
	resolver->ending = true;
	pthread_cond_broadcast(&resolver->work);
	for (struct thread *thread = resolver->threads; thread < resolver->threads + RESOLVER_THREADS;
		thread++)
		if (thread->runs && thread->asking)
			pthread_detach(thread->id);
		else if (thread->runs)
			waited_for[count++] = thread->id;
	pthread_mutex_unlock(&resolver->mutex);
	while (count)
		pthread_join(waited_for[--count], NULL);
	pthread_mutex_lock(&resolver->mutex);
	leave(resolver);
}

int resolver_fd(const struct resolver *resolver)
{
	return resolver->fd;
}

/* With the mutex held. A question more than there are idle threads wants another one. */
static int make_room(struct resolver *resolver)
{
	int r = 0;

	if (resolver->questions.count >= RESOLVER_WAITING_MAX)
		return -EBUSY;
	if (resolver->questions.count >= resolver->idle && free_place(resolver))
		r = start_thread(resolver);
	return any_runs(resolver) ? 0 : r;
}

/* It goes on being there for the question, whoever closes it meanwhile. */
static int take_place(struct question *question, const struct resolver_place *place)
{
	question->netns = NETNS_NONE;
	if (!place)
		return 0;
	question->netns = *place->netns;
	question->netns.fd = fcntl(place->netns->fd, F_DUPFD_CLOEXEC, 0);
	text_copy(question->netns_name, sizeof(question->netns_name), place->name ? place->name : "");
	return question->netns.fd < 0 ? -errno : 0;
}

static int queue_question(struct resolver *resolver, struct question *question)
{
	int r;

	pthread_mutex_lock(&resolver->mutex);
	r = make_room(resolver);
	if (r >= 0) {
		push(&resolver->questions, question);
		pthread_cond_signal(&resolver->work);
	}
	pthread_mutex_unlock(&resolver->mutex);
	return r;
}

int resolver_ask(struct resolver *resolver, uint64_t id, const char *name, const struct resolver_place *place)
{
	struct question *question = mem_new(1, sizeof(*question));
	int r = take_place(question, place);

	question->answer.id = id;
	text_copy(question->answer.name, sizeof(question->answer.name), name);
	if (r >= 0)
		r = queue_question(resolver, question);
	if (r < 0)
		free_question(question);
	return r;
}

bool resolver_next(struct resolver *resolver, struct resolver_answer *ret_answer)
{
	struct question *question;
	uint64_t count;

	if (read(resolver->fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	pthread_mutex_lock(&resolver->mutex);
	question = pop(&resolver->answers);
	pthread_mutex_unlock(&resolver->mutex);
	if (!question)
		return false;
	*ret_answer = question->answer;
	free_question(question);
	return true;
}
