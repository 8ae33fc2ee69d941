"""What arco-tvm adds to TVM 0.19 in Python."""
