#!/bin/sh
# Loading: what the library needs, what happens beside other preloads, in other programs, with plugins. Each part is
# named by a line "part NAME"; docs/hazards.md refers to them.
. "$(dirname "$0")/lib.sh"
ulimit -c 0
mode="block=0,cpu=1000,out=$dir/d/%e.%p.rsd"
part() { echo "part $1"; }

# same WHAT preloads-before preloads-after command... : output and status as without us.
same() {
	what="$1" before="$2" after="$3"
	shift 3
	mkdir -p d
	timeout 120 env LD_PRELOAD="$before $after" "$@" >bare 2>bare.err
	echo "exit $?" >>bare
	timeout 120 env LD_PRELOAD="$before $lib $after" RINGSIDE="$mode" "$@" >recorded 2>recorded.err
	echo "exit $?" >>recorded
	diff bare recorded && diff bare.err recorded.err || fail "$what differs"
	[ -n "$unrecorded" ] || ls d/*.rsd >/dev/null 2>&1 || fail "$what: nothing was recorded"
	rm -rf d
	echo "same    $what: $(tail -n 1 bare)"
}
unrecorded=
work="sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<3000) select sum(length(hex(x))) from c'"

part flags
readelf -nW "$lib" | grep -q 'IBT, SHSTK' || fail "a processor's control-flow protection would be switched off"
readelf -lW "$lib" | grep GNU_STACK | grep -q 'RW ' || fail "the stack would become executable"
readelf -dW "$lib" | grep -q 'FLAGS_1.*NOW.*NODELETE.*INITFIRST' || fail "$(readelf -dW "$lib" | grep FLAGS_1)"
readelf -dW "$lib" | grep -q 'RELR\|RUNPATH\|RPATH\|SONAME' && fail "unwanted dynamic entries"
readelf -lW "$lib" | awk '$1 == "TLS" { size = strtonum($6) } END { exit !(size > 0 && size <= 16) }' || fail "thread-local storage"

part own-calls
# What is asked of libc is a short list; nothing in it allocates, locks or does I/O on the way of a wrapper.
objdump -T "$lib" | awk '/\*UND\*/ { print $NF }' | sort >undefined
cat >allowed <<'LIST'
__errno_location
_r_debug
dl_iterate_phdr
dlerror
dlsym
dlvsym
getauxval
gnu_get_libc_version
makecontext
memchr
memcpy
memset
pthread_attr_destroy
pthread_attr_init
pthread_attr_setdetachstate
pthread_equal
pthread_self
strcmp
LIST
comm -23 undefined allowed | grep . && fail "the library calls more of libc than it should"
# The unwinder that every sample and allocation runs, and the handler, call none of the loader's functions that lock.
for object in unwind cfi rules memo stacks nodes replay sampler heap lane span; do
	nm "$root/build/pic/preload/$object.o" | awk '$1 == "U" { print $2 }' |
		grep -x 'dl_iterate_phdr\|dlopen\|dladdr\|malloc\|free\|pthread_mutex_lock\|printf' && fail "$object.o calls them"
done

part other-libc
if command -v musl-gcc >/dev/null; then
	printf 'int main(void) { return 5; }\n' >m.c
	musl-gcc -o musl m.c
	musl-gcc -static -o static m.c
	ringside record -o musl.rsd -- ./musl 2>err
	[ $? != 0 ] && grep -q "musl libc" err || fail "musl: $(cat err)"
	ringside record -o static.rsd -- ./static 2>err
	[ $? != 0 ] && grep -q "statically linked" err || fail "static: $(cat err)"
fi
if [ "$(id -u)" = 0 ]; then
	cp /usr/bin/id setuid-id && chmod 4755 setuid-id && chmod 755 .
	unrecorded=1
	if command -v setpriv >/dev/null; then
		same "a set-user-ID program" "" "" setpriv --reuid 65534 --clear-groups ./setuid-id -u
	fi
	unrecorded=
fi

part old-symbols
# A program bound to the implementation of conditions before GLIBC_2.3.2 does not get ours, which has another layout.
cat >old.c <<'C'
#include <pthread.h>
#include <stdio.h>
__asm__(".symver pthread_cond_timedwait, pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver pthread_cond_init, pthread_cond_init@GLIBC_2.2.5");
__asm__(".symver pthread_cond_destroy, pthread_cond_destroy@GLIBC_2.2.5");
int main(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	struct { pthread_cond_t c; char guard[64]; } s = { .guard = "kept" };
	struct timespec past = { 1, 0 };
	printf("%d", pthread_cond_init(&s.c, NULL));
	pthread_mutex_lock(&m);
	printf(" %d", pthread_cond_timedwait(&s.c, &m, &past));
	pthread_mutex_unlock(&m);
	printf(" %d %s\n", pthread_cond_destroy(&s.c), s.guard);
	return 0;
}
C
if gcc -o old old.c 2>/dev/null; then same "symbols of an old version" "" "" ./old; fi

part constructors
# Libraries that allocate from two threads, and look symbols up in vain, before main.
cat >early.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
static void *storm(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		char *p = malloc((size_t)i % 700 + 1), *q = calloc(3, 50);
		memset(p, 1, (size_t)i % 700 + 1);
		p = realloc(p, 900);
		free(q);
		free(p);
		if (i % 1000 == 0)
			dlsym(RTLD_DEFAULT, "no_such_name");
	}
	return arg;
}
__attribute__((constructor)) static void begin(void)
{
	pthread_t t;
	pthread_create(&t, NULL, storm, NULL);
	storm(NULL);
	pthread_join(t, NULL);
}
C
gcc -shared -fPIC -o early.so early.c
same "constructors that allocate" "" "$dir/early.so" sh -c 'echo main'
same "constructors before ours" "$dir/early.so" "" sh -c 'echo main'
same "bound at once" "" "$dir/early.so" env LD_BIND_NOW=1 sh -c 'echo main'

