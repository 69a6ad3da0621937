# Seven rounds of sixteen BLAKE3 compressions, with the SHA-256 of fourteen blocks between them; and the
# transposition in front of it, with one block. See paired_hash.h for why; here is which register holds
# what, which a compiler does not get right: SHA's instructions know xmm0 to xmm15 only, so all of
# BLAKE3 lives above.
#
#   xmm0   words + constants of four rounds (implied by sha256rnds2)
#   xmm1   a b e f      xmm2  c d g h      xmm9, xmm10  the same before the block
#   xmm3 to xmm6  the schedule's last sixteen words      xmm7  scratch      xmm8  byte order
#   zmm16 to zmm31  BLAKE3's sixteen state words, of sixteen compressions each
#
# A turn of SHA-256 (two sha256rnds2, eight cycles of latency) stands before every step of BLAKE3 (four
# independent instructions): out-of-order execution does the rest. That is as many blocks of SHA-256 as
# sixteen leaves of BLAKE3 have, so that none is left to be done alone.

        .text

# Places in PairedJob (paired_hash.cc), whose message is at its front.
        .set    CHAIN, 1024
        .set    COUNTER, 1536
        .set    LENGTH, 1600
        .set    FLAGS, 1664
        .set    LANES, 1728
        .set    SHA_WORDS, 1856
        .set    OFFSET, 1888
        .set    BLOCKS, 1896
        .set    ACTIVE, 1904

# --- one turn of SHA-256: rounds 4 * \turn and following of the block at (\at)
        .macro  TURN turn, at, now, before, next
        .if     (\turn) == 0
        vmovdqa %xmm1, %xmm9
        vmovdqa %xmm2, %xmm10
        .endif
        .if     (\turn) < 4
        vmovdqu 16 * (\turn)(\at), %xmm\now
        vpshufb %xmm8, %xmm\now, %xmm\now
        .endif
        vpaddd  .Lsha_constants + 16 * (\turn)(%rip), %xmm\now, %xmm0
        sha256rnds2 %xmm0, %xmm1, %xmm2
        .if     (\turn) >= 3 && (\turn) < 15
        vpalignr $4, %xmm\before, %xmm\now, %xmm7
        vpaddd  %xmm7, %xmm\next, %xmm\next
        sha256msg2 %xmm\now, %xmm\next
        .endif
        vpshufd $14, %xmm0, %xmm0
        sha256rnds2 %xmm0, %xmm2, %xmm1
        .if     (\turn) >= 1 && (\turn) <= 12
        sha256msg1 %xmm\now, %xmm\before
        .endif
        .if     (\turn) == 15
        vpaddd  %xmm9, %xmm1, %xmm1
        vpaddd  %xmm10, %xmm2, %xmm2
        .endif
        .endm

# Nothing where \sha is 0. The schedule's registers take turns.
        .macro  SHA sha, turn, at
        .if     \sha
        .if     (\turn) % 4 == 0
        TURN    \turn, \at, 3, 6, 4
        .elseif (\turn) % 4 == 1
        TURN    \turn, \at, 4, 3, 5
        .elseif (\turn) % 4 == 2
        TURN    \turn, \at, 5, 4, 6
        .else
        TURN    \turn, \at, 6, 5, 3
        .endif
        .endif
        .endm

