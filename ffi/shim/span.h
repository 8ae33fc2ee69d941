// A stand-in for tvm/support/span.h, which TVM's runtime headers ask for and its wheels leave out: the part of its
// interface that they use.
#ifndef TVM_SUPPORT_SPAN_H_
#define TVM_SUPPORT_SPAN_H_

#include <cstddef>

namespace tvm {
namespace support {

template <class T, class W>
class Span {
 public:
  Span(T* begin, T* end) : begin_(begin), count_(static_cast<size_t>(end - begin)) {}
  size_t size() const { return count_; }
  W operator[](size_t index) const { return static_cast<W>(begin_[index]); }

 private:
  T* begin_;
  size_t count_;
};

}  // namespace support
}  // namespace tvm

#endif  // TVM_SUPPORT_SPAN_H_
