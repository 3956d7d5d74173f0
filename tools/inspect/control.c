// SPDX-License-Identifier: MIT
/* control.c - writes a request into a live target, and waits for its answer. */
#include "control.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fields.h"

#define ANSWER_MS	5000
#define POLL_NS		10000000L

/* The words that mm/control.h describes, as the library at hand has them. */
struct words {
	struct heap *h;
	uint64_t addr;
	struct field allowed, looks, request, answer;
	struct field nonce, op, arg, check, done, error, value;
	uint64_t magic, shrink, debug;
	uint32_t size;
};

static bool bind_field(const struct layout *l, const char *type, const char *name,
		       struct field *f)
{
	const struct layout_item *item = layout_item(l, type, name);

	if (item)
		*f = (struct field){ (uint32_t)item->value, item->size };
	return item != NULL;
}

static bool bind_constant(const struct layout *l, const char *name, uint64_t *value)
{
	const struct layout_item *item = layout_item(l, "", name);

	if (item)
		*value = item->value;
	return item != NULL;
}

/* False: the library has no such channel. */
static bool bind(struct heap *h, struct words *w)
{
	const struct layout *l = h->image->layout;
	const struct layout_item *whole = layout_item(l, "kmem_control", "");

	*w = (struct words){ .h = h, .addr = layout_symbol(l, "kmem_control"),
			     .size = whole ? whole->size : 0 };
	return w->addr && w->size && w->size <= STRUCT_MAX &&
	       bind_field(l, "kmem_control", "allowed", &w->allowed) &&
	       bind_field(l, "kmem_control", "looks", &w->looks) &&
	       bind_field(l, "kmem_control", "request", &w->request) &&
	       bind_field(l, "kmem_control", "answer", &w->answer) &&
	       w->request.size <= 256 &&
	       bind_field(l, "kmem_control_request", "nonce", &w->nonce) &&
	       bind_field(l, "kmem_control_request", "op", &w->op) &&
	       bind_field(l, "kmem_control_request", "arg", &w->arg) &&
	       bind_field(l, "kmem_control_request", "check", &w->check) &&
	       bind_field(l, "kmem_control_answer", "nonce", &w->done) &&
	       bind_field(l, "kmem_control_answer", "error", &w->error) &&
	       bind_field(l, "kmem_control_answer", "value", &w->value) &&
	       bind_constant(l, "KMEM_CONTROL_MAGIC", &w->magic) &&
	       bind_constant(l, "KMEM_CONTROL_SHRINK", &w->shrink) &&
	       bind_constant(l, "KMEM_CONTROL_DEBUG", &w->debug);
}

static bool get(const struct words *w, char *bytes)
{
	return source_read(w->h->src, w->addr, bytes, w->size);
}

static uint64_t make_nonce(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)getpid() << 40 ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec) | 1;
}

static void put(char *request, struct field f, uint64_t v)
{
	memcpy(request + f.offset, &v, f.size < 8 ? f.size : 8);
}

static bool post(const struct words *w, uint64_t nonce, uint64_t op, uint64_t arg)
{
	char request[256] = { 0 };

	put(request, w->nonce, nonce);
	put(request, w->op, op);
	put(request, w->arg, arg);
	put(request, w->check, nonce ^ op ^ arg ^ w->magic);
	return w->h->src->ops->write(w->h->src, w->addr + w->request.offset, request,
				     w->request.size);
}

static bool stopped(int pid)
{
	char path[64], *text, *state;
	bool is;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_whole(path, NULL);
	state = text ? strrchr(text, ')') : NULL;
	is = state && (state[2] == 'T' || state[2] == 't');
	free(text);
	return is;
}

static char *explain(const struct words *w, int64_t error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return xasprintf("libkmem %s can switch nothing but checks (-df, -d-) in a "
				 "running program", w->h->image->layout->version);
	case -ENOENT:
		return xstrdup("the cache is not there any more");
	default:
		return xasprintf("it refused: %s", strerror((int)-error));
	}
}

/* Posts the request, again where another tool's has taken its place, until it is answered. */
static bool ask(const struct words *w, uint64_t op, uint64_t arg, struct control_answer *a,
		char **error)
{
	uint64_t nonce = make_nonce();
	struct timespec pause = { 0, POLL_NS };
	char bytes[STRUCT_MAX];
	uint64_t looks = 0;

	for (long ms = 0; ms < ANSWER_MS; ms += POLL_NS / 1000000) {
		const char *answer = bytes + w->answer.offset;

		if (!get(w, bytes)) {
			*error = xstrdup("the process has ended");
			return false;
		}
		if (value(answer, w->done) == nonce) {
			int64_t err = (int64_t)value(answer, w->error);

			a->value = value(answer, w->value);
			if (err)
				*error = explain(w, err);
			return err == 0;
		}
		if (ms == 0)
			looks = value(bytes, w->looks);
		if (value(bytes + w->request.offset, w->nonce) != nonce &&
		    !post(w, nonce, op, arg)) {
			*error = xstrdup("its memory can't be written (the right to debug it "
					 "is needed)");
			return false;
		}
		nanosleep(&pause, NULL);
	}
	if (stopped(w->h->src->pid))
		*error = xstrdup("it is stopped");
	else if (value(bytes, w->looks) == looks)
		*error = xstrdup("nobody looks at requests there: it could not start its "
				 "thread, and frees no pages at present");
	else
		*error = xstrdup("no answer in time");
	return false;
}

static bool request(struct heap *h, bool shrink, uint64_t arg, struct control_answer *a,
		    char **error)
{
	char bytes[STRUCT_MAX];
	struct words w;

	*a = (struct control_answer){ 0 };
	if (!h->src->ops->write) {
		*error = xstrdup("a core file does not change any more");
		return false;
	}
	if (!bind(h, &w)) {
		*error = xasprintf("libkmem %s can't be asked to change anything",
				   h->image->layout->version);
		return false;
	}
	if (!get(&w, bytes) || !value(bytes, w.allowed)) {
		*error = xstrdup("it does not allow it: start it with "
				 "KMEM_CMDLINE=control=on, or let it call "
				 "kmem_control_allow(true)");
		return false;
	}
	return ask(&w, shrink ? w.shrink : w.debug, arg, a, error);
}

bool control_shrink(struct heap *h, uint64_t cache, struct control_answer *a, char **error)
{
	return request(h, true, cache, a, error);
}

bool control_debug(struct heap *h, const char *flags, struct control_answer *a, char **error)
{
	static const struct {
		char letter;
		uint64_t bit;
	} bits[] = { { 'F', 0x100 }, { 'Z', 0x400 }, { 'P', 0x800 }, { 'U', 0x10000 },
		     { 'T', 0x200000 }, { 'A', 0x10d00 } };
	uint64_t arg = 0;

	for (const char *p = flags; *p; p++)
		for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
			if (toupper((unsigned char)*p) == bits[i].letter)
				arg |= bits[i].bit;
	return request(h, false, arg, a, error);
}
