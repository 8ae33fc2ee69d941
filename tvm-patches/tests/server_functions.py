"""Functions that a server imports for tests (`--import server_functions`): ways for a session to go wrong."""

import os
import signal
import time

import tvm


@tvm.register_func("test.segfault")
def segfault():
    os.kill(os.getpid(), signal.SIGSEGV)


@tvm.register_func("test.sleep")
def sleep(seconds):
    time.sleep(seconds)


@tvm.register_func("test.print")
def speak(text):
    print(text, flush=True)
