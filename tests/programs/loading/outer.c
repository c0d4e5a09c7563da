/* A plugin that brings along one that needs libcurl, and does not name libcurl itself. */
int plugin_fetch(const char *url);
int outer_fetch(const char *url);

int outer_fetch(const char *url)
{
    return plugin_fetch(url);
}
