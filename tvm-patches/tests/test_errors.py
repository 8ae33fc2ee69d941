from arco_tvm.errors import ArcoError, answering, dumps, essence, parse_request, unknown_name

TVM_MESSAGE = """Traceback (most recent call last):
  1: tvm::runtime::PackedFuncObj::Extractor<InternalError: not this one>
  0: tvm::te::TensorToBufferMapper::GetBuffer(tvm::te::Tensor const&)
  File "/project/tvm/src/te/schedule.cc", line 143
InternalError: Check failed: (allow_alloc) is false: Cannot find the Realization point of tensor data
# from tvm.script import tir as T
def main():
    pass
"""


def test_the_essence_of_a_tvm_message_is_what_follows_its_stack_trace():
    assert essence(TVM_MESSAGE).split("\n")[0] == "Cannot find the Realization point of tensor data"


def test_the_essence_of_a_plain_message_is_its_last_line():
    assert essence("one\ntwo\n------\n") == "two"


def test_an_unknown_name_error_lists_close_and_known_names():
    error = unknown_name("unknown-model", "model", "resnet18", ["resnet-18", "vgg-16"])
    assert error.kind == "unknown-model"
    assert "did you mean resnet-18?" in error.hint
    assert "vgg-16" in error.hint


def test_an_answering_function_turns_errors_into_values():
    @answering
    def refuses() -> dict:
        raise ArcoError("some-kind", "it is so", "do this")

    @answering
    def breaks() -> dict:
        raise ZeroDivisionError("oops")

    assert refuses() == '{"ok": false, "kind": "some-kind", "text": "it is so", "hint": "do this"}'
    assert '"kind": "internal"' in breaks()
    assert "ZeroDivisionError: oops" in breaks()


def test_numbers_that_json_cannot_say_become_null():
    assert dumps({"a": float("nan"), "b": [float("inf"), 1.0]}) == '{"a": null, "b": [null, 1.0]}'


def test_a_request_that_is_not_json_says_where_it_stops_being_it():
    try:
        parse_request('{"model": ', "the request")
    except ArcoError as error:
        assert error.kind == "bad-request"
        assert "the request is not JSON" in error.text and "line 1 column" in error.text
    else:
        raise AssertionError("accepted")
