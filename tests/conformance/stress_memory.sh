# Title: stress-ng --verify: memory, mappings, allocation
# Needs: stress-ng
# Package: stress-ng
# Time: 120

# Each stressor checks its own results; the number is how many operations it is asked for.
stressors="atomic:20 brk:2000 bsearch:5 env:5 fault:500 heapsort:1 hsearch:2 judy:1
	list:20 madvise:5 malloc:5000 matrix:5 membarrier:2 memfd:1 mergesort:1 mincore:20 mlock:5 mmap:1
	mmapaddr:500 mmapfixed:10 mmapmany:1 mprotect:50 mremap:2 msync:50 munmap:5 pagemove:5 pkey:50 qsort:1
	radixsort:1 remap:5 rmap:2 stackmmap:5 str:20 tsearch:2 userfaultfd:50 vm:200 vm-addr:5 vm-rw:20
	vm-segv:50 vm-splice:200 wcs:5 zlib:20"

run() {
	local stressor
	for stressor in $stressors; do
		printf '%s\tstress-ng --seed 1 --%s 1 --%s-ops %s --verify -t 10\n' "${stressor%:*}" \
			"${stressor%:*}" "${stressor%:*}" "${stressor#*:}"
	done | verdicts
}
