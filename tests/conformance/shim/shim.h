/* shim.h - before every file of glibc's tests: what its own build says on the command line or in config.h. */
#include <limits.h>

#define TIMEOUTFACTOR 1
#define libc_hidden_proto(name)
#define libc_hidden_def(name)
#define attribute_hidden
#define SRCDIR_PATH "."
#define OBJDIR_PATH "."
#define OBJDIR_ELF_LDSO_PATH "/lib64/ld-linux-x86-64.so.2"
#define INSTDIR_PATH "/usr"
#define LIBDIR_PATH "/usr/lib"
#define SBINDIR_PATH "/usr/sbin"
#define SLIBDIR_PATH "/lib"
#define BINDIR_PATH "/usr/bin"
#define ROOTSBINDIR_PATH "/sbin"
#define COMPLOCALEDIR_PATH "/usr/lib/locale"
#define SYSCONFDIR_PATH "/etc"
