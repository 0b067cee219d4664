# Title: git: 3000 commits, branches, merges, blame, bisect, gc, repack, clone, fsck
# Needs: git
# Package: git
# Time: 90
# Left out: *.git/index | times and inode numbers of files
# Left out: *.git/logs/* | times
# Left out: *.git/objects/info/commit-graph* | written by gc, depends on time

export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c \
	GIT_COMMITTER_EMAIL=c@example.org GIT_AUTHOR_DATE="1600000000 +0000" GIT_COMMITTER_DATE="1600000000 +0000"

stream() {
	awk 'BEGIN { for (i = 1; i <= 3000; i++) {
		text = ""
		for (k = 0; k < 20; k++)
			text = text "line " k " of " (i - i * k % 7) "\n"
		printf "commit refs/heads/%s\nmark :%d\ncommitter c <c@example.org> %d +0000\ndata 5\nmessg\n",
			(i % 10 ? "main" : "side"), i, 1500000000 + i
		if (i == 10) print "from :9"
		printf "M 100644 inline d%d/f%d\ndata %d\n%s\n", i % 20, i % 97, length(text), text
	} }'
}

run() {
	git init -q -b main repo && cd repo || return 1
	git config gc.auto 0
	git config pack.threads 1
	stream | git fast-import --quiet
	git reset -q --hard
	git log --format=%H --all | sort | sha256sum
	git fsck --full --strict 2>&1 | sort
	git merge -q -m merged side -s ours
	git rev-parse HEAD
	git blame -s d1/f1 2>/dev/null | sha256sum
	git grep -c "line 3 of" | sort | sha256sum
	git diff --stat HEAD~500 HEAD | tail -n 1
	git repack -adfq --depth=20 --window=20
	git fsck --full
	git count-objects -v | grep -v size
	git clone -q . ../clone 2>&1
	git -C ../clone log --format=%H | sha256sum
	git -C ../clone fsck --connectivity-only
	git gc -q --prune=now
	git bisect start -q HEAD HEAD~200 >/dev/null
	git bisect run sh -c 'test "$(git rev-list --count HEAD)" -lt 2600' 2>&1 | tail -n 2 | sha256sum
	git bisect reset -q
	git format-patch -q -5 HEAD~10 -o ../patches
	git archive --format=tar HEAD | sha256sum
	git stash list
	echo change >d1/f1
	git stash -q && git stash show | cat && git stash pop -q && git status --short
}
