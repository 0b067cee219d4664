# Title: stress-ng --verify: memory, mappings, allocation
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="atomic:20 brk:2000 fault:200 madvise:2 malloc:5000 mincore:20 mlock:2 mmapaddr:500 mmapfixed:3
	mmapmany:1 mprotect:50 msync:10 munmap:5 pagemove:2 pkey:50 remap:2 rmap:1 stackmmap:5 userfaultfd:50
	vm:50 vm-addr:5 vm-rw:5 vm-segv:50 vm-splice:200 zlib:5"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}
