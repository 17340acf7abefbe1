// The object of the programs in the kernel, as the compiler for BPF wrote it (CMakeLists.txt says where).
    .section .rodata
    .balign 16
    .globl dpcap_bpf_object
    .hidden dpcap_bpf_object
dpcap_bpf_object:
    .incbin DPCAP_BPF_OBJECT
    .globl dpcap_bpf_object_end
    .hidden dpcap_bpf_object_end
dpcap_bpf_object_end:
    .section .note.GNU-stack, "", %progbits
