/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "node-agent/io/quick/session.h"

static sigset_t stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

int quick_signals_block(struct quick *quick)
{
	sigset_t set = stop_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
	quick->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (quick->signal_fd < 0)
		return err_set(quick->err, -errno, "signalfd: %s", strerror(errno));
	return 0;
}

void quick_signals_restore(struct quick *quick)
{
	sigset_t set = stop_signals();
	struct signalfd_siginfo info;

	if (quick->signal_fd < 0)
		return;
	/* One that came after the last look came too late: how we end must tell what was done. */
	while (read(quick->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	close(quick->signal_fd);
	quick->signal_fd = -1;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int quick_stop_fd(const struct quick *quick)
{
	return quick->signal_fd >= 0 ? quick->signal_fd : quick->cancel_fd;
}

int quick_check_signal(struct quick *quick, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = quick_stop_fd(quick), .events = POLLIN};
	struct signalfd_siginfo info;

	(void)poll(&poll_fd, 1, timeout_ms); /* without signals it waits all the same */
	if (quick->signal_fd < 0)
		return poll_fd.revents ? err_set(quick->err, -ECANCELED, "stopped, for the agent ends") : 0;
	if (read(quick->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info) && !quick->signal)
		quick->signal = (int)info.ssi_signo;
	if (!quick->signal || quick->undoing)
		return 0;
	quick->status = 128 + quick->signal;
	return err_set(
		quick->err, -EINTR, "stopped by signal %d (%s)", quick->signal, strsignal(quick->signal));
}
