//! The golden records: counters, and the instructions and micro-operations themselves.
