/* What the rest of the command complains of while the agent runs, as lines of its log. */
#ifndef GUSSET_AGENT_COMPLAINT_H
#define GUSSET_AGENT_COMPLAINT_H

/* From now on. The same complaint is told once a minute: what is amiss is met again at each look. */
void complaint_to_log(void);

#endif
