"""DynamoDB: what the journal rests on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.running import Running, running


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running({}) as up:
        yield up


@pytest.fixture
def impatient() -> Iterator[None]:
    """Have threads change places as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_of_conditional_writes_at_the_same_moment_one_succeeds(emulator: Running, impatient: None) -> None:
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="journal",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "object", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "object", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="journal", Item={"object": {"S": "o"}, "generation": {"N": "0"}})

    def advance(generation: int) -> bool:
        try:
            dynamodb.update_item(
                TableName="journal",
                Key={"object": {"S": "o"}},
                UpdateExpression="SET generation = :new",
                ConditionExpression="generation = :old",
                ExpressionAttributeValues={":old": {"N": str(generation)}, ":new": {"N": str(generation + 1)}},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        for generation in range(12):
            assert sum(threads.map(advance, [generation] * 8)) == 1
