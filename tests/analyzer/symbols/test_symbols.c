/* SPDX-License-Identifier: MIT */
/*
 * Small programs are compiled in many ways; each prints its own return addresses, and what the symbols say about
 * them is compared with where the marker comments stand in the source.
 */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "analyzer/symbols/symbols.h"
#include "analyzer/util/buf.h"

static char dir[] = "/tmp/ringside-symbols-XXXXXX";

static const char c_source[] = "#include <stdio.h>\n"
			       "#include <string.h>\n"
			       "extern char __executable_start;\n"
			       "static struct { long a; struct { long x; union { long y, z; }; } b[2]; } queue_lock = "
			       "{ 1, { { 2, { 3 } } } };\n"
			       "long exported_number = 5;\n"
			       "#define OFF(p) (unsigned long)((const char *)(p) - &__executable_start)\n"
			       "__attribute__((noinline)) void where(void)\n"
			       "{\n"
			       "	printf(\"%lx\\n\", OFF(__builtin_return_address(0)) - 1);\n"
			       "}\n"
			       "static inline __attribute__((always_inline)) void innermost(void)\n"
			       "{\n"
			       "	where(); /* AT innermost */\n"
			       "	__asm__ volatile(\"\");\n"
			       "}\n"
			       "static inline __attribute__((always_inline)) void middle(void)\n"
			       "{\n"
			       "	innermost(); /* AT middle */\n"
			       "}\n"
			       "__attribute__((noinline)) static int outer(int n)\n" /* line 20 */
			       "{\n"
			       "	middle(); /* AT outer-inlined */\n"
			       "	where(); /* AT outer-plain */\n"
			       "	__asm__ volatile(\"\");\n"
			       "	return n + 1;\n"
			       "}\n"
			       "int main(int argc, char **argv)\n"
			       "{\n"
			       "	int n = outer(argc);\n"
			       "	printf(\"%lx\\n%lx\\n\", OFF(&queue_lock), OFF(&queue_lock.b[1].y));\n"
			       "	printf(\"%lx\\n\", OFF(&exported_number));\n"
			       "	printf(\"%lx\\n\", OFF(&outer));\n"
			       "	printf(\"%lx\\n\", (unsigned long)&strcmp);\n"
			       "	return n + strcmp(argv[0], \"\") == 12345;\n"
			       "}\n";

enum { PLACE_INLINED, PLACE_PLAIN, PLACE_LOCK, PLACE_LOCK_B, PLACE_NUMBER, PLACE_OUTER, PLACE_PLT, PLACES };

static const char cxx_source[] =
	"#include <cstdio>\n"
	"extern \"C\" char __executable_start;\n"
	"__attribute__((noinline)) void where()\n"
	"{\n"
	"	printf(\"%lx\\n\", (unsigned long)((char *)__builtin_return_address(0) - &__executable_start) - 1);\n"
	"}\n"
	"namespace shop {\n"
	"template <class T> struct Shelf {\n"
	"	T item;\n"
	"	__attribute__((noinline)) Shelf(T t) : item(t)\n"
	"	{\n"
	"		where(); // AT constructor\n"
	"		__asm__ volatile(\"\");\n"
	"	}\n"
	"	inline __attribute__((always_inline)) T take()\n"
	"	{\n"
	"		where(); // AT take\n"
	"		return item;\n"
	"	}\n"
	"};\n"
	"}\n"
	"namespace { namespace deep { struct Hidden {\n"
	"	static __attribute__((noinline)) void work()\n"
	"	{\n"
	"		where(); // AT hidden\n"
	"		__asm__ volatile(\"\");\n"
	"	}\n"
	"}; } }\n"
	"__attribute__((noinline)) static int visit(int n)\n"
	"{\n"
	"	shop::Shelf<int> shelf(n);\n"
	"	auto again = [&](int k) __attribute__((noinline)) {\n"
	"		where(); // AT lambda\n"
	"		__asm__ volatile(\"\");\n"
	"		return k + shelf.item;\n"
	"	};\n"
	"	int sum = shelf.take(); // AT visit\n"
	"	sum += again(n);\n"
	"	deep::Hidden::work();\n"
	"	return sum;\n"
	"}\n"
	"int main(int argc, char **)\n"
	"{\n"
	"	return visit(argc) == 12345;\n"
	"}\n";

