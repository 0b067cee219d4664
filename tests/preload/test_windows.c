/* SPDX-License-Identifier: MIT */
/* test_windows.c - windows onto a file: every unit has its own place, and what is written there is in the file. */
#include "preload/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UNITS 1000u

static int make_file(void)
{
	int fd = memfd_create("windows", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)UNITS * RSD_UNIT), 0);
	return fd;
}

static void test_units_are_the_file(void **state)
{
	int fd = make_file();
	uint64_t got;

	(void)state;
	assert_non_null(windows_begin(fd, (uint64_t)UNITS * RSD_UNIT));
	/* The last first: windows in between are made on the way. */
	for (uint64_t unit = UNITS; unit-- > 0;) {
		uint64_t *at = windows_at(unit);

		assert_non_null(at);
		*at = unit + 1;
		*(uint64_t *)((char *)at + RSD_UNIT - 8) = ~unit;
	}
	for (uint64_t unit = 0; unit < UNITS; unit++) {
		assert_int_equal(pread(fd, &got, 8, (off_t)(unit * RSD_UNIT)), 8);
		assert_int_equal(got, unit + 1);
		assert_int_equal(pread(fd, &got, 8, (off_t)((unit + 1) * RSD_UNIT - 8)), 8);
		assert_int_equal(got, ~unit);
	}
	close(fd);
}

static void test_held_units_are_in_one_piece(void **state)
{
	int fd = make_file(), borders = 0;

	(void)state;
	assert_non_null(windows_begin(fd, (uint64_t)UNITS * RSD_UNIT));
	for (uint64_t unit = 0; unit + 1 < UNITS; unit++) {
		bool is_one = (char *)windows_at(unit) + RSD_UNIT == (char *)windows_at(unit + 1);

		borders += !windows_hold(unit, 2);
		if (windows_hold(unit, 2))
			assert_true(is_one);
	}
	assert_int_equal(borders, 4); /* 32, then every 256 */
	close(fd);
}

static void test_limit_set_later_is_kept(void **state)
{
	struct rlimit limit = { 64 << 20, 64 << 20 };
	int fd = make_file(), status;

	(void)state;
	assert_non_null(windows_begin(fd, (uint64_t)UNITS * RSD_UNIT));
	if (!fork()) {
		/* The first window is not inherited: begin again, as a child does. */
		bool ok = windows_begin(fd, (uint64_t)UNITS * RSD_UNIT) && windows_at(31);

		setrlimit(RLIMIT_AS, &limit);
		_exit(ok && !windows_at(32) ? 0 : 1);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	close(fd);
}

static void test_stand_in_is_apart(void **state)
{
	int fd = make_file(), status;
	uint64_t *at, got;

	(void)state;
	assert_non_null(windows_begin(fd, (uint64_t)UNITS * RSD_UNIT));
	at = windows_at(500);
	*at = 7;
	if (!fork()) {
		windows_stand_in();
		status = *at == 0 ? 0 : 1;
		*at = 9;
		_exit(status);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_int_equal(pread(fd, &got, 8, (off_t)500 * RSD_UNIT), 8);
	assert_int_equal(got, 7);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_are_the_file),
		cmocka_unit_test(test_held_units_are_in_one_piece),
		cmocka_unit_test(test_limit_set_later_is_kept),
		cmocka_unit_test(test_stand_in_is_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
