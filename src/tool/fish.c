/* For fish: in a folder of $fish_complete_path as gusset.fish, or by gusset completion fish | source. */
#include <string.h>

#include "tool/completion.h"
#include "tool/usage.h"

static const char head[] =
    "# fish completion of gusset(1), made by `gusset completion fish`\n"
    "function __gusset_verb # whether the line's verb is this one\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
    "end\n"
    "complete -c gusset -f\n"
    "complete -c gusset -l help -s h -d 'tell how it goes'\n"
    "complete -c gusset -n 'test (count (commandline -opc)) -eq 1' -l version -s V -d 'tell the version'\n"
    "complete -c gusset -l color -x -a 'auto always never' -d 'when to use colour'\n";

static void write_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', to);
        fputc(*text, to);
    }
}

/* What is offered for a value or an operand. */
static void write_offer(FILE *to, enum usage_kind kind, const char *name)
{
    switch (kind) {
    case USAGE_NOTHING:
    case USAGE_ANY:
        return;
    case USAGE_FILES:
        fputs(" -F", to);
        return;
    case USAGE_COMMANDS:
        fputs(" -F -a '(__fish_complete_command)'", to);
        return;
    case USAGE_VERBS:
        fputs(" -a '", to);
        for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
            fprintf(to, "%s%s", verb == tool_verbs ? "" : " ", verb->name);
        fputc('\'', to);
        return;
    case USAGE_WORDS:
        fputs(" -a '", to);
        for (; *name; name++)
            if (*name != '[' && *name != ']')
                fputc(*name == '|' ? ' ' : *name, to);
        fputc('\'', to);
        return;
    case USAGE_HOSTS:
    case USAGE_POLICIES:
    case USAGE_SETTINGS:
    case USAGE_SERVICES:
        fprintf(to, " -a '(gusset completion --list %s 2>/dev/null)'", usage_list_name(kind));
        return;
    }
}

static void write_verb(FILE *to, const struct tool_verb *verb)
{
    struct usage_option option;
    char word[USAGE_WORD];

    fprintf(to, "complete -c gusset -n 'test (count (commandline -opc)) -eq 1' -a %s -d '", verb->name);
    write_text(to, verb->help);
    fputs("'\n", to);
    for (const char *at = NULL; usage_next(verb, &at, &option);) {
        fprintf(to, "complete -c gusset -n '__gusset_verb %s' -l %s", verb->name, option.name);
        if (option.letter)
            fprintf(to, " -s %c", option.letter);
        if (option.kind != USAGE_NOTHING && !option.is_optional)
            fputs(" -r", to);
        write_offer(to, option.kind, option.value);
        fputs(" -d '", to);
        write_text(to, option.help);
        fputs("'\n", to);
    }
    enum usage_kind kind = usage_operand(verb, word);
    if (kind == USAGE_NOTHING || kind == USAGE_ANY)
        return;
    fprintf(to, "complete -c gusset -n '__gusset_verb %s'", verb->name);
    if (strstr(verb->synopsis, "[--] "))
        fputs(" -a '(__fish_complete_subcommand --fcs-skip=2)'", to);
    else
        write_offer(to, kind, word);
    fputc('\n', to);
}

void fish_write(FILE *to)
{
    fputs(head, to);
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        write_verb(to, verb);
}