/* The line of a source with a marker comment. */
static uint32_t line_of(const char *source, const char *marker)
{
	const char *at = strstr(source, marker);
	uint32_t line = 1;

	assert_non_null(at);
	for (const char *s = source; s < at; s++)
		line += *s == '\n';
	return line;
}

static void run(const char *format, ...)
{
	char command[1024];
	va_list args;
	int len = snprintf(command, sizeof(command), "cd %s && ", dir);

	va_start(args, format);
	vsnprintf(command + len, sizeof(command) - (size_t)len, format, args);
	va_end(args);
	if (system(command))
		fail_msg("%s", command);
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	write_file("prog.c", c_source);
	write_file("prog.cc", cxx_source);
	return 0;
}

static int group_teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* The addresses that the program dir/name prints, as ELF addresses. */
static size_t addresses(const char *name, unsigned long *list, size_t max)
{
	char command[256];
	size_t len = 0;
	FILE *in;

	snprintf(command, sizeof(command), "%s/%s", dir, name);
	in = popen(command, "r");
	assert_non_null(in);
	while (len < max && fscanf(in, "%lx", &list[len]) == 1)
		len++;
	assert_int_equal(pclose(in), 0);
	return len;
}

struct bench {
	struct symbols *symbols;
	struct modules modules;
	uint32_t object;
};

/* Look at dir/name as a recording would, with the build-id the file `original` has (NULL: without one). */
static void open_bench(struct bench *b, const char *name, const char *original, const struct symbol_options *options)
{
	char path[256];
	const void *build_id = NULL;
	ssize_t len = 0;
	Elf *elf = NULL;
	int fd = -1;

	if (original) {
		snprintf(path, sizeof(path), "%s/%s", dir, original);
		fd = open(path, O_RDONLY);
		elf_version(EV_CURRENT);
		elf = elf_begin(fd, ELF_C_READ, NULL);
		len = dwelf_elf_gnu_build_id(elf, &build_id);
		assert_true(len > 0);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	b->symbols = symbols_new(options);
	assert_non_null(b->symbols);
	modules_init(&b->modules);
	assert_int_equal(
		modules_add(&b->modules, 1, path, strlen(path), build_id, (size_t)len, 0x10000, 0x10000, 0x90000), 0);
	b->object = symbols_object(b->symbols, modules_by_id(&b->modules, 1));
	assert_int_equal(b->object, 1);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
}

static void close_bench(struct bench *b)
{
	symbols_free(b->symbols);
	modules_release(&b->modules);
}

static void assert_frame(const struct frame *frame, const char *function, const char *file, uint32_t line, bool inlined)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	assert_string_equal(frame->function, function);
	assert_non_null(frame->file);
	assert_string_equal(frame->file, path);
	assert_int_equal(frame->line, line);
	assert_int_equal(frame->inlined, inlined);
}

static void check_c_chain(const struct frame_chain *chain)
{
	assert_int_equal(chain->len, 3);
	assert_frame(&chain->frames[0], "innermost", "prog.c", line_of(c_source, "AT innermost"), true);
	assert_frame(&chain->frames[1], "middle", "prog.c", line_of(c_source, "AT middle"), true);
	assert_frame(&chain->frames[2], "outer", "prog.c", line_of(c_source, "AT outer-inlined"), false);
	assert_int_equal(chain->frames[2].decl_line, 20);
	assert_ptr_equal(chain->frames[2].decl_file, chain->frames[2].file);
	assert_int_equal(chain->frames[0].source, FRAME_DWARF);
}

static const char *const builds[] = {
	"gcc -O2 -g", "gcc -O2 -gdwarf-4", "gcc -O1 -g -gsplit-dwarf", "gcc -O2 -g -flto",   "gcc -O2 -g -gz=zlib",
	"gcc -O0 -g", "clang -O2 -g",	   "clang -O2 -gdwarf-4",      "gcc -O2 -g -no-pie",
};