part co-preloads
for allocator in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2.0; do
	for folder in /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib; do
		[ -e $folder/$allocator ] || continue
		same "$allocator after us" "" $folder/$allocator sh -c "$work"
		same "$allocator before us" $folder/$allocator "" sh -c "$work"
		break
	done
done
command -v fakeroot >/dev/null && same fakeroot "" "" fakeroot sh -c 'touch f; chown 7:8 f; stat -c %u:%g f; rm f'
command -v faketime >/dev/null && same faketime "" "" faketime '2001-02-03 04:05:06' date +%Y-%m-%d
printf '#include <stdlib.h>\nint main(void) { char *p = malloc(10); p[3] = 1; free(p); return p == 0; }\n' >a.c
if gcc -fsanitize=address -o asan a.c 2>/dev/null && ./asan; then
	same "AddressSanitizer's runtime first" "$(gcc -print-file-name=libasan.so | xargs realpath)" "" ./asan
	ringside record -o asan.rsd -- ./asan 2>err && fail "asan was recorded"
	grep -q 'sanitizer' err || fail "asan: $(cat err)"
fi

part plugins
mkdir -p app/lib other
printf 'int answer(void) { return 42; }\n' >p.c
gcc -shared -fPIC -o app/lib/plugin.so p.c
cat >next.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
/* A plugin whose own wrapper looks for the next one. */
int has_next(void) { return dlsym(RTLD_NEXT, "malloc") != NULL; }
int allocates(void) { void *p = malloc(77); free(p); return p != NULL; }
C
gcc -shared -fPIC -o app/lib/next.so next.c
cat >app.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
static void use(const char *how, void *handle, const char *name)
{
	int (*f)(void) = handle ? (int (*)(void))dlsym(handle, name) : NULL;
	printf("%s: %d\n", how, f ? f() : -1);
}
int main(void)
{
	use("by $ORIGIN", dlopen("plugin.so", RTLD_NOW), "answer");
	use("RTLD_NEXT in a plugin", dlopen("next.so", RTLD_NOW | RTLD_LOCAL), "has_next");
	use("RTLD_DEEPBIND", dlopen("next.so", RTLD_NOW | RTLD_DEEPBIND), "allocates");
	use("a namespace of its own", dlmopen(LM_ID_NEWLM, "next.so", RTLD_NOW), "allocates");
	printf("no library: %d, %s\n", dlopen("no-such.so", RTLD_NOW) == NULL, dlerror() ? "said why" : "SILENT");
	printf("no error left: %d\n", dlerror() == NULL);
	return 0;
}
C
gcc -Wl,-rpath,'$ORIGIN/lib' -o app/app app.c
same "plugins" "" "" app/app