# --- steps of BLAKE3's mixing function, in four columns or diagonals at once
# \first: which of the round's words, whose places in the message %r8 lists, goes to zmm16.
        .macro  A_PLUS_WORDS first
        movzwl  2 * \first(%r8), %eax
        movzwl  2 * \first + 4(%r8), %r9d
        movzwl  2 * \first + 8(%r8), %r10d
        movzwl  2 * \first + 12(%r8), %r11d
        vpaddd  (%rdi, %rax), %zmm16, %zmm16
        vpaddd  (%rdi, %r9), %zmm17, %zmm17
        vpaddd  (%rdi, %r10), %zmm18, %zmm18
        vpaddd  (%rdi, %r11), %zmm19, %zmm19
        .endm

        .macro  A_PLUS b0, b1, b2, b3
        vpaddd  %zmm\b0, %zmm16, %zmm16
        vpaddd  %zmm\b1, %zmm17, %zmm17
        vpaddd  %zmm\b2, %zmm18, %zmm18
        vpaddd  %zmm\b3, %zmm19, %zmm19
        .endm

        .macro  XOR_A d0, d1, d2, d3
        vpxord  %zmm16, %zmm\d0, %zmm\d0
        vpxord  %zmm17, %zmm\d1, %zmm\d1
        vpxord  %zmm18, %zmm\d2, %zmm\d2
        vpxord  %zmm19, %zmm\d3, %zmm\d3
        .endm

        .macro  ROTATE by, r0, r1, r2, r3
        vprord  $\by, %zmm\r0, %zmm\r0
        vprord  $\by, %zmm\r1, %zmm\r1
        vprord  $\by, %zmm\r2, %zmm\r2
        vprord  $\by, %zmm\r3, %zmm\r3
        .endm

        .macro  PLUS c0, c1, c2, c3, d0, d1, d2, d3
        vpaddd  %zmm\d0, %zmm\c0, %zmm\c0
        vpaddd  %zmm\d1, %zmm\c1, %zmm\c1
        vpaddd  %zmm\d2, %zmm\c2, %zmm\c2
        vpaddd  %zmm\d3, %zmm\c3, %zmm\c3
        .endm

        .macro  XOR b0, b1, b2, b3, c0, c1, c2, c3
        vpxord  %zmm\c0, %zmm\b0, %zmm\b0
        vpxord  %zmm\c1, %zmm\b1, %zmm\b1
        vpxord  %zmm\c2, %zmm\b2, %zmm\b2
        vpxord  %zmm\c3, %zmm\b3, %zmm\b3
        .endm

# Fourteen steps and sixteen turns.
        .macro  MIX sha, t, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3
        SHA     \sha, 0, %rcx
        A_PLUS_WORDS (\t)
        SHA     \sha, 1, %rcx
        A_PLUS  \b0, \b1, \b2, \b3
        SHA     \sha, 2, %rcx
        XOR_A   \d0, \d1, \d2, \d3
        SHA     \sha, 3, %rcx
        ROTATE  16, \d0, \d1, \d2, \d3
        SHA     \sha, 4, %rcx
        PLUS    \c0, \c1, \c2, \c3, \d0, \d1, \d2, \d3
        SHA     \sha, 5, %rcx
        XOR     \b0, \b1, \b2, \b3, \c0, \c1, \c2, \c3
        SHA     \sha, 6, %rcx
        ROTATE  12, \b0, \b1, \b2, \b3
        SHA     \sha, 7, %rcx
        SHA     \sha, 8, %rcx
        A_PLUS_WORDS (\t+1)
        SHA     \sha, 9, %rcx
        A_PLUS  \b0, \b1, \b2, \b3
        SHA     \sha, 10, %rcx
        XOR_A   \d0, \d1, \d2, \d3
        SHA     \sha, 11, %rcx
        ROTATE  8, \d0, \d1, \d2, \d3
        SHA     \sha, 12, %rcx
        PLUS    \c0, \c1, \c2, \c3, \d0, \d1, \d2, \d3
        SHA     \sha, 13, %rcx
        XOR     \b0, \b1, \b2, \b3, \c0, \c1, \c2, \c3
        SHA     \sha, 14, %rcx
        ROTATE  7, \b0, \b1, \b2, \b3
        SHA     \sha, 15, %rcx
        .if     \sha
        add     $64, %rcx
        .endif
        .endm

        .macro  FUNCTION name
        .globl  \name
        .hidden \name
        .type   \name, @function
        .p2align 5
\name:
        .endm

# --- the transposition: sixteen blocks of sixteen words, to sixteen vectors of one word each

