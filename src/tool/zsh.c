/*
 * For zsh: in a folder of $fpath as _gusset, or by source <(gusset completion zsh). An action that begins
 * with a blank is called as it stands; others are given options of compadd.
 */
#include <string.h>

#include "tool/completion.h"
#include "tool/usage.h"

static const char head[] =
    "#compdef gusset\n"
    "# zsh completion of gusset(1), made by `gusset completion zsh`\n"
    "_gusset_list() {\n"
    "    local -a offered\n"
    "    offered=(${(f)\"$(gusset completion --list $1 2>/dev/null)\"})\n"
    "    if [[ $1 == settings ]]; then compadd -S '' -a offered; else compadd -a offered; fi\n"
    "}\n"
    "\n"
    "_gusset_verbs() {\n"
    "    local -a verbs\n"
    "    verbs=(\n";

static const char body[] = "    )\n"
                           "    _describe verb verbs\n"
                           "}\n"
                           "\n"
                           "_gusset() {\n"
                           "    local curcontext=$curcontext state line\n"
                           "    typeset -A opt_args\n"
                           "    _arguments -C '(- *)'{-h,--help}'[tell what there is]' '(- "
                           "*)'{-V,--version}'[tell the version]' \\\n"
                           "        '--color=[when to use colour]:when:(auto always never)' \\\n"
                           "        '1:verb:_gusset_verbs' '*::argument:->argument'\n"
                           "    [[ $state == argument ]] || return\n"
                           "    case $line[1] in\n";

static const char foot[] =
    "    esac\n"
    "}\n"
    "\n"
    "if [[ $funcstack[1] == _gusset ]]; then _gusset \"$@\"; else compdef _gusset gusset; fi\n";

/* Within '…[…]:…:': brackets, colons and the quote itself mean something there. */
static void write_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\'", to);
        else if (strchr("[]:\\", *text))
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void write_action(FILE *to, enum usage_kind kind, const char *name)
{
    switch (kind) {
    case USAGE_NOTHING:
    case USAGE_ANY:
        fputc(' ', to);
        return;
    case USAGE_FILES:
        fputs("_files", to);
        return;
    case USAGE_COMMANDS:
        fputs("_command_names -e", to);
        return;
    case USAGE_VERBS:
        fputs("_gusset_verbs", to);
        return;
    case USAGE_WORDS:
        fputc('(', to);
        for (; *name; name++)
            if (*name != '[' && *name != ']')
                fputc(*name == '|' ? ' ' : *name, to);
        fputc(')', to);
        return;
    case USAGE_HOSTS:
    case USAGE_POLICIES:
    case USAGE_SETTINGS:
    case USAGE_SERVICES:
        fprintf(to, " _gusset_list %s", usage_list_name(kind));
        return;
    }
}

static void write_option(FILE *to, const struct usage_option *option)
{
    const char *value = option->kind == USAGE_NOTHING ? "" : "=";

    if (option->letter)
        fprintf(to, "'(-%c --%s)'{-%c,--%s%s}'[", option->letter, option->name, option->letter, option->name,
                value);
    else
        fprintf(to, "'*--%s%s[", option->name, value);
    write_text(to, option->help);
    fputc(']', to);
    if (option->kind != USAGE_NOTHING) {
        fputs(option->is_optional ? "::" : ":", to);
        write_text(to, option->value);
        fputc(':', to);
        write_action(to, option->kind, option->value);
    }
    fputs("' \\\n            ", to);
}

static void write_verb(FILE *to, const struct tool_verb *verb)
{
    struct usage_option option;
    char word[USAGE_WORD];

    fprintf(to, "    %s)\n        _arguments -S ", verb->name);
    for (const char *at = NULL; usage_next(verb, &at, &option);)
        write_option(to, &option);
    fputs("'(-h --help)'{-h,--help}'[tell how it goes]'", to);
    enum usage_kind kind = usage_operand(verb, word);
    if (strstr(verb->synopsis, "[--] ")) {
        fputs(" \\\n            '(-)1:command:_command_names -e' '*::argument:_normal'", to);
    } else if (kind != USAGE_NOTHING) {
        fputs(" \\\n            '*:", to);
        write_text(to, word);
        fputc(':', to);
        write_action(to, kind, word);
        fputc('\'', to);
    }
    fputs("\n        ;;\n", to);
}

void zsh_write(FILE *to)
{
    fputs(head, to);
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++) {
        fprintf(to, "        '%s:", verb->name);
        write_text(to, verb->help);
        fputs("'\n", to);
    }
    fputs(body, to);
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        write_verb(to, verb);
    fputs(foot, to);
}
