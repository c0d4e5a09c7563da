/* The bytes of body=N, each computable from its place alone.
 *
 *     byte i  =  '\n'                                          where i % 64 == 63
 *                "0…9A…Za…z"[(i / 64 + i % 64) % 62]           elsewhere
 *
 * They repeat after 62 lines = 3968 bytes: no power of two, so that a program that hands on a
 * buffer of 16 KB twice, or in the wrong place, is found out. */
#ifndef PATTERN_H
#define PATTERN_H

#include "buffer.h"
#include "request.h"

struct span pattern_period(void);

/* Appends bytes place … place + length - 1 of what repeats the period for ever. */
void pattern_add(struct buffer *to, struct span period, uint64_t place, size_t length);

#endif