static void inlined_chains_and_lines_are_exact_however_compiled(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
		unsigned long at[PLACES];
		const struct frame_chain *chain;
		uint64_t base = 0;
		struct bench b;

		if (!strncmp(builds[i], "clang", 5) && system("command -v clang >/dev/null"))
			continue;
		tried++;
		run("%s prog.c -o prog 2>/dev/null", builds[i]);
		assert_int_equal(addresses("prog", at, PLACES), PLACES);
		if (strstr(builds[i], "-no-pie"))
			base = 0x400000;
		open_bench(&b, "prog", "prog", NULL);
		check_c_chain(symbols_lookup(b.symbols, b.object, base + at[PLACE_INLINED]));
		chain = symbols_lookup(b.symbols, b.object, base + at[PLACE_PLAIN]);
		assert_int_equal(chain->len, 1);
		assert_frame(&chain->frames[0], "outer", "prog.c", line_of(c_source, "AT outer-plain"), false);
		assert_int_equal(chain->frames[0].start, base + at[PLACE_OUTER]);
		assert_string_equal(chain->frames[0].module, "prog");
		assert_string_equal(symbols_data_name(b.symbols, b.object, base + at[PLACE_LOCK]), "queue_lock.a");
		assert_string_equal(symbols_data_name(b.symbols, b.object, base + at[PLACE_LOCK_B]),
				    "queue_lock.b[1].y");
		assert_null(symbols_note(b.symbols, 0));
		close_bench(&b);
	}
	assert_true(tried >= 7);
}

static void templates_lambdas_and_constructors_have_their_names(void **state)
{
	static const char *const compilers[] = { "g++ -O2 -g", "clang++ -O2 -g" };
	unsigned long at[4];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct frame_chain *chain;
		struct bench b;

		if (i && system("command -v clang++ >/dev/null"))
			continue;
		run("%s prog.cc -o progcc", compilers[i]);
		assert_int_equal(addresses("progcc", at, 4), 4);
		open_bench(&b, "progcc", "progcc", NULL);
		chain = symbols_lookup(b.symbols, b.object, at[0]);
		assert_frame(&chain->frames[0], "shop::Shelf<int>::Shelf(int)", "prog.cc",
			     line_of(cxx_source, "AT constructor"), false);
		chain = symbols_lookup(b.symbols, b.object, at[1]);
		assert_int_equal(chain->len, 2);
		assert_frame(&chain->frames[0], "shop::Shelf<int>::take()", "prog.cc", line_of(cxx_source, "AT take"),
			     true);
		/* gcc leaves the linkage name of a static function out */
		assert_frame(&chain->frames[1], i ? "visit(int)" : "visit", "prog.cc", line_of(cxx_source, "AT visit"),
			     false);
		chain = symbols_lookup(b.symbols, b.object, at[2]);
		assert_int_equal(chain->len, 1);
		assert_int_equal(chain->frames[0].line, line_of(cxx_source, "AT lambda"));
		assert_non_null(strstr(chain->frames[0].function, "operator()"));
		chain = symbols_lookup(b.symbols, b.object, at[3]);
		assert_memory_equal(chain->frames[0].function, "(anonymous namespace)::deep::Hidden::work", 41);
		assert_int_equal(chain->frames[0].line, line_of(cxx_source, "AT hidden"));
		close_bench(&b);
	}
}

static void without_debug_information_symbols_name_functions(void **state)
{
	unsigned long at[PLACES];
	const struct frame *frame;
	struct bench b;

	(void)state;
	run("cc -O2 prog.c -o plain");
	assert_int_equal(addresses("plain", at, PLACES), PLACES);
	open_bench(&b, "plain", "plain", NULL);
	frame = symbols_lookup(b.symbols, b.object, at[PLACE_INLINED])->frames;
	assert_string_equal(frame->function, "outer");
	assert_int_equal(frame->source, FRAME_SYMBOL);
	assert_null(frame->file);
	assert_int_equal(frame->line, 0);
	assert_int_equal(frame->start, at[PLACE_OUTER]);
	assert_string_equal(symbols_data_name(b.symbols, b.object, at[PLACE_LOCK]), "queue_lock");
	assert_string_equal(symbols_data_name(b.symbols, b.object, at[PLACE_LOCK_B]), "queue_lock+0x20");
	assert_string_equal(symbols_data_name(b.symbols, b.object, at[PLACE_NUMBER]), "exported_number");
	close_bench(&b);
}

