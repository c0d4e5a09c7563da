#include "tool/exposition.h"

#include <math.h>
#include <string.h>

#include "tool/utf8.h"

enum { NUMBER = 32 };

void exposition_begin(struct exposition *out, FILE *to, bool is_json)
{
    *out = (struct exposition){.to = to, .is_json = is_json, .json = {.to = to}};
    if (!is_json)
        return;
    json_object(&out->json, NULL);
    json_array(&out->json, "metrics");
}

void exposition_end(struct exposition *out)
{
    if (!out->is_json)
        return;
    json_end_array(&out->json);
    json_end_object(&out->json);
    fputc('\n', out->to);
}

void exposition_family(struct exposition *out, const char *name, const char *type, const char *help)
{
    out->family = name;
    if (!out->is_json) {
        fprintf(out->to, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
        return;
    }
    json_object(&out->json, NULL);
    json_text(&out->json, "name", name);
    json_text(&out->json, "type", type);
    json_text(&out->json, "help", help);
    json_array(&out->json, "samples");
}

void exposition_family_end(struct exposition *out)
{
    if (!out->is_json)
        return;
    json_end_array(&out->json);
    json_end_object(&out->json);
}

/* A whole number as one, as far as a double tells them apart. */
static const char *print_number(double value, char *text)
{
    if (isinf(value))
        return "+Inf";
    bool is_whole = value >= 0 && value < 9007199254740992.0 && value == (double)(uint64_t)value;
    snprintf(text, NUMBER, is_whole ? "%.0f" : "%.9g", value);
    return text;
}

/* A label's value: backslash, quote and newline are escaped; what is no UTF-8 would cost the whole scrape. */
static void print_value(FILE *to, const char *text)
{
    while (*text) {
        unsigned length = utf8_length(text);
        if (*text == '\n')
            fputs("\\n", to);
        else if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else if (length == 0)
            fputc('?', to);
        else
            fwrite(text, 1, length, to);
        text += length ? length : 1;
    }
}

static void print_labels(FILE *to, const struct exposition_labels *labels)
{
    const char *before = "{";

    for (unsigned i = 0; i < EXPOSITION_LABELS && labels->each[i].name; i++) {
        fprintf(to, "%s%s=\"", before, labels->each[i].name);
        print_value(to, labels->each[i].value);
        fputc('"', to);
        before = ",";
    }
    if (before[0] == ',')
        fputc('}', to);
}

static void write_sample(struct exposition *out, const char *suffix, const struct exposition_labels *labels,
                         double value)
{
    json_object(&out->json, NULL);
    if (suffix[0])
        json_text(&out->json, "suffix", suffix);
    json_object(&out->json, "labels");
    for (unsigned i = 0; i < EXPOSITION_LABELS && labels->each[i].name; i++)
        json_text(&out->json, labels->each[i].name, labels->each[i].value);
    json_end_object(&out->json);
    if (isinf(value))
        json_null(&out->json, "value"); /* JSON has no number for it */
    else
        json_decimal(&out->json, "value", value);
    json_end_object(&out->json);
}

void exposition_sample(struct exposition *out, const char *suffix, const struct exposition_labels *labels,
                       double value)
{
    char text[NUMBER];

    if (out->is_json) {
        write_sample(out, suffix, labels, value);
        return;
    }
    fprintf(out->to, "%s%s", out->family, suffix);
    print_labels(out->to, labels);
    fprintf(out->to, " %s\n", print_number(value, text));
}
