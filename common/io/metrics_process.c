/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/io/metrics.h"

#include <stdio.h>

static uint64_t resident_bytes(void)
{
	char *text CLEANUP_FREE = NULL;
	unsigned long pages = 0;

	if (file_read("/proc/self/statm", 4096, &text, NULL, NULL) < 0 ||
		sscanf(text, "%*u %lu", &pages) != 1)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	uint64_t count = 0;
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return count > 0 ? count - 1 : 0; /* the one that looked */
}

void metrics_process(struct text *out)
{
	struct rusage usage = {0};

	getrusage(RUSAGE_SELF, &usage);
	metrics_family(out, METRICS_GAUGE, "holdfast_build_info", "Always 1; the version is a label.");
	metrics_u64(out, "holdfast_build_info", (const char *const[]){"version", HOLDFAST_VERSION, NULL}, 1);
	metrics_family(out, METRICS_GAUGE, "process_resident_memory_bytes", "Resident memory size.");
	metrics_u64(out, "process_resident_memory_bytes", NULL, resident_bytes());
	metrics_family(out, METRICS_COUNTER, "process_cpu_seconds_total", "User and system time spent.");
	metrics_double(out, "process_cpu_seconds_total", NULL,
		(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	metrics_family(out, METRICS_GAUGE, "process_open_fds", "Open file descriptors.");
	metrics_u64(out, "process_open_fds", NULL, open_descriptors());
}
