/*
 * Reads the configuration that holds into a model: which file, what it says, and what the environment
 * puts on top. Every fault is added to the list; the model is to be used only when none is an error.
 */
#ifndef GUSSET_CONFIG_LOAD_H
#define GUSSET_CONFIG_LOAD_H

#include "config/fault.h"
#include "config/model.h"
#include "config/source.h"

/*
 * Fills an initialised model for the request, whose paths source_find spelled out. Returns 0 when it may be
 * used (model->is_empty: there is no configuration at all), -EINVAL after faults, -ENOMEM.
 */
int load_model(struct model *model, const struct source_request *request, const struct source_paths *paths,
               struct fault_list *faults);

#endif
