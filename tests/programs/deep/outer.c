/* A plugin that connects by a library which it needs. */
int plugin_dial(unsigned port);
int outer_dial(unsigned port);

int outer_dial(unsigned port)
{
    return plugin_dial(port);
}
