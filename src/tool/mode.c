/* The switch that running programs obey: on, off, and a mode for all hosts or for one. */
#include <errno.h>
#include <string.h>

#include "core/policy.h"
#include "state/control.h"
#include "tool/address.h"
#include "tool/json.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/others.h"
#include "tool/output.h"
#include "tool/tool.h"

struct mode {
    const struct tool_verb *verb;
    const char *state_path, *host;
    const char *word;
    bool json;
    unsigned to;
    struct open_state state;
};

/* What the switch may stand on: as in control.h, 0 or 1 + enum policy_mode. */
static const struct {
    const char *name;
    unsigned to;
    const char *says;
} positions[] = {
    {"configured", CONTROL_AS_CONFIGURED, "as the configuration says"                                },
    {"enforce",    1 + POLICY_ENFORCE,    "enforce"                                                  },
    {"shadow",     1 + POLICY_SHADOW,     "shadow: what would be done is counted, nothing is changed"},
    {"off",        1 + POLICY_OFF,        "off: every call goes as without gusset"                   },
};

static int find(const char *word)
{
    for (unsigned i = 0; i < sizeof positions / sizeof *positions; i++)
        if (word && strcmp(word, positions[i].name) == 0)
            return (int)i;
    return -1;
}

/* Who switches all, and not off, is told of hosts that go on by a mode of their own. */
static void tell_people(const struct mode *mode, const char *host, const char *says)
{
    unsigned apart = control_hosts(mode->state.map.header);

    printf("%s%s%s, within a second in programs that use %s\n", host ? host : "", host ? ": " : "", says,
           mode->state.path);
    if (host)
        return;
    if (apart && mode->to != 1 + POLICY_OFF)
        printf("%u %s of %s own still; `gusset on --host HOST` takes one back, `gusset on --host '*'` all\n",
               apart, apart == 1 ? "host has a mode" : "hosts have modes", apart == 1 ? "its" : "their");
    others_tell(stdout, mode->state.path, mode->verb->name);
}

/* The host is NULL where all are meant. */
static void tell(const struct mode *mode, const char *host, const char *says)
{
    struct json json = {.to = stdout};

    if (!mode->json) {
        tell_people(mode, host, says);
        return;
    }
    json_object(&json, NULL);
    json_text(&json, "state", mode->state.path);
    if (host)
        json_text(&json, "host", host);
    else
        json_null(&json, "host");
    json_text(&json, "mode", mode->word);
    json_number(&json, "switched_hosts", control_hosts(mode->state.map.header));
    json_end_object(&json);
    putchar('\n');
}

static int set_host(struct mode *mode, const char *says)
{
    char host[PLACE_TEXT_MAX];
    struct address address;
    const char *fault = address_parse(&address, mode->host);

    if (fault)
        return options_misused(mode->verb, "%s", fault);
    size_t length = place_print(&address.place, host);
    if (address.place.family != PLACE_UNIX && !address.place.port)
        length = strlen(host) - strlen(strrchr(host, ':')); /* all of its ports */
    if (!control_set_host(mode->state.map.header, host, length, mode->to)) {
        output_error("mode: %u hosts have a mode of their own already; take one back with `gusset mode "
                     "configured --host HOST`",
                     (unsigned)LAYOUT_HOST_MODES);
        return TOOL_FAULTS;
    }
    host[length] = '\0';
    tell(mode, output_clean(host), says);
    return TOOL_FINE;
}

static int act(struct mode *mode)
{
    int position = find(mode->word);
    int status = TOOL_FINE;

    if (position < 0)
        return options_misused(mode->verb, "a mode is one of enforce, shadow, off, configured");
    mode->to = positions[position].to;
    bool is_every_host = mode->host && strcmp(mode->host, "*") == 0;
    if (is_every_host && mode->to != CONTROL_AS_CONFIGURED)
        return options_misused(mode->verb, "without --host all hosts are meant");
    if (open_find(&mode->state, mode->state_path) < 0 || open_to_order(&mode->state) < 0)
        return TOOL_FAULTS;
    if (is_every_host) {
        control_forget_hosts(mode->state.map.header);
        tell(mode, mode->host, "no host has a mode of its own any more");
    } else if (mode->host) {
        status = set_host(mode, positions[position].says);
    } else {
        control_set_switch(mode->state.map.header, mode->to);
        tell(mode, NULL, positions[position].says);
    }
    map_close(&mode->state.map);
    return status;
}

static int read_and_act(struct mode *mode, int argc, char **argv)
{
    const struct options_entry entries[] = {
        {"state", 0, OPTIONS_TEXT, &mode->state_path},
        {"host",  0, OPTIONS_TEXT, &mode->host      },
        {"json",  0, OPTIONS_FLAG, &mode->json      },
        {NULL,    0, OPTIONS_FLAG, NULL             },
    };
    struct options options = {.verb = mode->verb, .most = mode->word ? 1 : 2};
    int status = options_read(&options, entries, argc, argv);

    if (status != OPTIONS_GO)
        return status;
    if (!mode->word && options.count == 0)
        return options_misused(mode->verb, "no mode is given: enforce, shadow, off or configured");
    if (options.count == options.most)
        return options_misused(mode->verb, "one host alone is named by --host HOST");
    if (!mode->word)
        mode->word = options.operands[0];
    return act(mode);
}

int tool_on(const struct tool_verb *verb, int argc, char **argv)
{
    struct mode mode = {.verb = verb, .word = "configured"};
    return read_and_act(&mode, argc, argv);
}

int tool_off(const struct tool_verb *verb, int argc, char **argv)
{
    struct mode mode = {.verb = verb, .word = "off"};
    return read_and_act(&mode, argc, argv);
}

int tool_mode(const struct tool_verb *verb, int argc, char **argv)
{
    struct mode mode = {.verb = verb, .word = NULL};
    return read_and_act(&mode, argc, argv);
}
