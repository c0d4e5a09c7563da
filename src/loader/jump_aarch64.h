/* See loader/hooks.c. On entry the caller's address is in x30, the arguments in x0, x1, x2. */
#define JUMP(name)                                                                                           \
    __asm__(".pushsection .text\n"                                                                           \
            ".globl " #name "\n"                                                                             \
            ".type " #name ", %function\n"                                                                   \
            ".hidden hook_" #name "\n"                                                                       \
            ".p2align 4\n" #name ":\n"                                                                       \
            ".cfi_startproc\n"                                                                               \
            "hint #34\n" /* bti c */                                                                         \
            "stp x29, x30, [sp, #-48]!\n"                                                                    \
            ".cfi_def_cfa_offset 48\n"                                                                       \
            ".cfi_offset x29, -48\n"                                                                         \
            ".cfi_offset x30, -40\n"                                                                         \
            "mov x29, sp\n"                                                                                  \
            "stp x0, x1, [sp, #16]\n" /* struct jump */                                                      \
            "stp x2, x30, [sp, #32]\n"                                                                       \
            "add x0, sp, #16\n"                                                                              \
            "bl hook_" #name "\n"                                                                            \
            "mov x16, x0\n" /* the register by which a call lands where BTI wants one */                     \
            "ldp x0, x1, [sp, #16]\n"                                                                        \
            "ldr x2, [sp, #32]\n"                                                                            \
            "ldp x29, x30, [sp], #48\n"                                                                      \
            ".cfi_def_cfa_offset 0\n"                                                                        \
            ".cfi_restore x29\n"                                                                             \
            ".cfi_restore x30\n"                                                                             \
            "br x16\n"                                                                                       \
            ".cfi_endproc\n"                                                                                 \
            ".size " #name ", .-" #name "\n"                                                                 \
            ".popsection\n");
