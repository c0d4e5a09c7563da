/*
 * Rules that change while the program runs. What holds is looked at when something says that it may have
 * changed
 * (`gusset reload`, another process that compiled: state/control.h), and now and then; a changed file that is
 * small is compiled by the program that finds it, a larger one is taken when somebody else has compiled it.
 * One that is faulty, or gone, changes nothing.
 */
#ifndef GUSSET_GATE_REFRESH_H
#define GUSSET_GATE_REFRESH_H

#include <stdbool.h>

#include "gate/ready.h"

/*
 * Looks whether the rules of what is published have changed, if it is time to, and puts the new ones in their
 * place. Returns whether it did. may_look: the caller may read folders and allocate; else (connect) it looks
 * only where the state says that there is something new, and takes only what is compiled already. Cheap where
 * there is nothing to do.
 */
bool refresh_look(struct ready *ready, bool may_look);

#endif
