// SPDX-License-Identifier: MIT
/*
 * operators.cc - every form of C++'s operator new and delete, called by name and
 * by the language, and the containers of the standard library.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

static int failures;

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("operators.cc:%d: %s\n", __LINE__, #cond); \
			failures++;					\
		}							\
	} while (0)

template <class T> static T hide(T p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static bool aligned(void *p, size_t to)
{
	return (reinterpret_cast<uintptr_t>(p) & (to - 1)) == 0;
}

struct alignas(256) wide {
	char body[300];
	wide() { body[0] = 1; }
	~wide() { body[0] = 0; }
};

struct thrower {
	char body[100];
	thrower() { throw 1; }
};

static void plain_forms()
{
	const std::nothrow_t &nt = std::nothrow;

	for (size_t n = 0; n < 200000; n = n * 3 + 1) {
		void *p = hide(::operator new(hide(n)));

		CHECK(p && aligned(p, 16));
		::operator delete(p);
		p = hide(::operator new[](hide(n)));
		CHECK(p && aligned(p, 16));
		::operator delete[](p);
		p = hide(::operator new(hide(n), nt));
		CHECK(p);
		::operator delete(p, nt);
		p = hide(::operator new[](hide(n), nt));
		CHECK(p);
		::operator delete[](p, nt);
		p = hide(::operator new(hide(n)));
		::operator delete(p, n);
		p = hide(::operator new[](hide(n)));
		::operator delete[](p, n);
	}
	::operator delete(nullptr);
	::operator delete[](nullptr);
	::operator delete(nullptr, size_t(10));
	::operator delete(nullptr, nt);
}

static void aligned_forms()
{
	const std::nothrow_t &nt = std::nothrow;

	for (size_t a = 1; a <= 1 << 16; a *= 2) {
		std::align_val_t al{a};

		for (size_t n = 0; n < 100000; n = n * 5 + 1) {
			void *p = hide(::operator new(hide(n), al));

			CHECK(p && aligned(p, a));
			::operator delete(p, al);
			p = hide(::operator new[](hide(n), al));
			CHECK(p && aligned(p, a));
			::operator delete[](p, al);
			p = hide(::operator new(hide(n), al, nt));
			CHECK(p && aligned(p, a));
			::operator delete(p, al, nt);
			p = hide(::operator new[](hide(n), al, nt));
			CHECK(p && aligned(p, a));
			::operator delete[](p, al, nt);
			p = hide(::operator new(hide(n), al));
			::operator delete(p, n, al);
			p = hide(::operator new[](hide(n), al));
			::operator delete[](p, n, al);
		}
	}
}

template <class F> static bool throws_bad_alloc(F f)
{
	try {
		hide(f());
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

static int handler_calls;

static void handler()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

static void too_much()
{
	size_t huge = hide(SIZE_MAX / 2);
	std::align_val_t al{64};

	CHECK(throws_bad_alloc([=] { return ::operator new(huge); }));
	CHECK(throws_bad_alloc([=] { return ::operator new[](huge); }));
	CHECK(throws_bad_alloc([=] { return ::operator new(huge, al); }));
	CHECK(throws_bad_alloc([=] { return ::operator new[](huge, al); }));
	CHECK(throws_bad_alloc([=] { return ::operator new(hide(SIZE_MAX)); }));
	/* libstdc++'s own wraps round here. */
	if (getenv("LD_PRELOAD"))
		CHECK(throws_bad_alloc([=] { return ::operator new(hide(SIZE_MAX), al); }));
	CHECK(!hide(::operator new(huge, std::nothrow)));
	CHECK(!hide(::operator new[](huge, std::nothrow)));
	CHECK(!hide(::operator new(huge, al, std::nothrow)));
	CHECK(!hide(::operator new[](huge, al, std::nothrow)));
	/* The new-handler is asked until it gives up. */
	std::set_new_handler(handler);
	CHECK(throws_bad_alloc([=] { return ::operator new(huge); }));
	CHECK(handler_calls == 3);
	handler_calls = 0;
	std::set_new_handler(handler);
	CHECK(!hide(::operator new(huge, std::nothrow)));
	CHECK(handler_calls == 3);
}

static void by_the_language()
{
	wide *w = hide(new wide), *many = hide(new wide[7]);

	CHECK(aligned(w, 256) && aligned(many, 256));
	delete w;
	delete[] many;
	try {
		delete new thrower;
		CHECK(!"thrown");
	} catch (int) {
	}
	auto shared = std::make_shared<std::string>(1000, 'x');
	std::shared_ptr<std::string> other = shared;
	CHECK(other->size() == 1000);
}

static void containers()
{
	std::map<int, std::string> tree;
	std::unordered_map<std::string, std::vector<int>> hash;
	std::vector<std::thread> threads;

	for (int i = 0; i < 20000; i++) {
		tree[i * 7919 % 10007] = std::string(static_cast<size_t>(i % 90), 'a');
		hash[std::to_string(i % 3000)].push_back(i);
		if (i % 3 == 0)
			tree.erase(tree.begin());
	}
	size_t sum = 0;
	for (auto &e : hash)
		sum += e.second.size();
	CHECK(sum == 20000);
	for (int t = 0; t < 8; t++)
		threads.emplace_back([] {
			std::map<int, std::string> m;

			for (int i = 0; i < 5000; i++)
				m[i] = std::to_string(i) + std::string(40, 'y');
		});
	for (auto &t : threads)
		t.join();
}

int main()
{
	plain_forms();
	aligned_forms();
	too_much();
	by_the_language();
	containers();
	printf("operators: %d failures\n", failures);
	return failures != 0;
}
