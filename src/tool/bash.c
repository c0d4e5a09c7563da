/*
 * For bash, with or without the package bash-completion. The line is split at blanks by the script itself:
 * bash's own words end at each ':' and '=', which are in the midst of hosts and settings.
 */
#include <string.h>

#include "tool/completion.h"
#include "tool/usage.h"

static const char head[] = "# bash completion of gusset(1), made by `gusset completion bash`\n"
                           "_gusset_kind() # sets kind to what the value of option $2 of verb $1 is\n"
                           "{\n"
                           "    kind=\n"
                           "    case \"$1 $2\" in\n";

static const char body[] =
    "    esac\n"
    "    [[ $kind ]]\n"
    "}\n"
    "\n"
    "_gusset_offer() # offer KIND: completes cur\n"
    "{\n"
    "    case $1 in\n"
    "    files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
    "    commands) COMPREPLY=($(compgen -c -- \"$cur\")) ;;\n"
    "    verbs) COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\")) ;;\n"
    "    'words '*) COMPREPLY=($(compgen -W \"${1#words }\" -- \"$cur\")) ;;\n"
    "    any) ;;\n"
    "    *)\n"
    "        COMPREPLY=($(compgen -W \"$(gusset completion --list \"$1\" 2>/dev/null)\" -- \"$cur\"))\n"
    "        [[ $1 == settings ]] && compopt -o nospace 2>/dev/null\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_gusset()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words cur verb= kind= options= operand=any runs= i at last "
    "behind\n"
    "    local IFS=$' \\t\\n' verbs='";

static const char foot[] =
    "    esac\n"
    "    # the command that is run: its own completion, where there is one\n"
    "    for ((i = at + 1; runs && i <= last; i++)); do\n"
    "        if [[ ${words[i]} == -- ]]; then\n"
    "            ((i++))\n"
    "        elif [[ ${words[i]} == -* ]]; then\n"
    "            [[ ${words[i]} == *=* ]] || ! _gusset_kind \"$verb\" \"${words[i]}\" || ((i++))\n"
    "            continue\n"
    "        fi\n"
    "        ((i < last)) || break\n"
    "        for ((at = COMP_CWORD; at > 0; at--)); do\n"
    "            [[ ${COMP_WORDS[at]} != \"${words[i]}\" ]] || break\n"
    "        done\n"
    "        ((at > 0)) && declare -F _command_offset >/dev/null && _command_offset $at\n"
    "        return\n"
    "    done\n"
    "    if [[ $cur == --*=* ]]; then\n"
    "        _gusset_kind \"$verb\" \"${cur%%=*}\" || return\n"
    "        cur=${cur#*=}\n"
    "        _gusset_offer \"$kind\"\n"
    "    elif _gusset_kind \"$verb\" \"${words[last - 1]}\"; then\n"
    "        _gusset_offer \"$kind\"\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options --help\" -- \"$cur\"))\n"
    "    else\n"
    "        _gusset_offer \"$operand\"\n"
    "    fi\n"
    "    behind=${cur%\"${cur##*[:=]}\"} # what bash takes for another word is not repeated\n"
    "    [[ $COMP_WORDBREAKS == *:* ]] || behind=\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"$behind\"}\")\n"
    "}\n"
    "complete -o default -F _gusset gusset\n";

/* The kind as the script calls it; words follow it. */
static void write_kind(FILE *to, enum usage_kind kind, const char *name)
{
    static const char *const names[] = {
        [USAGE_NOTHING] = "any",       [USAGE_ANY] = "any",           [USAGE_FILES] = "files",
        [USAGE_COMMANDS] = "commands", [USAGE_VERBS] = "verbs",       [USAGE_WORDS] = "words",
        [USAGE_HOSTS] = "hosts",       [USAGE_POLICIES] = "policies", [USAGE_SETTINGS] = "settings",
        [USAGE_SERVICES] = "services"};

    fputs(names[kind], to);
    if (kind != USAGE_WORDS)
        return;
    fputc(' ', to);
    for (; *name; name++)
        if (*name != '[' && *name != ']')
            fputc(*name == '|' ? ' ' : *name, to);
}

static void write_values(FILE *to, const struct tool_verb *verb)
{
    struct usage_option option;

    for (const char *at = NULL; usage_next(verb, &at, &option);) {
        if (option.kind == USAGE_NOTHING || option.is_optional)
            continue;
        fprintf(to, "    '%s --%s'", verb->name, option.name);
        if (option.letter)
            fprintf(to, " | '%s -%c'", verb->name, option.letter);
        fputs(") kind='", to);
        write_kind(to, option.kind, option.value);
        fputs("' ;;\n", to);
    }
}

static void write_verb(FILE *to, const struct tool_verb *verb)
{
    struct usage_option option;
    char word[USAGE_WORD];
    const char *before = "";

    fprintf(to, "    %s)\n        options='", verb->name);
    for (const char *at = NULL; usage_next(verb, &at, &option); before = " ")
        fprintf(to, "%s--%s", before, option.name);
    fputs("' operand='", to);
    enum usage_kind kind = usage_operand(verb, word);
    write_kind(to, kind, word);
    fprintf(to, "'%s\n        ;;\n", strstr(verb->synopsis, "[--] ") ? " runs=yes" : "");
}

void bash_write(FILE *to)
{
    fputs(head, to);
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        write_values(to, verb);
    fputs(body, to);
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        fprintf(to, "%s%s", verb == tool_verbs ? "" : " ", verb->name);
    fputs("'\n"
          "    read -ra words <<<\"$line\"\n"
          "    [[ $line == *[[:space:]] ]] && words+=('')\n"
          "    last=$((${#words[@]} - 1)) cur=${words[last]} COMPREPLY=()\n"
          "    for ((at = 1; at < last; at++)); do\n"
          "        [[ ${words[at]} == -* ]] || { verb=${words[at]}; break; }\n"
          "    done\n"
          "    case $verb in\n"
          "    '') options='--version --color=auto --color=always --color=never' operand=verbs ;;\n",
          to);
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++)
        write_verb(to, verb);
    fputs(foot, to);
}
