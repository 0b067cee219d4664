/* SPDX-License-Identifier: MIT */
/* inspect.h - can this program be recorded? Asked before it is run, so that the answer is a sentence. */
#ifndef RINGSIDE_INSPECT_H
#define RINGSIDE_INSPECT_H

/* program_inspect - looked up as the shell does. 0 to go on, else an exit code after a message. */
int program_inspect(const char *program);

#endif
