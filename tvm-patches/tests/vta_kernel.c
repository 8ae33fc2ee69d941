/* What TVM's code generator emits for VTA, by hand: packed functions that call the runtime.

   out[M][N] = inp[M][K] * wgt[N][K]^T in elements of the accelerator, whatever its geometry; the buffers are device
   buffers, so their `data` is a handle. */

#include <stdint.h>
#include <stddef.h>
#include <tvm/runtime/c_runtime_api.h>

enum { M = 3, N = 4, K = 5 };
enum { WGT = 1, INP = 2, OUT = 4 };
enum { LOAD = 1, COMPUTE = 2, STORE = 3 };

void* VTATLSCommandHandle(void);
void VTALoadBuffer2D(void*, void*, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                     uint32_t, uint32_t);
void VTAStoreBuffer2D(void*, uint32_t, uint32_t, void*, uint32_t, uint32_t, uint32_t, uint32_t);
void VTAUopPush(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, int32_t);
void VTAUopLoopBegin(uint32_t, uint32_t, uint32_t, uint32_t);
void VTAUopLoopEnd(void);
int VTAPushGEMMOp(void**, int (*)(void*), void*, int);
int VTADepPush(void*, int, int);
int VTADepPop(void*, int, int);
void VTASynchronize(void*, uint32_t);
int arco_vta_check(TVMValue*, int*, int, TVMValue*, int*, void*);

#define PACKED(name) int name(TVMValue* args, int* codes, int count, TVMValue* out, int* out_code, void* resource)

static void* handle(TVMValue* args, int index) { return ((DLTensor*)args[index].v_handle)->data; }

static int record_reset(void* unused) {
  VTAUopLoopBegin(M, N, 0, 0);
  for (uint32_t n = 0; n < N; ++n) VTAUopPush(0, 1, n, 0, 0, 0, 0, 0);
  VTAUopLoopEnd();
  return 0;
}

static int record_gemm(void* unused) {
  VTAUopLoopBegin(M, N, K, 0);
  VTAUopLoopBegin(K, 0, 1, 1);
  for (uint32_t n = 0; n < N; ++n) VTAUopPush(0, 0, n, 0, n * K, 0, 0, 0);
  VTAUopLoopEnd();
  VTAUopLoopEnd();
  return 0;
}

/* The same destination twice in a row: the pipeline has no bypass. */
static int record_conflict(void* unused) {
  VTAUopPush(0, 0, 7, 0, 0, 0, 0, 0);
  VTAUopPush(0, 0, 7, 1, 1, 0, 0, 0);
  return 0;
}

static int push(TVMValue* args) {
  static void* reset;
  static void* gemm;
  void* cmd = VTATLSCommandHandle();
  VTALoadBuffer2D(cmd, handle(args, 0), 0, M * K, 1, M * K, 0, 0, 0, 0, 0, INP);
  VTALoadBuffer2D(cmd, handle(args, 1), 0, N * K, 1, N * K, 0, 0, 0, 0, 0, WGT);
  VTADepPush(cmd, LOAD, COMPUTE);
  VTADepPop(cmd, LOAD, COMPUTE);
  if (VTAPushGEMMOp(&reset, record_reset, NULL, 0) != 0) return -1;
  if (VTAPushGEMMOp(&gemm, record_gemm, NULL, 0) != 0) return -1;
  VTADepPush(cmd, COMPUTE, STORE);
  VTADepPop(cmd, COMPUTE, STORE);
  VTAStoreBuffer2D(cmd, 0, OUT, handle(args, 2), 0, M * N, 1, M * N);
  return 0;
}

/* gemm(inp, wgt, out) */
PACKED(gemm) {
  if (push(args) != 0) return -1;
  VTASynchronize(VTATLSCommandHandle(), 1u << 31);
  return 0;
}

/* The same, waiting for a token that nobody gives. */
PACKED(deadlock) {
  VTADepPop(VTATLSCommandHandle(), STORE, COMPUTE);
  return gemm(args, codes, count, out, out_code, resource);
}

/* The same, with the look at the end that a careful code generator adds. */
PACKED(checked_deadlock) {
  if (deadlock(args, codes, count, out, out_code, resource) != 0) return -1;
  return arco_vta_check(NULL, NULL, 0, NULL, NULL, NULL);
}

PACKED(conflict) {
  static void* site;
  return VTAPushGEMMOp(&site, record_conflict, NULL, 0);
}
