#!/bin/sh
# make install and uninstall with DESTDIR; the installed command finds its library.
. "$(dirname "$0")/lib.sh"
make -s -C "$root" install prefix=/usr DESTDIR="$dir/root" >/dev/null || fail "make install"
"$dir/root/usr/bin/ringside" record -o i.rsd -- true 2>/dev/null || fail "the installed command can't record"
"$dir/root/usr/bin/ringside" report --json i.rsd | check "report" '.schema == "ringside.report/1"'
ls "$dir"/root/usr/share/man/man1/ringside.1 "$dir"/root/usr/share/man/man5/ringside.5 \
	"$dir"/root/usr/include/ringside.h "$dir"/root/usr/share/bash-completion/completions/ringside >/dev/null || fail "files"
bash -n "$dir/root/usr/share/bash-completion/completions/ringside" || fail "completion"
make -s -C "$root" uninstall prefix=/usr DESTDIR="$dir/root" >/dev/null || fail "make uninstall"
left=$(find "$dir/root" -type f)
[ -z "$left" ] || fail "left behind: $left"
