#include "reply.h"

#include "pattern.h"

enum { REPLY_PIECE = 16 * 1024, REPLY_OVERSTATED = 100 };

static const struct {
    unsigned status;
    const char *words;
} reasons[] = {
    {200, "OK"                             },
    {201, "Created"                        },
    {202, "Accepted"                       },
    {204, "No Content"                     },
    {206, "Partial Content"                },
    {301, "Moved Permanently"              },
    {302, "Found"                          },
    {303, "See Other"                      },
    {304, "Not Modified"                   },
    {307, "Temporary Redirect"             },
    {308, "Permanent Redirect"             },
    {400, "Bad Request"                    },
    {401, "Unauthorized"                   },
    {403, "Forbidden"                      },
    {404, "Not Found"                      },
    {405, "Method Not Allowed"             },
    {408, "Request Timeout"                },
    {409, "Conflict"                       },
    {410, "Gone"                           },
    {412, "Precondition Failed"            },
    {413, "Content Too Large"              },
    {416, "Range Not Satisfiable"          },
    {418, "I'm a teapot"                   },
    {421, "Misdirected Request"            },
    {425, "Too Early"                      },
    {429, "Too Many Requests"              },
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"          },
    {501, "Not Implemented"                },
    {502, "Bad Gateway"                    },
    {503, "Service Unavailable"            },
    {504, "Gateway Timeout"                },
    {505, "HTTP Version Not Supported"     },
    {507, "Insufficient Storage"           },
    {529, "Overloaded"                     },
};

static const char *reason(unsigned status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return "Status";
}

void reply_empty(struct reply *reply)
{
    struct buffer headers = reply->headers;
    struct buffer body = reply->body;
    buffer_empty(&headers);
    buffer_empty(&body);
    *reply = (struct reply){.headers = headers, .body = body};
}

void reply_clear(struct reply *reply)
{
    buffer_clear(&reply->headers);
    buffer_clear(&reply->body);
    *reply = (struct reply){0};
}

void reply_say(struct reply *reply, unsigned status, const char *line)
{
    reply_empty(reply);
    reply->status = status;
    buffer_add_text(&reply->body, line);
    buffer_add_text(&reply->body, "\n");
}

bool reply_fails(const struct reply *reply)
{
    return reply->fault != REPLY_NO_FAULT || reply->status >= 400;
}

static uint64_t body_length(const struct reply *reply)
{
    bool repeats = reply->source == REPLY_FROM_PATTERN || reply->source == REPLY_FROM_REPEAT;
    return repeats ? reply->length : buffer_length(&reply->body);
}

/* RFC 9110 6.4.1 */
static bool status_has_body(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void add_framing(struct reply *reply, uint64_t length, struct buffer *out)
{
    if (reply->chunked) {
        buffer_add_text(out, "Transfer-Encoding: chunked\r\n");
        return;
    }
    buffer_add_text(out, "Content-Length: ");
    buffer_add_number(out, reply->overstates ? length + REPLY_OVERSTATED : length);
    buffer_add_text(out, "\r\n");
}

static void add_head(struct reply *reply, const struct request *request, struct buffer *out)
{
    bool unframed = reply->chunked && request->minor == 0; /* the close ends the body */
    if (unframed)
        reply->chunked = false;
    reply->closes = !request->keeps || unframed;

    buffer_add_text(out, "HTTP/1.1 ");
    buffer_add_number(out, reply->status);
    buffer_add_text(out, " ");
    buffer_add_text(out, reason(reply->status));
    buffer_add_text(out, "\r\nContent-Type: text/plain\r\n");
    if (!unframed && status_has_body(reply->status))
        add_framing(reply, body_length(reply), out);
    if (reply->closes)
        buffer_add_text(out, "Connection: close\r\n");
    else if (request->minor == 0)
        buffer_add_text(out, "Connection: keep-alive\r\n");
    buffer_add(out, buffer_front(&reply->headers), buffer_length(&reply->headers));
    buffer_add_text(out, "\r\n");
}

void reply_begin(struct reply *reply, const struct request *request, struct buffer *out)
{
    if (reply->status == 0)
        reply->status = 200;
    add_head(reply, request, out);
    if (request->is_head || !status_has_body(reply->status))
        return;
    bool half = reply->fault != REPLY_NO_FAULT && reply->cut == REPLY_HALF_BODY;
    reply->stop = half ? body_length(reply) / 2 : body_length(reply);
    reply->terminator = reply->chunked && !half;
}

static void add_piece(struct reply *reply, size_t piece, struct buffer *out)
{
    struct span period = {buffer_front(&reply->body), buffer_length(&reply->body)};
    if (reply->source == REPLY_FROM_PATTERN)
        period = pattern_period();
    pattern_add(out, period, reply->given, piece); /* a body that does not repeat is its own period */
    reply->given += piece;
}

bool reply_continue(struct reply *reply, struct buffer *out)
{
    uint64_t left = reply->stop - reply->given;
    size_t piece = left < REPLY_PIECE ? (size_t)left : REPLY_PIECE;
    if (piece == 0 && !reply->terminator)
        return false;
    if (reply->chunked)
        buffer_addf(out, "%zx\r\n", piece);
    if (piece == 0)
        reply->terminator = false;
    add_piece(reply, piece, out);
    if (reply->chunked)
        buffer_add_text(out, "\r\n");
    return true;
}
