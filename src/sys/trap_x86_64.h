/* See sys/raw.h. The number goes in rax, the arguments in rdi, rsi, rdx, r10, r8, r9; rcx and r11 are lost.
 */
#ifndef GUSSET_SYS_TRAP_H
#define GUSSET_SYS_TRAP_H

static inline long sys_trap(long number, long a, long b, long c, long d, long e, long f)
{
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return number;
}

#endif
