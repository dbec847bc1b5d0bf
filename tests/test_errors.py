import pytest

from rvae.errors import FieldError, MalformedError, require, require_readable


@pytest.mark.parametrize(
    ("check", "kind"), [(require, FieldError), (require_readable, MalformedError)]
)
def test_what_does_not_hold_is_an_error_of_its_field(check: object, kind: type[FieldError]) -> None:
    assert callable(check)
    check(True, "data.window", "is too long")
    with pytest.raises(ValueError, match=r"^data\.window: is too long$") as caught:
        check(False, "data.window", "is too long")
    assert type(caught.value) is kind
    assert (caught.value.field, caught.value.message) == ("data.window", "is too long")
