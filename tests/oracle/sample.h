/* SPDX-License-Identifier: MIT */
/* sample.h - signals at instructions of the program, each of which is handed to watch_interrupt. */
#ifndef RINGSIDE_TESTS_SAMPLE_H
#define RINGSIDE_TESTS_SAMPLE_H

/* sample_begin - once. `steps`: instructions to step through after each timer signal. */
void sample_begin(unsigned steps);

/* sample_thread_begin - arm a timer of the calling thread; *timer is for sample_thread_end. */
void sample_thread_begin(int *timer);
void sample_thread_end(int timer);

/* sample_catch_up - the thread is about to return to the program: step there, if a signal struck before. */
void sample_catch_up(void);

#endif
