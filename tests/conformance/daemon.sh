# Title: processes that close all descriptors, detach, drop rights, change root, limit or forbid themselves things
# Needs: gcc setpriv unshare prlimit python3 perl setsid chroot busybox
# Package: util-linux
# Time: 60
# Quick: yes

prepare() {
	cat >daemon.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <pthread.h>
#include <dirent.h>
static void *work(void *n)
{
	for (int i = 0; i < 2000; i++)
		free(malloc(i));
	return n;
}
int main(void)
{
	int fds[2], status;
	char line[200];
	FILE *log;
	signal(SIGHUP, SIG_IGN);
	closefrom(3);
	if (fork())
		wait(&status), exit(WEXITSTATUS(status));
	setsid();
	if (fork())
		_exit(0);
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	printf("never seen\n");
	close_range(0, ~0u, 0);
	int first = open("/dev/null", O_RDWR);
	dup(first), dup(first);
	umask(022);
	int next = open("daemon.log", O_CREAT | O_RDWR | O_TRUNC, 0644);
	log = fdopen(next, "w");
	fprintf(log, "first %d next %d\n", first, next);
	if (chroot(".") || setgid(65534) || setuid(65534) || chdir("/"))
		fprintf(log, "no drop: %m\n");
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 10, 10 });
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 });
	pipe(fds);
	fprintf(log, "pipe %d %d uid %d\n", fds[0], fds[1], getuid());
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		void *n;
		pthread_create(&thread, NULL, work, (void *)(long)i);
		pthread_join(thread, &n);
		if (!fork())
			work(NULL), _exit(i);
		wait(&status);
		if ((long)n != i || WEXITSTATUS(status) != i)
			fprintf(log, "wrong\n");
	}
	fprintf(log, "%d\n", open("/nothing", O_RDONLY));
	fprintf(log, "done\n");
	fclose(log);
	return 0;
}
C
	gcc -O1 -w -pthread -o daemon daemon.c
}

run() {
	mkdir root && cp "$prepared/daemon" root/ && chmod 777 root
	(cd root && ./daemon)
	echo "daemon: $?"
	wait_for grep -q done root/daemon.log
	echo "== rights"
	setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs sh -c 'id -u; echo x >/dev/null; /bin/true; echo $?'
	setpriv --bounding-set=-all --inh-caps=-all sh -c 'grep Cap /proc/self/status'
	unshare -U -r sh -c 'id -u'
	unshare -p -f -m --mount-proc sh -c 'echo $$; ps -o pid= | wc -l'
	unshare -T --monotonic 1000 sh -c 'sleep 0.1; echo time'
	perl -e 'use POSIX; $< = $> = 65534; print "$< $>\n"; POSIX::setsid(); for (0 .. 2) { POSIX::close($_) } open F, ">", "/dev/null"; exit fileno(F)'
	echo "perl: $?"
	echo "== limits"
	prlimit --nofile=4 cat /proc/self/limits | grep 'open files'
	prlimit --as=200000000 python3 -c 'try: bytearray(300000000)
except MemoryError: print("memory")'
	prlimit --fsize=100 sh -c 'head -c 1000 /dev/zero >big; wc -c <big'
	prlimit --nproc=unlimited --core=0 sh -c 'sh -c "kill -ABRT \$\$" 2>/dev/null; echo $?'
	prlimit --stack=100000 sort /etc/passwd | wc -l
	bash -c "prlimit --cpu=1 sh -c 'while :; do :; done'; echo cpu: \$?" 2>/dev/null
	prlimit --memlock=0 --rttime=1000 ls / >/dev/null
	echo "memlock: $?"
	echo "== state"
	python3 -c 'import os; print(sorted(os.listdir("/proc/self/fd")))
for line in open("/proc/self/status"):
	if line.split(":")[0] in ("Threads", "SigQ", "SigPnd", "SigBlk", "SigIgn", "Seccomp", "NoNewPrivs", "Umask", "TracerPid"):
		print(line.rstrip() if not line.startswith("SigQ") else "")'
	sh -c 'ls -l /proc/self/fd | wc -l; exec 3</dev/null 3<&-; ls /proc/self/fd | wc -l'
	mkdir -p jail/bin && cp /bin/busybox jail/bin/ && chroot jail /bin/busybox sh -c 'echo in jail; ls /'
	(exec -a renamed sh -c 'echo $0; head -c 7 /proc/$$/cmdline; echo')
	sh -c 'ulimit -n 3; echo shell with three' 
	sh -c 'exec <&- >&- 2>&-; echo nothing; exit 6'
	echo "closed: $?"
	rm -r jail big
}
