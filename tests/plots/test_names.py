from rvae.plots.names import shortened


def test_long_names_end_in_a_dot_of_omission() -> None:
    assert shortened("temperature", 11) == "temperature"
    assert shortened("temperature", 5) == "temp…"
