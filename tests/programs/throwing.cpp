// SPDX-License-Identifier: MIT
// throwing.cpp - throws in a loop, through many frames, caught here and there, with allocations all the way.
// Prints the same with and without a recorder: `throwing ROUNDS` (1000).
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

static unsigned long destroyed, caught, rethrown;

struct guard {
	std::string name;

	explicit guard(int depth) : name("a text too long for the object itself, at depth " + std::to_string(depth))
	{
	}

	// Allocates while an exception is on its way; sometimes throws and catches another one meanwhile.
	~guard()
	{
		std::vector<std::string> copies(3, name);

		destroyed += copies.size();
		if (destroyed % 7)
			return;
		try {
			throw copies.front();
		} catch (const std::string &) {
			caught++;
		}
	}
};

static void throw_one(int kind)
{
	switch (kind % 4) {
	case 0:
		throw std::runtime_error("a runtime error whose text is allocated, as it is this long");
	case 1:
		throw kind;
	case 2:
		throw std::string("a string that is thrown by value and long enough to be allocated");
	default:
		std::vector<int>().at(1);
	}
}

static void descend(int depth, int kind)
{
	guard here(depth);
	auto block = std::make_unique<char[]>(static_cast<size_t>(depth) * 10 + 1);

	if (depth == 0) {
		throw_one(kind);
		return;
	}
	if ((depth + kind) % 5) {
		descend(depth - 1, kind);
		return;
	}
	// Some frames look at what comes by.
	try {
		descend(depth - 1, kind);
	} catch (const std::runtime_error &) {
		guard again(depth);

		rethrown++;
		throw;
	} catch (int value) {
		std::exception_ptr kept = std::current_exception();

		rethrown++;
		if (value % 3)
			std::rethrow_exception(kept);
		throw std::string("in place of an int: another text that is long enough");
	}
}

static void one_round(int round)
{
	try {
		descend(round % 37, round);
	} catch (const std::exception &e) {
		caught += e.what()[0] != 0;
	} catch (const std::string &s) {
		caught += !s.empty();
	} catch (...) {
		caught++;
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1000;

	for (int i = 0; i < rounds; i++)
		one_round(i);
	printf("throwing: %d rounds, %lu caught, %lu rethrown, %lu destroyed\n", rounds, caught, rethrown, destroyed);
	return fflush(stdout) ? 1 : 0;
}
