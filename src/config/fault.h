/* Faults of a configuration, collected so that one run names them all: where, what stood there, what was
 * expected. */
#ifndef GUSSET_CONFIG_FAULT_H
#define GUSSET_CONFIG_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault {
    const char *file; /* a path, or the name of an environment variable; "" where there is no place */
    uint32_t line;    /* from 1; 0: the file as a whole */
    bool is_warning;
    char *text;
};

struct fault_list { /* zero is an empty list */
    struct fault *items;
    uint32_t count;
    uint32_t room;
    uint32_t
        errors; /* those that are no warnings; counted even where memory failed or FAULT_MOST was reached */
};

enum { FAULT_MOST = 1000, FAULT_TEXT_MOST = 512 };

/* Adds a fault; file is copied, text cut to FAULT_TEXT_MOST. */
void fault_add(struct fault_list *list, const char *file, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds something that is no error but worth a look. */
void fault_warn(struct fault_list *list, const char *file, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts the faults into the order of their places, files as they came. */
void fault_sort(struct fault_list *list);

/* Writes "file:line: text". Returns the length, cut to size. */
size_t fault_print(const struct fault *fault, char *text, size_t size);

/* The first error of the list, and how many more there are: one line for a log. "" when there is none. */
size_t fault_summary(const struct fault_list *list, char *text, size_t size);

void fault_clear(struct fault_list *list);

#endif
