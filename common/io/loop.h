/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_COMMON_LOOP_H
#define HOLDFAST_COMMON_LOOP_H

struct event_base;

/* The event loop of a daemon, with timers by timerfd: libevent's default clock is the coarse one, 4 ms late, which is a lot
 * beside a suspicion of 110. NULL: libevent cannot make one. The caller ends it with loop_free(). */
struct event_base *loop_new(void);

/* Everything that was in it must have been freed. NULL-safe. What libevent deferred is done first: a callback that waits its
 * turn holds its bufferevent and the TLS connection behind, and event_base_free() alone forgets it. */
void loop_free(struct event_base *loop);

#endif
