# Title: fio --verify, rt-tests (mutexes, semaphores, message queues), hackbench
# Needs: fio pmqtest ptsematest svsematest signaltest hackbench
# Package: fio rt-tests
# Time: 120
# Left out: fio.* | the contents are random

run() {
	local engine
	for engine in psync pvsync mmap posixaio splice; do
		fio --name=fio --filename=fio.$engine --size=2m --rw=write --bs=4k --verify=crc32c --do_verify=1 --verify_fatal=1 \
			--ioengine=$engine --thread --minimal >/dev/null 2>"$TMPDIR/err"
		echo "fio $engine: $?"
	done
	fio --name=fio --filename=fio.fork --size=2m --rw=write --verify=sha256 --numjobs=3 --minimal >/dev/null
	echo "fio processes: $?"
	timeout 20 ptsematest -t -l 100 -i 500 >/dev/null
	echo "ptsematest: $?"
	timeout 20 svsematest -t -l 100 -i 500 >/dev/null
	echo "svsematest: $?"
	timeout 20 pmqtest -t -l 100 -i 500 >/dev/null
	echo "pmqtest: $?"
	timeout 20 signaltest -t 4 -l 200 >/dev/null
	echo "signaltest: $?"
	hackbench -g 2 -l 100 >/dev/null
	echo "hackbench processes: $?"
	hackbench -T -p -g 2 -l 100 >/dev/null
	echo "hackbench threads: $?"
}
