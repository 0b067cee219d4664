# Title: stress-ng --verify: memory, mappings, allocation
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="atomic:20 brk:2000 fault:500 madvise:5 malloc:5000 membarrier:2 mincore:20 mlock:5 mmapaddr:500
	mmapfixed:10 mmapmany:1 mprotect:50 msync:50 munmap:5 pagemove:5 pkey:50 remap:5 rmap:2 stackmmap:5
	userfaultfd:50 vm:200 vm-addr:5 vm-rw:20 vm-segv:50 vm-splice:200 zlib:20"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}
