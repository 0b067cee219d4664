/* stackinfo.h - which way the stack grows, for the tests of glibc. */
#define _STACK_GROWS_DOWN 1
#define DEFAULT_STACK_PERMS 3
