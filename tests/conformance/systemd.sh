# Title: systemd's own tests: event loops, namespaces, seccomp, closing of descriptors, signals, processes
# Needs: /usr/lib/systemd/tests/test-fd-util
# Package: systemd-tests
# Time: 200

folder=/usr/lib/systemd/tests

# What takes more than 1 s is left out, and what asks the machine instead of the code.
prepare() {
	find $folder -maxdepth 1 -type f -name 'test-*' -perm -1 -printf '%f\n' | grep -v '\.sh$\|nss-\|random\|loop-block' |
		sort | settle 1 "$folder/{}" 120
}

run() {
	suite 60 "$folder/{}" <"$prepared/list"
}
