/*
 * Programs that use connect(2) in ways that are legal and rare. Usage: sockets SCENARIO ARGUMENT ...
 * They say what they see; the test holds what they say under gusset against what they say bare.
 */
#include "sockets.h"

char **words;

int main(int count, char **all)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"rust",        rust       },
        {"fault",       fault      },
        {"others",      others     },
        {"mixed",       mixed      },
        {"itself",      itself     },
        {"left",        left       },
        {"handler",     handler    },
        {"forks",       forks      },
        {"torn",        torn       },
        {"vforks",      vforks     },
        {"dropped",     dropped    },
        {"reset",       reset      },
        {"held",        held       },
        {"looped",      looped     },
        {"unasked",     unasked    },
        {"replaced",    replaced   },
        {"narrow",      narrow     },
        {"descriptors", descriptors},
        {"names",       names      },
        {"sandbox",     sandbox    },
    };

    words = all + 2;
    for (size_t i = 0; count > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(all[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    fprintf(stderr, "usage: sockets SCENARIO ...\n");
    return 2;
}
