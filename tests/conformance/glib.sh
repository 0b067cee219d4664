# Title: GLib's installed tests
# Needs: /usr/libexec/installed-tests/glib
# Package: libglib2.0-tests
# Time: 200
# Normalise: DeletionDate=\S+ => DeletionDate=D | the time when a file went to the trash

folder=/usr/libexec/installed-tests/glib

# What takes more than 1 s is left out: the library is run by many others, too.
prepare() {
	find $folder -maxdepth 1 -type f -perm -1 -printf '%f\n' | sort | settle 1 "$folder/{}" 120
}

run() {
	suite 60 "$folder/{}" <"$prepared/list"
}
