/*
 * Opens plugins with RTLD_DEEPBIND, as PHP opens its extensions, and lets them connect.
 *   deep once FUNCTION PORT PLUGIN          prints the error of a connect, what may be done to the plugin's
 * pages, and what dlerror says deep threads FUNCTION PORT PLUGIN...    each in two threads, which open,
 * connect and close it again and again deep again FUNCTION PORT PLUGIN         opens it twice, closes it
 * once, connects, closes it
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int dial(unsigned port);

enum { TURNS = 40, THREADS_MOST = 16 };

static const char *function;
static unsigned port;

static dial *find(void *library)
{
    return library ? (dial *)dlsym(library, function) : NULL;
}

/* The permissions of what is mapped of the file, in their order. */
static void print_pages(const char *file)
{
    char line[4096], permissions[8], last[8] = "";
    FILE *maps = fopen("/proc/self/maps", "r");

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, file) && sscanf(line, "%*s %4s", permissions) == 1 && strcmp(permissions, last) != 0)
            printf(" %s", strcpy(last, permissions));
    if (maps)
        fclose(maps);
}

static int once(const char *plugin)
{
    void *library = dlopen(plugin, RTLD_LAZY | RTLD_DEEPBIND);
    const char *error = dlerror();
    dial *ask = find(library);

    if (!ask) {
        printf("%s\n", error ? error : "no such function");
        return 1;
    }
    printf("%d", ask(port));
    print_pages(plugin);
    printf(" %s\n", error ? error : "no error");
    return dlclose(library);
}

static int again(const char *plugin)
{
    void *first = dlopen(plugin, RTLD_NOW | RTLD_DEEPBIND),
         *second = dlopen(plugin, RTLD_NOW | RTLD_DEEPBIND);
    int is_same = first && first == second, closed = dlclose(second);
    dial *ask = find(first);

    printf("%s %d %d", is_same ? "same" : "another", closed, ask ? ask(port) : -1);
    closed = dlclose(first);
    printf(" %d %s\n", closed, dlopen(plugin, RTLD_NOW | RTLD_NOLOAD) ? "still there" : "gone");
    return 0;
}

static void *turn(void *plugin)
{
    long wrong = 0;

    for (int i = 0; i < TURNS; i++) {
        void *library = dlopen(plugin, RTLD_LAZY | RTLD_DEEPBIND);
        dial *ask = find(library);
        wrong += !ask || ask(port) != 0;
        if (library)
            dlclose(library);
    }
    return (void *)wrong;
}

static int threads(char **plugins, int count)
{
    pthread_t ids[THREADS_MOST];
    long wrong = 0;

    for (int i = 0; i < 2 * count; i++)
        pthread_create(&ids[i], NULL, turn, plugins[i / 2]);
    for (int i = 0; i < 2 * count; i++) {
        void *result;
        pthread_join(ids[i], &result);
        wrong += (long)result;
    }
    printf("%d connects, %ld wrong\n", 2 * count * TURNS, wrong);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 4 + THREADS_MOST / 2)
        return 2;
    function = argv[2];
    port = (unsigned)atoi(argv[3]);
    if (strcmp(argv[1], "threads") == 0)
        return threads(argv + 4, argc - 4);
    return strcmp(argv[1], "again") == 0 ? again(argv[4]) : once(argv[4]);
}