/* "prog+0x...": the offset is where unwind tables say the function starts, so both places are one function. */
static void stripped_code_is_named_by_its_function_start(void **state)
{
	unsigned long at[PLACES];
	const struct frame *inlined, *plain;
	unsigned long at_main;
	char expected[64];
	struct bench b;
	FILE *in;

	(void)state;
	run("cc -O2 -g prog.c -o stripped && nm stripped | sed -n 's/ T main$//p' >main && strip stripped");
	assert_int_equal(addresses("stripped", at, PLACES), PLACES);
	snprintf(expected, sizeof(expected), "%s/main", dir);
	in = fopen(expected, "r");
	assert_int_equal(fscanf(in, "%lx", &at_main), 1);
	fclose(in);
	open_bench(&b, "stripped", "stripped", NULL);
	inlined = symbols_lookup(b.symbols, b.object, at[PLACE_INLINED])->frames;
	plain = symbols_lookup(b.symbols, b.object, at[PLACE_PLAIN])->frames;
	snprintf(expected, sizeof(expected), "stripped+0x%lx", at[PLACE_OUTER]);
	assert_string_equal(inlined->function, expected);
	assert_ptr_equal(inlined->function, plain->function);
	assert_int_equal(inlined->source, FRAME_OFFSET);
	/* the entry point tells where main is */
	assert_string_equal(symbols_lookup(b.symbols, b.object, at_main + 5)->frames[0].function, "main");
	assert_null(symbols_data_name(b.symbols, b.object, at[PLACE_LOCK]));
	close_bench(&b);
}

static void separate_debug_files_are_found(void **state)
{
	char debug_dir[300];
	struct symbol_options options = { .debug_dir = debug_dir };
	unsigned long at[PLACES];
	struct bench b;

	(void)state;
	snprintf(debug_dir, sizeof(debug_dir), "%s/debug", dir);
	/* by build-id */
	run("cc -O2 -g prog.c -o parted && objcopy --only-keep-debug parted parted.debug && "
	    "id=$(readelf -n parted | sed -n 's/.*Build ID: //p') && "
	    "mkdir -p debug/.build-id/$(echo $id | cut -c1-2) && "
	    "cp parted.debug debug/.build-id/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-).debug && "
	    "mv parted.debug away && strip parted");
	assert_int_equal(addresses("parted", at, PLACES), PLACES);
	open_bench(&b, "parted", "parted", &options);
	check_c_chain(symbols_lookup(b.symbols, b.object, at[PLACE_INLINED]));
	assert_string_equal(symbols_data_name(b.symbols, b.object, at[PLACE_LOCK_B]), "queue_lock.b[1].y");
	close_bench(&b);
	/* the program itself is gone: its debug file is enough, and the reader is told */
	run("mv parted parted.away");
	open_bench(&b, "parted", "parted.away", &options);
	check_c_chain(symbols_lookup(b.symbols, b.object, at[PLACE_INLINED]));
	assert_non_null(strstr(symbols_note(b.symbols, 0), "separate debug file"));
	close_bench(&b);
	/* by .gnu_debuglink */
	run("mv parted.away linked && cp away linked.debug && rm -r debug && "
	    "objcopy --add-gnu-debuglink=linked.debug linked");
	open_bench(&b, "linked", "linked", NULL);
	check_c_chain(symbols_lookup(b.symbols, b.object, at[PLACE_INLINED]));
	close_bench(&b);
}

static void a_replaced_file_gives_no_names_but_a_note(void **state)
{
	unsigned long at[PLACES];
	const struct frame *frame;
	struct bench b;

	(void)state;
	run("cc -O2 -g prog.c -o old && cc -O1 -g prog.c -o new");
	assert_int_equal(addresses("old", at, PLACES), PLACES);
	open_bench(&b, "new", "old", NULL);
	frame = symbols_lookup(b.symbols, b.object, at[PLACE_INLINED])->frames;
	assert_int_equal(frame->source, FRAME_OFFSET);
	assert_memory_equal(frame->function, "new+0x", 6);
	assert_null(frame->file);
	assert_non_null(strstr(symbols_note(b.symbols, 0), "another build-id"));
	assert_null(symbols_note(b.symbols, 1));
	close_bench(&b);
}

static void a_missing_or_foreign_file_gives_a_note(void **state)
{
	static const char *const names[] = { "nowhere", "text", "directory", "fifo" };

	(void)state;
	run("echo hello >text && mkdir -p directory && mkfifo fifo");
	for (size_t i = 0; i < 4; i++) {
		const struct frame *frame;
		struct bench b;

		open_bench(&b, names[i], NULL, NULL);
		frame = symbols_lookup(b.symbols, b.object, 0x1234)->frames;
		assert_non_null(strstr(frame->function, "+0x1234"));
		assert_string_equal(frame->module, names[i]);
		assert_non_null(strstr(symbols_note(b.symbols, 0), "shown as offsets"));
		close_bench(&b);
	}
}

