/*
 * Words that each connect(2) reads lie together: the linker puts what bears this mark side by side. When a
 * program comes here the caches are the kernel's, and each line and page more is a wait.
 */
#ifndef GUSSET_SYS_TOGETHER_H
#define GUSSET_SYS_TOGETHER_H

#define TOGETHER __attribute__((section("together")))

#endif
