/* SPDX-License-Identifier: MIT */
/* test_elfcheck.c - verdicts about files made here, headers full of nonsense included. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/launch/elfcheck.h"

/* Verdict and reason about a file of these bytes. */
static enum elf_verdict check(const void *bytes, size_t size, mode_t mode, struct buf *reason)
{
	char path[] = "/tmp/ringside-test-XXXXXX";
	int fd = mkstemp(path);
	enum elf_verdict verdict;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	fchmod(fd, mode);
	close(fd);
	buf_clear(reason);
	verdict = elf_check(path, reason);
	unlink(path);
	return verdict;
}

struct small_elf {
	Elf64_Ehdr head;
	Elf64_Phdr segments[1];
	char interp[64];
};

static struct small_elf make_elf(const char *interp)
{
	struct small_elf e = { 0 };

	memcpy(e.head.e_ident, ELFMAG, SELFMAG);
	e.head.e_ident[EI_CLASS] = ELFCLASS64;
#if defined(__x86_64__)
	e.head.e_machine = EM_X86_64;
#else
	e.head.e_machine = EM_AARCH64;
#endif
	e.head.e_phoff = offsetof(struct small_elf, segments);
	e.head.e_phentsize = sizeof(Elf64_Phdr);
	if (interp) {
		e.head.e_phnum = 1;
		e.segments[0] = (Elf64_Phdr){ .p_type = PT_INTERP,
					      .p_offset = offsetof(struct small_elf, interp),
					      .p_filesz = strlen(interp) + 1 };
		snprintf(e.interp, sizeof(e.interp), "%s", interp);
	}
	return e;
}

static void an_ordinary_program_is_fine(void **state)
{
	struct buf reason = { 0 };
	struct small_elf e = make_elf("/lib64/ld-linux-x86-64.so.2");

	(void)state;
	assert_int_equal(check(&e, sizeof(e), 0755, &reason), ELF_FINE);
	assert_int_equal(reason.len, 0);
	assert_int_equal(elf_check("/proc/self/exe", &reason), ELF_REFUSED); /* this test has a sanitizer */
	assert_non_null(strstr(buf_string(&reason), "sanitizer"));
	buf_release(&reason);
}

static void what_the_loader_would_not_load_is_refused(void **state)
{
	struct buf reason = { 0 };
	struct small_elf fine = make_elf("/lib64/ld-linux-x86-64.so.2"), e;

	(void)state;
	e = make_elf(NULL);
	assert_int_equal(check(&e, sizeof(e), 0755, &reason), ELF_REFUSED);
	assert_non_null(strstr(buf_string(&reason), "statically"));
	e = make_elf("/lib/ld-musl-x86_64.so.1");
	assert_int_equal(check(&e, sizeof(e), 0755, &reason), ELF_REFUSED);
	assert_non_null(strstr(buf_string(&reason), "musl"));
	e = fine;
	e.head.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(check(&e, sizeof(e), 0755, &reason), ELF_REFUSED);
	assert_non_null(strstr(buf_string(&reason), "32-bit"));
	e = fine;
	e.head.e_machine = EM_RISCV;
	assert_int_equal(check(&e, sizeof(e), 0755, &reason), ELF_REFUSED);
	assert_int_equal(check(&fine, sizeof(fine), 04755, &reason), ELF_REFUSED);
	assert_non_null(strstr(buf_string(&reason), "setuid"));
	buf_release(&reason);
}

static void scripts_are_followed(void **state)
{
	static const struct {
		const char *text;
		enum elf_verdict verdict;
	} cases[] = {
		{ "#!/bin/sh\necho\n", ELF_FINE },
		{ "#! /usr/bin/env -S sh -e\n", ELF_FINE },
		{ "#!/no/such/interpreter\n", ELF_NOT_FOUND },
		{ "#!\n", ELF_FINE },
		{ "echo a script without a first line\n", ELF_FINE },
		{ "", ELF_FINE },
	};
	struct buf reason = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(check(cases[i].text, strlen(cases[i].text), 0755, &reason), cases[i].verdict);
	buf_release(&reason);
}

static void nonsense_is_survived(void **state)
{
	struct buf reason = { 0 };
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct small_elf e = make_elf("/lib64/ld-linux-x86-64.so.2");

		for (int i = 0; i < 6; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			((uint8_t *)&e)[4 + (random >> 33) % (sizeof(e) - 4)] = (uint8_t)(random >> 24);
		}
		check(&e, sizeof(e) - (random >> 40) % 100, 0755, &reason);
	}
	buf_release(&reason);
}

static void programs_are_found_along_path(void **state)
{
	struct buf path = { 0 }, reason = { 0 };

	(void)state;
	assert_int_equal(elf_find("sh", &path, &reason), ELF_FINE);
	assert_true(path.len > 3);
	assert_int_equal(elf_find("no-such-program-here", &path, &reason), ELF_NOT_FOUND);
	assert_int_equal(elf_find("/etc/passwd", &path, &reason), ELF_NOT_EXECUTABLE);
	assert_int_equal(elf_find("/tmp", &path, &reason), ELF_NOT_EXECUTABLE);
	assert_int_equal(elf_find("", &path, &reason), ELF_NOT_FOUND);
	buf_release(&path);
	buf_release(&reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_program_is_fine),
		cmocka_unit_test(what_the_loader_would_not_load_is_refused),
		cmocka_unit_test(scripts_are_followed),
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(programs_are_found_along_path),
	};

	return cmocka_run_group_tests_name("analyzer/launch/elfcheck", tests, NULL, NULL);
}
