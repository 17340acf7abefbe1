// The code that a thread of the application runs: it saves what it has, calls a function, restores everything, and goes
// back. It is data here: trampoline.cc copies it, with its words filled in, into the application, where it lies in
// memory that can be read and executed, but not written. It writes to the thread's stack and to its report alone.
//
// The thread was in a system call when it was sent here, so no instruction of the application was cut in two, but every
// register and the 128 bytes below the stack pointer (the red zone) are the application's. General registers and flags
// are pushed; all the rest (x87, SSE, AVX, AVX-512, PKRU) is what XSAVE saves.
#ifdef __x86_64__
  .section .rodata
  .balign 16
  .globl dpcap_trampoline_begin, dpcap_trampoline_entry, dpcap_trampoline_end
  .hidden dpcap_trampoline_begin, dpcap_trampoline_entry, dpcap_trampoline_end

// struct TrampolineWords of trampoline.h, in the same order.
dpcap_trampoline_begin:
magic:       .quad 0
tid:         .quad 0
resume:      .quad 0
report:      .quad 0
function:    .quad 0
first:       .quad 0
second:      .quad 0
explain:     .quad 0
xsave_bytes: .quad 0
xsave_mask:  .quad 0

dpcap_trampoline_entry:
  leaq -128(%rsp), %rsp  // this does not change the flags, as sub would
  pushfq
  pushq %rax
  pushq %rbx
  pushq %rcx
  pushq %rdx
  pushq %rsi
  pushq %rdi
  pushq %rbp
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, %rbp
  movq report(%rip), %rbx
  movq $1, (%rbx)  // TrampolineState::running
  cld

  subq xsave_bytes(%rip), %rsp
  andq $-64, %rsp
  movq %rsp, %r12
  leaq 512(%rsp), %rdi  // XSAVE does not write all of its header, and XRSTOR wants the rest to be 0
  xorl %eax, %eax
  movl $8, %ecx
  rep stosq
  movl xsave_mask(%rip), %eax
  movl xsave_mask+4(%rip), %edx
  xsave64 (%r12)

  movq first(%rip), %rdi
  movq second(%rip), %rsi
  call *function(%rip)
  movq %rax, 8(%rbx)
  testq %rax, %rax
  jne 1f
  movq explain(%rip), %rcx
  testq %rcx, %rcx
  je 1f
  call *%rcx
  movq %rax, 16(%rbx)
1:
  movl xsave_mask(%rip), %eax
  movl xsave_mask+4(%rip), %edx
  xrstor64 (%r12)
  movq $2, (%rbx)  // TrampolineState::done
  movq %rbp, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rbp
  popq %rdi
  popq %rsi
  popq %rdx
  popq %rcx
  popq %rbx
  popq %rax
  popfq
  leaq 128(%rsp), %rsp
  jmp *resume(%rip)
dpcap_trampoline_end:
#endif
  .section .note.GNU-stack, "", @progbits
