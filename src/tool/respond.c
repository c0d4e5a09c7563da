#include "tool/respond.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tool/head.h"

/* A page for what is wrong, or for "/" where nobody has it, says what there is. */
static const struct serve_page signpost = {"/", "text/plain; charset=utf-8", NULL};

static const struct serve_page *find_page(const struct serve *serve, const char *path)
{
    const struct serve_page *page = serve->pages;

    while (page->path && strcmp(page->path, path) != 0)
        page++;
    return page->path ? page : strcmp(path, signpost.path) == 0 ? &signpost : NULL;
}

/* What the head of a request earns. */
struct verdict {
    const struct serve_page *page; /* NULL: none, the status says why */
    int status;
    bool is_head; /* the reply's body is not wanted */
};

/* The status; 200 where the page is found. */
static int judge(const struct serve *serve, const char *text, bool is_full, struct verdict *verdict)
{
    struct head head = {.is_head = false};
    int status = head_read(&head, text, serve->is_local);

    verdict->is_head = head.is_head;
    if (status != 200 || is_full)
        return status != 200 ? status : 503;
    verdict->page = find_page(serve, head.path);
    return verdict->page ? 200 : 404;
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"                             },
        {400, "Bad Request"                    },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {408, "Request Timeout"                },
        {421, "Misdirected Request"            },
        {431, "Request Header Fields Too Large"},
        {503, "Service Unavailable"            },
        {505, "HTTP Version Not Supported"     }
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Error";
}

/* The body, on the heap; NULL where there is no memory. A page may change the status. */
static char *body_of(const struct serve *serve, struct verdict *verdict, size_t *length)
{
    char *body = NULL;
    FILE *to = open_memstream(&body, length);

    if (!to)
        return NULL;
    if (verdict->page && verdict->page->write) {
        verdict->status = verdict->page->write(serve->context, to);
    } else {
        if (verdict->page)
            fputs("gusset:", to);
        else
            fprintf(to, "%d %s; %sthere is", verdict->status, reason_of(verdict->status),
                    verdict->status == 421
                        ? "only localhost and addresses in numbers are names of this machine; "
                        : "");
        for (const struct serve_page *page = serve->pages; page->path; page++)
            fprintf(to, " GET %s%s", page->path, page[1].path ? "," : "\n");
    }
    if (fclose(to) == 0)
        return body;
    free(body);
    return NULL;
}

/* What is shown holds names that others chose: no script runs, nothing is fetched. Nor is it another page's
 * to show. */
#define HEADERS                                                                                              \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                                         \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                                          \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"

static char *reply_of(const struct serve *serve, struct verdict verdict, size_t *length)
{
    size_t body_length = 0;
    char *body = body_of(serve, &verdict, &body_length), *reply = NULL;
    FILE *to = body ? open_memstream(&reply, length) : NULL;

    if (!to) {
        free(body);
        return NULL;
    }
    fprintf(to,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n" HEADERS
            "%sConnection: close\r\n\r\n",
            verdict.status, reason_of(verdict.status), verdict.page ? verdict.page->type : signpost.type,
            body_length, verdict.status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (!verdict.is_head)
        fwrite(body, 1, body_length, to);
    free(body);
    if (fclose(to) == 0)
        return reply;
    free(reply);
    return NULL;
}

char *respond_to(const struct serve *serve, const char *head, bool is_full, size_t *length)
{
    struct verdict verdict = {0};

    verdict.status = judge(serve, head, is_full, &verdict);
    return reply_of(serve, verdict, length);
}

char *respond_with(const struct serve *serve, int status, size_t *length)
{
    return reply_of(serve, (struct verdict){.status = status}, length);
}
