/*
 * The process that holds a pod's namespaces. It uses no libc, so that the binary is a few hundred
 * bytes of code and needs nothing from the image. It sleeps in rt_sigtimedwait, reaps the orphans
 * that a shared process namespace hands to it, and leaves with 0 on SIGTERM and SIGINT.
 */
typedef unsigned long ulong;

#define SIGINT_NUMBER 2
#define SIGTERM_NUMBER 15
#define SIGCHLD_NUMBER 17
#define WNOHANG_FLAG 1
#define SIG_BLOCK_HOW 0

#if defined(__x86_64__)
#define NR_RT_SIGPROCMASK 14
#define NR_RT_SIGTIMEDWAIT 128
#define NR_WAIT4 61
#define NR_EXIT_GROUP 231
static long call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
#define NR_RT_SIGPROCMASK 135
#define NR_RT_SIGTIMEDWAIT 137
#define NR_WAIT4 260
#define NR_EXIT_GROUP 94
static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "pause.c knows x86_64 and aarch64"
#endif

static ulong bit(int signal) { return 1UL << (signal - 1); }

void _start(void) {
  ulong awaited = bit(SIGINT_NUMBER) | bit(SIGTERM_NUMBER) | bit(SIGCHLD_NUMBER);
  /* Blocked and taken synchronously: no handler, so no restorer and no race. */
  call(NR_RT_SIGPROCMASK, SIG_BLOCK_HOW, (long)&awaited, 0, sizeof awaited);
  for (;;) {
    long signal = call(NR_RT_SIGTIMEDWAIT, (long)&awaited, 0, 0, sizeof awaited);
    if (signal == SIGINT_NUMBER || signal == SIGTERM_NUMBER) call(NR_EXIT_GROUP, 0, 0, 0, 0);
    while (call(NR_WAIT4, -1, 0, WNOHANG_FLAG, 0) > 0) {
    }
  }
}
