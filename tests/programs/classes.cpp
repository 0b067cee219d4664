// SPDX-License-Identifier: MIT
/*
 * classes.cpp - objects of a few classes in numbers that are known, and blocks that are touched in part. Prints as JSON
 * what the reports must say.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ringside.h>
#include <sys/prctl.h>
#include <vector>

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#endif

namespace scene
{
struct Shape {
	virtual ~Shape() = default;
	virtual int corners() const = 0;
};
struct Circle : Shape {
	double radius = 1;
	int corners() const override
	{
		return 0;
	}
};
template <int N> struct Polygon : Shape {
	double side[N] = {};
	int corners() const override
	{
		return N;
	}
};
struct Name {
	virtual ~Name() = default;
	char text[20] = "";
};
/* Its second base is not where an object begins. */
struct Label : Name, Shape {
	int corners() const override
	{
		return 1;
	}
};
} // namespace scene

static std::vector<std::unique_ptr<scene::Shape>> shapes;
static std::shared_ptr<scene::Circle> shared;
static scene::Circle *volatile dropped;
static char *volatile large, *volatile untouched, *volatile whole;

static void touch_part()
{
	large = static_cast<char *>(malloc(16 << 20));
	memset(large, 1, 5 << 20);
}

static void touch_nothing()
{
	untouched = static_cast<char *>(malloc(8 << 20));
}

static void touch_all()
{
	whole = static_cast<char *>(malloc(3 << 20));
	memset(whole, 1, 3 << 20);
}

/* Bytes of [p, p + size) in the pages that hold [p - head, p + used): malloc writes before a block. */
static size_t in_pages(const char *p, size_t size, size_t used)
{
	size_t end = (reinterpret_cast<size_t>(p) + used + 4095) & ~static_cast<size_t>(4095);
	size_t bytes = end - reinterpret_cast<size_t>(p);

	return bytes < size ? bytes : size;
}

int main()
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		shapes.emplace_back(new scene::Circle);
	for (int i = 0; i < 60; i++)
		shapes.emplace_back(new scene::Polygon<4>);
	for (int i = 0; i < 7; i++)
		shapes.emplace_back(new scene::Label);
	for (int i = 0; i < 3; i++)
		dropped = new scene::Circle;
	dropped = nullptr;
	shared = std::make_shared<scene::Circle>();
	touch_part();
	touch_nothing();
	touch_all();
	printf("{\"circle\": %zu, \"polygon\": %zu, \"label\": %zu,\n", sizeof(scene::Circle),
	       sizeof(scene::Polygon<4>), sizeof(scene::Label));
	printf(" \"part\": %zu, \"nothing\": %zu, \"all\": %zu}\n", in_pages(large, 16 << 20, 5 << 20),
	       in_pages(untouched, 8 << 20, 0), in_pages(whole, 3 << 20, 3 << 20));
	ringside_mark("look");
	return shapes.size() == 167 ? 0 : 1;
}