# Four lanes, from number \first on, at offset %rsi, among themselves: in 128-bit part p of
# register \r0 + i is word 4 p + i of each. Sixteen streams are more than processors follow by
# themselves, so the lines of the next block are asked for.
        .macro  JOIN_LANES first, r0, r1, r2, r3
        mov     LANES + 8 * \first(%rdi), %rax
        mov     LANES + 8 * \first + 8(%rdi), %r9
        mov     LANES + 8 * \first + 16(%rdi), %r10
        mov     LANES + 8 * \first + 24(%rdi), %r11
        vmovdqu64 (%rax, %rsi), %zmm\r0
        vmovdqu64 (%r9, %rsi), %zmm\r1
        prefetcht0 64(%rax, %rsi)
        prefetcht0 64(%r9, %rsi)
        vpunpckldq %zmm\r1, %zmm\r0, %zmm11
        vpunpckhdq %zmm\r1, %zmm\r0, %zmm12
        vmovdqu64 (%r10, %rsi), %zmm\r2
        vmovdqu64 (%r11, %rsi), %zmm\r3
        prefetcht0 64(%r10, %rsi)
        prefetcht0 64(%r11, %rsi)
        vpunpckldq %zmm\r3, %zmm\r2, %zmm13
        vpunpckhdq %zmm\r3, %zmm\r2, %zmm14
        vpunpcklqdq %zmm13, %zmm11, %zmm\r0
        vpunpckhqdq %zmm13, %zmm11, %zmm\r1
        vpunpcklqdq %zmm14, %zmm12, %zmm\r2
        vpunpckhqdq %zmm14, %zmm12, %zmm\r3
        .endm

# The same register of the four groups of lanes: words \word, \word + 4, + 8 and + 12 of all.
        .macro  JOIN_GROUPS word, g0, g1, g2, g3
        vshufi32x4 $0x88, %zmm\g1, %zmm\g0, %zmm11
        vshufi32x4 $0xdd, %zmm\g1, %zmm\g0, %zmm12
        vshufi32x4 $0x88, %zmm\g3, %zmm\g2, %zmm13
        vshufi32x4 $0xdd, %zmm\g3, %zmm\g2, %zmm14
        vshufi32x4 $0x88, %zmm13, %zmm11, %zmm\g0
        vshufi32x4 $0x88, %zmm14, %zmm12, %zmm\g1
        vshufi32x4 $0xdd, %zmm13, %zmm11, %zmm\g2
        vshufi32x4 $0xdd, %zmm14, %zmm12, %zmm\g3
        vmovdqa64 %zmm\g0, 64 * \word(%rdi)
        vmovdqa64 %zmm\g1, 64 * \word + 256(%rdi)
        vmovdqa64 %zmm\g2, 64 * \word + 512(%rdi)
        vmovdqa64 %zmm\g3, 64 * \word + 768(%rdi)
        .endm

        .macro  BEGIN sha
        kmovw   ACTIVE(%rdi), %k1
        .if     \sha
        mov     BLOCKS(%rdi), %rcx
        vmovdqa SHA_WORDS(%rdi), %xmm1
        vmovdqa SHA_WORDS + 16(%rdi), %xmm2
        vmovdqa .Lbyte_order(%rip), %xmm8
        .endif
        .endm

        .macro  GATHER sha
        mov     OFFSET(%rdi), %rsi
        SHA     \sha, 0, %rcx
        SHA     \sha, 1, %rcx
        JOIN_LANES 0, 16, 17, 18, 19
        SHA     \sha, 2, %rcx
        SHA     \sha, 3, %rcx
        JOIN_LANES 4, 20, 21, 22, 23
        SHA     \sha, 4, %rcx
        SHA     \sha, 5, %rcx
        JOIN_LANES 8, 24, 25, 26, 27
        SHA     \sha, 6, %rcx
        SHA     \sha, 7, %rcx
        JOIN_LANES 12, 28, 29, 30, 31
        SHA     \sha, 8, %rcx
        SHA     \sha, 9, %rcx
        JOIN_GROUPS 0, 16, 20, 24, 28
        SHA     \sha, 10, %rcx
        SHA     \sha, 11, %rcx
        JOIN_GROUPS 1, 17, 21, 25, 29
        SHA     \sha, 12, %rcx
        SHA     \sha, 13, %rcx
        JOIN_GROUPS 2, 18, 22, 26, 30
        SHA     \sha, 14, %rcx
        SHA     \sha, 15, %rcx
        JOIN_GROUPS 3, 19, 23, 27, 31
        add     $64, %rcx
        .endm

        .macro  ROUNDS sha
        vmovdqa64 CHAIN(%rdi), %zmm16
        vmovdqa64 CHAIN + 64(%rdi), %zmm17
        vmovdqa64 CHAIN + 128(%rdi), %zmm18
        vmovdqa64 CHAIN + 192(%rdi), %zmm19
        vmovdqa64 CHAIN + 256(%rdi), %zmm20
        vmovdqa64 CHAIN + 320(%rdi), %zmm21
        vmovdqa64 CHAIN + 384(%rdi), %zmm22
        vmovdqa64 CHAIN + 448(%rdi), %zmm23
        vpbroadcastd .Linitial(%rip), %zmm24
        vpbroadcastd .Linitial + 4(%rip), %zmm25
        vpbroadcastd .Linitial + 8(%rip), %zmm26
        vpbroadcastd .Linitial + 12(%rip), %zmm27
        vmovdqa64 COUNTER(%rdi), %zmm28
        vpxord  %zmm29, %zmm29, %zmm29
        vmovdqa64 LENGTH(%rdi), %zmm30
        vmovdqa64 FLAGS(%rdi), %zmm31
        lea     .Lschedule(%rip), %r8
        lea     .Lschedule_end(%rip), %rdx
