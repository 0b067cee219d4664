/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/symbols/demangle.h"

static const struct {
	const char *mangled, *readable, *brief;
} cases[] = {
	{ "_ZN2ns4workEi", "ns::work(int)", "ns::work" },
	{ "_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)",
	  "std::vector<int, ...>::push_back" },
	{ "_ZZN2ns4workEiENKUlvE_clEv", "ns::work(int)::{lambda()#1}::operator()() const",
	  "ns::work::{lambda()#1}::operator()" },
	{ "_ZNK3FooclEi", "Foo::operator()(int) const", "Foo::operator()" },
	{ "_ZlsRSoRK3Foo", "operator<<(std::ostream&, Foo const&)", "operator<<" },
	{ "_ZN3FooptEv", "Foo::operator->()", "Foo::operator->" },
	{ "_ZN3FoocvbEv", "Foo::operator bool()", "Foo::operator bool" },
	{ "_Znwm", "operator new(unsigned long)", "operator new" },
	{ "_ZdaPv", "operator delete[](void*)", "operator delete[]" },
	{ "_ZN12_GLOBAL__N_14implEv", "(anonymous namespace)::impl()", "(anonymous namespace)::impl" },
	{ "_ZN3FooD2Ev", "Foo::~Foo()", "Foo::~Foo" },
	{ "_Z3sumIJiidEEdDpT_", "sum<int, int, double>(int, int, double)", "sum<int, int, double>" },
	{ "_Z4workv.part.0", "work() [clone .part.0]", "work [clone .part.0]" },
	{ "_ZTV3Foo", "vtable for Foo", "vtable for Foo" },
	{ "_ZN4testRKi", NULL, NULL }, /* the nested name never ends */
	{ "_Z4testRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
	  "test(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const&)", "test" },
	{ "_ZNSt6vectorINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESaIS5_EE5clearEv",
	  "std::vector<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >, "
	  "std::allocator<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > > >::clear()",
	  "std::vector<std::string, ...>::clear" },
	/* Rust, v0 */
	{ "_RNvC6_123foo3bar", "123foo::bar", "123foo::bar" },
	{ "_RNvMs_NtCs4fqI2P2rA04_7mycrate3fooNtB4_3Bar3baz", "<mycrate::foo::Bar>::baz", "<mycrate::foo::Bar>::baz" },
	{ "_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>", "std::mem::align_of::<f64>" },
	{ "_RNvXs_C7mycrateNtB4_6VectorNtNtC4core3ops4Drop4drop", "<mycrate::Vector as core::ops::Drop>::drop",
	  "<mycrate::Vector as core::ops::Drop>::drop" },
	/* Rust, legacy: the hash goes */
	{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad", "core::fmt::Formatter::pad" },
	/* not mangled, or broken */
	{ "main", NULL, NULL },
	{ "_start", NULL, NULL },
	{ "_Z", NULL, NULL },
	{ "_ZN", NULL, NULL },
	{ "_R", NULL, NULL },
	{ "", NULL, NULL },
};

static void names_become_readable(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *name = demangle(cases[i].mangled), *brief = name ? demangle_short(name, 24) : NULL;

		if (!name || !cases[i].readable) {
			assert_string_equal(name ? name : "(none)", cases[i].readable ? cases[i].readable : "(none)");
			continue;
		}
		assert_string_equal(name, cases[i].readable);
		assert_string_equal(brief, cases[i].brief);
		free(name);
		free(brief);
	}
}

static void shortening_keeps_what_it_does_not_know(void **state)
{
	static const char *const names[] = { "main", "a<b", "a>b", "operator", "(", "f(", "<", "a::b", "{", "x{y" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *brief = demangle_short(names[i], 24);

		assert_non_null(brief);
		assert_true(strlen(brief) <= strlen(names[i]));
		free(brief);
	}
}

static void receivers_of_go_methods_belong_to_the_name(void **state)
{
	static const char *const names[] = { "compress/gzip.(*Writer).Write", "main.(*tree).walk.func1" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *brief = demangle_short(names[i], 24);

		assert_string_equal(brief, names[i]);
		free(brief);
	}
}

/* Each T<k> is a pair of the one before: 40 substitutions would print 2^40 names. */
static void a_name_that_explodes_is_left_alone(void **state)
{
	char mangled[DEMANGLE_INPUT_MAX] = "_Z1fI1PIiiE";
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	for (size_t i = 0; i < sizeof(digits) - 1; i++)
		sprintf(mangled + strlen(mangled), "1PIS%c_S%c_E", digits[i], digits[i]);
	strcat(mangled, "Evv");
	free(demangle(mangled)); /* must return soon, with or without a name */
}

static void long_input_is_refused(void **state)
{
	char *mangled = malloc(DEMANGLE_INPUT_MAX + 100);

	(void)state;
	strcpy(mangled, "_Z5000");
	memset(mangled + 6, 'a', DEMANGLE_INPUT_MAX);
	mangled[6 + DEMANGLE_INPUT_MAX] = '\0';
	assert_null(demangle(mangled));
	free(mangled);
}

static void random_names_do_no_harm(void **state)
{
	static const char alphabet[] = "_ZRNIESt0123456789abcLJKPRvilTFX$.";

	(void)state;
	srand(3);
	for (int round = 0; round < 20000; round++) {
		char mangled[64] = "_Z", *name, *brief;
		size_t len = 2 + (size_t)rand() % 50;

		mangled[1] = "ZR"[rand() % 2];
		for (size_t i = 2; i < len; i++)
			mangled[i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		name = demangle(mangled);
		brief = name ? demangle_short(name, 8) : NULL;
		free(name);
		free(brief);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_readable),
		cmocka_unit_test(shortening_keeps_what_it_does_not_know),
		cmocka_unit_test(receivers_of_go_methods_belong_to_the_name),
		cmocka_unit_test(a_name_that_explodes_is_left_alone),
		cmocka_unit_test(long_input_is_refused),
		cmocka_unit_test(random_names_do_no_harm),
	};

	return cmocka_run_group_tests_name("analyzer/symbols/demangle", tests, NULL, NULL);
}
