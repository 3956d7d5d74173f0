// SPDX-License-Identifier: MIT
/* start.c - how far start-up has come. Written by init.c. */
#include "start.h"

enum mm_state mm_state;
