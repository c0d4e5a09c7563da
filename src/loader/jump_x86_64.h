/* See loader/hooks.c. On entry the caller's address is on top of the stack, the arguments in rdi, rsi, rdx.
 */
#define JUMP(name)                                                                                           \
    __asm__(".pushsection .text\n"                                                                           \
            ".globl " #name "\n"                                                                             \
            ".type " #name ", @function\n"                                                                   \
            ".hidden hook_" #name "\n"                                                                       \
            ".p2align 4\n" #name ":\n"                                                                       \
            ".cfi_startproc\n"                                                                               \
            "endbr64\n"                                                                                      \
            "subq $40, %rsp\n" /* struct jump, and what keeps the stack on 16 bytes */                       \
            ".cfi_adjust_cfa_offset 40\n"                                                                    \
            "movq %rdi, 0(%rsp)\n"                                                                           \
            "movq %rsi, 8(%rsp)\n"                                                                           \
            "movq %rdx, 16(%rsp)\n"                                                                          \
            "movq 40(%rsp), %rax\n"                                                                          \
            "movq %rax, 24(%rsp)\n"                                                                          \
            "movq %rsp, %rdi\n"                                                                              \
            "call hook_" #name "\n"                                                                          \
            "movq 0(%rsp), %rdi\n"                                                                           \
            "movq 8(%rsp), %rsi\n"                                                                           \
            "movq 16(%rsp), %rdx\n"                                                                          \
            "addq $40, %rsp\n"                                                                               \
            ".cfi_adjust_cfa_offset -40\n"                                                                   \
            "jmpq *%rax\n"                                                                                   \
            ".cfi_endproc\n"                                                                                 \
            ".size " #name ", .-" #name "\n"                                                                 \
            ".popsection\n");
