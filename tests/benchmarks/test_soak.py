"""The benchmark of a server under mixed requests for long."""

from collections import Counter

import pytest

from benchmarks.soak import Block, grown, markdown, run, titles


def a_block(sent: int, more: float = 0.0) -> Block:
    kinds = ("gateway", "Java", "workers")
    return Block(
        sent,
        2.0,
        [0.001 + more / 1e6, 0.002 + more / 1e6],
        Counter({"200": 10}),
        memory=dict.fromkeys(kinds, 100000000.0 + more * 1000000.0),
        descriptors={kind: 10 + int(more) for kind in kinds},
        logs=int(more * 1e6),
    )


@pytest.mark.faults
def test_every_kind_of_answer_is_counted() -> None:
    blocks = list(run(600, 2, 4, seed=1))
    assert [block.sent for block in blocks] == [300, 600]
    for block in blocks:
        assert sum(block.answers.values()) == 300 and block.answers["failed"] == 0
        assert block.answers["200"] > 50 and block.answers["hung up"] > 5
        assert all(held > 1e7 for held in block.memory.values())


def test_what_grew_is_said() -> None:
    said = grown(a_block(100), a_block(900, more=7))
    assert "gateway +7 MB and +7 descriptors" in said and "logs +7.0 MB" in said
    assert said.startswith("Since 100 requests: ")


def test_a_row_has_every_column() -> None:
    table = markdown([titles(), a_block(100).row()]).splitlines()
    assert len({line.count("|") for line in table}) == 1
    assert "| 100 | 5 | 1.5 / 2.0 / 2.0 | 10 |" in table[2]
