# Title: glibc's own tests of threads and malloc, compiled against the installed libc
# Needs: gcc ar xz /usr/src/glibc
# Package: glibc-source libc6
# Time: 400

# Folders of the source whose tests are tried. What does not compile outside glibc's own build (internal headers), or
# takes more than 2 s, or has no settled verdict in two runs, is left out.
folders="nptl sysdeps/pthread malloc"

compile() { # source object-or-program [more]
	local source="$1" out="$2"
	shift 2
	gcc -std=gnu11 -fgnu89-inline -O2 -w -fexceptions -pthread -D_GNU_SOURCE -DMODULE_NAME=testsuite \
		-include "$here/shim/shim.h" -I "$here/shim" -I headers -I source -I source/support \
		-I source/"$(dirname "${source#source/}")" -I source/nptl -I source/sysdeps/pthread \
		-o "$out" "$source" "$@" 2>>log
}
export -f compile

prepare() {
	mkdir -p source headers support tests
	tar xf /usr/src/glibc/glibc-*.tar.xz -C source --strip-components=1 --wildcards \
		'*/nptl/*' '*/malloc/*' '*/sysdeps/pthread/*' '*/support/*' '*/test-skeleton.c' '*/include/*.h'
	# Headers of no one else's business: the rest of include/ would stand in front of the installed ones.
	for header in array_length libc-diag intprops libc-pointer-arith; do
		cp source/include/$header.h headers/
	done
	printf '%s\n' source/support/*.c | grep -v '_main\.c\|test-driver' | xargs -P 2 -I {} bash -c \
		'compile {} support/$(basename {} .c).o -c || true'
	compile source/support/support_test_main.c support/support_test_main.o -c
	ar rcs libsupport.a support/*.o
	for folder in $folders; do
		printf '%s\n' source/$folder/tst-*.c
	done | xargs -P 2 -I {} bash -c 'compile {} tests/$(basename {} .c) libsupport.a -lrt -ldl -lm || true'
	# Not what computes for long: malloc against fork, lock loops, stalls.
	# Parts of other tests, the forms for static linking, and what fails by chance without a recorder, too: the child of
	# tst-cancel7 may be found before it is dead.
	ls tests | grep -v 'tst-cancelx*7$\|gdb-attach\|skeleton\|mod[0-9a-z]*$\|-aux\|-static\|mallocfork\|lockloop\|-stall\|-pwn\|malloc-thread\|fork-deadlock\|too-large' |
		settle 2 "$prepared/tests/{}" 150
}

run() {
	suite 60 "$prepared/tests/{}" <"$prepared/list"
}