static void plt_stubs_are_named_after_their_function(void **state)
{
	static const char *const links[] = { "-Wl,-z,lazy -fcf-protection=none", "-Wl,-z,lazy", "-Wl,-z,now" };
	unsigned long at[PLACES];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct frame *frame;
		struct bench b;

		run("gcc -O2 -fno-builtin -no-pie -fno-pie %s prog.c -o plt", links[i]);
		assert_int_equal(addresses("plt", at, PLACES), PLACES);
		open_bench(&b, "plt", "plt", NULL);
		frame = symbols_lookup(b.symbols, b.object, at[PLACE_PLT] + 6)->frames;
		assert_string_equal(frame->function, "strcmp@plt");
		assert_int_equal(frame->source, FRAME_PLT);
		close_bench(&b);
	}
}

static void the_c_library_is_called_by_its_public_names(void **state)
{
	static const char *const names[] = { "malloc", "qsort", "fwrite", "memmem" };
	struct bench b = { 0 };
	const char *libc = "/lib/x86_64-linux-gnu/libc.so.6";

	(void)state;
	if (access(libc, R_OK))
		skip();
	b.symbols = symbols_new(NULL);
	assert_int_equal(modules_add(&b.modules, 1, libc, strlen(libc), NULL, 0, 0, 0, 0x400000), 0);
	b.object = symbols_object(b.symbols, modules_by_id(&b.modules, 1));
	for (size_t i = 0; i < 4; i++) {
		char command[256];
		unsigned long at = 0;
		FILE *in;

		snprintf(command, sizeof(command), "readelf -W --dyn-syms %s | awk '$8 ~ /^%s@@/ {print $2}'", libc,
			 names[i]);
		in = popen(command, "r");
		assert_int_equal(fscanf(in, "%lx", &at), 1);
		pclose(in);
		assert_string_equal(symbols_lookup(b.symbols, b.object, at)->frames[0].function, names[i]);
	}
	close_bench(&b);
}

static void equal_modules_are_one_object(void **state)
{
	struct symbols *symbols = symbols_new(NULL);
	struct modules one, two;

	(void)state;
	modules_init(&one);
	modules_init(&two);
	modules_add(&one, 1, "/lib/a.so", 9, "\1\2", 2, 0x1000, 0x1000, 0x2000);
	modules_add(&two, 9, "/lib/a.so", 9, "\1\2", 2, 0x7000, 0x7000, 0x8000);
	modules_add(&two, 10, "/lib/a.so", 9, "\1\3", 2, 0x9000, 0x9000, 0xa000);
	assert_int_equal(symbols_object(symbols, modules_by_id(&one, 1)), 1);
	assert_int_equal(symbols_object(symbols, modules_by_id(&two, 9)), 1);
	assert_int_equal(symbols_object(symbols, modules_by_id(&two, 10)), 2);
	assert_string_equal(symbols_path(symbols, 2), "/lib/a.so");
	assert_string_equal(symbols_path(symbols, 0), "");
	assert_string_equal(symbols_path(symbols, 77), "");
	symbols_free(symbols);
	modules_release(&one);
	modules_release(&two);
}

static void outside_modules_is_unknown(void **state)
{
	struct bench b;

	(void)state;
	run("cc -O2 -g prog.c -o prog");
	open_bench(&b, "prog", NULL, NULL);
	assert_string_equal(symbols_lookup(b.symbols, 0, 0x1234)->frames[0].function, "[unknown]");
	assert_string_equal(symbols_addr_lookup(b.symbols, &b.modules, 0x5)->frames[0].function, "[unknown]");
	assert_null(symbols_lookup(b.symbols, 0, 0x1234)->frames[0].module);
	assert_null(symbols_addr_data_name(b.symbols, &b.modules, 0x5));
	close_bench(&b);
}

#define AHEAD 8

