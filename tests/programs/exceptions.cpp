// SPDX-License-Identifier: MIT
// exceptions.cpp - C++ exceptions through frames of libc and of a recorder: callbacks of qsort, call_once, threads.
// Prints the same lines with and without a recorder.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int compares;

static int compare(const void *, const void *)
{
	if (++compares == 3)
		throw std::runtime_error("out of qsort");
	return 1;
}

static void through_qsort()
{
	int values[64] = { 0 };

	try {
		qsort(values, 64, sizeof(*values), compare);
		puts("qsort: NOT THROWN");
	} catch (const std::exception &e) {
		printf("qsort: %s after %d\n", e.what(), compares);
	}
}

// A call_once whose function throws may be tried again, and then it must run.
static void through_call_once()
{
	std::once_flag flag;
	int tries = 0, thrown = 0;

	for (int i = 0; i < 4; i++) {
		try {
			std::call_once(flag, [&] {
				if (++tries < 3)
					throw std::string("again");
			});
		} catch (const std::string &) {
			thrown++;
		}
	}
	printf("call_once: %d tries, %d thrown\n", tries, thrown);
}

struct picky {
	explicit picky(int value)
	{
		if (value % 2)
			throw value;
	}
	char room[100];
};

// new frees the block again when the constructor throws; a failed new throws itself.
static void through_new()
{
	volatile size_t huge = (size_t)1 << 60;
	int thrown = 0;

	for (int i = 0; i < 1000; i++) {
		try {
			delete new picky(i);
		} catch (int) {
			thrown++;
		}
	}
	printf("new: %d constructors threw\n", thrown);
	try {
		operator delete(operator new(huge));
		puts("new: NO bad_alloc");
	} catch (const std::bad_alloc &) {
		puts("new: bad_alloc");
	}
	printf("new: nothrow %s\n", operator new(huge, std::nothrow) ? "GOT IT" : "null");
	struct alignas(256) wide {
		char room[256];
	};
	wide *block = new wide;
	printf("new: aligned by 256: %s\n", (uintptr_t)block % 256 ? "NO" : "yes");
	delete block;
}

static void in_thread()
{
	std::string seen;
	std::thread thread([&] {
		std::vector<std::string> words;

		try {
			for (int i = 0;; i++) {
				words.push_back(std::string(200, 'a' + i % 26));
				if (i == 5000)
					words.at(100000) = "";
			}
		} catch (const std::out_of_range &) {
			seen = "out_of_range";
		}
	});

	thread.join();
	printf("thread: %s\n", seen.c_str());
}

static int destroyed;

struct guard {
	~guard()
	{
		destroyed++;
	}
};

static void recurse(int depth)
{
	guard here;

	if (!depth)
		throw depth;
	free(malloc(10));
	recurse(depth - 1);
}

static void from_the_deep()
{
	try {
		recurse(500);
	} catch (int) {
		printf("deep: %d destroyed\n", destroyed);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		printf("usage: exceptions [--help]\nThrows C++ exceptions through C frames.\n");
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	through_qsort();
	through_call_once();
	through_new();
	in_thread();
	from_the_deep();
	return fflush(stdout) ? 1 : 0;
}
