#include "tool/json.h"

#include "tool/utf8.h"

static void quote(FILE *to, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    fputc('"', to);
    while (*at) {
        unsigned length = utf8_length((const char *)at);
        if (*at == '"' || *at == '\\')
            fprintf(to, "\\%c", *at);
        else if (*at < ' ' || *at == 0x7f)
            fprintf(to, "\\u%04x", *at);
        else if (length == 0)
            fputs("\\ufffd", to);
        else
            fwrite(at, 1, length, to);
        at += length ? length : 1;
    }
    fputc('"', to);
}

static void begin(struct json *json, const char *key)
{
    if (json->has_items)
        fputc(',', json->to);
    json->has_items = true;
    if (key) {
        quote(json->to, key);
        fputc(':', json->to);
    }
}

static void open_with(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    fputc(bracket, json->to);
    json->has_items = false;
}

static void close_with(struct json *json, char bracket)
{
    fputc(bracket, json->to);
    json->has_items = true;
}

void json_object(struct json *json, const char *key)
{
    open_with(json, key, '{');
}

void json_array(struct json *json, const char *key)
{
    open_with(json, key, '[');
}

void json_end_object(struct json *json)
{
    close_with(json, '}');
}

void json_end_array(struct json *json)
{
    close_with(json, ']');
}

void json_text(struct json *json, const char *key, const char *text)
{
    begin(json, key);
    quote(json->to, text);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    begin(json, key);
    fprintf(json->to, "%llu", (unsigned long long)number);
}

void json_decimal(struct json *json, const char *key, double number)
{
    begin(json, key);
    fprintf(json->to, "%.16g", number);
}

void json_ms(struct json *json, const char *key, uint64_t us)
{
    begin(json, key);
    fprintf(json->to, "%llu.%03u", (unsigned long long)(us / 1000), (unsigned)(us % 1000));
}

void json_bool(struct json *json, const char *key, bool is_true)
{
    begin(json, key);
    fputs(is_true ? "true" : "false", json->to);
}

void json_null(struct json *json, const char *key)
{
    begin(json, key);
    fputs("null", json->to);
}
