// SPDX-License-Identifier: MIT
/* Tests of mm/pool_report.c: the three languages, to the letter. */
#include "slab_test.h"

#include <kmem/pool.h>

static char text[1 << 16];
static size_t length;

static void collect(void *arg, const char *piece)
{
	(void)arg;
	cr_assert_lt(length + strlen(piece), sizeof(text));
	strcpy(text + length, piece);
	length += strlen(piece);
}

static const char *report(struct mp_pool_s *pool, const char *title, enum mp_format format)
{
	length = 0;
	text[0] = '\0';
	mp_report(pool, title, format, collect, NULL);
	return text;
}

static void expect_report(struct mp_pool_s *pool, const char *title, enum mp_format format,
			  const char *wanted)
{
	report(pool, title, format);
	cr_expect_str_eq(text, wanted, "%s\ninstead of\n%s", text, wanted);
}

Test(pool_report, three_languages)
{
	struct mp_pool_s *pool = mp_create_pool_flags(4096, MP_SHARED);
	char wanted[1024];
	struct mp_stat s;

	for (int i = 0; i < 10; i++)
		cr_assert_not_null(mp_malloc(pool, 512));
	mp_malloc(pool, 5120);
	mp_malloc(pool, 70000);
	mp_pool_stat(pool, &s);
	cr_expect(s.blocks == 2 && s.objects == 10 && s.large == 2 && s.large_bytes == 75120);
	cr_expect_eq(s.used + s.left, 8192);
	cr_expect_eq(s.pages, 2 + 2 + 18);

	snprintf(wanted, sizeof(wanted),
		 "\r\n\r\n------start monitor poll------ten\r\n\r\n"
		 "current==>第1块\n"
		 "第01块small block  已使用:%4zu  剩余空间:%4zu  引用:   7  failed:   1\n"
		 "第02块small block  已使用:1616  剩余空间:2480  引用:   3  failed:   0\n"
		 "第1块large block  size=70000\n第2块large block  size=5120\n"
		 "\r\n\r\n------stop monitor poll------\r\n\r\n", s.used - 1616, s.left - 2480);
	expect_report(pool, "ten", MP_REPORT_CHINESE, wanted);
	snprintf(wanted, sizeof(wanted),
		 "pool ten: blocks of 4096 bytes, counted, shared\n"
		 "> block   1: %7zu used %7zu left     7 objects   1 failed\n"
		 "  block   2:    1616 used    2480 left     3 objects   0 failed\n"
		 "  large   1:   70000 bytes\n  large   2:    5120 bytes\n",
		 s.used - 1616, s.left - 2480);
	expect_report(pool, "ten", MP_REPORT_ENGLISH, wanted);
	snprintf(wanted, sizeof(wanted),
		 "{\"title\":\"a \\\"b\\\\\\u0001\",\"counted\":true,\"shared\":true,\"block_size\":4096,"
		 "\"blocks\":[{\"used\":%zu,\"left\":%zu,\"objects\":7,\"failed\":1,\"current\":true},"
		 "{\"used\":1616,\"left\":2480,\"objects\":3,\"failed\":0,\"current\":false}],"
		 "\"large\":[70000,5120]}\n", s.used - 1616, s.left - 2480);
	expect_report(pool, "a \"b\\\1", MP_REPORT_JSON, wanted);
	mp_destroy_pool(pool);
}

Test(pool_report, titles_of_any_length_and_none)
{
	struct mp_pool_s *pool = mp_create_pool_flags(4096, MP_NGINX);
	char title[3000];

	memset(title, 'x', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	for (enum mp_format f = MP_REPORT_CHINESE; f <= MP_REPORT_JSON; f++)
		cr_expect_not_null(strstr(report(pool, title, f), title));
	cr_expect_not_null(strstr(report(pool, NULL, MP_REPORT_ENGLISH),
				  "pool: blocks of 8192 bytes, freed by reset only\n"));
	cr_expect_not_null(strstr(report(pool, NULL, MP_REPORT_JSON), "\"large\":[]}"));
	mp_destroy_pool(pool);
}

/* More large objects than one look takes. */
Test(pool_report, every_large_object_is_listed)
{
	struct mp_pool_s *pool = mp_create_pool(4096);
	unsigned int n = 0;

	for (int i = 0; i < 300; i++)
		cr_assert_not_null(mp_malloc(pool, (size_t)(5000 + i)));
	report(pool, "", MP_REPORT_ENGLISH);
	for (int i = 0; i < 300; i++) {
		char line[64];

		snprintf(line, sizeof(line), "large %3d:    %4d bytes\n", i + 1, 5299 - i);
		n += strstr(text, line) != NULL;
	}
	cr_expect_eq(n, 300);
	mp_destroy_pool(pool);
}

static void use_the_pool(void *arg, const char *piece)
{
	mp_free(arg, mp_malloc(arg, 100));
	mp_free(arg, mp_malloc(arg, 10000));
	collect(NULL, piece);
}

Test(pool_report, whoever_gets_the_text_may_use_the_pool)
{
	struct mp_pool_s *pool = mp_create_pool_flags(4096, MP_SHARED);

	length = 0;
	mp_report(pool, "", MP_REPORT_ENGLISH, use_the_pool, pool);
	cr_expect_gt(length, 20);
	mp_destroy_pool(pool);
}
