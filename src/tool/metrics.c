/* Figures for collectors: on standard output, as a file that a collector picks up, or served. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/meter.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/serve.h"

struct metrics {
    const char *state_path, *file, *listen;
    bool json;
};

/* Returns 0, or -1 after a complaint. */
static int write_all(const struct metrics *metrics, FILE *to)
{
    struct exposition out;
    struct reading reading;

    if (reading_begin(&reading, metrics->state_path) < 0)
        return -1;
    int result = reading_take(&reading, NULL);
    if (result == 0) {
        exposition_begin(&out, to, metrics->json);
        meter_write(&out, &reading);
        exposition_end(&out);
        reading_drop(&reading);
    }
    reading_end(&reading);
    return result;
}

/* ---- a file ---- */

static int complain(const char *path)
{
    output_error("metrics: %s: %s; nothing was changed", path, strerror(errno));
    return -1;
}

/* A collector never sees half of it: written beside the file, then put in its place. */
static int write_file(const struct metrics *metrics)
{
    char beside[PATH_MAX];

    if (snprintf(beside, sizeof beside, "%s.XXXXXX", metrics->file) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return complain(metrics->file);
    }
    int descriptor = mkstemp(beside);
    FILE *to = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!to)
        return complain(metrics->file);
    int result = write_all(metrics, to);
    fchmod(descriptor, 0644); /* the collector is another user */
    if (fclose(to) != 0 || (result == 0 && rename(beside, metrics->file) < 0))
        result = complain(metrics->file);
    if (result < 0)
        unlink(beside);
    return result;
}

/* ---- served ---- */

static int write_page(void *context, FILE *to)
{
    return write_all(context, to) < 0 ? 503 : 200;
}

static int serve(struct metrics *metrics)
{
    const struct serve_page pages[] = {
        {"/metrics", metrics->json ? "application/json" : EXPOSITION_TYPE, write_page},
        {NULL,       NULL,                                                 NULL      },
    };
    struct serve server = {.pages = pages, .context = metrics};
    const char *fault = serve_open(&server, metrics->listen);

    if (fault) {
        output_error("metrics: --listen %s: %s", metrics->listen, fault);
        return -1;
    }
    printf("http://%s%s\n", server.address, pages[0].path);
    if (fflush(stdout) != 0)
        return -1;
    int error = serve_run(&server);
    if (error < 0)
        output_error("metrics: %s", strerror(-error));
    return error;
}

int tool_metrics(const struct tool_verb *verb, int argc, char **argv)
{
    struct metrics metrics = {.json = false};
    const struct options_entry entries[] = {
        {"json",     0, OPTIONS_FLAG, &metrics.json      },
        {"textfile", 0, OPTIONS_TEXT, &metrics.file      },
        {"listen",   0, OPTIONS_TEXT, &metrics.listen    },
        {"state",    0, OPTIONS_TEXT, &metrics.state_path},
        {NULL,       0, OPTIONS_FLAG, NULL               },
    };
    struct options options = {.verb = verb, .most = 0};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (metrics.file && metrics.listen)
        return options_misused(verb, "--textfile and --listen exclude each other");
    int result = metrics.listen ? serve(&metrics)
                 : metrics.file ? write_file(&metrics)
                                : write_all(&metrics, stdout);
    return result < 0 ? TOOL_FAULTS : TOOL_FINE;
}
