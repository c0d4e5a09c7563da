/* UTF-8, byte for byte: what a text from a file holds need not be any. */
#ifndef GUSSET_TOOL_UTF8_H
#define GUSSET_TOOL_UTF8_H

/* The length of the sequence at text (1..4), 0 when it is none (RFC 3629). */
unsigned utf8_length(const char *text);

#endif
