from tvm.autotvm.task.space import InstantiationError

from arco_tvm.failure import DeadlineError, describe_failure, kind_of


def failure_of(exc: Exception) -> dict:
    try:
        raise exc
    except Exception as caught:
        return describe_failure(caught, "lower")


def test_failures_of_the_same_sort_have_the_same_kind():
    one = kind_of(
        "InternalError: Check failed: (a) is false: tile 12 at 0x7ffe of /tmp/x1/a.cc:17 is too big"
    )
    two = kind_of("InternalError: Check failed: (a) is false: tile 7 at 0x55aa of /home/y/a.cc:9 is too big")
    assert one == two == "tile N at ADDRESS of a.cc:N is too big"


def test_a_kind_is_one_short_line():
    assert len(kind_of("x" * 1000 + "\nsecond")) <= 160
    assert "\n" not in kind_of("ValueError: first\nsecond")


def test_what_a_template_refuses_is_an_instantiation_error_with_its_reasons():
    value = failure_of(InstantiationError(["too many threads", "too many threads", "too much unrolling"]))
    assert value["error_no"] == 1
    assert value["kind"] == "too many threads; too much unrolling"


def test_an_instantiation_error_that_passed_through_tvm_keeps_its_number():
    assert (
        failure_of(RuntimeError("...\nInstantiationError: Skipped because of invalid gpu kernel"))["error_no"]
        == 1
    )


def test_other_failures_are_compile_errors_and_say_where_they_arose():
    value = failure_of(ValueError("no such thing"))
    assert (value["ok"], value["error_no"], value["stage"]) == (False, 2, "lower")
    assert "no such thing" in value["text"] and "failure_of" in value["text"]


def test_a_passed_deadline_is_a_build_timeout():
    assert failure_of(DeadlineError("10 s"))["error_no"] == 6
