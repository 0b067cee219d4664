// SPDX-License-Identifier: MIT
// oracle_throw.cpp - exceptions thrown through frames with destructors, for oracle_unwind.c.
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/preload/oracle.h"

namespace
{
struct guard {
	std::string name = "a string too long to live in the object itself";
	~guard()
	{
		oracle_here();
	}
};

__attribute__((noinline)) void thrower(int depth)
{
	guard g;

	if (depth == 0)
		throw std::runtime_error(g.name);
	thrower(depth - 1);
}
} // namespace

extern "C" void oracle_throw(int depth)
{
	std::vector<std::string> words;

	try {
		thrower(depth);
	} catch (const std::exception &e) {
		words.push_back(e.what());
		oracle_here();
	}
}
