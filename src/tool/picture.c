#include "tool/picture.h"

#include <errno.h>
#include <string.h>

/* In units of the picture. */
enum { WIDTH = 920, LEFT = 90, RIGHT = 20, TOP = 60, PANEL = 120, GAP = 34, STRIP = 16 };

enum { PLOT = WIDTH - LEFT - RIGHT };

/* Told apart by those who see no colours well, too (Okabe and Ito); the first is bare's. */
static const char *const colours[] = {"#888888", "#0072b2", "#d55e00", "#009e73", "#cc79a7"};

struct picture {
    FILE *to;
    const struct timeline *timeline;
    double y; /* of what comes next */
};

static double x_of(const struct timeline *timeline, uint64_t us)
{
    return LEFT + (double)PLOT * (double)us / (double)timeline->scenario->duration_us;
}

static void put_text(const struct picture *picture, double x, double y, const char *class, const char *text)
{
    fprintf(picture->to, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    for (; *text; text++)
        if (*text == '<' || *text == '&')
            fprintf(picture->to, "&#%d;", *text);
        else
            fputc(*text, picture->to);
    fputs("</text>\n", picture->to);
}

/* ---- curves ---- */

static double load_of(const struct result_slice *slice, const struct result *result)
{
    return (double)slice->attempts * 1e6 / (double)result->slice_us;
}

static double hedged_of(const struct result_slice *slice, const struct result *result)
{
    return (double)slice->hedged * 1e6 / (double)result->slice_us;
}

/* Below zero: nothing ended then. */
static double success_of(const struct result_slice *slice, const struct result *result)
{
    (void)result;
    uint64_t ended = slice->good + slice->bad;
    return ended ? 100.0 * (double)slice->good / (double)ended : -1;
}

static double waiting_of(const struct result_slice *slice, const struct result *result)
{
    (void)result;
    return slice->under_way;
}

static void put_curve(const struct picture *picture, const struct result *result, unsigned run,
                      double (*value)(const struct result_slice *, const struct result *), double most)
{
    fprintf(picture->to,
            "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"%s points=\"",
            colours[run], value == hedged_of ? " stroke-dasharray=\"4 3\"" : "");
    for (unsigned at = 0; at < RESULT_SLICES; at++) {
        double height = value(&result->slices[at], result);
        if (height >= 0)
            fprintf(picture->to, "%.1f,%.1f ", LEFT + (at + 0.5) * PLOT / RESULT_SLICES,
                    picture->y + PANEL * (1 - height / most));
    }
    fputs("\"/>\n", picture->to);
}

static void put_trouble(const struct picture *picture, double height)
{
    const struct scenario *scenario = picture->timeline->scenario;
    double from = x_of(picture->timeline, scenario->from_us);

    fprintf(picture->to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"trouble\"/>\n",
            from, picture->y, x_of(picture->timeline, scenario->until_us) - from, height);
}

static void put_panel(struct picture *picture, const char *title,
                      double (*value)(const struct result_slice *, const struct result *), double most)
{
    char text[32];

    put_trouble(picture, PANEL);
    fprintf(picture->to, "<path d=\"M%d %.1fv%dh%d\" class=\"axis\"/>\n", LEFT, picture->y, PANEL, PLOT);
    put_text(picture, 8, picture->y + PANEL / 2.0, "title", title);
    snprintf(text, sizeof text, "%.0f", most);
    put_text(picture, LEFT - 6, picture->y + 10, "number", text);
    put_text(picture, LEFT - 6, picture->y + PANEL, "number", "0");
    for (unsigned i = 0; i < picture->timeline->count; i++)
        put_curve(picture, &picture->timeline->runs[i].result, i, value, most);
    picture->y += PANEL + GAP;
}

static double rounded_up(double number)
{
    double step = 1;

    while (step * 10 < number)
        step *= 10;
    for (double most = step; most <= 10 * step; most += step / 2)
        if (most >= number)
            return most;
    return 10 * step;
}

/* Of the load what is made beside another attempt, dashed. */
static void put_hedges(const struct picture *picture, double most)
{
    const struct timeline *timeline = picture->timeline;
    bool is_hedged = false;

    for (unsigned i = 0; i < timeline->count; i++) {
        const struct result *result = &timeline->runs[i].result;
        if (result->hedged)
            put_curve(picture, result, i, hedged_of, most);
        is_hedged |= result->hedged > 0;
    }
    if (is_hedged)
        put_text(picture, 8, picture->y + PANEL / 2.0 + 16, "title", "hedge: - -");
}

static void put_load(struct picture *picture)
{
    const struct timeline *timeline = picture->timeline;
    const double slice_s = (double)timeline->runs[0].result.slice_us / 1e6;
    const double most = rounded_up((double)timeline_most_attempts(timeline) / slice_s);
    const struct picture here = *picture;

    put_panel(picture, "load, 1/s", load_of, most);
    put_hedges(&here, most);
}

/* ---- circuits: a strip for each policy ---- */

static void put_circuit(struct picture *picture, const struct timeline_run *run, unsigned index)
{
    double width = (double)PLOT / RESULT_SLICES;

    fprintf(picture->to, "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\" class=\"strip\"/>\n", LEFT,
            picture->y, PLOT, STRIP);
    for (unsigned at = 0; at < RESULT_SLICES; at++) {
        const double *circuit = run->result.slices[at].circuit;
        double shade = circuit[BREAKER_OPEN] + 0.5 * circuit[BREAKER_HALF_OPEN];
        if (shade > 0)
            fprintf(picture->to,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\" "
                    "fill-opacity=\"%.2f\"/>\n",
                    LEFT + at * width, picture->y, width, STRIP, colours[index], shade);
    }
    put_text(picture, 8, picture->y + STRIP - 3, "title", index == 1 ? "circuit open" : "");
    picture->y += STRIP + 6;
}

/* ---- the whole ---- */

static void put_legend(const struct picture *picture)
{
    double x = LEFT;

    for (unsigned i = 0; i < picture->timeline->count; i++) {
        const struct timeline_run *run = &picture->timeline->runs[i];
        fprintf(picture->to, "<rect x=\"%.1f\" y=\"36\" width=\"14\" height=\"4\" fill=\"%s\"/>\n", x,
                colours[i]);
        put_text(picture, x + 20, 42, "plain", run->name);
        x += 44 + 7.5 * (double)strlen(run->name);
    }
}

static void put_times(const struct picture *picture)
{
    const struct scenario *scenario = picture->timeline->scenario;
    const uint64_t times[] = {0, scenario->from_us, scenario->until_us, scenario->duration_us};
    char text[OUTPUT_NUMBER];

    for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
        if (i == 0 || times[i] > times[i - 1])
            put_text(picture, x_of(picture->timeline, times[i]), picture->y - GAP + 14, "time",
                     times[i] ? output_duration(times[i], text) : "0 s");
}

static void put_head(const struct picture *picture, double height)
{
    char title[96];

    fprintf(picture->to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
            "role=\"img\">\n"
            "<style>text{font:12px sans-serif;fill:#333}.head{font-size:15px;font-weight:bold}"
            ".number{text-anchor:end}.time{text-anchor:middle}.trouble{fill:#fbe3d6}.strip{fill:#f2f2f2}"
            ".axis{fill:none;stroke:#999}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, height, WIDTH, height);
    snprintf(title, sizeof title, "gusset simulate: %s", picture->timeline->scenario->name);
    fprintf(picture->to, "<title>%s</title>\n", title);
    put_text(picture, LEFT, 22, "head", title);
}

static void draw(struct picture *picture)
{
    const struct timeline *timeline = picture->timeline;

    put_head(picture, TOP + 3 * (PANEL + GAP) + (timeline->count - 1) * (STRIP + 6) + 10);
    put_legend(picture);
    picture->y = TOP;
    put_load(picture);
    put_panel(picture, "success, %", success_of, 100);
    put_panel(picture, "waiting", waiting_of, rounded_up(timeline_most_under_way(timeline)));
    put_times(picture);
    for (unsigned i = 1; i < timeline->count; i++)
        put_circuit(picture, &timeline->runs[i], i);
    fputs("</svg>\n", picture->to);
}

int picture_save(const struct timeline *timeline, const char *path)
{
    struct picture picture = {.to = fopen(path, "we"), .timeline = timeline};
    bool is_whole = picture.to;

    if (picture.to) {
        draw(&picture);
        is_whole = !ferror(picture.to);
        is_whole &= fclose(picture.to) == 0;
    }
    if (is_whole)
        return 0;
    output_error("the picture cannot be written to its file: %s", strerror(errno));
    return -1;
}
