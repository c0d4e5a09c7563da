/*
 * Figures in the form in which collectors take them: families of samples, as Prometheus' text (version 0.0.4)
 * or as one JSON object. The writer sees families and samples; which of the two it becomes is decided here.
 */
#ifndef GUSSET_TOOL_EXPOSITION_H
#define GUSSET_TOOL_EXPOSITION_H

#include <stdbool.h>
#include <stdio.h>

#include "tool/json.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition {
    FILE *to;
    bool is_json;
    const char *family; /* whose samples come */
    struct json json;
};

struct exposition_label {
    const char *name, *value;
};

enum { EXPOSITION_LABELS = 5 };

/* A sample's labels; the first without a name ends them. Values may hold any bytes. */
struct exposition_labels {
    struct exposition_label each[EXPOSITION_LABELS];
};

void exposition_begin(struct exposition *out, FILE *to, bool is_json);
void exposition_end(struct exposition *out);

/* A family: its whole name, "counter", "gauge" or "histogram", and a sentence without its full stop. */
void exposition_family(struct exposition *out, const char *name, const char *type, const char *help);

/* Ends the family. */
void exposition_family_end(struct exposition *out);

/* A sample of the family; suffix is "" or a histogram's "_bucket", "_sum", "_count". */
void exposition_sample(struct exposition *out, const char *suffix, const struct exposition_labels *labels,
                       double value);

#endif