1:
        MIX     \sha, 0, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        MIX     \sha, 8, 21, 22, 23, 20, 26, 27, 24, 25, 31, 28, 29, 30
        add     $32, %r8
        cmp     %rdx, %r8
        jne     1b
        .if     \sha
        vmovdqa %xmm1, SHA_WORDS(%rdi)
        vmovdqa %xmm2, SHA_WORDS + 16(%rdi)
        mov     %rcx, BLOCKS(%rdi)
        .endif
        vpxord  %zmm24, %zmm16, %zmm16
        vpxord  %zmm25, %zmm17, %zmm17
        vpxord  %zmm26, %zmm18, %zmm18
        vpxord  %zmm27, %zmm19, %zmm19
        vpxord  %zmm28, %zmm20, %zmm20
        vpxord  %zmm29, %zmm21, %zmm21
        vpxord  %zmm30, %zmm22, %zmm22
        vpxord  %zmm31, %zmm23, %zmm23
        vmovdqa32 %zmm16, CHAIN(%rdi){%k1}
        vmovdqa32 %zmm17, CHAIN + 64(%rdi){%k1}
        vmovdqa32 %zmm18, CHAIN + 128(%rdi){%k1}
        vmovdqa32 %zmm19, CHAIN + 192(%rdi){%k1}
        vmovdqa32 %zmm20, CHAIN + 256(%rdi){%k1}
        vmovdqa32 %zmm21, CHAIN + 320(%rdi){%k1}
        vmovdqa32 %zmm22, CHAIN + 384(%rdi){%k1}
        vmovdqa32 %zmm23, CHAIN + 448(%rdi){%k1}
        ret
        .endm

# void (PairedJob*): the lanes' next block, and one of the messages that are there already.
        .macro  ENTRIES block, message, sha
        FUNCTION \block
        BEGIN   \sha
        GATHER  \sha
        ROUNDS  \sha
        .size   \block, . - \block

        FUNCTION \message
        BEGIN   \sha
        ROUNDS  \sha
        .size   \message, . - \message
        .endm

        ENTRIES hearth_paired_block, hearth_paired_message, 1
        ENTRIES hearth_lone_block, hearth_lone_message, 0

        .section .rodata
        .p2align 4
.Linitial:
        .long   0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a
.Lbyte_order:
        .byte   3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12
.Lsha_constants:
        .long   0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
        .long   0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
        .long   0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
        .long   0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
        .long   0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
        .long   0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
        .long   0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
        .long   0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
# Places in the message of the words that each round adds, columns first.
.Lschedule:
        .short  0, 64, 128, 192, 256, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960
        .short  128, 384, 192, 640, 448, 0, 256, 832, 64, 704, 768, 320, 576, 896, 960, 512
        .short  192, 256, 640, 768, 832, 128, 448, 896, 384, 320, 576, 0, 704, 960, 512, 64
        .short  640, 448, 768, 576, 896, 192, 832, 960, 256, 0, 704, 128, 320, 512, 64, 384
        .short  768, 832, 576, 704, 960, 640, 896, 512, 448, 128, 320, 192, 0, 64, 384, 256
        .short  576, 896, 704, 320, 512, 768, 960, 64, 832, 192, 0, 640, 128, 384, 256, 448
        .short  704, 960, 320, 0, 64, 576, 512, 384, 896, 640, 128, 768, 192, 256, 448, 832
.Lschedule_end:

        .section .note.GNU-stack, "", @progbits
