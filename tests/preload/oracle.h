/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - compare captured stacks with those of another unwinder.
 *
 * The first oracle is libgcc's _Unwind_Backtrace, which interprets the same tables with all registers at hand;
 * the second is libunwind's unw_step, asked for every so many captures because it is slow. Both are used at
 * any instruction of the program, by single-stepping it: oracle_step_begin() sets the processor's trap flag and each
 * instruction until oracle_step_end() raises SIGTRAP, whose handler compares.
 */
#ifndef RINGSIDE_TESTS_ORACLE_H
#define RINGSIDE_TESTS_ORACLE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Set up; once. `second_every`: 0 never ask libunwind. */
void oracle_begin(unsigned second_every);

/* Name what follows, for the lines that tell a difference. */
void oracle_scene(const char *name);

/* Compare at every instruction in between, of this thread. */
void oracle_step_begin(void);
void oracle_step_end(void);

/* Compare here, as a wrapper would capture. */
void oracle_here(void);

/* Print the account; 0 when no capture was wrong and enough were equal. */
int oracle_end(void);

#ifdef __cplusplus
}
#endif

#endif