part own-allocator
# An allocator that is part of the program, and maps its memory by the wrapped mmap with its lock held.
cat >own.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *at, *end;
void *malloc(size_t n)
{
	char *p;
	n = (n + 31) & ~(size_t)15;
	pthread_mutex_lock(&lock);
	if (at + n > end) {
		size_t size = n > 65536 ? n : 65536;
		at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		end = at + size;
	}
	p = at;
	at += n;
	pthread_mutex_unlock(&lock);
	*(size_t *)p = n - 16;
	return p + 16;
}
void free(void *p) { (void)p; }
void *calloc(size_t n, size_t s) { return memset(malloc(n * s), 0, n * s); }
void *realloc(void *old, size_t n)
{
	void *p = malloc(n);
	size_t had = old ? ((size_t *)old)[-2] : 0;
	return memcpy(p, old ? old : p, had < n ? had : n);
}
static void *run(void *arg)
{
	for (int i = 0; i < 5000; i++)
		memset(realloc(malloc(100), 300), 1, 300);
	return arg;
}
int main(void)
{
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, run, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	puts("done");
	return 0;
}
C
gcc -O1 -fno-builtin -pthread -o own own.c && same "an allocator in the program" "" "" ./own

part tls
# Hundreds of libraries with thread-local variables, touched by threads that are sampled and allocate.
printf '__thread int v[64]; int touch(void) { return ++v[7]; }\n' >tls.c
gcc -shared -fPIC -ftls-model=global-dynamic -o tls.so tls.c
cat >tlsmain.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static int (*touch[300])(void);
static volatile int count;
static void *run(void *arg)
{
	long sum = 0;
	for (int round = 0; round < 300; round++)
		for (int i = 0; i < count; i++) {
			void *volatile p = malloc(30);
			sum += touch[i]() > 0;
			free(p);
		}
	return (void *)sum;
}
int main(void)
{
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, run, NULL);
	for (int i = 0; i < 300; i++) {
		char name[32];
		void *h;
		snprintf(name, sizeof(name), "./tls/%d.so", i);
		h = dlopen(name, RTLD_NOW);
		touch[i] = h ? (int (*)(void))dlsym(h, "touch") : NULL;
		if (!touch[i])
			return 1;
		count = i + 1;
	}
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("%d\n", run(NULL) == (void *)(300l * 300));
	return 0;
}
C
mkdir tls
for i in $(seq 0 299); do cp tls.so tls/$i.so; done
gcc -O1 -pthread -o tlsmain tlsmain.c && same "300 libraries with thread-local variables" "" "" ./tlsmain

part aliases
# Fortified names and large offsets lead to the same functions.
cat >alias.c <<'C'
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char buf[64];
	volatile size_t n = (size_t)argc * 5;
	int fd = open("big", O_CREAT | O_RDWR | O_TRUNC, 0600), s[2];
	struct pollfd p = { .fd = 0 };
	off_t far = (off_t)5 << 30;
	(void)argv;
	printf("%zd", pwrite(fd, "hello", 5, far));
	printf(" %zd %.5s", pread(fd, buf, n, far), buf);
	printf(" %lld", (long long)lseek(fd, 0, SEEK_END));
	lseek(fd, far, SEEK_SET);
	printf(" %zd", read(fd, buf, n));
	printf(" %d", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	printf(" %zd", send(s[0], "hello", 5, 0));
	printf(" %zd", recv(s[1], buf, n, 0));
	printf(" %d\n", poll(&p, n / 5, 0) >= 0);
	return unlink("big");
}
C
gcc -O2 -D_FORTIFY_SOURCE=2 -D_FILE_OFFSET_BITS=64 -o alias alias.c && same "fortified" "" "" ./alias
nm -D alias | grep -q '__pread.*_chk' || fail "that program was not fortified"
gcc -O1 -D_FILE_OFFSET_BITS=64 -o alias alias.c && same "large files" "" "" ./alias
printf '#include <unistd.h>\nint main(int c, char **v) { char b[4]; (void)v; return (int)read(0, b, (size_t)c * 8); }\n' >over.c
gcc -O2 -D_FORTIFY_SOURCE=2 -w -o over over.c && same "an overflow that is found" "" "" sh -c './over </dev/zero 2>/dev/null'

part environment
env -i PATH="$PATH" LD_PRELOAD="$lib" RINGSIDE="$mode" sh -c 'env; tr "\0" "\n" </proc/self/environ' | sort -u |
	grep -v '^\(PATH\|LD_PRELOAD\|RINGSIDE\|PWD\|_\|SHLVL\|OLDPWD\)=' && fail "the environment has more in it"
unshare -U true 2>/dev/null && same "unshare -U, which wants one thread" "" "" unshare -U true
# A child inherits what it was given, whoever removes it.
mkdir -p d
[ "$(LD_PRELOAD="$lib" RINGSIDE="$mode" env -u LD_PRELOAD sh -c 'echo "$LD_PRELOAD"')" = "" ] || fail "LD_PRELOAD comes back"
exit 0
