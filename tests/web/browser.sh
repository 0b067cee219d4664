# What tests of the page need: a browser, what drives it, and drive(). To be sourced after lib.sh.
for name in chromium chromium-browser google-chrome; do
	CHROMIUM=${CHROMIUM:-$(command -v "$name")}
done
[ -n "$CHROMIUM" ] || skip "no chromium here"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node and npm here"
WEB_MODULES=$root/build/tests/web
for name in firefox-esr firefox; do
	FIREFOX=${FIREFOX:-$(command -v "$name")}
done
export CHROMIUM FIREFOX WEB_MODULES

# npm_install SOURCE TARGET: what SOURCE/package.json names, once, and again when it names other versions.
npm_install() {
	mkdir -p "$2"
	cmp -s "$1/package.json" "$2/package.json" && [ -e "$2/installed" ] && return
	rm -f "$2/installed"
	cp "$1/package.json" "$2/"
	(cd "$2" && timeout 200 npm install --no-audit --no-fund --no-package-lock --silent >npm.log 2>&1) && touch "$2/installed"
}
npm_install "$root/tests/web" "$WEB_MODULES" || skip "npm could not install what drives the browser"

drive() { # script page [argument]
	timeout 250 node "$root/tests/web/$1" "$dir/$2" ${3:+"$3"} || fail "$1 $2"
}
