/*
 * Programs that use libcurl, or connect(2), in ways that are legal and rare. Usage: odd SCENARIO ARGUMENT ...
 * Each prints what the program itself can see, so that two runs can be compared.
 */
#include "odd.h"

#include <string.h>

CURL *easy;
char **arguments;
int calls;

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"data",    data         },
        {"null",    null         },
        {"mail",    mail         },
        {"header",  header       },
        {"blocks",  blocks       },
        {"unified", unified      },
        {"lists",   lists        },
        {"hears",   hears        },
        {"limit",   limit_inside },
        {"freed",   freed        },
        {"form",    form         },
        {"keep",    keep         },
        {"file",    file         },
        {"early",   early        },
        {"slow",    slow         },
        {"nested",  nested       },
        {"unix",    unix_socket  },
        {"refused", refused      },
        {"connect", connect_twice},
    };

    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        arguments = argv + 2;
        scenarios[i].run();
        curl_easy_cleanup(easy);
        return 0;
    }
    return 2;
}
