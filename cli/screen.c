/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* ECMA-48 and xterm: the alternate screen (DECSET 1049), the cursor's place and visibility, erasing. */
#define ALTERNATE_SCREEN "\033[?1049h"
#define FORMER_SCREEN "\033[?1049l"
#define CURSOR_OFF "\033[?25l"
#define CURSOR_ON "\033[?25h"
#define CURSOR_HOME "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_BELOW "\033[J"

enum { ROWS_DEFAULT = 24, COLUMNS_DEFAULT = 80 };

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
	if (number != SIGWINCH)
		told_to_end = 1;
}

/* They come only while screen_wait() waits, so none is lost between a look at the flag and the wait. */
static void watch_signals(sigset_t *ret_before)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	sigaction(SIGWINCH, &action, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(ending); i++) {
		sigaddset(&blocked, ending[i]);
		sigaction(ending[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, ret_before);
}

static void put(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
}

int screen_open(struct screen *screen)
{
	if (!isatty(STDOUT_FILENO))
		return -ENOTTY;
	watch_signals(&screen->signals_before);
	put(ALTERNATE_SCREEN CURSOR_OFF);
	return 0;
}

void screen_close(struct screen *screen)
{
	put(CURSOR_ON FORMER_SCREEN);
	sigprocmask(SIG_SETMASK, &screen->signals_before, NULL);
}

/* The length in bytes of as much of a line as fits. Bytes that go on with a character (10xxxxxx) take no column. */
static size_t fitting(const char *line, size_t length, unsigned columns)
{
	unsigned used = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (((unsigned char)line[i] & 0xc0) == 0x80)
			continue;
		if (used++ == columns)
			break;
	}
	return i;
}

char *screen_fit(const char *text, unsigned rows, unsigned columns)
{
	struct text out = {0};

	for (unsigned row = 0; *text && row < rows; row++) {
		size_t length = strcspn(text, "\n");

		if (row)
			text_add(&out, "\n");
		text_add_bytes(&out, text, fitting(text, length, columns));
		text_add(&out, ERASE_LINE);
		text += length + (text[length] == '\n');
	}
	return text_take(&out);
}

void screen_draw(const char *text)
{
	struct winsize size = {0};
	CLEANUP_FREE char *fitted = NULL;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		size = (struct winsize){.ws_row = ROWS_DEFAULT, .ws_col = COLUMNS_DEFAULT};
	fitted = screen_fit(text, size.ws_row, size.ws_col);
	printf(CURSOR_HOME "%s" ERASE_BELOW, fitted);
	fflush(stdout);
}

bool screen_wait(int64_t ms)
{
	struct timespec timeout = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	sigset_t none;

	sigemptyset(&none);
	(void)ppoll(NULL, 0, &timeout, &none);
	return !told_to_end && !ferror(stdout);
}
