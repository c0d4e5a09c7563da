/* The control port: counts to read, and the data port's mode, outages and falls to command.
 * Each verb is a path; whatever the data port suffers, this one answers. */
#ifndef CONTROL_H
#define CONTROL_H

#include "data.h"
#include "port.h"

struct control {
    struct data *data;
    struct port *port; /* the data port */
    struct timer up;   /* ends /down?for= */
    bool quiet;        /* no line on stderr for what changes something */
};

void control_start(struct control *control, struct data *data, struct port *port, bool quiet);
void control_answer(struct control *control, const struct request *request, uint64_t now_ns,
                    struct reply *reply);

#endif
