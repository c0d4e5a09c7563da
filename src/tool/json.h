/* JSON, written as it is told: commas and quotes come by themselves. */
#ifndef GUSSET_TOOL_JSON_H
#define GUSSET_TOOL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *to;
    bool has_items; /* in the container that is open */
};

/* Containers; key is NULL in an array and at the top. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_end_array(struct json *json);

/* Values. Text that is no UTF-8 gets U+FFFD for each byte that does not fit. */
void json_text(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_decimal(struct json *json, const char *key, double number); /* finite */
void json_ms(struct json *json, const char *key, uint64_t us); /* microseconds as milliseconds, "1.234" */
void json_bool(struct json *json, const char *key, bool is_true);
void json_null(struct json *json, const char *key);

#endif
