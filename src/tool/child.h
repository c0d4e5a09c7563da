/* A program as a child: started, sent what we are sent, waited for. */
#ifndef GUSSET_TOOL_CHILD_H
#define GUSSET_TOOL_CHILD_H

/* Runs it to its end. Returns 0 with its wait(2) status in *outcome, or -errno when it could not be started.
 */
int child_run(const char *path, char **argv, int *outcome);

/* The exit status for that outcome; dies by the same signal where the child died by one. */
int child_end_alike(int outcome);

#endif
