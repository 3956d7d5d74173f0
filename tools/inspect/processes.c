// SPDX-License-Identifier: MIT
/*
 * processes.c - the processes that run on the library: of this user, of all
 * users for root. What can't be looked at is passed over in silence; it is not
 * known to be ours.
 */
#include "report.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct listing {
	FILE *out;
	bool json;
	size_t nr;			/* heaps printed */
	struct image_memory memory;
};

static void print_heap(struct listing *l, const struct heap *h)
{
	uint64_t rss = rss_total(h);
	const char *name = strrchr(h->image->path, '/');

	name = name ? name + 1 : h->image->path;
	if (!l->json) {
		fprintf(l->out, "%7d %-16s %-8s %10" PRIu64 " %-8s %s\n", h->src->pid,
			h->src->command, heap_mode_name(h), rss >> 10,
			h->image->layout->version, name);
	} else {
		fprintf(l->out, "%s\n  {\"pid\": %d, \"command\": ", l->nr ? "," : "",
			h->src->pid);
		json_string(l->out, h->src->command);
		fprintf(l->out, ", \"mode\": \"%s\", \"rss\": %" PRIu64 ", \"library\": ",
			heap_mode_name(h), rss);
		json_string(l->out, h->image->layout->version);
		fputs(", \"image\": ", l->out);
		json_string(l->out, h->image->path);
		fputc('}', l->out);
	}
	l->nr++;
}

static void list_process(struct listing *l, int pid)
{
	struct source *src = source_process(pid, NULL);
	struct image *images;
	size_t nr;

	if (!src)
		return;
	images = images_find_known(src, &nr, &l->memory);
	for (size_t i = 0; i < nr; i++) {
		char *error;
		struct heap *h = heap_read(src, &images[i], &error);

		if (h && h->mode != HEAP_UNUSED)
			print_heap(l, h);
		heap_free(h);
		free(error);
	}
	images_free(images, nr);
	source_close(src);
}

static bool ours(const char *name)
{
	char path[300];
	struct stat st;

	if (geteuid() == 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%s", name);
	return stat(path, &st) == 0 && st.st_uid == geteuid();
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

size_t report_processes(FILE *out, bool json)
{
	struct listing l = { .out = out, .json = json };
	DIR *dir = opendir("/proc");
	struct dirent *d;
	int *pids = NULL;
	size_t nr = 0;

	while (dir && (d = readdir(dir))) {
		int pid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;

		if (pid <= 0 || pid == getpid() || !ours(d->d_name))
			continue;
		pids = grow(pids, nr, sizeof(*pids));
		pids[nr++] = pid;
	}
	if (dir)
		closedir(dir);
	if (nr)
		qsort(pids, nr, sizeof(*pids), by_number);
	if (json)
		fputs("{\"processes\": [", out);
	else
		fprintf(out, "%7s %-16s %-8s %10s %-8s %s\n", "PID", "COMMAND", "MODE",
			"RSS kB", "VERSION", "LIBRARY");
	for (size_t i = 0; i < nr; i++)
		list_process(&l, pids[i]);
	if (json)
		fputs("]}\n", out);
	free(pids);
	free(l.memory.plain);
	return l.nr;
}