/* Some of AHEAD copies of a program are opened in a thread, some are missing, some are never asked for. */
static void check_ahead(const unsigned long *at, bool opens_ahead, struct buf *names)
{
	struct symbol_options options = { .opens_ahead = opens_ahead };
	struct symbols *symbols = symbols_new(&options);
	struct modules modules;
	const char *note;

	modules_init(&modules);
	for (uint32_t i = 0; i < AHEAD; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/ahead%u", dir, i);
		assert_int_equal(modules_add(&modules, i + 1, path, strlen(path), NULL, 0, 0, 0, 0x90000), 0);
		symbols_object(symbols, modules_by_id(&modules, i + 1));
		symbols_expect(symbols, i + 1);
		symbols_expect(symbols, i + 1); /* once is enough */
	}
	symbols_expect(symbols, 0);
	symbols_expect(symbols, 77);
	/* From both ends: what the thread has begun, and what it has not. */
	for (uint32_t i = 0; i < AHEAD - 1; i++) {
		uint32_t object = 1 + (i % 2 ? AHEAD - 1 - i / 2 : i / 2);

		for (size_t place = 0; place < PLACES; place++) {
			const struct frame_chain *chain = symbols_lookup(symbols, object, at[place]);

			for (uint32_t frame = 0; frame < chain->len; frame++)
				buf_printf(names, "%s %u\n", chain->frames[frame].function, chain->frames[frame].line);
		}
	}
	for (size_t i = 0; (note = symbols_note(symbols, i)); i++)
		buf_printf(names, "%s\n", note);
	symbols_free(symbols);
	modules_release(&modules);
}

static void objects_opened_ahead_have_the_same_names(void **state)
{
	struct buf ahead = { 0 }, plain = { 0 };
	unsigned long at[PLACES];

	(void)state;
	run("gcc -O2 -g -gz=zlib prog.c -o ahead0");
	run("cp ahead0 ahead1; cp ahead0 ahead3; cp ahead0 ahead4; cp ahead0 ahead6; strip ahead3; echo text >ahead7");
	assert_int_equal(addresses("ahead0", at, PLACES), PLACES);
	check_ahead(at, false, &plain);
	check_ahead(at, true, &ahead);
	assert_non_null(strstr(buf_string(&plain), "innermost"));
	assert_non_null(strstr(buf_string(&plain), "ahead7: not an ELF file"));
	assert_string_equal(buf_string(&ahead), buf_string(&plain));
	buf_release(&ahead);
	buf_release(&plain);
}

/* Any byte of the file may be wrong: names may be wrong then, nothing else. */
static void damaged_files_do_no_harm(void **state)
{
	/* Here and not in a process of their own, so that the sanitizers see it. */
	struct symbol_options options = { .is_inside = true };
	unsigned long at[PLACES];
	char path[256];
	uint8_t *bytes;
	size_t size;
	FILE *file;

	(void)state;
	run("cc -O2 prog.c -o victim");
	assert_int_equal(addresses("victim", at, PLACES), PLACES);
	snprintf(path, sizeof(path), "%s/victim", dir);
	file = fopen(path, "r");
	bytes = malloc(1 << 20);
	size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	srand(11);
	for (int round = 0; round < 60; round++) {
		uint8_t *copy = malloc(size);
		struct bench b;

		memcpy(copy, bytes, size);
		for (int i = 0; i < 20; i++)
			copy[(size_t)rand() % (round % 2 ? size : 4096)] = (uint8_t)rand();
		snprintf(path, sizeof(path), "%s/damaged", dir);
		file = fopen(path, "w");
		fwrite(copy, 1, round % 3 ? size : (size_t)rand() % size, file);
		fclose(file);
		free(copy);
		open_bench(&b, "damaged", NULL, &options);
		for (size_t i = 0; i < PLACES; i++) {
			assert_non_null(symbols_lookup(b.symbols, b.object, at[i])->frames[0].function);
			symbols_data_name(b.symbols, b.object, at[i]);
		}
		close_bench(&b);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined_chains_and_lines_are_exact_however_compiled),
		cmocka_unit_test(templates_lambdas_and_constructors_have_their_names),
		cmocka_unit_test(without_debug_information_symbols_name_functions),
		cmocka_unit_test(stripped_code_is_named_by_its_function_start),
		cmocka_unit_test(separate_debug_files_are_found),
		cmocka_unit_test(a_replaced_file_gives_no_names_but_a_note),
		cmocka_unit_test(a_missing_or_foreign_file_gives_a_note),
		cmocka_unit_test(plt_stubs_are_named_after_their_function),
		cmocka_unit_test(the_c_library_is_called_by_its_public_names),
		cmocka_unit_test(equal_modules_are_one_object),
		cmocka_unit_test(outside_modules_is_unknown),
		cmocka_unit_test(objects_opened_ahead_have_the_same_names),
		cmocka_unit_test(damaged_files_do_no_harm),
	};

	return cmocka_run_group_tests_name("analyzer/symbols/symbols", tests, group_setup, group_teardown);
}
