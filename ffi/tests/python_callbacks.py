"""Rust functions seen from Python; `tests/python.rs` runs this with the library's path as its last argument."""

import ctypes
import gc
import sys
import unittest
import weakref

import numpy as np
import tvm
from tvm._ffi.base import check_call

LIBRARY = ctypes.CDLL(sys.argv.pop())
check_call(LIBRARY.fixture_register())


def fixture(name):
    return tvm.get_global_func("fixture." + name)


class Boom(Exception):
    """An exception that TVM knows nothing of."""


class ExceptionsKeepTheirIdentity(unittest.TestCase):
    def caught(self, function, error):
        def callback(*_):
            raise error

        with self.assertRaises(type(error)) as context:
            fixture(function)(callback)
        return context.exception

    def test_through_a_rust_function(self):
        error = Boom("once")
        self.assertIs(self.caught("apply", error), error)

    def test_inside_an_error_of_rusts_own(self):
        error = Boom("wrapped")
        self.assertIs(self.caught("apply_in_own_error", error), error)

    def test_when_another_call_fails_in_between(self):
        error = Boom("first")
        self.assertIs(self.caught("apply_and_fail_again", error), error)

    def test_from_another_thread(self):
        error = Boom("elsewhere")
        self.assertIs(self.caught("apply_on_another_thread", error), error)

    def test_through_several_layers_of_both_languages(self):
        error = Boom("deep")

        def callback():
            raise error

        with self.assertRaises(Boom) as context:
            fixture("apply")(lambda: fixture("apply")(callback))
        self.assertIs(context.exception, error)


class ExceptionsInRust(unittest.TestCase):
    def test_read_as_their_class_and_text(self):
        def callback():
            raise Boom("größer")

        self.assertEqual(fixture("say_what_it_raises")(callback), "Boom: größer")

    def test_without_text_read_as_their_class(self):
        def callback():
            raise Boom

        self.assertEqual(fixture("say_what_it_raises")(callback), "Boom")

    def test_that_cannot_be_printed_are_still_named(self):
        class Mute(Exception):
            def __str__(self):
                raise RuntimeError("no")

        def callback():
            raise Mute

        self.assertEqual(fixture("say_what_it_raises")(callback), "Mute")
        self.assertEqual(fixture("echo")(1), 1)

    def test_that_rust_handled_are_freed(self):
        alive = []

        def callback():
            error = Boom("short-lived")
            alive.append(weakref.ref(error))
            raise error

        fixture("say_what_it_raises")(callback)
        gc.collect()
        self.assertIsNone(alive[0]())

    def test_that_python_handled_are_freed(self):
        alive = []

        def callback():
            error = Boom("short-lived")
            alive.append(weakref.ref(error))
            raise error

        for function in ("apply", "apply_in_own_error", "apply_and_fail_again", "apply_on_another_thread"):
            try:
                fixture(function)(callback)
            except Boom:
                pass
        gc.collect()
        self.assertEqual([ref() for ref in alive], [None] * 4)


class ErrorsOfRust(unittest.TestCase):
    def test_of_a_wrong_type_are_type_errors(self):
        with self.assertRaisesRegex(TypeError, "argument 0: expected function, found int"):
            fixture("apply")(1)

    def test_of_a_missing_argument_are_type_errors(self):
        with self.assertRaisesRegex(TypeError, "argument 0 is missing: the call has 0"):
            fixture("apply")()

    def test_that_are_panics_are_internal_errors(self):
        with self.assertRaisesRegex(tvm.error.InternalError, "a Rust function panicked: said 3"):
            fixture("panic")(1, 2, 3)

    def test_of_c_functions_are_raised_by_check_call(self):
        with self.assertRaisesRegex(ValueError, "a C function failed"):
            check_call(LIBRARY.fixture_fail())
        with self.assertRaisesRegex(tvm.error.InternalError, "a C function panicked"):
            check_call(LIBRARY.fixture_panic())

    def test_a_second_tvm_is_refused(self):
        with self.assertRaisesRegex(tvm.TVMError, "already has the TVM of .*libtvm.so"):
            check_call(LIBRARY.fixture_load_a_second_tvm())


class Values(unittest.TestCase):
    def test_come_back_as_they_went(self):
        for value in (None, 7, -1, 2**62, 2.5, True, False, "", "text", "größer", bytearray(b"\0bytes\xff")):
            returned = fixture("echo")(value)
            self.assertEqual(returned, value)
            self.assertIs(type(returned), type(value))
        device = tvm.device("cuda", 3)
        self.assertEqual(fixture("echo")(device), device)
        array = tvm.nd.array(np.arange(6, dtype="float32").reshape(2, 3))
        self.assertTrue(fixture("echo")(array).same_as(array))
        function = fixture("echo")
        self.assertEqual(fixture("echo")(function)(1), 1)
        self.assertEqual(list(fixture("echo")(tvm.runtime.convert([1, 2]))), [1, 2])

    def test_have_the_type_that_rust_sees(self):
        for value, name in (
            (None, "None"),
            (7, "int"),
            (2.5, "float"),
            (True, "bool"),
            ("text", "str"),
            (b"bytes", "bytes"),
            (tvm.cpu(0), "device"),
            (ctypes.c_void_p(16), "handle"),
            (tvm.nd.array(np.zeros(1)), "NDArray"),
            (fixture("echo"), "function"),
            (lambda: None, "function"),
            (tvm.runtime.String("text"), "object runtime.String"),
            ({"a": 1}, "object Map"),
        ):
            self.assertEqual(fixture("type_name")(value), name, repr(value))

    def test_that_are_moved_in_are_borrowed(self):
        items = tvm.runtime.convert([1, 2, 3])
        self.assertEqual(fixture("length")(items._move()), 3)

    def test_that_are_arrays_are_read(self):
        array = tvm.nd.array(np.arange(5, dtype="float32"))
        self.assertEqual(fixture("sum")(array), 10.0)
        with self.assertRaisesRegex(TypeError, "expected f32, found an array of float64"):
            fixture("sum")(tvm.nd.array(np.zeros(1)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
