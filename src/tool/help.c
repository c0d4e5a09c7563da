#include <ctype.h>

#include "tool/manual.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/sign.h"
#include "tool/tool.h"

void tool_print_overview(FILE *to)
{
    fprintf(to, "%susage:%s ", output_style(to, OUTPUT_BOLD), output_style(to, OUTPUT_PLAIN));
    sign_print(to, "gusset VERB [OPTION]…\n\n"
                   "Retries, time limits and circuit breakers for programs that use libcurl or connect(), "
                   "unmodified.\n\n");
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        fprintf(to, "  %s%-10s%s  %s\n", output_style(to, OUTPUT_BOLD), verb->name,
                output_style(to, OUTPUT_PLAIN), verb->help);
    fprintf(
        to,
        "\n"
        "  --help, --version, --color=auto|always|never    (NO_COLOR is honoured)\n"
        "\n"
        "`gusset help VERB` says more, with examples. To begin with: gusset run --report -- curl -sS URL\n");
}

void tool_print_verb(FILE *to, const struct tool_verb *verb)
{
    const char *bold = output_style(to, OUTPUT_BOLD), *plain = output_style(to, OUTPUT_PLAIN);

    fprintf(to, "%susage:%s gusset ", bold, plain);
    sign_print(to, verb->synopsis);
    fprintf(to, "\n\n%c%s.\n", toupper(verb->help[0]), verb->help + 1);
    if (verb->text[0]) {
        fputc('\n', to);
        sign_print(to, verb->text);
    }
    fprintf(to, "\n%sexamples:%s\n%s", bold, plain, verb->examples);
}

int tool_help(const struct tool_verb *verb, int argc, char **argv)
{
    const char *part = NULL;
    const struct options_entry entries[] = {
        {"mdoc", 0, OPTIONS_TEXT, &part},
        {NULL,   0, OPTIONS_FLAG, NULL }
    };
    struct options options = {.verb = verb, .most = 1};
    int status = options_read(&options, entries, argc, argv);

    if (status != OPTIONS_GO)
        return status;
    if (part)
        return manual_write(part, stdout)
                   ? TOOL_FINE
                   : options_misused(verb, "--mdoc knows verbs, settings-of-file, settings-of-policy, "
                                           "settings-of-service, policies");
    if (options.count == 0) {
        tool_print_overview(stdout);
        return TOOL_FINE;
    }
    const struct tool_verb *asked = tool_find(options.operands[0]);
    if (!asked)
        return tool_unknown_verb(options.operands[0]);
    tool_print_verb(stdout, asked);
    return TOOL_FINE;
}
