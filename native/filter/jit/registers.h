// Which registers of the machine are a program's.
#pragma once
#include "filter/jit/x86_64.h"

// Where the program's registers are. r0 to r5 are lost in calls, r6 to r10 are not.
static const enum reg REGISTER[] = {RAX, RDI, RSI, R8, R9, R10, RBX, R12, R13, R14, RBP};
#define REGISTERS (sizeof REGISTER / sizeof REGISTER[0])
// What the code has besides. rcx and rdx are free between any two instructions of the program.
#define DATA R15        // where the first segment's bytes are
#define DATA_BYTES R11  // how many there are
#define THE_MBUF RBP    // the mbuf's address lies where the program's stack ends
