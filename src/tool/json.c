#include "tool/json.h"

/* The length of the UTF-8 sequence at text, 0 when it is none (RFC 3629). */
static unsigned sequence(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, second, top; /* of the first byte; least and greatest second byte */
        unsigned length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4}
    };

    if (text[0] < 0x80)
        return 1;
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        if (text[1] < forms[i].second || text[1] > forms[i].top)
            return 0;
        for (unsigned j = 2; j < forms[i].length; j++)
            if ((text[j] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static void quote(FILE *to, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    fputc('"', to);
    while (*at) {
        unsigned length = sequence(at);
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
